"""Steps of a Pipeline before the classifier: the usual scalers in lean form."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skal.lean._numbers import as_numbers


class LeanScaler(NamedTuple):
    """A scaler without scikit-learn's checks, the same bits.

    Parameters
    ----------
    suits : callable
        `suits(step)` returns whether it has these parameters.
    fit : callable
        `fit(step, X)` sets the attributes on the step that its `fit` would set.
    transform : callable
        `transform(step, X)` returns the rows that its `transform` would return.
    """

    suits: Callable[[Any], bool]
    fit: Callable[[Any, NDArray], None]
    transform: Callable[[Any, NDArray], NDArray]


def _fit_standard(step: Any, X: NDArray) -> None:
    """Compute means and variances by two passes, as `_incremental_mean_and_var`."""
    n = np.float64(len(X))
    total = X.sum(axis=0, dtype=np.float64)
    centred = X - total / n
    correction = centred.sum(axis=0)
    centred **= 2
    variance = (centred.sum(axis=0) - correction**2 / n) / n
    mean = (0.0 + total) / n
    # Columns whose variance is within the rounding error of a constant.
    eps = np.finfo(np.float64).eps
    is_constant = variance <= n * eps * variance + (n * mean * eps) ** 2
    scale = np.sqrt(variance)
    scale[is_constant] = 1.0
    step.n_features_in_, step.n_samples_seen_ = X.shape[1], n
    step.mean_, step.var_, step.scale_ = mean, variance, scale


def _transform_standard(step: Any, X: NDArray) -> NDArray:
    if step.with_mean:
        X = X - step.mean_.astype(X.dtype)
    return X / step.scale_.astype(X.dtype)


def _fit_min_max(step: Any, X: NDArray) -> None:
    least, greatest = X.min(axis=0), X.max(axis=0)
    span = greatest - least
    divisor = span.copy()
    divisor[span < 10 * np.finfo(span.dtype).eps] = 1.0
    low, high = np.array(step.feature_range, dtype=X.dtype)
    step.n_features_in_, step.n_samples_seen_ = X.shape[1], len(X)
    step.scale_ = (high - low) / divisor
    step.min_ = low - least * step.scale_
    step.data_min_, step.data_max_, step.data_range_ = least, greatest, span


def _transform_min_max(step: Any, X: NDArray) -> NDArray:
    X = X * step.scale_
    X += step.min_
    return X


def _is_range(bounds: tuple[float, float]) -> bool:
    return bounds[0] < bounds[1]


SCALERS = {
    StandardScaler: LeanScaler(
        lambda step: step.with_std and step.copy, _fit_standard, _transform_standard
    ),
    MinMaxScaler: LeanScaler(
        lambda step: step.copy and not step.clip and _is_range(step.feature_range),
        _fit_min_max,
        _transform_min_max,
    ),
}


def fit_transform(step: Any, X: Any, y: NDArray) -> Any:
    """Fit a step, and transform the rows that it is fitted on.

    Parameters
    ----------
    step : transformer, "passthrough" or None
        An unfitted step of a Pipeline. One without a lean form does it itself.
    X : rows
    y : ndarray of shape (n_rows,)
        Their labels.

    Returns
    -------
    rows
    """
    if step in (None, "passthrough"):
        return X
    numbers = as_numbers(X) if _has_lean_form(step) else None
    if numbers is not None:
        SCALERS[type(step)].fit(step, numbers)
        return SCALERS[type(step)].transform(step, numbers)
    if hasattr(step, "fit_transform"):
        return step.fit_transform(X, y)
    return step.fit(X, y).transform(X)


def transform(step: Any, X: Any) -> Any:
    """Transform rows by a fitted step.

    Parameters
    ----------
    step : fitted transformer, "passthrough" or None
    X : rows

    Returns
    -------
    rows
    """
    if step in (None, "passthrough"):
        return X
    numbers = as_numbers(X) if _has_lean_form(step) else None
    if numbers is None or numbers.shape[1] != step.n_features_in_:
        return step.transform(X)
    return SCALERS[type(step)].transform(step, numbers)


def reads_arrays(step: Any) -> bool:
    """Return whether a step does the same with a frame's numbers as with the frame."""
    return step not in (None, "passthrough") and _has_lean_form(step)


def _has_lean_form(step: Any) -> bool:
    """Return whether a step has a lean form, and is used as it is."""
    scaler = SCALERS.get(type(step))
    is_plain = not hasattr(step, "_sklearn_output_config") and not hasattr(
        step, "_skl_callbacks"
    )
    return scaler is not None and is_plain and bool(scaler.suits(step))
