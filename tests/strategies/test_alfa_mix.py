"""Feature mixing, against a search over lengths of steps."""

import numpy as np
import pytest
from scipy import sparse
from scipy.special import softmax
from sklearn.datasets import load_digits, load_wine, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skal import ActiveLearner, AlfaMix
from skal.answers._head import linear_head
from skal.strategies import Labelled
from skal.strategies._alfa_mix import class_means, shortest_steps

LENGTHS = np.linspace(0, 1, 401)


def data(n_classes, seed):
    X, y = make_classification(
        120, 8, n_informative=6, n_classes=n_classes, random_state=seed
    )
    return X, y


def changes_at(model, row, mean, length):
    """Return whether a step of a length changes the prediction (Equations 3 and 5)."""
    W, b = np.atleast_2d(model.coef_), model.intercept_
    if len(W) == 1:
        W, b = np.vstack([-W, W]) / 2, np.append(-b, b) / 2
    outputs = W @ row + b
    chosen = outputs.argmax()
    gradient = (softmax(outputs) - np.eye(len(W))[chosen]) @ W
    away = mean - row
    alpha = length * np.linalg.norm(away) * gradient / np.linalg.norm(gradient) / away
    mixed = row + np.clip(alpha, 0, length) * away
    return (W @ mixed + b).argmax() != chosen


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("estimator", [LogisticRegression(), RidgeClassifier()])
def test_the_shortest_steps_against_a_search(estimator, n_classes, seed):
    X, y = data(n_classes, seed)
    model = estimator.fit(X[:40], y[:40])
    means = np.array([X[:40][y[:40] == c].mean(axis=0) for c in range(n_classes)])
    found = shortest_steps(linear_head(model), X[40:70], means)
    for row, step in zip(X[40:70], found, strict=True):
        changed = [
            any(changes_at(model, row, mean, length) for mean in means)
            for length in LENGTHS
        ]
        if any(changed):
            first = LENGTHS[np.argmax(changed)]
            assert first - 1 / 400 <= step <= first + 1e-9
        else:
            assert step > LENGTHS[-1] - 1 / 400


def test_the_means_of_classes():
    X, y = data(3, 0)
    found = class_means(sparse.csr_array(X), y)
    np.testing.assert_allclose(found[1], X[y == 1].mean(axis=0))


def test_only_rows_that_change_are_clustered():
    X, y = data(3, 1)
    model = LogisticRegression().fit(X[:40], y[:40])
    labelled = Labelled(X[:40], y[:40], np.arange(40))
    steps = shortest_steps(linear_head(model), X, class_means(X[:40], y[:40]))
    left = np.arange(40, 120)
    few = AlfaMix(max_mix=0.1, random_state=0).fit(X)
    n = int(np.sum(steps[left] <= 0.1)) // 2
    assert n > 3
    batch = few.select(model, X, n, candidates=left, labelled=labelled)
    assert (steps[batch] <= 0.1).all()
    # More rows than change: those that need the shortest steps come along.
    batch = few.select(model, X, 70, candidates=left, labelled=labelled)
    nearest = left[np.argsort(steps[left], kind="stable")[:70]]
    n_finite = np.isfinite(steps[nearest]).sum()
    assert set(nearest[:n_finite]) <= set(batch.tolist())


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_in_a_learner(kind):
    X, y = load_digits(return_X_y=True)
    rows = kind(X[:600] / 16)
    learner = ActiveLearner(
        LogisticRegression(max_iter=50), AlfaMix(), batch_size=10, n_rounds=3,
        random_state=0,
    )  # fmt: skip
    assert len(set(learner.fit(rows, y[:600]).order_.tolist())) == 30


def test_a_model_that_is_not_linear_is_refused():
    X, y = load_wine(return_X_y=True)
    learner = ActiveLearner(
        make_pipeline(StandardScaler(), RandomForestClassifier(5)), AlfaMix(),
        batch_size=5, n_rounds=2, random_state=0,
    )  # fmt: skip
    with pytest.raises(TypeError, match="has no linear layer that makes its predic"):
        learner.fit(X, y)


def test_duplicates_alone():
    X, y = np.ones((30, 4)), np.arange(30) % 2
    learner = ActiveLearner(
        LogisticRegression(), AlfaMix(), batch_size=5, n_rounds=2, random_state=0,
        val_size=4, test_size=6,
    )  # fmt: skip
    assert len(learner.fit(X, y).order_) == 10


def test_a_single_labelled_class():
    X, y = data(2, 0)
    learner = ActiveLearner(
        LogisticRegression(), AlfaMix(), batch_size=5, n_rounds=1, random_state=0
    )
    first = np.flatnonzero(y == 0)[:3]
    learner.fit(X[10:], y[10:], X_warm=X[first], y_warm=y[first])
    assert len(learner.order_) == 5
