"""Weights of rows in the loss of a net."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn


def row_weights(
    codes: NDArray[np.int64],
    classes: NDArray,
    class_weight: Any,
    sample_weight: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return the weight of each training row in the loss.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,)
        Class codes.
    classes : ndarray of shape (n_classes,)
        The class labels.
    class_weight : dict, "balanced" or None
        As in `TorchClassifier`.
    sample_weight : ndarray of shape (n_rows,), default=None
        Weights of the rows; None for 1 each.

    Returns
    -------
    ndarray of shape (n_rows,)
        The products of both weights, scaled to a mean of 1. The loss, the mean of the
        weighted cross-entropies, is then of the same size as without weights.

    Raises
    ------
    ValueError
        If a class is unknown, a weight of a class is negative, infinite or no number,
        or all rows have weight 0.
    """
    weights = np.ones(len(codes)) if sample_weight is None else sample_weight
    if class_weight is not None:
        by_class: NDArray = _of_classes(class_weight, classes, codes, weights)
        weights = weights * by_class[codes]
    return with_mean_one(weights)


def with_mean_one(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weights scaled to a mean of 1, so that the loss keeps its size.

    Parameters
    ----------
    weights : ndarray of shape (n_rows,)

    Returns
    -------
    ndarray of shape (n_rows,)

    Raises
    ------
    ValueError
        If all are 0.
    """
    mean = weights.mean()
    if not mean > 0:
        raise ValueError(
            "The weights of all training rows are 0: give a positive class_weight or "
            "sample_weight to some of them."
        )
    return weights / mean


def _of_classes(
    class_weight: Any,
    classes: NDArray,
    codes: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the weight of each class, shape (n_classes,)."""
    if class_weight == "balanced":
        # As in scikit-learn, n_rows / (n_classes * counts), over classes with rows.
        counts = np.bincount(codes, weights, len(classes))
        is_there = counts > 0
        return counts.sum() / np.where(is_there, counts * is_there.sum(), np.inf)
    known = dict(zip(classes.tolist(), range(len(classes)), strict=True))
    found = np.ones(len(classes))
    for label, weight in class_weight.items():
        if label not in known:
            raise ValueError(
                f"class_weight has a weight for {label!r}, which is not among the "
                f"classes {list(known)}: name classes that occur in y, or pass "
                "`classes` to fit."
            )
        found[known[label]] = _checked(weight, label)
    return found


def _checked(weight: Any, label: Any) -> float:
    try:
        value = float(weight)
    except (TypeError, ValueError):
        value = np.nan
    if not 0 <= value < np.inf:
        raise ValueError(
            f"class_weight must be at least 0 and finite for each class, got "
            f"{weight!r} for {label!r}: choose a number, such as 1.0."
        )
    return value


class WeightedCrossEntropy(nn.Module):
    """The mean over a minibatch of the weighted cross-entropies of its rows.

    Without weights, it is torch's `CrossEntropyLoss`.
    """

    def forward(self, logits: torch.Tensor, target: Any) -> torch.Tensor:
        """Return the loss.

        Parameters
        ----------
        logits : tensor of shape (n_rows, n_classes, ...)
            The logits.
        target : tensor of shape (n_rows, ...), or tuple of two such tensors
            Class codes, and their weights if there are any. A negative code, as of
            padding, does not count.

        Returns
        -------
        tensor of shape ()
            The loss.
        """
        if isinstance(target, torch.Tensor):
            return nn.functional.cross_entropy(logits, target)
        codes, weights = target
        losses = nn.functional.cross_entropy(logits, codes, reduction="none")
        return (weights * losses).sum() / (codes >= 0).sum()
