"""Changes: globals and attributes that the user's code changes when it runs."""

import importlib.util
import sys
from collections.abc import Iterator
from inspect import getattr_static
from types import FunctionType, ModuleType
from typing import Any

from skal.identity._bytecode import Symbol, Uses
from skal.identity._names import is_installed


class Changes:
    """The globals and attributes that the user's code was seen to change."""

    def __init__(self) -> None:
        self._names: set[tuple[int, str]] = set()
        self._of_classes: set[tuple[type, str, bool]] = set()

    def __len__(self) -> int:
        return len(self._names) + len(self._of_classes)

    def copy(self) -> "Changes":
        """Return an independent copy."""
        other = Changes()
        other._names = set(self._names)
        other._of_classes = set(self._of_classes)
        return other

    def add(self, owner: Any, name: str) -> None:
        """Record that a global, or an attribute of one object, changes."""
        self._names.add((id(owner), name))

    def add_of_class(self, kind: type, name: str, of_instances: bool) -> None:
        """Record that methods of a class change an attribute.

        The attribute is one of instances, as `self.name`, or of the class itself.
        """
        self._of_classes.add((kind, name, of_instances))

    def has(self, owner: Any, name: str) -> bool:
        """Return whether a global, or an attribute of one object, changes."""
        return (id(owner), name) in self._names

    def has_of_class(self, kind: type, name: str, of_instances: bool) -> bool:
        """Return whether methods of a class change an attribute.

        Methods of base classes and of subclasses count too.
        """
        return self.has(kind, name) or any(
            (issubclass(kind, one) or issubclass(one, kind))
            for one, other, on_self in self._of_classes
            if (other, on_self) == (name, of_instances)
        )

    def note(
        self, function: FunctionType, uses: Uses, kind: type | None, of_class: bool
    ) -> None:
        """Record everything that a function changes.

        Parameters
        ----------
        function : function
            A function of the user's.
        uses : Uses
            The names that its code reads and changes.
        kind : type or None
            The class that it is a method of, if it is a method.
        of_class : bool
            Whether it is a class method.
        """
        for symbol in (uses.stores | uses.changes) - {None}:
            match symbol:
                case ("global", name):
                    self.add(function.__globals__, name)
                case ("attr", base, name) if kind and base == first_argument(function):
                    # Binding an attribute of `self` does not count as a change: that is
                    # how parameters are set.
                    if of_class or symbol in uses.changes:
                        self.add_of_class(kind, name, not of_class)
                case ("attr", base, name) if kind and is_class_of_self(base):
                    self.add_of_class(kind, name, False)
                case ("attr", base, name):
                    owner = value_of(base, function)
                    owner = vars(owner) if isinstance(owner, ModuleType) else owner
                    if owner is not None:
                        self.add(owner, name)


def first_argument(function: FunctionType) -> Symbol:
    """Return the symbol of the first argument: `self`, or `cls`."""
    code = function.__code__
    return ("local", code.co_varnames[0]) if code.co_argcount else None


def is_class_of_self(symbol: Symbol) -> bool:
    """Return whether a symbol is `type(self)`, `self.__class__` or `__class__`."""
    return symbol is not None and symbol[-1] == "__class__"


def value_of(symbol: Symbol, function: FunctionType) -> Any:
    """Return the module or object that a symbol stands for; None if it is unknown."""
    kind, *rest = symbol or (None,)
    if kind == "global":
        return function.__globals__.get(rest[0])
    if kind == "local":
        return dict(nonlocals(function)).get(rest[0])
    if kind == "module":
        return _imported(rest[0], rest[1], function)
    if kind == "attr":
        owner = value_of(rest[0], function)
        if isinstance(owner, ModuleType):
            return vars(owner).get(rest[1])
        if isinstance(owner, type):
            return getattr_static(owner, rest[1], None)
        return None if owner is None else getattr(owner, "__dict__", {}).get(rest[1])
    return None


def _imported(name: str, level: int, function: FunctionType) -> ModuleType | None:
    """Return a module that a function imports, if it is part of the user's code."""
    package = function.__globals__.get("__package__")
    try:
        name = importlib.util.resolve_name("." * level + name, package)
        is_own = name in sys.modules or not _is_installed_top(name.partition(".")[0])
        return importlib.import_module(name) if is_own else None
    except Exception:
        return None  # the function itself will raise the error


def _is_installed_top(name: str) -> bool:
    """Return whether a module or package is installed, without importing it."""
    spec = None if name in sys.modules else importlib.util.find_spec(name)
    if spec is None:
        return is_installed(name)
    return is_installed(name, spec.origin if spec.has_location else None)


def nonlocals(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield the name and value of each variable of an enclosing function."""
    cells = function.__closure__ or ()
    for name, cell in zip(function.__code__.co_freevars, cells, strict=True):
        try:
            value = cell.cell_contents
        except ValueError:
            continue  # it is not bound yet
        if name != "__class__":  # the class around a method, which `super()` uses
            yield name, value


def dotted_path(symbol: Symbol) -> str:
    """Return a symbol as it is written in code, such as `settings.scale`."""
    kind, *rest = symbol or ("",)
    return f"{dotted_path(rest[0])}.{rest[1]}" if kind == "attr" else str(rest[0])
