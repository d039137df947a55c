"""Bytecode of functions: its text, and the names that it reads and changes."""

import dis
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

# A value on the stack that can be traced to a name: ("global", name), ("local", name),
# ("module", name, level), ("const", value) or ("attr", symbol, name); None for others.
Symbol = tuple[Any, ...] | None

# Methods that change the list, dict, set, deque or array they are called on.
MUTATORS = frozenset(
    {
        *("append", "appendleft", "add", "clear", "difference_update", "discard"),
        *("extend", "extendleft", "fill", "insert", "intersection_update", "pop"),
        *("popitem", "popleft", "put", "remove", "reverse", "rotate", "setdefault"),
        *("sort", "symmetric_difference_update", "update"),
    }
)
# Prefixes of instructions that compute nothing, so the top of the stack stays the same.
SILENT = ("POP_", "SWAP", "RESUME", "KW_NAMES", "JUMP", "NOP", "EXTENDED_ARG", "END_")
# Flags of code: *args, **kwargs, generator, coroutine, iterable coroutine and
# asynchronous generator.
KINDS = 0x04 | 0x08 | 0x20 | 0x80 | 0x100 | 0x200


class Uses:
    """The names that code reads and changes, including nested functions.

    The instructions are followed once, from the first to the last, with a stack of
    symbols. This covers common code such as `calls.append(x)`, `Cls.n += 1` and
    `mine.FACTOR`.

    Parameters
    ----------
    code : CodeType
        The code to analyse.

    Attributes
    ----------
    reads : set of symbol
        Globals, and attributes of values that have a symbol.
    stores : set of symbol
        Names and attributes that are assigned or deleted.
    changes : set of symbol
        Objects that are changed in place: by setting an item, by a method such as
        `append`, or by an operator such as `+=`.
    """

    def __init__(self, code: CodeType) -> None:
        self.reads: set[Symbol] = set()
        self.stores: set[Symbol] = set()
        self.changes: set[Symbol] = set()
        self._known: dict[str, Symbol] = {}
        self._follow(code)

    def _follow(self, code: CodeType) -> None:
        """Apply all instructions to an empty stack, then follow nested code."""
        stack = _Stack()
        for step in dis.get_instructions(code):
            name = step.opname
            if name.startswith("LOAD_") or name == "IMPORT_FROM":
                self._load(step, stack)
            elif name.startswith(("STORE_", "DELETE_")):
                self._store(step, stack, code)
            elif name == "IMPORT_NAME":
                names, level = stack.pop(), stack.pop()
                stack.push(_imported(step.argval, names, level))
            elif name == "BINARY_OP" and step.argrepr.endswith("="):
                stack.pop()
                self.changes.add(stack.pop())
                stack.push(None)
            elif name == "BINARY_SUBSCR":
                stack.pop()  # leave the container as the symbol of its item
            else:
                stack.apply(step)
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                self._follow(constant)

    def _load(self, step: dis.Instruction, stack: "_Stack") -> None:
        """Push the value of a name or constant."""
        name = step.opname
        if name in ("LOAD_GLOBAL", "LOAD_NAME"):
            stack.apply(step)
            stack.pop()
            symbol: Symbol = ("global", step.argval)
            self.reads.add(symbol)
            stack.push(symbol)
        elif name in ("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM"):
            self._load_attribute(step, stack)
        elif name in ("LOAD_CONST", "LOAD_SMALL_INT"):
            stack.push(("const", step.argval))
        elif name.startswith(("LOAD_FAST", "LOAD_DEREF", "LOAD_CLOSURE")):
            names = step.argval if isinstance(step.argval, tuple) else (step.argval,)
            for one in names:
                stack.push(self._known.get(one, ("local", one)))
        else:
            stack.apply(step)

    def _load_attribute(self, step: dis.Instruction, stack: "_Stack") -> None:
        """Replace an object by one of its attributes."""
        base = stack.top() if step.opname == "IMPORT_FROM" else stack.pop()
        symbol: Symbol = ("attr", base, step.argval) if base else None
        if symbol:
            self.reads.add(symbol)
            if step.argval in MUTATORS:
                self.changes.add(base)
        stack.push(symbol)
        if step.opname != "IMPORT_FROM" and _effect(step) > 0:
            stack.push(None)  # a method is pushed along with its object

    def _store(self, step: dis.Instruction, stack: "_Stack", code: CodeType) -> None:
        """Pop a value that is bound to a name, attribute or item."""
        name = step.opname
        if name in ("STORE_ATTR", "DELETE_ATTR"):
            self.stores.add(("attr", stack.pop(), step.argval))
            if name == "STORE_ATTR":
                stack.pop()
        elif name in ("STORE_SUBSCR", "DELETE_SUBSCR", "STORE_SLICE"):
            for _ in range(1 + (name == "STORE_SLICE")):
                stack.pop()
            self.changes.add(stack.pop())
            if name != "DELETE_SUBSCR":
                stack.pop()
        elif name in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            self.stores.add(("global", step.argval))
            stack.apply(step)
        elif isinstance(step.argval, str):
            value = stack.pop() if name.startswith("STORE_") else None
            self._bind(step.argval, value, code)
        else:
            stack.apply(step)

    def _bind(self, name: str, value: Symbol, code: CodeType) -> None:
        """Record that a local name refers to a module, or no longer does."""
        self._known.pop(name, None)
        if _root(value) == "module":
            self._known[name] = value
        if name in code.co_freevars:
            self.stores.add(("local", name))


class _Stack:
    """The upper part of the stack, as symbols; None is popped from below it."""

    def __init__(self) -> None:
        self._held: list[Symbol] = []

    def push(self, symbol: Symbol) -> None:
        """Put a symbol on top."""
        self._held.append(symbol)

    def pop(self) -> Symbol:
        """Remove the top symbol and return it."""
        return self._held.pop() if self._held else None

    def top(self) -> Symbol:
        """Return the top symbol."""
        return self._held[-1] if self._held else None

    def apply(self, step: dis.Instruction) -> None:
        """Apply the effect of an instruction on the stack; its results are unknown."""
        name, n, held = step.opname, step.arg or 0, self._held
        if name == "COPY":
            self.push(held[-n] if n <= len(held) else None)
        elif name == "SWAP" and n <= len(held):
            held[-1], held[-n] = held[-n], held[-1]
        elif name == "CALL" and n == 1 and ("global", "type") in held[-3:-1]:
            symbol = self.pop()
            self._change(1 + _effect(step))
            self.pop()
            self.push(("attr", symbol, "__class__"))
        elif name != "PRECALL":
            effect = _effect(step)
            self._change(effect)
            if effect <= 0 and held and not name.startswith(SILENT):
                held[-1] = None

    def _change(self, effect: int) -> None:
        """Push `effect` unknown values; pop if it is negative."""
        for _ in range(-effect):
            self.pop()
        for _ in range(effect):
            self.push(None)


def _effect(step: dis.Instruction) -> int:
    """Return by how many values an instruction changes the height of the stack."""
    if step.opname == "CALL":  # some versions of Python count PRECALL separately
        return -1 - (step.arg or 0)
    return dis.stack_effect(step.opcode, step.arg, jump=False)


def _imported(name: str, names: Symbol, level: Symbol) -> Symbol:
    """Return the module that an import pushes: for `import a.b`, the package `a`."""
    is_whole = names is not None and bool(names[1])
    depth = level[1] if level is not None else 0
    return ("module", name if is_whole else name.partition(".")[0], depth)


def _root(symbol: Symbol) -> str | None:
    """Return the kind of the symbol that a chain of attributes begins with."""
    while symbol is not None and symbol[0] == "attr":
        symbol = symbol[1]
    return None if symbol is None else symbol[0]


def code_text(code: CodeType, constant: Callable[[Any], str]) -> str:
    """Return code as a text, without line numbers, file names, comments or docstrings.

    Parameters
    ----------
    code : CodeType
        The code.
    constant : callable
        `constant(value)` returns the text of a constant.

    Returns
    -------
    str
        One line for each instruction.
    """
    n_named = code.co_argcount + code.co_kwonlyargcount
    n_named += bool(code.co_flags & 0x04) + bool(code.co_flags & 0x08)
    counts = code.co_posonlyargcount, code.co_argcount, code.co_kwonlyargcount
    head = counts, code.co_flags & KINDS, code.co_varnames[:n_named]
    steps = [head, *_steps(code, constant), code.co_exceptiontable.hex()]
    return "\n".join(map(str, steps))


def _steps(code: CodeType, constant: Callable[[Any], str]) -> Iterator[str]:
    """Yield the text of each instruction, except for the line number of a class."""
    steps = list(dis.get_instructions(code))
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if following and following.argval == "__firstlineno__":
            continue
        yield f"{step.opname} {_argument(step, constant)}"


def _argument(step: dis.Instruction, constant: Callable[[Any], str]) -> Any:
    """Return the argument of an instruction, without indices that may vary."""
    if isinstance(step.argval, CodeType):
        return f"({code_text(step.argval, constant)})"
    if step.opcode in dis.hasconst:
        return constant(step.argval)
    if step.opcode in dis.hasname or step.opcode in dis.hasfree:
        return step.argval
    return step.arg
