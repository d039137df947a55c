"""Measures of one predictive distribution, or of several from posterior samples."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr, rel_entr

Floats = NDArray[np.floating]

# Error of probabilities that a net computes in half precision.
_ROUNDING = 1e-3
# Working memory that fits into a processor's cache: several times as fast as more.
CACHE_BYTES = 2**22


def entropy(probs_N_C: ArrayLike) -> NDArray[np.float64]:
    """Shannon entropy of each row's class distribution.

    Parameters
    ----------
    probs_N_C : array-like of shape (..., n_classes)
        Class probabilities. A zero contributes nothing.

    Returns
    -------
    ndarray of shape (...,)
        Between 0 and log(n_classes).

    Raises
    ------
    ValueError
        If a value is not between 0 and 1.

    See Also
    --------
    mutual_information : Entropy of the mean minus mean entropy.
    MaxEntropy : The strategy that uses it.

    Examples
    --------
    >>> from skal.information import entropy
    >>> entropy([[0.5, 0.5], [1.0, 0.0]]).round(4).tolist()
    [0.6931, 0.0]
    """
    probs_N_C = np.asarray(probs_N_C, dtype=np.float64)
    if probs_N_C.size and not _is_in_range(probs_N_C):
        raise ValueError(
            f"Probabilities must be between 0 and 1, got {probs_N_C.min()} to "
            f"{probs_N_C.max()}: give class probabilities, such as those of "
            "predict_proba."
        )
    return entr(probs_N_C).sum(axis=-1)


def _is_in_range(probs: Floats) -> bool:
    """Return whether no probability is below 0 or above 1; NaN is neither."""
    with np.errstate(invalid="ignore"):
        return not (probs.min() < -_ROUNDING or probs.max() > 1 + _ROUNDING)


def mutual_information(
    probs_N_T_C: ArrayLike, *, max_bytes: int = 2**27
) -> NDArray[np.float64]:
    """Mutual information between each row's label and the model (BALD).

    It is the entropy of the mean prediction minus the mean entropy of the predictions:
    high if the samples are confident and disagree.

    Parameters
    ----------
    probs_N_T_C : array-like of shape (n_rows, n_samples, n_classes)
        Class probabilities by each posterior sample.
    max_bytes : int, default=2**27
        Limit on working memory, besides the input and the result.

    Returns
    -------
    ndarray of shape (n_rows,)
        Never negative.

    See Also
    --------
    entropy : Uncertainty of a single distribution.
    BALD : The strategy that uses it.

    References
    ----------
    Houlsby et al., "Bayesian Active Learning for Classification and Preference
    Learning", 2011, Equation 2; Gal, Islam and Ghahramani, "Deep Bayesian Active
    Learning with Image Data", ICML 2017.

    Examples
    --------
    >>> from skal.information import mutual_information
    >>> disagree, unsure = [[1, 0], [0, 1]], [[0.5, 0.5], [0.5, 0.5]]
    >>> mutual_information([disagree, unsure]).round(4).tolist()
    [0.6931, 0.0]
    """
    probs_N_T_C = check_probs(probs_N_T_C)
    of_mean_N = entropy(probs_N_T_C.mean(axis=1, dtype=np.float64))
    return np.maximum(of_mean_N - mean_entropy(probs_N_T_C, max_bytes), 0.0)


def variation_ratio(probs_N_T_C: ArrayLike) -> NDArray[np.float64]:
    """Share of the posterior samples that vote against the majority.

    Parameters
    ----------
    probs_N_T_C : array-like of shape (n_rows, n_samples, n_classes)
        Class probabilities by each posterior sample.

    Returns
    -------
    ndarray of shape (n_rows,)
        Between 0 and 1 - 1 / n_classes.

    See Also
    --------
    vote_entropy : Another measure of how votes differ.
    VariationRatio : The strategy that uses it.

    References
    ----------
    Freeman, "Elementary Applied Statistics", 1965; Gal, Islam and Ghahramani, ICML
    2017. The code of Zhou et al. calls this BALD for intent classification.

    Examples
    --------
    >>> from skal.information import variation_ratio
    >>> variation_ratio([[[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]]).round(4).tolist()
    [0.3333]
    """
    return 1.0 - _vote_shares(probs_N_T_C).max(axis=1)


def vote_entropy(probs_N_T_C: ArrayLike) -> NDArray[np.float64]:
    """Entropy of the votes of a committee.

    Each member, or posterior sample, votes for its most probable class.

    Parameters
    ----------
    probs_N_T_C : array-like of shape (n_rows, n_members, n_classes)
        Class probabilities by each member.

    Returns
    -------
    ndarray of shape (n_rows,)
        Between 0 and log(min(n_members, n_classes)).

    See Also
    --------
    kl_to_consensus : Disagreement of probabilities instead of votes.
    Committee : The strategy that uses it.

    References
    ----------
    Dagan and Engelson, "Committee-Based Sampling for Training Probabilistic
    Classifiers", ICML 1995, which divides by the logarithm of the number of members.

    Examples
    --------
    >>> from skal.information import vote_entropy
    >>> split, agreed = [[0.9, 0.1], [0.2, 0.8]], [[0.9, 0.1], [0.6, 0.4]]
    >>> vote_entropy([split, agreed]).round(4).tolist()
    [0.6931, 0.0]
    """
    return entropy(_vote_shares(probs_N_T_C))


def kl_to_consensus(
    probs_N_T_C: ArrayLike, *, max_bytes: int = 2**27
) -> NDArray[np.float64]:
    """Mean divergence of the members of a committee from their mean prediction.

    It is the Kullback-Leibler divergence of each member's class probabilities from the
    mean over members, averaged over members, and equal to `mutual_information`, up to
    rounding.

    Parameters
    ----------
    probs_N_T_C : array-like of shape (n_rows, n_members, n_classes)
        Class probabilities by each member.
    max_bytes : int, default=2**27
        Limit on working memory, besides the input and the result.

    Returns
    -------
    ndarray of shape (n_rows,)
        Never negative.

    See Also
    --------
    vote_entropy : Disagreement of votes.
    Committee : The strategy that uses it.

    References
    ----------
    McCallum and Nigam, "Employing EM and Pool-Based Active Learning for Text
    Classification", ICML 1998, section 4.

    Examples
    --------
    >>> from skal.information import kl_to_consensus
    >>> disagree, unsure = [[1, 0], [0, 1]], [[0.5, 0.5], [0.5, 0.5]]
    >>> kl_to_consensus([disagree, unsure]).round(4).tolist()
    [0.6931, 0.0]
    """
    probs_N_T_C = check_probs(probs_N_T_C)

    def divergence(part_N_T_C: Floats) -> Floats:
        part_N_T_C = part_N_T_C.astype(np.float64, copy=False)
        mean_N_1_C = part_N_T_C.mean(axis=1, keepdims=True)
        return rel_entr(part_N_T_C, mean_N_1_C).sum(axis=2).mean(axis=1)

    return np.maximum(_by_parts(divergence, probs_N_T_C, max_bytes), 0.0)


def _vote_shares(probs_N_T_C: ArrayLike) -> NDArray[np.float64]:
    """Return the share of the samples that vote for each class, (n_rows, n_classes)."""
    probs_N_T_C = check_probs(probs_N_T_C, may_be_nan=False)
    n_rows, n_samples, n_classes = probs_N_T_C.shape
    votes_N_T = np.argmax(probs_N_T_C, axis=2)
    cells_N_T = votes_N_T + n_classes * np.arange(n_rows)[:, np.newaxis]
    counts = np.bincount(cells_N_T.ravel(), minlength=n_rows * n_classes)
    return counts.reshape(n_rows, n_classes) / n_samples


def mean_entropy(probs_N_T_C: Floats, max_bytes: int) -> NDArray[np.float64]:
    """Return the mean entropy of each row's predictions, computed chunk by chunk."""
    return _by_parts(lambda part: entropy(part).mean(axis=1), probs_N_T_C, max_bytes)


def _by_parts(
    measure: Callable[[Floats], Floats], probs_N_T_C: Floats, max_bytes: int
) -> NDArray[np.float64]:
    """Return a measure of each row, computed chunk by chunk."""
    n_rows, n_samples, n_classes = probs_N_T_C.shape
    at_once = max(1, max_bytes // (2 * 8 * n_samples * n_classes))
    found = np.empty(n_rows)
    for start in range(0, n_rows, at_once):
        part = slice(start, start + at_once)
        found[part] = measure(probs_N_T_C[part])
    return found


def check_probs(probs_N_T_C: ArrayLike, *, may_be_nan: bool = True) -> Floats:
    """Return posterior samples as an array of float32 or float64."""
    probs = np.asarray(probs_N_T_C)
    if probs.ndim != 3:
        raise ValueError(
            "Posterior samples must have the shape (n_rows, n_samples, n_classes), got "
            f"{probs.shape}."
        )
    if not may_be_nan and np.isnan(np.sum(probs, dtype=np.float64)):
        raise ValueError(
            "Posterior samples must be numbers, got NaN: change the parameters of the "
            "estimator or scale the rows, so that it returns numbers."
        )
    return probs if probs.dtype == np.float32 else probs.astype(np.float64, copy=False)
