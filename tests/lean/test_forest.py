"""Trees and forests without the envelope are the same as with it."""

from functools import partial

import numpy as np
import pytest
from _both_ways import differences, differences_by_seed
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from skal import _sklearn
from skal.lean._forest import LeanDecisionTree, LeanExtraTrees, LeanRandomForest

FORMS = {
    RandomForestClassifier: LeanRandomForest(),
    ExtraTreesClassifier: LeanExtraTrees(),
    DecisionTreeClassifier: LeanDecisionTree(),
}
KINDS = list(FORMS)


def pick(rng, *values):
    """Return the first value half of the time, or any other."""
    return values[0] if rng.random() < 0.5 else values[rng.integers(len(values))]


def tree_params(rng):
    """Return parameters of a tree at random."""
    return {
        "criterion": pick(rng, "gini", "entropy", "log_loss"),
        "max_depth": pick(rng, None, 1, 3),
        "min_samples_split": pick(rng, 2, 5, 0.2),
        "min_samples_leaf": pick(rng, 1, 3, 0.1),
        "min_weight_fraction_leaf": pick(rng, 0.0, 0.1),
        "max_features": pick(rng, "sqrt", "log2", None, 0.7, 1, 3),
        "max_leaf_nodes": pick(rng, None, 2, 5),
        "min_impurity_decrease": pick(rng, 0.0, 0.01),
        "random_state": int(rng.integers(2**31)),
    }


def forest_params(rng):
    """Return parameters of a forest at random."""
    params = tree_params(rng) | {"n_estimators": int(rng.integers(1, 6))}
    params["class_weight"] = pick(rng, None, "balanced", "balanced_subsample")
    params["bootstrap"] = bool(rng.random() < 0.6)
    if params["bootstrap"]:
        params["max_samples"] = pick(rng, None, 0.7, 0.2, 5, 30)
    return params


def random_estimator(kind, rng, y):
    """Return an estimator with parameters at random."""
    if kind is DecisionTreeClassifier:
        params = tree_params(rng) | {"splitter": pick(rng, "best", "random")}
        params["class_weight"] = pick(rng, None, "balanced")
    else:
        params = forest_params(rng)
    if rng.random() < 0.2:
        params["class_weight"] = {name: rng.random() + 0.1 for name in np.unique(y)}
    return kind(**params)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_model_and_answers(kind):
    assert differences_by_seed(FORMS[kind], partial(random_estimator, kind)) == {}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rows_in_another_memory_order(kind, dtype):
    X = np.asfortranarray(np.random.default_rng(0).normal(size=(40, 5)), dtype=dtype)
    estimator = kind(random_state=0)
    assert differences(FORMS[kind], estimator, X, np.arange(40) % 3, X[::2]) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_random_state_that_moves_on_is_used_alike(kind):
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(40, 5)), np.arange(40) % 3
    one, other = np.random.RandomState(3), np.random.RandomState(3)
    model, own = kind(random_state=one), kind(random_state=other)
    FORMS[kind].fit(model, X, codes, np.arange(3))
    own.fit(X, codes)
    np.testing.assert_array_equal(FORMS[kind].look(model, X), own.predict_proba(X))
    assert one.randint(1000) == other.randint(1000)


@pytest.mark.parametrize("kind", KINDS)
def test_the_global_random_state_is_untouched(kind):
    X, codes = np.random.default_rng(0).normal(size=(40, 5)), np.arange(40) % 3
    before = np.random.get_state()[1:3]  # noqa: NPY002
    FORMS[kind].fit(kind(random_state=1), X, codes, np.arange(3))
    after = np.random.get_state()[1:3]  # noqa: NPY002
    np.testing.assert_array_equal(before[0], after[0])
    assert before[1] == after[1]


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_too_large_for_trees_are_refused_in_the_same_words(kind):
    X, y = np.arange(8.0)[:, None], np.arange(8) % 2
    estimator = kind(random_state=0)
    assert differences(FORMS[kind], estimator, X * 1e300, y, X) == []
    model = kind(random_state=0)
    FORMS[kind].fit(model, X, y, np.arange(2))
    with pytest.raises(ValueError, match="too large"), np.errstate(over="ignore"):
        FORMS[kind].look(model, X * 1e300)


@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
def test_fitted_trees_answer_as_those_of_fit(kind):
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(40, 5)), np.arange(40) % 3
    model = kind(5, random_state=0, bootstrap=True)
    FORMS[kind].fit(model, X, codes, np.arange(3))
    own = kind(5, random_state=0, bootstrap=True).fit(X, codes)
    np.testing.assert_array_equal(model.predict_proba(X), own.predict_proba(X))
    np.testing.assert_array_equal(model.feature_importances_, own.feature_importances_)
    np.testing.assert_array_equal(model.estimators_samples_, own.estimators_samples_)
    for tree, other in zip(model.estimators_, own.estimators_, strict=True):
        assert tree.get_params() == other.get_params()
        np.testing.assert_array_equal(tree.predict(X), other.predict(X))


@pytest.mark.parametrize(
    "params",
    [
        {"ccp_alpha": 0.1},
        {"oob_score": True},
        {"warm_start": True},
        {"class_weight": [{0: 1.0}]},
        {"monotonic_cst": [1, 0]},
        {"bootstrap": False, "max_samples": 3},
        {"n_estimators": 0},
        {"verbose": 1},
    ],
)
def test_other_parameters_are_left_to_fit(params):
    assert not LeanRandomForest().suits(RandomForestClassifier(**params))


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_compiled_trees_fit_serves(kind, monkeypatch):
    assert FORMS[kind].suits(kind())
    monkeypatch.setattr(_sklearn, "trees", None)
    assert not FORMS[kind].suits(kind())
