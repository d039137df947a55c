"""Expected predictive information gain: what a label tells about other predictions."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skal.information._measures import CACHE_BYTES, Floats, check_probs, entropy


def epig(
    probs_N_T_C: ArrayLike, targets_J_T_C: ArrayLike, *, max_bytes: int = CACHE_BYTES
) -> NDArray[np.float64]:
    """Information of each row's label about the labels of other rows (EPIG).

    The expected predictive information gain is the mutual information between the label
    of a row and the label of a target row, averaged over the target rows. Given the
    model, labels are independent; their joint distribution is the mean over posterior
    samples.

    Parameters
    ----------
    probs_N_T_C : array-like of shape (n_rows, n_samples, n_classes)
        Class probabilities by each posterior sample.
    targets_J_T_C : array-like of shape (n_targets, n_samples, n_classes)
        The same for the target rows, by the same posterior samples.
    max_bytes : int, default=2**22
        Limit on working memory, besides the input and the result. More does not help.

    Returns
    -------
    ndarray of shape (n_rows,)
        Never negative, and at most log(n_classes).

    Raises
    ------
    ValueError
        If targets are missing, or the numbers of samples or classes differ.

    See Also
    --------
    mutual_information : Information about the model instead.
    EPIG : The strategy that uses it.

    References
    ----------
    Bickford Smith, Kirsch, Farquhar, Gal, Foster and Rainforth, "Prediction-Oriented
    Bayesian Active Learning", AISTATS 2023, section 4.

    Examples
    --------
    >>> from skal.information import epig
    >>> disagree, unsure = [[1, 0], [0, 1]], [[0.5, 0.5], [0.5, 0.5]]
    >>> epig([disagree, unsure], [disagree]).round(4).tolist()
    [0.6931, 0.0]
    """
    probs_N_T_C = check_probs(probs_N_T_C)
    targets_J_T_C = check_probs(targets_J_T_C, may_be_nan=False)
    _check_targets(probs_N_T_C, targets_J_T_C)
    targets_J_T_C = targets_J_T_C.astype(np.float64, copy=False)
    n_targets, _, n_classes = targets_J_T_C.shape
    per_pair = 3 * 8 * n_classes**2
    n_at_once = max(1, max_bytes // per_pair)
    found = np.zeros(len(probs_N_T_C))
    for start in range(0, n_targets, n_at_once):
        part_J_T_C = targets_J_T_C[start : start + n_at_once]
        at_once = max(1, max_bytes // (per_pair * len(part_J_T_C)))
        found += _joint_entropies(probs_N_T_C, part_J_T_C, at_once)
    alone = entropy(probs_N_T_C.mean(axis=1, dtype=np.float64))
    of_targets = entropy(targets_J_T_C.mean(axis=1)).mean()
    return np.maximum(alone + of_targets - found / n_targets, 0.0)


def _joint_entropies(
    probs_N_T_C: Floats, targets_J_T_C: Floats, at_once: int
) -> NDArray[np.float64]:
    """Return the sum, over targets, of the entropies of a row's and its label."""
    n_rows, n_samples, _ = probs_N_T_C.shape
    flat_T_JC = targets_J_T_C.transpose(1, 0, 2).reshape(n_samples, -1) / n_samples
    found = np.empty(n_rows)
    for start in range(0, n_rows, at_once):
        part_n_T_C = probs_N_T_C[start : start + at_once].astype(np.float64, copy=False)
        part_nC_T = part_n_T_C.transpose(0, 2, 1).reshape(-1, n_samples)
        joint_nC_JC = part_nC_T @ flat_T_JC
        # Adding the smallest number makes log(0) finite and changes nothing else.
        logs_nC_JC = joint_nC_JC + np.finfo(np.float64).tiny
        np.log(logs_nC_JC, out=logs_nC_JC)
        joint_nC_JC *= logs_nC_JC
        sums = joint_nC_JC.reshape(len(part_n_T_C), -1).sum(axis=1)
        found[start : start + at_once] = -sums
    return found


def _check_targets(probs_N_T_C: Floats, targets_J_T_C: Floats) -> None:
    """Raise an error unless the targets have the samples and classes of the rows."""
    if len(targets_J_T_C) == 0 or targets_J_T_C.shape[1:] != probs_N_T_C.shape[1:]:
        raise ValueError(
            "The targets must have shape (n_targets, "
            f"{', '.join(map(str, probs_N_T_C.shape[1:]))}), with at least one target, "
            f"got {targets_J_T_C.shape}: sample their probabilities from the same "
            "models as for the rows."
        )
