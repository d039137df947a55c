"""Scorers of the user's own that return, take or change the wrong thing."""

from functools import partial

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.naive_bayes import GaussianNB

from skal import ActiveLearner, AnnealingOracle, Margin, Problem, split


def run(blobs, scoring, strategy=None):
    learner = ActiveLearner(
        GaussianNB(),
        Margin() if strategy is None else strategy,
        batch_size=4,
        n_rounds=2,
        scoring=scoring,
        random_state=0,
    )
    return learner.fit(*blobs)


WRONG = [None, "good", "0.5", b"1", 1j, [0.5], np.array([0.5]), np.zeros(2), {}, object]


@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_a_score_is_a_number(blobs, value):
    with pytest.raises(ValueError, match="must return a finite number, got"):
        run(blobs, lambda model, X, y: value)


@pytest.mark.parametrize("kind", [float, np.float32, np.array, np.float64, np.bool_])
def test_any_real_number_is_a_score(blobs, kind):
    assert run(blobs, lambda model, X, y: kind(1)).curve_.tolist() == [1, 1, 1]


WITHOUT_MODEL = [
    lambda model: 1.0,
    lambda model, X: 1.0,
    lambda: 1.0,
    lambda model, X, y, weights: 1.0,
    lambda *, model, X, y: 1.0,
]


@pytest.mark.parametrize("scoring", WITHOUT_MODEL)
def test_other_arguments_are_refused_before_a_training(blobs, scoring):
    with pytest.raises(TypeError, match=r"called as scoring\(model, X, y\), got"):
        run(blobs, scoring)
    sets = split(*blobs, warm_size=10, random_state=0)
    with pytest.raises(TypeError, match="make_scorer"):
        Problem.from_sets(sets, GaussianNB(), batch_size=2, n_rounds=2, scoring=scoring)


def with_option(model, X, y, *, scale=1.0):
    return scale * model.score(X, y)


@pytest.mark.parametrize(
    "scoring",
    [
        with_option,
        partial(with_option, scale=1.0),
        make_scorer(accuracy_score),
        lambda *args: args[0].score(*args[1:]),
        lambda model, X, y=None, weights=None: model.score(X, y),
    ],
)
def test_what_can_be_called_with_three_is_a_scorer(blobs, scoring):
    expected = run(blobs, None).curve_
    np.testing.assert_array_equal(run(blobs, scoring).curve_, expected)


def shift(model, X, y):
    X -= X.mean(axis=0)
    return model.score(X, y)


def sort_labels(model, X, y):
    y.sort()
    return model.score(X, y)


@pytest.mark.parametrize("strategy", [Margin(), AnnealingOracle(n_steps=3)])
@pytest.mark.parametrize(("scoring", "name"), [(shift, "X"), (sort_labels, "y")])
def test_a_scorer_that_changes_its_data_is_refused(blobs, scoring, name, strategy):
    with pytest.raises(ValueError, match=f"must not change {name}_test: let it work"):
        run(blobs, scoring, strategy)


def test_missing_values_are_no_change(blobs):
    X, y = blobs
    X = X.copy()
    X[::7, 0] = np.nan

    def score(model, X, y):
        return model.score(np.nan_to_num(X), y)

    from sklearn.ensemble import HistGradientBoostingClassifier

    tree = HistGradientBoostingClassifier(max_iter=2)
    ActiveLearner(tree, Margin(), batch_size=4, n_rounds=1, scoring=score).fit(X, y)


def test_masked_labels_cannot_be_scored_on(blobs):
    X, y = blobs
    learner = run(blobs, None)
    masked = np.ma.masked_array(y, mask=np.arange(len(y)) % 3 == 0)
    with pytest.raises(ValueError, match="y must have no masked labels, got 40: leave"):
        learner.score(X, masked)
    assert learner.score(X, np.ma.masked_array(y)) == learner.score(X, y)
