"""Weights of rows: in training, in scores, in studies, and through metadata routing."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, log_loss
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skal import ActiveLearner, Margin, Problem, compare, run_seeds, split

SIZES = {"batch_size": 5, "n_rounds": 3}


@pytest.fixture
def weights(blobs):
    return np.random.default_rng(0).gamma(0.5, size=len(blobs[0]))


@pytest.mark.parametrize(
    ("scoring", "metric"),
    [
        (None, lambda m, X, y, w: np.average(m.predict(X) == y, weights=w)),
        (
            "f1_macro",
            lambda m, X, y, w: f1_score(
                y, m.predict(X), average="macro", sample_weight=w
            ),
        ),
        (
            "neg_log_loss",
            lambda m, X, y, w: -log_loss(y, m.predict_proba(X), sample_weight=w),
        ),
    ],
)
def test_scores_are_weighted(blobs, weights, scoring, metric):
    X, y = blobs
    learner = ActiveLearner(
        LogisticRegression(), Margin(), scoring=scoring, random_state=0, **SIZES
    ).fit(X, y)
    found = learner.score(X, y, sample_weight=weights)
    assert found == pytest.approx(metric(learner, X, y, weights))
    plain = learner.score(X, y)
    assert plain == pytest.approx(metric(learner, X, y, None))
    assert found != plain
    zero = np.where(np.arange(len(y)) < 40, 1.0, 0.0)
    part = learner.score(X[:40], y[:40])
    assert learner.score(X, y, sample_weight=zero) == pytest.approx(part)


def test_weights_can_be_routed_to_fit_and_score(blobs, weights):
    X, y = blobs
    with config_context(enable_metadata_routing=True):
        estimator = LogisticRegression().set_fit_request(sample_weight=True)
        learner = ActiveLearner(estimator, Margin(), random_state=0, **SIZES)
        learner.set_score_request(sample_weight=True)
        found = cross_validate(
            learner, X, y, cv=3, params={"sample_weight": weights},
            return_indices=True, return_estimator=True,
        )  # fmt: skip
    for fold, score in enumerate(found["test_score"]):
        rows = found["indices"]["test"][fold]
        expected = np.average(
            found["estimator"][fold].predict(X[rows]) == y[rows], weights=weights[rows]
        )
        assert score == pytest.approx(expected)


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (LogisticRegression(), "sample_weight"),
        (
            make_pipeline(StandardScaler(), LogisticRegression()),
            "logisticregression__sample_weight",
        ),
    ],
)
def test_weights_in_a_problem_and_in_a_study(blobs, weights, estimator, name):
    X, y = blobs
    learner = ActiveLearner(estimator, Margin(), random_state=0, **SIZES)
    expected = learner.fit(X, y, **{name: weights}).curve_
    assert not np.array_equal(learner.fit(X, y).curve_, expected)
    (by_seed,) = run_seeds(learner, X, y, seeds=[0], **{name: weights}).curves
    np.testing.assert_array_equal(by_seed, expected)
    with pytest.warns(UserWarning, match="too small to test"):
        study = compare(
            X, y, estimator, {"margin": Margin()}, seeds=[0],
            fit_params={name: weights}, **SIZES,
        )  # fmt: skip
    np.testing.assert_array_equal(study.curves[0, 0, 0], expected)


def test_weights_of_given_sets(blobs, weights):
    """Those of the warm start come first."""
    X, y = blobs
    numbers = np.arange(len(X))
    sets = split(numbers, y, warm_size=10, random_state=0)
    in_order = weights[np.r_[sets["X_warm"], sets["X"]]]
    given = {n: X[part] if n[0] == "X" else part for n, part in sets.items()}
    problem = Problem.from_sets(
        given, LogisticRegression(), fit_params={"sample_weight": in_order}, **SIZES
    )
    with pytest.warns(UserWarning, match="too small to test"):
        study = compare(problem, {"margin": Margin()}, seeds=[0])
    learner = ActiveLearner(
        LogisticRegression(), Margin(), random_state=0, **SIZES
    ).fit(**given, sample_weight=in_order)
    np.testing.assert_array_equal(study.curves[0, 0, 0], learner.curve_)


def test_weights_of_the_wrong_length_are_refused(blobs, weights):
    X, y = blobs
    learner = ActiveLearner(LogisticRegression(), Margin(), random_state=0, **SIZES)
    with pytest.raises(ValueError, match="sample_weight"):
        learner.fit(X, y, sample_weight=weights[:-1])
    sets = split(X, y, warm_size=10, random_state=0)
    with pytest.raises(ValueError, match="sample_weight"):
        learner.fit(**sets, sample_weight=weights)
