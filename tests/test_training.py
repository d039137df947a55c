import subprocess
import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_info

from skal import ActiveLearner, AnnealingOracle, Problem, Random, split
from skal._threads import single_threaded
from skal.answers._fixed_classes import FixedClasses
from skal.judging import Evaluation
from skal.problem import assemble
from skal.training import Trainer


def make_problem(X, y, estimator, seed=0, fit_params=None, **sizes):
    sizes = {"test": 20, "val": 20, "select": 0, "warm": 10} | sizes
    return assemble(
        X, y, {}, sizes, fit_params or {}, batch_size=5, n_rounds=3,
        estimator=estimator, scoring=None, seed=seed,
    )  # fmt: skip


class Recorder(ClassifierMixin, BaseEstimator):
    """Remembers what it was trained on, and draws from every generator there is."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None):
        self.X_, self.y_, self.sample_weight_ = X, y, sample_weight
        self.classes_ = np.unique(y)
        self.drawn_ = (np.random.rand(), self.random_state)  # noqa: NPY002
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        RandomForestClassifier(n_estimators=5),
        make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss")),
        MLPClassifier(hidden_layer_sizes=4, max_iter=30, tol=1.0),
    ],
)
def test_training_depends_on_the_set_and_not_on_its_order(blobs, estimator):
    trainer = Trainer(make_problem(*blobs, estimator))
    positions = np.arange(0, 60, 2)
    shuffled = np.random.default_rng(0).permutation(positions)
    first, second = trainer.train(positions), trainer.train(shuffled)
    np.testing.assert_array_equal(
        first.predict_proba(blobs[0]), second.predict_proba(blobs[0])
    )


def test_another_seed_trains_another_model(blobs):
    def probabilities(seed):
        problem = make_problem(*blobs, RandomForestClassifier(n_estimators=5), seed=0)
        problem = problem.__class__(**{**problem.__dict__, "seed": seed})
        return Trainer(problem).train(np.arange(20)).predict_proba(blobs[0])

    assert (probabilities(0) == probabilities(0)).all()
    assert (probabilities(0) != probabilities(1)).any()


def test_the_global_state_matters_neither_way(blobs, global_state):
    trainer = Trainer(make_problem(*blobs, Recorder()))
    np.random.seed(1)  # noqa: NPY002
    before = global_state()
    first = trainer.train(np.arange(10)).drawn_
    assert global_state() == before
    np.random.seed(2)  # noqa: NPY002
    assert trainer.train(np.arange(10)).drawn_ == first


def test_the_estimator_that_was_given_is_left_alone(blobs):
    estimator = Recorder(random_state=3)
    model = Trainer(make_problem(*blobs, estimator)).train(np.arange(10))
    assert estimator.random_state == 3
    assert not hasattr(estimator, "classes_")
    assert model.random_state != 3


def test_points_come_in_a_mixed_order_that_the_seed_decides(blobs):
    X, y = blobs
    by_class = np.argsort(y, kind="stable")

    def labels(seed):
        problem = make_problem(X[by_class], y[by_class], Recorder(), seed)
        return Trainer(problem).train(np.arange(problem.n_pool)).y_.tolist()

    assert labels(0) == labels(0) != labels(1)
    assert labels(0) != sorted(labels(0))


def test_one_priority_per_row_whatever_else_is_labelled(blobs):
    trainer = Trainer(make_problem(*blobs, Recorder()))
    few, many = trainer.rows(np.arange(10)), trainer.rows(np.arange(30))
    assert [row for row in many if row in set(few.tolist())] == few.tolist()


def test_the_order_of_rows_is_drawn_and_not_that_of_the_data(blobs):
    problem = make_problem(*blobs, Recorder())
    positions = np.arange(problem.n_pool)
    first, other = (
        Trainer(replace(problem, seed=seed)).rows(positions) for seed in (0, 1)
    )
    np.testing.assert_array_equal(np.sort(first), np.arange(len(first)))
    assert (np.diff(first) < 0).any()
    assert (first != other).any()


def test_a_single_class_trains_a_constant_model(blobs):
    X, y = blobs
    trainer = Trainer(make_problem(X, y, LogisticRegression(), warm=0))
    only_ones = np.flatnonzero(trainer.y == 1)[:5]
    model = trainer.train(only_ones)
    assert (model.predict(X) == 1).all()
    np.testing.assert_array_equal(model.predict_proba(X), [[0, 1, 0]] * len(X))
    assert model.score(X, y) == np.mean(y == 1)


def test_nothing_labelled_trains_nothing(blobs):
    trainer = Trainer(make_problem(*blobs, LogisticRegression(), warm=0))
    assert trainer.train(np.empty(0, dtype=int)) is None


def test_a_class_that_is_not_labelled_shifts_no_column(blobs):
    X, y = blobs
    trainer = Trainer(make_problem(X, y, LogisticRegression(), warm=0))
    two = np.flatnonzero(trainer.y != 1)
    model = trainer.train(two)
    plain = model.estimator
    assert model.classes_.tolist() == [0, 1, 2]
    probs = model.predict_proba(X)
    np.testing.assert_array_equal(probs[:, [0, 2]], plain.predict_proba(X))
    assert (probs[:, 1] == 0).all()
    assert (model.predict_log_proba(X)[:, 1] == -np.inf).all()
    assert (model.decision_function(X).argmax(axis=1) == model.predict(X)).all()
    assert model.score(X, y) == plain.score(X, y)


def test_fixed_classes_offers_what_the_estimator_offers(blobs):
    wrapped = FixedClasses(LinearSVC().fit(*blobs), np.arange(4))
    assert not hasattr(wrapped, "predict_proba")
    assert wrapped.decision_function(blobs[0]).shape == (120, 4)


@pytest.mark.parametrize("is_pipeline", [False, True])
def test_the_selection_set_reaches_an_estimator_that_takes_one(blobs, is_pipeline):
    class Stopping(HistGradientBoostingClassifier):
        def fit(self, X, y, *, X_val=None, y_val=None):
            self.seen_ = X_val
            return super().fit(X, y, X_val=X_val, y_val=y_val)

    estimator = Stopping(max_iter=5, min_samples_leaf=2, early_stopping=True)
    if is_pipeline:
        estimator = make_pipeline(StandardScaler(), estimator)
    problem = make_problem(*blobs, estimator, select=15)
    model = Trainer(problem).train(np.arange(30))
    expected = problem.X_select
    if is_pipeline:
        expected = model[0].transform(expected)
        model = model[-1]
    np.testing.assert_array_equal(model.seen_, expected)
    assert len(model.validation_score_) > 0


@pytest.mark.parametrize("wanted", [["X_more"], ["X_more", "X_val"], ("X_more",)])
def test_what_a_pipeline_transforms_besides_is_transformed(blobs, wanted):
    class Informed(GaussianNB):
        def fit(self, X, y, *, X_val=None, y_val=None, X_more=None):
            self.seen_ = X_val, X_more
            return super().fit(X, y)

    X, y = blobs
    with config_context(enable_metadata_routing=True):
        informed = Informed().set_fit_request(X_more=True)
        steps = [("scale", StandardScaler()), ("informed", informed)]
        estimator = Pipeline(steps, transform_input=wanted)
        params = {"X_more": X[:7]}
        problem = make_problem(X, y, estimator, fit_params=params, select=15)
        model = Trainer(problem).train(np.arange(30))
    for seen, rows in zip(model[-1].seen_, (problem.X_select, X[:7]), strict=True):
        np.testing.assert_array_equal(seen, model[0].transform(rows))


def test_the_selection_set_is_cut_to_the_classes_that_are_labelled(blobs):
    boosting = HistGradientBoostingClassifier(max_iter=3, early_stopping=True)
    problem = make_problem(*blobs, boosting, select=15, warm=0)
    trainer = Trainer(problem)
    model = trainer.train(np.flatnonzero(trainer.y != 1)).estimator
    assert set(problem.y_select) == {0, 1, 2}
    assert len(model.validation_score_) > 0


def test_a_selection_set_of_other_classes_alone_is_left_out(blobs):
    X, y = blobs
    boosting = HistGradientBoostingClassifier(max_iter=3, early_stopping=True)
    sets = split(X[y != 1], y[y != 1], warm_size=20, random_state=0)
    sets |= {"X_select": X[y == 1], "y_select": y[y == 1]}
    problem = Problem.from_sets(sets, boosting, batch_size=5, n_rounds=1)
    assert Trainer(problem).train(np.arange(5)).classes_.tolist() == [0, 1, 2]


def test_the_weights_of_a_step_reach_it_beside_a_selection_set(blobs):
    class Stopping(Recorder):
        def fit(self, X, y, sample_weight=None, X_val=None, y_val=None):
            self.seen_ = X_val
            return super().fit(X, y, sample_weight)

    weights = {
        "pipeline__standardscaler__sample_weight": np.full(120, 2.0),
        "stopping__sample_weight": np.arange(120),
    }
    pipeline = make_pipeline(make_pipeline(StandardScaler()), Stopping())
    problem = make_problem(*blobs, pipeline, fit_params=weights, select=15)
    trainer = Trainer(problem)
    model = trainer.train(np.arange(12))
    assert model[0][0].n_samples_seen_ == 44
    assert len(model[1].seen_) == 15
    rows = trainer.fit_params["stopping__sample_weight"][trainer.rows(np.arange(12))]
    np.testing.assert_array_equal(model[1].sample_weight_, rows)


def test_what_has_one_value_per_row_is_cut_to_the_rows_in_use(blobs):
    X, y = blobs
    problem = make_problem(X, y, Recorder(), fit_params={"sample_weight": X[:, 0]})
    model = Trainer(problem).train(np.arange(12))
    np.testing.assert_array_equal(model.sample_weight_, model.X_[:, 0])
    assert len(model.sample_weight_) == 22


def test_values_for_a_warm_start_of_its_own(blobs):
    """They come before those of X; a weight that is missing is 1."""
    X, y = blobs
    sets = split(X, y, warm_size=10, val_size=20, test_size=20, random_state=0)
    given = {"warm": (sets["X_warm"], sets["y_warm"])}
    sizes = {"test": 10, "val": 10, "select": 0}

    def trained(**fit_params):
        problem = assemble(
            sets["X"], sets["y"], given, sizes, fit_params,
            batch_size=5, n_rounds=3, estimator=Recorder(), scoring=None, seed=0,
        )  # fmt: skip
        return Trainer(problem).train(np.arange(12))

    both = np.concatenate([sets["X_warm"], sets["X"]])[:, 0]
    model = trained(sample_weight=both)
    np.testing.assert_array_equal(model.sample_weight_, model.X_[:, 0])
    with pytest.warns(UserWarning, match="has no values for X_warm, so each of its"):
        model = trained(sample_weight=both[10:])
    is_warm = np.isin(model.X_[:, 0], sets["X_warm"][:, 0])
    expected = np.where(is_warm, 1.0, model.X_[:, 0])
    np.testing.assert_array_equal(model.sample_weight_, expected)
    with pytest.raises(ValueError, match="costs has one value per row of X and none"):
        trained(costs=both[10:])


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_parameters_of_the_estimator_are_checked(blobs, n_jobs):
    learner = ActiveLearner(
        LogisticRegression(C=-1.0),
        AnnealingOracle(n_steps=3, n_jobs=n_jobs),
        batch_size=5,
        n_rounds=2,
    )
    with pytest.raises(ValueError, match="'C' parameter of LogisticRegression"):
        learner.fit(*blobs)


def test_an_evaluation_scores_no_model_as_nan():
    assert np.isnan(Evaluation(None, None, None).score(None))


def test_one_thread_inside_and_as_before_outside():
    before = [pool["num_threads"] for pool in threadpool_info()]
    with single_threaded():
        assert {pool["num_threads"] for pool in threadpool_info()} == {1}
    assert [pool["num_threads"] for pool in threadpool_info()] == before


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_warning_of_many_trainings_is_shown_once(n_jobs):
    script = f"""
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from skal import ActiveLearner, AnnealingOracle

X, y = make_blobs(120, centers=3, cluster_std=3.0, random_state=3)
ActiveLearner(
    LogisticRegression(max_iter=1), AnnealingOracle(n_steps=20, n_jobs={n_jobs}),
    batch_size=5, n_rounds=4, random_state=0,
).fit(X, y)
"""
    shown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stderr
    assert 1 <= shown.count("ConvergenceWarning") <= 1 + n_jobs * (n_jobs > 1)


def test_the_filters_of_the_user_keep_the_last_word(blobs):
    learner = ActiveLearner(
        LogisticRegression(max_iter=1), Random(), batch_size=5, n_rounds=2
    )
    with pytest.raises(ConvergenceWarning):  # warnings are errors in these tests
        learner.fit(*blobs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        learner.fit(*blobs)
