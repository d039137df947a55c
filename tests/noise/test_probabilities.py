"""The arithmetic of noise, against brute force."""

import numpy as np
import pytest
from scipy.optimize import brentq

from skal.noise._probabilities import (
    choose_by,
    most_probable_other,
    rank_of_difficulty,
    scaled_to,
)


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("seed", range(5))
def test_the_mean_is_the_rate_and_none_is_above_one(seed, rate):
    weights = np.random.default_rng(seed).gamma(0.3, size=50)
    found = scaled_to(weights, rate)
    assert found.mean() == pytest.approx(rate)
    assert found.max() <= 1
    # The only factor with this mean, by bisection.
    factor = brentq(lambda c: np.minimum(1, c * weights).mean() - rate, 0, 1e12)
    np.testing.assert_allclose(found, np.minimum(1, factor * weights), atol=1e-6)


def test_as_many_positive_weights_as_wrong_labels_are_enough():
    np.testing.assert_allclose(scaled_to(np.array([0, 2, 0, 1.0]), 0.5), [0, 1, 0, 1])
    with pytest.raises(ValueError, match="needs 2 wrong labels, and by `confusion` on"):
        scaled_to(np.array([0, 2, 0, 0.0]), 0.5)


def test_ranks_are_counted_from_the_easiest_row():
    probs = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.6, 0.4]])
    found = rank_of_difficulty(probs, np.array([0, 0, 1, 1]))
    # Probabilities of the true class: 0.9, 0.4, 0.8, 0.4; the last share a rank.
    np.testing.assert_allclose(found, np.array([1, 3.5, 2, 3.5]) ** 2 / 16)


def test_the_most_probable_other_class_is_not_the_true_one():
    rng = np.random.default_rng(0)
    probs, codes = rng.dirichlet(np.ones(4), 30), rng.integers(4, size=30)
    expected = [
        max((c for c in range(4) if c != code), key=row.__getitem__)
        for row, code in zip(probs, codes, strict=True)
    ]
    assert most_probable_other(probs, codes).tolist() == expected


def test_classes_are_drawn_in_proportion():
    weights = np.array([0, 2, 0, 1, 5.0])
    numbers = (np.arange(800) + 0.5) / 800
    chosen = choose_by(np.tile(weights, (800, 1)), numbers)
    assert np.bincount(chosen, minlength=5).tolist() == [0, 200, 0, 100, 500]
    assert choose_by(weights[None], np.zeros(1)).tolist() == [1]
