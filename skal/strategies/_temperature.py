"""Temperature scaling: probabilities that are as sure as they are right."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skal.answers._methods import with_methods
from skal.answers._reading import codes_of, probabilities
from skal.inputs._containers import n_rows, take
from skal.seeding import Stream, stream
from skal.strategies._base import Labelled

# Those of the authors' code: a model is made less sure, never surer.
TEMPERATURES = np.arange(1.0, 20.0, 0.1)
HELD_OUT = 0.2
N_BINS = 15


def tempered(probs_N_C: ArrayLike, temperature: float) -> NDArray[np.float64]:
    """Return class probabilities at a temperature, as softmax(logits / temperature).

    Parameters
    ----------
    probs_N_C : array-like of shape (n_rows, n_classes)
        Class probabilities. A zero stays one.
    temperature : float
        Above 0; 1 changes nothing.

    Returns
    -------
    ndarray of shape (n_rows, n_classes)
    """
    powers = np.asarray(probs_N_C, dtype=np.float64) ** (1 / temperature)
    sums = powers.sum(axis=1, keepdims=True)
    return powers / np.where(sums == 0, 1, sums)


def calibration_error(probs_N_C: ArrayLike, codes_N: ArrayLike) -> float:
    """Return the expected calibration error of class probabilities.

    Parameters
    ----------
    probs_N_C : array-like of shape (n_rows, n_classes)
    codes_N : array-like of shape (n_rows,)
        The column of the class of each row.

    Returns
    -------
    float
        The mean over rows of how far confidence is from accuracy, in 15 bins of equal
        width by confidence.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML
    2017, equation 3.
    """
    probs_N_C, codes_N = np.asarray(probs_N_C), np.asarray(codes_N)
    confidence = probs_N_C.max(axis=1)
    surplus = (probs_N_C.argmax(axis=1) == codes_N) - confidence
    # A bin has its upper bound, not its lower one.
    bins = np.maximum(np.ceil(confidence * N_BINS).astype(int) - 1, 0)
    sums = np.bincount(bins, weights=surplus, minlength=N_BINS)
    return float(np.abs(sums).sum() / len(codes_N))


def fit_temperature(training, labelled: Labelled, seed: int) -> float:
    """Return the temperature of least calibration error on labelled rows held out.

    A fifth of them is held out, and a model trained on the others. The temperature is 1
    if that cannot be done: the others have a single class, or are too few to train on.

    Parameters
    ----------
    training : InnerTraining
        Trains the model.
    labelled : Labelled
        All labelled rows.
    seed : int
        Determines which rows are held out.

    Returns
    -------
    float
    """
    rows = stream(seed, Stream.SAMPLE).permutation(n_rows(labelled.X))
    n_held = int(np.ceil(HELD_OUT * len(rows)))
    held, rest = np.sort(rows[:n_held]), np.sort(rows[n_held:])
    y = np.asarray(labelled.y)
    if len(np.unique(y[rest])) < 2:
        return 1.0
    part = Labelled(
        take(labelled.X, rest), take(labelled.y, rest), labelled.positions[rest]
    )
    try:
        model = with_methods(training.train(part), ("predict_proba",))
        probs_N_C = probabilities(model, take(labelled.X, held))
    except ValueError:
        # Such as of five nearest neighbours among four rows.
        return 1.0
    # A class that the others lack has no column, and is never predicted.
    codes = codes_of(y[held], np.asarray(model.classes_))
    errors = [calibration_error(tempered(probs_N_C, t), codes) for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(errors))])
