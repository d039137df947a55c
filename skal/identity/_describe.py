"""Values as text, the same in each process, with digests of the user's code."""

import functools
import json
import sys
import types
from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Mapping
from enum import Enum
from hashlib import blake2b
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
from scipy import sparse

from skal.identity._bytecode import Symbol, Uses, code_text
from skal.identity._changes import (
    _Changed,
    _first,
    _is_own_class,
    _nonlocals,
    _path,
    _value_of,
)
from skal.identity._kinds import (
    PLAIN,
    UNREAD,
    VALUES,
    _attributes,
    _has_params,
    _is_container,
    _is_lasting,
    _is_own,
    _is_restless,
    _is_table,
    _module_name,
)
from skal.identity._names import is_installed, is_own_code, module_of, public_name
from skal.inputs._containers import is_frame

# Longer texts stand as a digest: those of attributes, and those of globals.
LONG_OBJECT, LONG_GLOBAL = 10_000, 200


WITH = " with {"


def describe(value: Any, skip: Collection[str] = ()) -> str:
    """Put a value into words that do not depend on the process.

    Parameters
    ----------
    value : object
        An estimator or another object is described by its class and its parameters or
        attributes, as deep as these go; an installed function or class by its public
        name; one of the user's own by its name, with digests of its code and of all
        the code, globals and module attributes that this reads; an array by a digest.
    skip : collection of str, default=()
        Parameters to leave out.

    Returns
    -------
    str
        Where there is code of the user's own, " with " and a JSON object follow, that
        names each part of it.

    Notes
    -----
    A global, a class attribute or a default argument is described by value if it is a
    number, a text, an array or a table; so is a list, dict or set, unless code that is
    read changes it, as by `calls.append(x)` or `cache[key] = x`. Whatever code changes,
    as a counter, and any other object is described by its type alone. Data that code
    reads from files, from the environment, or under names that it makes up while it
    runs, as by `getattr(mine, name)`, is not seen.
    """
    changed = _Changed()
    while True:
        found = _Description(changed)
        text = found.of(value, frozenset(skip))
        found.go_through_code()
        if len(found.changed) == len(changed):
            break
        # Now it is known what code changes: of that, only the type counts.
        changed = found.changed
    parts = json.dumps(found.parts, sort_keys=True)
    return f"{text} with {parts}" if found.parts else text


def split_text(text: str) -> tuple[str, dict[str, str]]:
    """Return a description without its code, and the parts of the code."""
    plain, _, parts = text.partition(WITH)
    try:
        return plain, dict(json.loads(f"{{{parts}"))
    except ValueError:
        return text, {}


class _Description:
    """One value in words, and the parts of the user's own code that belong to it."""

    def __init__(self, changed: _Changed) -> None:
        self.parts: dict[str, str] = {}
        self.changed = changed.copy()
        self._before = changed
        self._known: dict[tuple[int, frozenset[str]], str] = {}
        self._open: set[int] = set()
        self._kept: list[Any] = []  # alive, so that no other object gets their id
        self._names: dict[str, list[Any]] = defaultdict(list)
        self._waiting: deque[tuple[str, Any]] = deque()

    def go_through_code(self) -> None:
        """Describe the code that was met, and the code that this leads to."""
        while self._waiting:
            name, what = self._waiting.popleft()
            self.parts[f"code of {name}"] = _short(self._code_of(what))

    def of(self, value: Any, skip: frozenset[str] = frozenset()) -> str:
        """Describe a value that was given."""
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, PLAIN):
            return repr(value)
        key = id(value), skip
        if key not in self._known:
            if id(value) in self._open:
                return f"{self._type(value)}(...)"  # it is part of itself
            self._open.add(id(value))
            self._kept.append(value)
            text = self._of_new(value, skip)
            self._open.remove(id(value))
            self._known[key] = text
        return self._known[key]

    def _of_new(self, value: Any, skip: frozenset[str]) -> str:
        if isinstance(value, ModuleType):
            return f"module {value.__name__}"
        if hasattr(value, "__qualname__"):
            return self._named(value, skip)
        if isinstance(value, list | tuple | set | frozenset | Mapping):
            prefix = self._type(value) if _is_own(type(value)) else ""
            return prefix + self._container(value, lambda part: self.of(part, skip))
        if isinstance(value, np.random.RandomState):
            return f"{public_name(type(value))} {_state_of(value)}"
        if isinstance(value, np.random.Generator):
            return f"{public_name(type(value))} {digest(value.bit_generator.state)}"
        if _is_table(value):
            return f"{public_name(type(value))} {digest(value)}"
        return self._object(value, skip)

    def _container(self, value: Any, inner: Any) -> str:
        if isinstance(value, list | tuple):
            return f"[{', '.join(map(inner, value))}]"
        if isinstance(value, set | frozenset):
            return f"{{{', '.join(sorted(map(inner, value)))}}}"
        items = sorted(f"{inner(key)}: {inner(part)}" for key, part in value.items())
        return f"{{{', '.join(items)}}}"

    def _object(self, value: Any, skip: frozenset[str]) -> str:
        kind = type(value)
        name = self._type(value)
        if isinstance(value, functools.partial):
            parts = {"func": value.func, "args": value.args, "keywords": value.keywords}
        elif _has_params(value):
            parts = value.get_params(deep=False)
        else:
            parts = {} if _is_restless(kind) else _attributes(value)
            # No run replaces the random_state of an object without `get_params`.
            skip = skip - {"random_state"}
        if not parts:
            is_opaque = " at 0x" in repr(value) or _is_own(kind)
            return name if is_opaque else repr(value)
        inner = {
            key: self._type(parts[key])
            if self._before.has_of_class(kind, key, True)
            else self.of(parts[key], skip)
            for key in sorted(parts)
            if key not in skip
        }
        text = ", ".join(f"{key}={part}" for key, part in inner.items())
        is_long = len(text) > LONG_OBJECT and not _has_params(value)
        return f"{name}({_short(text) if is_long else text})"

    def _type(self, value: Any) -> str:
        return self.of(type(value))

    # Classes and functions.

    def _named(self, value: Any, skip: frozenset[str]) -> str:
        """Describe a class, a function, or a method together with whose it is."""
        owner = getattr(value, "__self__", None)
        if isinstance(owner, type) and isinstance(value, types.MethodType):
            return f"{self.of(owner)}.{value.__name__}"
        if not (owner is None or isinstance(owner, type | ModuleType)):
            return f"{self.of(owner, skip)}.{value.__name__}"
        name = public_name(value)
        if not (_is_own(value) or "<" in name):
            return name
        if not isinstance(value, FunctionType | type):
            return self._compiled(value, name)
        if "<" in name:  # it has no lasting name
            return f"{name} {_short(self._code_of(value))}"
        return self._by_reference(value, name)

    def _by_reference(self, value: Any, name: str) -> str:
        """Return a name, with a number where several have it; its code is a part."""
        same = self._names[name]
        number = next((n for n, one in enumerate(same) if one is value), len(same))
        reference = f"{name} ({number + 1})" if number else name
        if number == len(same):
            same.append(value)
            self._waiting.append((reference, value))
        return reference

    def _compiled(self, value: Any, name: str) -> str:
        """Describe what wraps a function, or was compiled and so has no code to see."""
        for attribute in ("__wrapped__", "py_func"):
            if hasattr(value, attribute):
                return f"{name} of {self.of(getattr(value, attribute))}"
        file = getattr(sys.modules.get(module_of(value)), "__file__", None)
        if file and not file.endswith((".py", ".pyc")):
            self.parts[f"file of {module_of(value)}"] = _short(Path(file).read_bytes())
        return name

    def _code_of(self, value: Any) -> str:
        text = self._class if isinstance(value, type) else self._function
        return text(value)

    def _class(self, kind: type) -> str:
        """Describe a class by its bases and its body."""
        bases = [self.of(base) for base in (type(kind), *kind.__bases__)]
        body = {
            name: self._member(kind, name, value)
            for name, value in sorted(vars(kind).items())
            if name not in UNREAD
        }
        return repr((bases, body))

    def _member(self, kind: type, name: str, value: Any) -> str:
        if isinstance(value, FunctionType):
            return self._function(value, kind)
        if isinstance(value, staticmethod | classmethod):
            function = value.__func__
            inner = (
                self._function(function, kind, isinstance(value, classmethod))
                if isinstance(function, FunctionType)
                else self.of(function)
            )
            return f"{type(value).__name__} {inner}"
        if isinstance(value, property):
            accessors = (value.fget, value.fset, value.fdel)
            return repr([one and self._member(kind, name, one) for one in accessors])
        if isinstance(value, functools.cached_property | functools.partialmethod):
            return f"{type(value).__name__} {self.of(value.func)}"
        is_inner = isinstance(value, list | dict | set) and self._before.has_of_class(
            kind, name, True
        )
        has_changed = is_inner or self._before.has_of_class(kind, name, False)
        return self._held(value, has_changed)

    def _function(
        self, function: FunctionType, kind: type | None = None, of_class: bool = False
    ) -> str:
        """Describe a function by its code and by what it reads."""
        uses = Uses(function.__code__) if is_own_code(function) else None
        cells = self._cells(function, uses)
        if uses is None:  # installed code around code of the user's own
            return f"{module_of(function)} {function.__code__.co_qualname} {cells}"
        self._note_changes(function, uses, kind, of_class)
        return repr(
            (
                code_text(function.__code__, self._constant),
                self._defaults(function, uses),
                cells,
                [
                    f"{name}={self._held(value)}"
                    for name, value in sorted(vars(function).items())
                    if name not in UNREAD and not self._before.has(function, name)
                ],
                list(self._references(function, uses)),
            )
        )

    def _constant(self, value: Any) -> str:
        return (
            self._held(value) if isinstance(value, frozenset | tuple) else repr(value)
        )

    def _defaults(self, function: FunctionType, uses: Uses) -> list[str]:
        code, given = function.__code__, function.__defaults__ or ()
        names = code.co_varnames[: code.co_argcount]
        named = dict(zip(names[len(names) - len(given) :], given, strict=True))
        named |= function.__kwdefaults__ or {}
        return [
            f"{name}={self._held(value, ('local', name) in uses.changes)}"
            for name, value in named.items()
        ]

    def _cells(self, function: FunctionType, uses: Uses | None) -> list[str]:
        """Describe the variables of enclosing functions."""
        changed = set() if uses is None else uses.stores | uses.changes
        return [
            f"{name}={self._held(value, ('local', name) in changed)}"
            for name, value in _nonlocals(function)
        ]

    def _references(self, function: FunctionType, uses: Uses) -> Iterator[str]:
        """Name the code that a function reads; add values that it reads as parts."""
        for symbol in sorted(uses.reads, key=repr):
            found = self._read(symbol, function)
            if found is not None:
                yield f"{symbol}: {found}"

    def _read(self, symbol: Symbol, function: FunctionType) -> str | None:
        kind, *rest = symbol or (None,)
        if kind == "global":
            return self._read_name(function.__globals__, rest[0])
        owner = _value_of(rest[0], function) if kind == "attr" else None
        if isinstance(owner, ModuleType):
            own = not is_installed(owner.__name__, getattr(owner, "__file__", None))
            return self._read_name(vars(owner), rest[1]) if own else None
        if owner is not None and not hasattr(owner, "__qualname__"):
            self._read_attribute(rest[0], rest[1], owner, function)
        return None

    def _read_name(self, names: dict[str, Any], name: str) -> str | None:
        """Describe a global of a module: code by name, a value as a part."""
        if name not in names or (name[:2] == name[-2:] == "__"):
            return None
        value = names[name]
        if isinstance(value, ModuleType) or hasattr(value, "__qualname__"):
            return self.of(value)
        text = self._held(value, self._before.has(names, name))
        self._add(f"{_module_name(names)}.{name}", text)
        return None

    def _read_attribute(
        self, base: Symbol, name: str, owner: Any, function: FunctionType
    ) -> None:
        """Describe a plain attribute of a global object, unless code changes it."""
        value = getattr(owner, "__dict__", {}).get(name, ...)
        has_changed = self._before.has(owner, name) or any(
            self._before.has_of_class(type(owner), name, on_self)
            for on_self in (True, False)
        )
        if isinstance(value, PLAIN) and value is not ... and not has_changed:
            path = f"{_module_name(function.__globals__)}.{_path(base)}.{name}"
            self._add(path, repr(value))

    def _add(self, name: str, text: str) -> None:
        """Add a part; where another one of that name is there, under a number."""
        text = _short(text) if len(text) > LONG_GLOBAL else text
        key, number = name, 1
        while self.parts.get(key, text) != text:
            number += 1
            key = f"{name} ({number})"
        self.parts[key] = text

    def _held(self, value: Any, has_changed: bool = False) -> str:
        """Describe what code holds: of whatever may change by use, the type."""
        if isinstance(value, np.generic):
            value = value.item()
        if has_changed:
            return f"some {self._type(value)}"
        if isinstance(value, PLAIN):
            return repr(value)
        if isinstance(value, Enum):
            return f"{self._type(value)}.{value.name}"
        if isinstance(value, VALUES):
            return repr(value)
        if _is_container(value):
            if id(value) in self._open:
                return "..."
            self._open.add(id(value))
            text = self._container(value, self._held)
            self._open.remove(id(value))
            return f"{type(value).__name__} {text}"
        return self.of(value) if _is_lasting(value) else f"some {self._type(value)}"

    # Changes.

    def _note_changes(
        self, function: FunctionType, uses: Uses, kind: type | None, of_class: bool
    ) -> None:
        """Take down whatever a function changes, of a class that it is a method of."""
        for symbol in (uses.stores | uses.changes) - {None}:
            match symbol:
                case ("global", name):
                    self.changed.add(function.__globals__, name)
                case ("attr", base, name) if kind and base == _first(function):
                    # To set an attribute of `self` is no change: it is a parameter.
                    if of_class or symbol in uses.changes:
                        self.changed.add_of_class(kind, name, not of_class)
                case ("attr", base, name) if kind and _is_own_class(base):
                    self.changed.add_of_class(kind, name, False)
                case ("attr", base, name):
                    owner = _value_of(base, function)
                    owner = vars(owner) if isinstance(owner, ModuleType) else owner
                    if owner is not None:
                        self.changed.add(owner, name)


def _state_of(value: np.random.RandomState) -> str:
    """Describe a generator by its state; numpy's own moves on with every use."""
    is_global = value is np.random.mtrand._rand
    return "of numpy" if is_global else digest(value.get_state(legacy=False))


def _short(text: str | bytes) -> str:
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return f"<digest {blake2b(raw, digest_size=8).hexdigest()}>"


def digest(value: Any) -> str:
    """Return a digest of rows or labels in any container, and how many they are.

    Parameters
    ----------
    value : array, sparse matrix, data frame, list, or anything else

    Returns
    -------
    str
    """
    if value is None:
        return "None"
    state = blake2b(digest_size=8)
    _feed(state, value)
    is_list = isinstance(value, list | tuple)
    shape = (len(value),) if is_list else getattr(value, "shape", ())
    size = f"{shape[0]} rows, " if shape else ""
    return f"<{size}digest {state.hexdigest()}>"


def _feed(state: Any, value: Any) -> None:
    """Add a value to a digest, so that no two values add the same bytes."""
    if sparse.issparse(value):
        value = value.tocsr().sorted_indices()
        value = ["sparse", value.shape, value.indptr, value.indices, value.data]
    elif is_frame(value):
        dtypes = [str(dtype) for dtype in value.dtypes]
        value = ["frame", list(map(str, value.columns)), dtypes, value.to_numpy()]
    elif hasattr(value, "__array__"):
        value = value.detach().cpu() if hasattr(value, "detach") else value
        value = np.asarray(value)
        if value.dtype.kind in "OUS":
            value = ["array", value.shape, value.ravel().tolist()]
    if isinstance(value, np.ndarray):
        state.update(f"{value.dtype.str}{value.shape}".encode())
        state.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, list | tuple):
        state.update(b"list %d " % len(value))
        for part in value:
            _feed(state, part)
    else:
        text = value if isinstance(value, str) else f"\0{describe(value)}"
        raw = text.encode("utf-8", "surrogatepass")
        state.update(b"text %d " % len(raw))
        state.update(raw)
