"""Descriptions of values: texts that are the same in each process."""

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

from skal.identity._bytecode import Symbol, Uses, code_text
from skal.identity._changes import (
    Changes,
    dotted_path,
    nonlocals,
    value_of,
)
from skal.identity._digests import feed, short_digest
from skal.identity._kinds import (
    PLAIN,
    UNREAD,
    VALUES,
    attributes,
    has_params,
    is_container,
    is_lasting,
    is_own,
    is_restless,
    is_table,
    module_name,
    params_of,
)
from skal.identity._names import is_installed, is_own_code, module_of, public_name

# Number of characters from which a digest replaces the text of an object's attributes,
# or of a global.
LONG_OBJECT, LONG_GLOBAL = 10_000, 200
# Separates a description from the JSON object with the parts of the code.
WITH = " with {"


def describe(value: Any, skip: Collection[str] = ()) -> str:
    """Describe a value by a text that does not depend on the process.

    Parameters
    ----------
    value : object
        The value to describe. An estimator or another object is described by its class
        and, recursively, its parameters or attributes; an installed function or class
        by its public name; a function or class of the user's by its name, with digests
        of its code and of all code, globals and module attributes that this code reads;
        an array by a digest.
    skip : collection of str, default=()
        Names of parameters to leave out.

    Returns
    -------
    str
        If user code is involved, the text ends in " with " and a JSON object, which
        maps the name of each part of the code to its digest or value.

    Notes
    -----
    A global, a class attribute or a default argument is described by value if it is a
    number, a string, an array or a table. So is a list, dict or set, unless the code
    changes it, as in `calls.append(x)` or `cache[key] = x`. Anything that the code
    changes, such as a counter, and any other object is described by its type only.
    Data that code reads from files, from the environment or under computed names, as
    in `getattr(mine, name)`, is not included.
    """
    # Describing code shows which globals and attributes it changes. Repeat with this
    # knowledge, until nothing new is found.
    changed = Changes()
    while True:
        found = _Description(changed)
        text = found.of(value, frozenset(skip))
        found.go_through_code()
        if len(found.changed) == len(changed):
            break
        changed = found.changed
    parts = json.dumps(found.parts, sort_keys=True)
    return f"{text} with {parts}" if found.parts else text


def split_text(text: str) -> tuple[str, dict[str, str]]:
    """Split a description into the text without code, and the parts of the code.

    Parameters
    ----------
    text : str
        As returned by `describe`.

    Returns
    -------
    plain : str
        The text up to " with ".
    parts : dict of str to str
        The digest or value of each part of the code, by its name.
    """
    plain, _, parts = text.partition(WITH)
    try:
        return plain, dict(json.loads(f"{{{parts}"))
    except ValueError:
        return text, {}


class _Description:
    """The description of one value, and of the user's code that belongs to it.

    Parameters
    ----------
    changed : Changes
        The globals and attributes that are already known to change.

    Attributes
    ----------
    parts : dict of str to str
        The digest or value of each part of the code, by its name.
    changed : Changes
        The globals and attributes that the described code changes, and the ones known
        before.
    """

    def __init__(self, changed: Changes) -> None:
        self.parts: dict[str, str] = {}
        self.changed = changed.copy()
        self._before = changed
        self._known: dict[tuple[int, frozenset[str]], str] = {}
        self._open: set[int] = set()
        self._kept: list[Any] = []  # kept alive, so that their ids stay unique
        self._names: dict[str, list[Any]] = defaultdict(list)
        self._waiting: deque[tuple[str, Any]] = deque()

    def go_through_code(self) -> None:
        """Describe the code of all functions and classes that were named so far.

        This names further ones, which are described too.
        """
        while self._waiting:
            name, what = self._waiting.popleft()
            self.parts[f"code of {name}"] = short_digest(self._code_of(what))

    def of(self, value: Any, skip: frozenset[str] = frozenset()) -> str:
        """Describe a value, in full the first time."""
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, PLAIN):
            return repr(value)
        key = id(value), skip
        if key not in self._known:
            if id(value) in self._open:
                return f"{self._type(value)}(...)"  # a value that contains itself
            self._open.add(id(value))
            self._kept.append(value)
            text = self._of_new(value, skip)
            self._open.remove(id(value))
            self._known[key] = text
        return self._known[key]

    def _of_new(self, value: Any, skip: frozenset[str]) -> str:
        """Describe a value by its kind."""
        if isinstance(value, ModuleType):
            return f"module {value.__name__}"
        if hasattr(value, "__qualname__"):
            return self._named(value, skip)
        if isinstance(value, list | tuple | set | frozenset | Mapping):
            prefix = self._type(value) if is_own(type(value)) else ""
            return prefix + self._container(value, lambda part: self.of(part, skip))
        if isinstance(value, np.random.RandomState):
            return f"{public_name(type(value))} {_state_of(value)}"
        if isinstance(value, np.random.Generator):
            return f"{public_name(type(value))} {digest(value.bit_generator.state)}"
        if is_table(value):
            return f"{public_name(type(value))} {digest(value)}"
        return self._object(value, skip)

    def _container(self, value: Any, inner: Any) -> str:
        """Describe a list, set or mapping; `inner` describes its members."""
        if isinstance(value, list | tuple):
            return f"[{', '.join(map(inner, value))}]"
        if isinstance(value, set | frozenset):
            return f"{{{', '.join(sorted(map(inner, value)))}}}"
        items = sorted(f"{inner(key)}: {inner(part)}" for key, part in value.items())
        return f"{{{', '.join(items)}}}"

    def _object(self, value: Any, skip: frozenset[str]) -> str:
        """Describe an object by its class and its parameters or attributes."""
        kind = type(value)
        name = self._type(value)
        if isinstance(value, functools.partial):
            parts = {"func": value.func, "args": value.args, "keywords": value.keywords}
        elif has_params(value):
            parts = params_of(value)
        else:
            parts = {} if is_restless(kind) else attributes(value)
            # A run sets the random_state of estimators, but not of other objects.
            skip = skip - {"random_state"}
        if not parts:
            is_opaque = " at 0x" in repr(value) or is_own(kind)
            return name if is_opaque else repr(value)
        inner = {
            key: self._type(parts[key])
            if self._before.has_of_class(kind, key, True)
            else self.of(parts[key], skip)
            for key in sorted(parts)
            if key not in skip
        }
        text = ", ".join(f"{key}={part}" for key, part in inner.items())
        is_long = len(text) > LONG_OBJECT and not has_params(value)
        return f"{name}({short_digest(text) if is_long else text})"

    def _type(self, value: Any) -> str:
        return self.of(type(value))

    # Classes and functions.

    def _named(self, value: Any, skip: frozenset[str]) -> str:
        """Describe a class, a function, or a method together with its owner."""
        owner = getattr(value, "__self__", None)
        if isinstance(owner, type) and isinstance(value, types.MethodType):
            return f"{self.of(owner)}.{value.__name__}"
        if not (owner is None or isinstance(owner, type | ModuleType)):
            return f"{self.of(owner, skip)}.{value.__name__}"
        name = public_name(value)
        if not (is_own(value) or "<" in name):
            return name
        if not isinstance(value, FunctionType | type):
            return self._compiled(value, name)
        if "<" in name:  # a lambda or a local function, whose name is not unique
            return f"{name} {short_digest(self._code_of(value))}"
        return self._by_reference(value, name)

    def _by_reference(self, value: Any, name: str) -> str:
        """Return a name, numbered if several share it, and queue its code."""
        same = self._names[name]
        number = next((n for n, one in enumerate(same) if one is value), len(same))
        reference = f"{name} ({number + 1})" if number else name
        if number == len(same):
            same.append(value)
            self._waiting.append((reference, value))
        return reference

    def _compiled(self, value: Any, name: str) -> str:
        """Describe a wrapper of a function, or a compiled function without bytecode."""
        for attribute in ("__wrapped__", "py_func"):
            if hasattr(value, attribute):
                return f"{name} of {self.of(getattr(value, attribute))}"
        file = getattr(sys.modules.get(module_of(value)), "__file__", None)
        if file and not file.endswith((".py", ".pyc")):
            self.parts[f"file of {module_of(value)}"] = short_digest(
                Path(file).read_bytes()
            )
        return name

    def _code_of(self, value: Any) -> str:
        """Describe the code of a class or function."""
        return self._class(value) if isinstance(value, type) else self._function(value)

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
        """Describe a method or another attribute in the body of a class."""
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
        if uses is None:  # installed code, such as a decorator, around user code
            return f"{module_of(function)} {function.__code__.co_qualname} {cells}"
        self.changed.note(function, uses, kind, of_class)
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
        """Describe a constant in code."""
        return (
            self._held(value) if isinstance(value, frozenset | tuple) else repr(value)
        )

    def _defaults(self, function: FunctionType, uses: Uses) -> list[str]:
        """Describe the default arguments of a function."""
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
            for name, value in nonlocals(function)
        ]

    def _references(self, function: FunctionType, uses: Uses) -> Iterator[str]:
        """Yield the names of code that a function reads; add values to the parts."""
        for symbol in sorted(uses.reads, key=repr):
            found = self._read(symbol, function)
            if found is not None:
                yield f"{symbol}: {found}"

    def _read(self, symbol: Symbol, function: FunctionType) -> str | None:
        """Describe a symbol that a function reads, if it is code."""
        kind, *rest = symbol or (None,)
        if kind == "global":
            return self._read_name(function.__globals__, rest[0])
        owner = value_of(rest[0], function) if kind == "attr" else None
        if isinstance(owner, ModuleType):
            own = not is_installed(owner.__name__, getattr(owner, "__file__", None))
            return self._read_name(vars(owner), rest[1]) if own else None
        if owner is not None and not hasattr(owner, "__qualname__"):
            self._read_attribute(rest[0], rest[1], owner, function)
        return None

    def _read_name(self, names: dict[str, Any], name: str) -> str | None:
        """Describe a global of a module: return the name of code, add a value."""
        if name not in names or (name[:2] == name[-2:] == "__"):
            return None
        value = names[name]
        if isinstance(value, ModuleType) or hasattr(value, "__qualname__"):
            return self.of(value)
        text = self._held(value, self._before.has(names, name))
        self._add(f"{module_name(names)}.{name}", text)
        return None

    def _read_attribute(
        self, base: Symbol, name: str, owner: Any, function: FunctionType
    ) -> None:
        """Add a plain attribute of a global object, unless code changes it."""
        value = getattr(owner, "__dict__", {}).get(name, ...)
        has_changed = self._before.has(owner, name) or any(
            self._before.has_of_class(type(owner), name, on_self)
            for on_self in (True, False)
        )
        if isinstance(value, PLAIN) and value is not ... and not has_changed:
            path = f"{module_name(function.__globals__)}.{dotted_path(base)}.{name}"
            self._add(path, repr(value))

    def _add(self, name: str, text: str) -> None:
        """Add a part; number its name if it is taken by another part."""
        text = short_digest(text) if len(text) > LONG_GLOBAL else text
        key, number = name, 1
        while self.parts.get(key, text) != text:
            number += 1
            key = f"{name} ({number})"
        self.parts[key] = text

    def _held(self, value: Any, has_changed: bool = False) -> str:
        """Describe a value that code refers to; only its type if it may change."""
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
        if is_container(value):
            if id(value) in self._open:
                return "..."
            self._open.add(id(value))
            text = self._container(value, self._held)
            self._open.remove(id(value))
            return f"{type(value).__name__} {text}"
        return self.of(value) if is_lasting(value) else f"some {self._type(value)}"


def _state_of(value: np.random.RandomState) -> str:
    """Describe a generator by its state, except for numpy's global one."""
    is_global = value is np.random.mtrand._rand
    return "of numpy" if is_global else digest(value.get_state(legacy=False))


def digest(value: Any) -> str:
    """Return a digest of rows or labels in any container, and their number.

    Parameters
    ----------
    value : array, sparse matrix, data frame, list, or any other object
        The value to digest.

    Returns
    -------
    str
        Such as "<60 rows, digest 0123456789abcdef>".
    """
    if value is None:
        return "None"
    state = blake2b(digest_size=8)
    feed(state, value, describe)
    is_list = isinstance(value, list | tuple)
    shape = (len(value),) if is_list else getattr(value, "shape", ())
    size = f"{shape[0]} rows, " if shape else ""
    return f"<{size}digest {state.hexdigest()}>"
