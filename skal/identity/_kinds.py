"""Kinds of values: plain, lasting, the user's own."""

import functools
import re
import types
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from datetime import date, time, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
from scipy import sparse

from skal.identity._names import is_installed, is_own_code, module_of

PLAIN = (bool, int, float, complex, str, bytes, types.NoneType, types.EllipsisType)


# Values of the standard library that nothing changes, and whose repr shows all of them.
VALUES = (
    *(re.Pattern, range, slice, Decimal, Fraction, np.dtype),
    *(date, time, timedelta, tzinfo),
)


# Modules whose objects change by themselves.
RESTLESS_MODULES = frozenset(
    {
        *("asyncio", "concurrent", "io", "_io", "logging", "multiprocessing"),
        *("queue", "sqlite3", "threading", "_thread", "weakref"),
    }
)


# Packages whose objects nothing changes, once they are fitted or made.
STEADY_PACKAGES = frozenset({"skal", "sklearn", "scipy", "operator"})


# Parts of a class that are no code of its body, or nothing that code depends on.
UNREAD = frozenset(
    {
        *("__module__", "__qualname__", "__name__", "__doc__", "__dict__"),
        *("__weakref__", "__annotations__", "__annotate__", "__annotate_func__"),
        *("__annotations_cache__", "__firstlineno__", "__static_attributes__"),
        *("__abstractmethods__", "__parameters__", "__orig_bases__", "__wrapped__"),
        *("__dataclass_fields__", "__dataclass_params__", "__slotnames__"),
        *("_abc_impl", "_metadata_request", "_sklearn_auto_wrap_output_keys"),
    }
)


def _module_name(names: Mapping[str, Any]) -> str:
    name = str(names.get("__name__", "__main__"))
    return "__main__" if name == "__mp_main__" else name


def _is_own(value: Any) -> bool:
    """Return whether a class or function is the user's own, and so is its code."""
    if isinstance(value, FunctionType) and is_own_code(value):
        return True
    return not is_installed(module_of(value))


def _has_params(value: Any) -> bool:
    return hasattr(value, "get_params") and not isinstance(value, type)


def _is_table(value: Any) -> bool:
    return hasattr(value, "__array__") or sparse.issparse(value)


def _is_container(value: Any) -> bool:
    """Return whether a value is a list, tuple, set or dict, and no more than that."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return True
    kinds = (list, tuple, set, frozenset, dict, types.MappingProxyType)
    return type(value) in kinds


def _is_lasting(value: Any) -> bool:
    """Return whether a value that is held by code is not changed by use."""
    kind = type(value)
    return (
        _is_frozen(kind)
        or isinstance(value, ModuleType | functools.partial)
        or hasattr(value, "__qualname__")
        or _is_table(value)
        or _has_params(value)
        or isinstance(value, np.vectorize)
        or kind.__module__.partition(".")[0] in STEADY_PACKAGES
    )


def _is_frozen(kind: Any) -> bool:
    return is_dataclass(kind) and kind.__dataclass_params__.frozen  # type: ignore


def _is_restless(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in RESTLESS_MODULES


def _attributes(value: Any) -> dict[str, Any]:
    """Return the attributes of an object, those in slots included."""
    slots: Iterable[str] = [
        name
        for kind in type(value).__mro__
        if _is_own(kind)
        for name in np.atleast_1d(vars(kind).get("__slots__", ())).tolist()
    ]
    found = {name: getattr(value, name) for name in slots if hasattr(value, name)}
    found |= getattr(value, "__dict__", {})
    # Distributions of scipy and their like keep private caches.
    has_caches = type(value).__module__.partition(".")[0] in ("numpy", "scipy")
    return {
        str(key): found[key]
        for key in found
        # How metadata is routed is told by what `fit` is given.
        if key not in UNREAD and not (has_caches and str(key).startswith("_"))
    }
