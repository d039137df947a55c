"""Data that a strategy may look at but not change."""

from copy import copy
from dataclasses import fields, replace
from typing import Any

import numpy as np
from scipy import sparse

from skal.problem import Problem


def read_only(X: Any) -> Any:
    """Return rows or labels of which a change does not reach the caller's data.

    Parameters
    ----------
    X : rows or labels
        In any container. None is returned as it is.

    Returns
    -------
    rows or labels
        Arrays and sparse matrices become read-only views, so that an attempt to write
        raises an error at once. Other containers are copied.
    """
    if isinstance(X, np.ndarray):
        view = X.view()
        view.setflags(write=False)
        return view
    if sparse.issparse(X):
        return _read_only_sparse(X)
    if isinstance(X, list):
        return [list(row) if isinstance(row, list) else row for row in X]
    if isinstance(X, dict):
        # A subclass is made of the arrays of its columns, such as skorch's SliceDict.
        parts = {name: read_only(value) for name, value in X.items()}
        return parts if type(X) is dict else type(X)(**parts)
    return copy(X)


def _read_only_sparse(X: Any) -> Any:
    if X.format in ("dok", "lil"):  # a dict and lists have no read-only view
        return X.copy()
    X = copy(X)
    for name in ("data", "indices", "indptr", "row", "col"):
        if isinstance(getattr(X, name, None), np.ndarray):
            setattr(X, name, read_only(getattr(X, name)))
    return X


def protected(problem: Problem) -> Problem:
    """Return a problem of which a change does not reach the data of the run.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    Problem
        A copy whose sets, labels, classes and arguments of `fit` are `read_only`.
    """
    data = {field.name for field in fields(problem)} - {"estimator", "scorer"}
    return replace(
        problem, **{name: read_only(getattr(problem, name)) for name in data}
    )
