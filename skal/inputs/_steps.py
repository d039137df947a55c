"""The steps of an estimator, and their tags for the rows that they take."""

from collections.abc import Iterator
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils import get_tags

from skal._sklearn import _BaseComposition, _get_column_indices, _safe_indexing
from skal.inputs._containers import is_frame

# Transformers of scikit-learn that return missing values as they got them. No tag says
# so; tests/inputs/test_steps.py compares this list with what they do.
PASS_MISSING = (
    MaxAbsScaler,
    MinMaxScaler,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    VarianceThreshold,
)


def first_step(estimator: Any) -> Any:
    """Return the innermost estimator that gets the rows first.

    Parameters
    ----------
    estimator : estimator
        A Pipeline and a meta-estimator are looked into.

    Returns
    -------
    estimator
    """
    while True:
        if isinstance(estimator, Pipeline):
            estimator = _steps_of(estimator)[0]
        elif hasattr(getattr(estimator, "estimator", None), "fit"):
            estimator = estimator.estimator
        else:
            return estimator


def is_known(step: Any) -> bool:
    """Return whether the tags of a step are its own, and not the defaults.

    A class that derives from nothing but the base classes of scikit-learn may take more
    than its tags say, and so may a transformer from outside of scikit-learn, whose
    purpose may be to clean its input.

    Parameters
    ----------
    step : estimator

    Returns
    -------
    bool
    """
    if isinstance(step, _BaseComposition):
        return False
    # A Gaussian process may have a kernel for objects of any kind.
    if not getattr(getattr(step, "kernel", None), "requires_vector_input", True):
        return False
    is_own = not is_of(step, "sklearn") and not is_of(step, "skal")
    return not is_own and not get_tags(step).no_validation


def is_of(step: Any, package: str) -> bool:
    """Return whether a step is of a package, or a classifier derived from one of it.

    Parameters
    ----------
    step : estimator
    package : str
        Such as "sklearn".

    Returns
    -------
    bool
    """
    bases = [type(step)] if hasattr(step, "transform") else type(step).__mro__
    return package in {
        base.__module__.partition(".")[0]
        for base in bases
        if issubclass(base, BaseEstimator) and base is not BaseEstimator
    }


def takes_words(step: Any) -> bool:
    """Return whether a step takes words, or may take them, in the cells of a table.

    Parameters
    ----------
    step : estimator
        A step whose tags are its own.

    Returns
    -------
    bool
    """
    tags = get_tags(step).input_tags
    is_imputer = isinstance(step, SimpleImputer)
    return bool(
        (tags.categorical and hasattr(step, "transform"))
        or tags.string
        or tags.dict
        or (is_imputer and step.strategy in ("most_frequent", "constant"))
        or hasattr(step, "categorical_features")
    )


def takes_missing(step: Any) -> bool:
    """Return whether a step takes missing values."""
    return bool(get_tags(step).input_tags.allow_nan)


def takes_infinity(step: Any) -> bool:
    """Return whether a step takes infinite numbers: histogram-based boosting alone."""
    return hasattr(step, "categorical_features")


def passes_missing(step: Any) -> bool:
    """Return whether a step returns missing values as they are."""
    return isinstance(step, PASS_MISSING)


def counts_words(step: Any) -> bool:
    """Return whether a step is a vectorizer that takes texts and nothing else."""
    if not isinstance(step, CountVectorizer | HashingVectorizer):
        return False
    is_own = callable(step.analyzer) or step.preprocessor is not None
    return not is_own and step.input == "content"


def paths(X: Any, estimator: Any, *after: Any) -> Iterator[tuple[Any, tuple]]:
    """Yield each part of the rows with the steps that it goes through in `fit`.

    Parameters
    ----------
    X : rows
        The rows that the estimator gets.
    estimator : estimator
        A Pipeline, a column transformer, a union and scikit-learn's meta-estimators are
        looked into.
    *after : estimators
        The steps that follow.

    Yields
    ------
    part : rows
        `X`, or some of its columns.
    steps : tuple of estimators
    """
    if estimator == "passthrough" and after:
        yield from paths(X, *after)
    elif not hasattr(estimator, "fit"):  # "drop", for example
        return
    elif isinstance(estimator, Pipeline):
        yield from paths(X, *_steps_of(estimator), *after)
    elif isinstance(estimator, ColumnTransformer):
        for columns, step in _columns_and_steps(X, estimator):
            yield from paths(columns, step, *after)
    elif isinstance(estimator, FeatureUnion | _BaseComposition):
        for _, step in _parallel_steps(estimator):
            yield from paths(X, step, *after)
    elif _is_meta_estimator(estimator):
        yield from paths(X, estimator.estimator, *after)
    else:
        yield X, (estimator, *_flat(after))


def _steps_of(pipeline: Pipeline) -> list:
    """Return the steps of a Pipeline, without "passthrough" and None."""
    return [step for _, step in pipeline.steps if hasattr(step, "fit")]


def _flat(steps: tuple) -> Iterator[Any]:
    """Yield the steps, also those inside Pipelines and meta-estimators."""
    for step in steps:
        if isinstance(step, Pipeline):
            yield from _flat(tuple(inner for _, inner in step.steps))
        elif _is_meta_estimator(step):
            yield from _flat((step.estimator,))
        elif hasattr(step, "fit"):
            yield step


def _parallel_steps(estimator: Any) -> list:
    """Return the steps of a union, or the models of a voting or stacking one."""
    is_union = isinstance(estimator, FeatureUnion)
    return estimator.transformer_list if is_union else estimator.estimators


def _is_meta_estimator(estimator: Any) -> bool:
    """Return whether an estimator of scikit-learn passes its rows on to another."""
    if not is_known(estimator) or hasattr(estimator, "transform"):
        return False
    return hasattr(getattr(estimator, "estimator", None), "fit")


def _columns_and_steps(
    X: Any, transformer: ColumnTransformer
) -> Iterator[tuple[Any, Any]]:
    """Yield the columns that each transformer gets, and the remaining ones."""
    if not is_frame(X) and getattr(X, "ndim", 0) != 2:
        return
    parts, left = [], set(range(X.shape[1]))
    try:
        for _, step, columns in transformer.transformers:
            columns = columns(X) if callable(columns) else columns
            left -= set(_get_column_indices(X, columns))
            parts.append((_safe_indexing(X, columns, axis=1), step))
    except Exception:  # The transformer will say which columns it lacks.
        return
    yield from parts
    yield _safe_indexing(X, sorted(left), axis=1), transformer.remainder
