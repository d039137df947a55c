import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from skal import ActiveLearner, FixedOrder, Random, evaluate_order, split


@pytest.fixture
def sets(blobs):
    return split(*blobs, warm_size=10, val_size=30, test_size=30, random_state=0)


def learn(estimator, sets, **params):
    params = {"batch_size": 4, "n_rounds": 3, "random_state": 0} | params
    return ActiveLearner(estimator, **{"strategy": Random()} | params).fit(**sets)


def test_it_is_a_replay_under_each_seed(sets):
    tree = DecisionTreeClassifier(max_features=1)
    learner = learn(tree, sets)
    results = evaluate_order(learner.order_, learner, **sets, seeds=[0, 5, 6])
    assert results.seeds == (0, 5, 6)
    for seed, found in zip(results.seeds, results.learners, strict=True):
        order = FixedOrder(learner.order_)
        expected = learn(tree, sets, strategy=order, random_state=seed)
        np.testing.assert_array_equal(found.order_, learner.order_)
        np.testing.assert_array_equal(found.curve_, expected.curve_)
    # With the seed of the run itself, it is the run itself.
    np.testing.assert_array_equal(results.learners[0].curve_, learner.curve_)
    assert len({tuple(curve) for curve in results.curves}) == 3
    assert "validation_quality" in results.table()


def test_two_jobs_do_not_change_it(sets):
    learner = learn(DecisionTreeClassifier(max_features=1), sets)
    one, two = (
        evaluate_order(learner.order_, learner, **sets, seeds=2, n_jobs=n_jobs).curves
        for n_jobs in (1, 2)
    )
    np.testing.assert_array_equal(one, two)


def test_the_learner_is_left_alone(sets):
    learner = learn(GaussianNB(), sets)
    evaluate_order(learner.order_[::-1], learner, **sets, seeds=2)
    assert isinstance(learner.strategy, Random)
    assert learner.random_state == 0


@pytest.mark.parametrize("name", ["warm", "val", "test"])
def test_sets_that_would_be_carved_anew_are_refused(sets, name):
    learner = learn(GaussianNB(), sets)
    given = {key: rows for key, rows in sets.items() if not key.endswith(name)}
    with pytest.raises(ValueError, match=f"X_{name} would be split off"):
        evaluate_order(learner.order_, learner, **given)


def test_sets_that_there_are_not_need_not_be_given(sets):
    learner = learn(GaussianNB(), sets)
    given = {key: rows for key, rows in sets.items() if not key.endswith("val")}
    results = evaluate_order(learner.order_, learner.set_params(val_size=0), **given)
    assert np.isfinite(results.qualities).all()


def test_an_order_of_another_pool_is_refused(sets):
    learner = learn(GaussianNB(), sets)
    with pytest.raises(ValueError, match="order"):
        evaluate_order([10_000, *range(11)], learner, **sets)
