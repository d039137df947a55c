"""Kinds of values, which decide how a value is described."""

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

# Types whose repr is the whole value.
PLAIN = (bool, int, float, complex, str, bytes, types.NoneType, types.EllipsisType)


# Immutable types of the standard library and numpy whose repr is the whole value.
VALUES = (
    *(re.Pattern, range, slice, Decimal, Fraction, np.dtype),
    *(date, time, timedelta, tzinfo),
)


# Modules whose objects change without being assigned to, such as locks and queues.
RESTLESS_MODULES = frozenset(
    {
        *("asyncio", "concurrent", "io", "_io", "logging", "multiprocessing"),
        *("queue", "sqlite3", "threading", "_thread", "weakref"),
    }
)


# Packages whose objects do not change after they are made or fitted.
STEADY_PACKAGES = frozenset({"skal", "sklearn", "scipy", "operator"})


# Attributes of a class that are not code, or that no code depends on.
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


def module_name(names: Mapping[str, Any]) -> str:
    """Return the name of the module with these globals, in worker processes too."""
    name = str(names.get("__name__", "__main__"))
    return "__main__" if name == "__mp_main__" else name


def is_own(value: Any) -> bool:
    """Return whether a class or function is part of the user's code."""
    if isinstance(value, FunctionType) and is_own_code(value):
        return True
    return not is_installed(module_of(value))


def has_params(value: Any) -> bool:
    """Return whether a value is an estimator or another object with `get_params`."""
    return hasattr(value, "get_params") and not isinstance(value, type)


def params_of(value: Any, deep: bool = False) -> dict[str, Any]:
    """Return the parameters of an object, without those added later at their default.

    Parameters
    ----------
    value : estimator
        Its class, or the class of an estimator inside it, may have `_added_params`, a
        dict with the defaults of parameters that it did not have when older files were
        written. Its class may have `_older_values`, a dict of parameters whose default
        has got another value since, to this value and the one in older files.
    deep : bool, default=False
        Whether to return the parameters of the estimators inside it, too.

    Returns
    -------
    dict of str to value
    """
    params = value.get_params(deep=deep)
    for name, (now, before) in getattr(value, "_older_values", {}).items():
        if isinstance(params[name], type(now)) and params[name] == now:
            params[name] = before
    added = dict(getattr(value, "_added_params", {}))
    for owner, inner in params.items() if deep else ():
        for name, default in getattr(inner, "_added_params", {}).items():
            added[f"{owner}__{name}"] = default
    return {
        name: part
        for name, part in params.items()
        if not (name in added and part is added[name])
    }


def is_table(value: Any) -> bool:
    """Return whether a value is an array, a tensor, a data frame or a matrix."""
    return hasattr(value, "__array__") or sparse.issparse(value)


def is_container(value: Any) -> bool:
    """Return whether a value is a plain list, tuple, set or dict, or a named tuple."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return True
    kinds = (list, tuple, set, frozenset, dict, types.MappingProxyType)
    return type(value) in kinds


def is_lasting(value: Any) -> bool:
    """Return whether a value that code refers to does not change by being used."""
    kind = type(value)
    return (
        _is_frozen(kind)
        or isinstance(value, ModuleType | functools.partial)
        or hasattr(value, "__qualname__")
        or is_table(value)
        or has_params(value)
        or isinstance(value, np.vectorize)
        or kind.__module__.partition(".")[0] in STEADY_PACKAGES
    )


def _is_frozen(kind: Any) -> bool:
    """Return whether a class is a frozen dataclass."""
    return is_dataclass(kind) and kind.__dataclass_params__.frozen  # type: ignore


def is_restless(kind: type) -> bool:
    """Return whether objects of a class change without being assigned to."""
    return kind.__module__.partition(".")[0] in RESTLESS_MODULES


def attributes(value: Any) -> dict[str, Any]:
    """Return the attributes of an object, including attributes in slots."""
    slots: Iterable[str] = [
        name
        for kind in type(value).__mro__
        if is_own(kind)
        for name in np.atleast_1d(vars(kind).get("__slots__", ())).tolist()
    ]
    found = {name: getattr(value, name) for name in slots if hasattr(value, name)}
    found |= getattr(value, "__dict__", {})
    # Objects of numpy and scipy, such as distributions, keep private caches.
    has_caches = type(value).__module__.partition(".")[0] in ("numpy", "scipy")
    return {
        str(key): found[key]
        for key in found
        # UNREAD includes metadata requests, which `fit_params` show.
        if key not in UNREAD and not (has_caches and str(key).startswith("_"))
    }
