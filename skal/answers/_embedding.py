"""Embeddings of rows: of a net the hidden layer, of a Pipeline what its last step sees.

Any other model is given rows of numbers and has no embedding of its own.
"""

from math import prod

import numpy as np
from scipy import sparse
from sklearn.pipeline import Pipeline

from skal.answers._constant import ConstantModel
from skal.answers._inside import inside, rows_inside
from skal.answers._methods import has_method, with_methods
from skal.answers._wrapper import name_of


def has_embedding(model):
    """Return whether a fitted model has an embedding of its own.

    Parameters
    ----------
    model : fitted estimator or None

    Returns
    -------
    bool
        True if it or the model inside it has a method `embed`, or it is a Pipeline.
        False for a constant model, which has learned nothing.
    """
    if model is None or is_constant(model):
        return False
    return has_method(model, "embed") or _pipeline(model) is not None


def embedding(model, X):
    """Return the embeddings of rows under a model.

    Parameters
    ----------
    model : fitted estimator
        One with an embedding of its own, as `has_embedding` tells.
    X : rows, n_rows of them
        The rows to embed.

    Returns
    -------
    ndarray or csr matrix of shape (n_rows, n_columns), dtype float32

    Raises
    ------
    ValueError
        If they are not a table of finite numbers.
    """
    if has_method(model, "embed"):
        found = with_methods(model, ("embed",)).embed(X)
    else:
        found = rows_inside(_pipeline(model), X)
    return as_embedding(found, name_of(model))


def as_embedding(found, name):
    """Return embeddings as a table of finite float32 numbers.

    Parameters
    ----------
    found : array-like, frame or sparse matrix of shape (n_rows, ...)
        The embeddings. Further axes are flattened.
    name : str
        Where they come from, for the error message.

    Returns
    -------
    ndarray or csr matrix of shape (n_rows, n_columns), dtype float32

    Raises
    ------
    ValueError
        If they are not numbers, or one of them is missing or infinite.
    """
    try:
        # A number beyond single precision becomes infinite, and is refused below.
        with np.errstate(over="ignore"):
            if sparse.issparse(found):
                found = found.tocsr().astype(np.float32)
            else:
                found = np.asarray(found, dtype=np.float32)
                found = found.reshape(len(found), prod(found.shape[1:]))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"The embeddings of {name} must be numbers: {error}. Set `embedding` to a "
            "transformer that turns rows into numbers."
        ) from error
    values = found.data if sparse.issparse(found) else found
    if not np.isfinite(values).all():
        raise ValueError(
            f"The embeddings of {name} have missing or infinite numbers: let a step "
            "fill or drop them, or set `embedding` to a transformer that does."
        )
    return found


def is_constant(model):
    """Return whether a fitted model, or the one inside it, is constant."""
    while model is not None and not isinstance(model, ConstantModel):
        model = inside(model)
    return model is not None


def _pipeline(model):
    """Return the Pipeline of several steps in a model, or None."""
    while model is not None and not (isinstance(model, Pipeline) and len(model) > 1):
        model = inside(model)
    return model
