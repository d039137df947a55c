"""What a search was given, in words and digests that are the same in every process."""

import dis
import functools
import sys
from collections.abc import Collection, Iterator, Mapping
from hashlib import blake2b
from importlib import metadata
from inspect import getclosurevars
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.metadata_routing import (
    _routing_enabled,
    get_routing_for_object,
)

from skal._version import __version__
from skal.problem import Problem
from skal.utils._rows import is_frame, n_rows

# What a training does not depend on: xi replaces the random_state of all estimators.
WITHOUT_EFFECT = ("random_state", "n_jobs", "verbose")
# An object in an object in an object is described, and no deeper: there may be circles.
DEPTH = 4
SETS = ("pool", "warm", "select", "val")


def of_problem(problem: Problem) -> dict[str, str]:
    """Describe what all searches in a journal share.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    dict of str to str
        Estimator, scorer, B, K, and how many rows each data set has.
    """
    sizes = {f"n_{name}": getattr(problem, f"X_{name}") for name in SETS}
    return {
        **_of_estimator(problem.estimator),
        **_of_routing(problem),
        "scoring": describe(problem.scorer, WITHOUT_EFFECT),
        "batch_size": str(problem.batch_size),
        "n_rounds": str(problem.n_rounds),
        **{name: str(0 if X is None else n_rows(X)) for name, X in sizes.items()},
    }


def of_data(problem: Problem) -> dict[str, str]:
    """Describe what a problem trains and validates on; test is none of it.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    dict of str to str
        A digest of each data set, of the class list, and of each of `fit_params`.
    """
    names = [f"{letter}_{name}" for name in SETS for letter in "Xy"]
    values = {name: getattr(problem, name) for name in [*names, "classes"]}
    return {name: digest(value) for name, value in values.items()} | {
        f"fit: {name}": digest(value) for name, value in problem.fit_params.items()
    }


def versions() -> dict[str, str]:
    """Return the versions of what computes the scores."""
    packages = ["numpy", "scipy", "scikit-learn"]
    if "torch" in sys.modules:
        packages.append("torch")
    return {"skal": __version__, **{name: metadata.version(name) for name in packages}}


def _of_routing(problem: Problem) -> dict[str, str]:
    """Describe which step is given what, where arguments of `fit` are routed."""
    if not (problem.fit_params and _routing_enabled()):
        return {}
    return {"routing": repr(get_routing_for_object(problem.estimator))}


def _of_estimator(estimator: Any) -> dict[str, str]:
    params = estimator.get_params(deep=True)
    described = {
        # What a nested estimator is made of stands under names of its own.
        name: describe(type(value))
        if hasattr(value, "get_params")
        else describe(value, WITHOUT_EFFECT)
        for name, value in sorted(params.items())
        if name.rpartition("__")[2] not in WITHOUT_EFFECT
    }
    named = {f"estimator: {name}": value for name, value in described.items()}
    return {"estimator": describe(type(estimator)), **named}


def _has_params(value: Any) -> bool:
    return hasattr(value, "get_params") and not isinstance(value, type)


def describe(value: Any, skip: Collection[str] = (), depth: int = DEPTH) -> str:
    """Put a parameter's value into words that do not depend on the process.

    Parameters
    ----------
    value : object
        An estimator or another object is described by its class and its parameters or
        attributes, a function or class by its qualified name, one that has no lasting
        name by its code and what that reads too, an array by a digest.
    skip : collection of str, default=()
        Parameters to leave out.
    depth : int
        How far to go into objects that are attributes of objects.

    Returns
    -------
    str
    """

    def inner(part: Any) -> str:
        return describe(part, skip, depth)

    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return repr(value)
    if hasattr(value, "__qualname__"):
        return _describe_named(value, skip, depth)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(inner, value))}]"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(map(inner, value)))}}}"
    if isinstance(value, Mapping):
        items = sorted(f"{inner(key)}: {inner(part)}" for key, part in value.items())
        return f"{{{', '.join(items)}}}"
    if isinstance(value, np.random.RandomState):
        return f"{_name(type(value))} {digest(value.get_state(legacy=False))}"
    if isinstance(value, np.random.Generator):
        return f"{_name(type(value))} {digest(value.bit_generator.state)}"
    if hasattr(value, "__array__") or sparse.issparse(value):
        return f"{_name(type(value))} {digest(value)}"
    return _describe_object(value, skip, depth)


def _describe_named(value: Any, skip: Collection[str], depth: int) -> str:
    """Describe a class, a function, or a method together with whose it is."""
    owner = getattr(value, "__self__", None)
    if not (owner is None or isinstance(owner, type | ModuleType)):
        return f"{describe(owner, skip, depth - 1)}.{value.__name__}"
    name = _name(value)
    is_passing = "<" in name or name.startswith("__main__.")
    if not (depth > 0 and is_passing and isinstance(value, FunctionType | type)):
        return name
    parts = _members(value) if isinstance(value, type) else _made_of(value)
    return f"{name} {digest(describe(parts, skip, depth - 1))}"


def _members(kind: type) -> list[Any]:
    """Return what a class inherits and what its body defines."""
    own = {
        name: value.fget if isinstance(value, property) else value
        for name, value in vars(kind).items()
    }
    own = {name: getattr(value, "__func__", value) for name, value in own.items()}
    return [
        kind.__bases__,
        {
            name: value
            for name, value in own.items()
            if isinstance(value, FunctionType) or not name.startswith("__")
        },
    ]


def _made_of(function: FunctionType) -> list[Any]:
    """Return a function's code, and what it brings along or looks up elsewhere."""
    nonlocals = dict(getclosurevars(function).nonlocals)
    nonlocals.pop("__class__", None)  # for `super()`: the class that it is part of
    return [
        _code(function.__code__),
        function.__defaults__,
        function.__kwdefaults__,
        nonlocals,
        _globals_read(function),
    ]


def _globals_read(function: FunctionType) -> dict[str, Any]:
    """Return the globals that a function reads; of what may change by use, the type."""
    names = {
        step.argval
        for code in _all_code(function.__code__)
        for step in dis.get_instructions(code)
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }
    known = {n: function.__globals__[n] for n in names if n in function.__globals__}
    return {n: value if _is_plain(value) else type(value) for n, value in known.items()}


def _is_plain(value: Any) -> bool:
    """Whether a value is a number, a text, a table, code or a container of such."""
    if isinstance(value, ModuleType):
        return False
    is_array = hasattr(value, "__array__") or sparse.issparse(value)
    is_value = isinstance(value, np.generic | Collection | bool | int | float | complex)
    return is_array or is_value or callable(value) or _has_params(value)


def _all_code(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _all_code(constant)


def _code(code: CodeType) -> list[Any]:
    """Return what code does, without where it stands."""
    constants = [_code(c) if isinstance(c, CodeType) else c for c in code.co_consts]
    return [code.co_code, code.co_names, constants]


def _describe_object(value: Any, skip: Collection[str], depth: int) -> str:
    name = describe(type(value), skip, depth)
    if isinstance(value, functools.partial):
        parts = {"func": value.func, "args": value.args, "keywords": value.keywords}
    elif _has_params(value):
        parts = value.get_params(deep=False)
    else:
        parts = getattr(value, "__dict__", {}) if depth > 0 else {}
        # How metadata is routed is told by what `fit` is given.
        parts = {key: parts[key] for key in parts if key != "_metadata_request"}
        # No run replaces the random_state of what has no `get_params`.
        skip = set(skip) - {"random_state"}
    if not parts:
        return name if " at 0x" in repr(value) else repr(value)
    parts = {key: parts[key] for key in sorted(parts) if key not in skip}
    inner = (f"{key}={describe(parts[key], skip, depth - 1)}" for key in parts)
    return f"{name}({', '.join(inner)})"


def _name(what: Any) -> str:
    module = getattr(what, "__module__", None) or what.__objclass__.__module__
    return f"{module}.{what.__qualname__}"


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
