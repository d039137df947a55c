"""Names that code changes, and the objects that they stand for."""

import importlib.util
import sys
from collections.abc import Iterator
from inspect import getattr_static
from types import FunctionType, ModuleType
from typing import Any

from skal.identity._bytecode import Symbol
from skal.identity._names import is_installed


class _Changed:
    """Whatever code of the user's own was seen to change."""

    def __init__(self) -> None:
        self._names: set[tuple[int, str]] = set()
        self._of_classes: set[tuple[type, str, bool]] = set()

    def __len__(self) -> int:
        return len(self._names) + len(self._of_classes)

    def copy(self) -> "_Changed":
        other = _Changed()
        other._names = set(self._names)
        other._of_classes = set(self._of_classes)
        return other

    def add(self, owner: Any, name: str) -> None:
        """Take down that a global, or an attribute of one object, changes."""
        self._names.add((id(owner), name))

    def add_of_class(self, kind: type, name: str, of_instances: bool) -> None:
        self._of_classes.add((kind, name, of_instances))

    def has(self, owner: Any, name: str) -> bool:
        return (id(owner), name) in self._names

    def has_of_class(self, kind: type, name: str, of_instances: bool) -> bool:
        """Return whether methods change it, be they inherited or those of heirs."""
        return self.has(kind, name) or any(
            (issubclass(kind, one) or issubclass(one, kind))
            for one, other, on_self in self._of_classes
            if (other, on_self) == (name, of_instances)
        )


def _first(function: FunctionType) -> Symbol:
    """Return the symbol of the first argument: `self`, or `cls`."""
    code = function.__code__
    return ("local", code.co_varnames[0]) if code.co_argcount else None


def _is_own_class(symbol: Symbol) -> bool:
    """Return whether a symbol is `type(self)`, `self.__class__` or `__class__`."""
    return symbol is not None and symbol[-1] == "__class__"


def _value_of(symbol: Symbol, function: FunctionType) -> Any:
    """Return the module or object that a symbol stands for; None if it is not known."""
    kind, *rest = symbol or (None,)
    if kind == "global":
        return function.__globals__.get(rest[0])
    if kind == "local":
        return dict(_nonlocals(function)).get(rest[0])
    if kind == "module":
        return _imported(rest[0], rest[1], function)
    if kind == "attr":
        owner = _value_of(rest[0], function)
        if isinstance(owner, ModuleType):
            return vars(owner).get(rest[1])
        if isinstance(owner, type):
            return getattr_static(owner, rest[1], None)
        return None if owner is None else getattr(owner, "__dict__", {}).get(rest[1])
    return None


def _imported(name: str, level: int, function: FunctionType) -> ModuleType | None:
    """Return a module that a function imports, if it is the user's own."""
    package = function.__globals__.get("__package__")
    try:
        name = importlib.util.resolve_name("." * level + name, package)
        is_own = name in sys.modules or not _is_installed_top(name.partition(".")[0])
        return importlib.import_module(name) if is_own else None
    except Exception:
        return None  # the function itself will tell


def _is_installed_top(name: str) -> bool:
    """Return whether a module or package is installed, without an import."""
    spec = None if name in sys.modules else importlib.util.find_spec(name)
    if spec is None:
        return is_installed(name)
    return is_installed(name, spec.origin if spec.has_location else None)


def _nonlocals(function: FunctionType) -> Iterator[tuple[str, Any]]:
    cells = function.__closure__ or ()
    for name, cell in zip(function.__code__.co_freevars, cells, strict=True):
        try:
            value = cell.cell_contents
        except ValueError:
            continue  # it is not bound yet
        if name != "__class__":  # for `super()`: the class that it is part of
            yield name, value


def _path(symbol: Symbol) -> str:
    kind, *rest = symbol or ("",)
    return f"{_path(rest[0])}.{rest[1]}" if kind == "attr" else str(rest[0])
