"""Models that cannot be trained or scored: errors say where, and a run can go on."""

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_blobs
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

from skal import (
    ActiveLearner,
    AnnealingOracle,
    BeamOracle,
    BestOfStrategiesOracle,
    FixedOrder,
    GreedyOracle,
    Margin,
    Random,
    compare,
    split,
)
from skal.answers._margins import margins_of, margins_without_model
from skal.inputs._targets import Target

SIZES = {"batch_size": 4, "n_rounds": 6, "random_state": 0}


class Fussy(ClassifierMixin, BaseEstimator):
    """Naive Bayes that refuses sets with exactly one row of some class."""

    def fit(self, X, y):
        labels, counts = np.unique(y, return_counts=True)
        if (counts == 1).any():
            raise ArithmeticError(f"class {labels[counts == 1][0]} has one row")
        self.model_ = GaussianNB().fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(X)

    def predict_proba(self, X):
        return self.model_.predict_proba(X)


class Mute(GaussianNB):
    """Cannot predict if it was trained on 18 rows."""

    def predict(self, X):
        if self.class_count_.sum() == 18:
            raise OSError("no answer")
        return super().predict(X)


class PickyRidge(Ridge):
    """Cannot be trained on 18 rows, except on some."""

    def fit(self, X, y):
        if len(y) == 18 and y.sum() < 9:
            raise ArithmeticError("too little")
        return super().fit(X, y)


@pytest.mark.parametrize("proposal", ["uniform", "guided"])
def test_a_search_for_a_regressor_goes_on_without_models_that_fail(proposal):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    y = X[:, 0] + 0.5
    oracle = AnnealingOracle(n_steps=30, proposal=proposal)
    learner = ActiveLearner(
        PickyRidge(), oracle, warm_size=10, error_score=-1.0, **SIZES
    )
    with pytest.warns(FitFailedWarning, match=r"counts with error_score=-1"):
        learner.fit(X, y)
    assert learner.strategy_.quality_ == pytest.approx(learner.validation_quality_)


def test_margins_that_stand_for_no_model():
    y = np.random.default_rng(0).normal(size=50)
    mean = DummyRegressor().fit(y[:, None], y)
    found = margins_without_model(y, Target.NUMBER)
    np.testing.assert_array_equal(found, margins_of(mean, y[:, None], y))
    assert not margins_without_model(["a", "b"], Target.CLASS).any()


@pytest.fixture
def sets():
    """Two common classes and a rare one, of which the warm start has two rows."""
    X, y = make_blobs([80, 80, 12], cluster_std=4.0, random_state=1)
    common, rare = np.flatnonzero(y < 2), np.flatnonzero(y == 2)
    order = np.random.default_rng(0).permutation(common)
    parts = {
        "X": np.r_[order[:60], rare[4:]],
        "X_warm": np.r_[order[60:70]],
        "X_val": np.r_[order[70:110], rare[:2]],
        "X_test": np.r_[order[110:], rare[2:4]],
    }
    given = {name: X[rows] for name, rows in parts.items()}
    return given | {name.replace("X", "y"): y[rows] for name, rows in parts.items()}


def rare_order(sets):
    """An order whose second round labels the first row of the rare class."""
    common = np.flatnonzero(sets["y"] < 2)
    rare = np.flatnonzero(sets["y"] == 2)
    return np.r_[common[:7], rare[:1], common[7:10], rare[1:2], common[10:22]]


def test_an_error_says_in_which_round_and_what_was_labelled(sets):
    learner = ActiveLearner(Fussy(), FixedOrder(rare_order(sets)), **SIZES)
    with pytest.raises(ArithmeticError, match="class 2 has one row") as caught:
        learner.fit(**sets)
    (note,) = caught.value.__notes__
    assert note.startswith("In round 2, 18 rows were labelled: 1 of class 2, ")
    assert "`warm_per_class`" in note
    assert "`error_score`" in note


def test_what_was_labelled_until_then_can_be_read(sets):
    order = rare_order(sets)
    learner = ActiveLearner(Fussy(), FixedOrder(order), **SIZES)
    with pytest.raises(ArithmeticError):
        learner.fit(**sets)
    assert learner.order_.tolist() == order[:4].tolist()
    whole = ActiveLearner(GaussianNB(), FixedOrder(order), **SIZES).fit(**sets)
    np.testing.assert_array_equal(learner.curve_[:2], whole.curve_[:2])
    assert np.isnan(learner.curve_[2:]).all()
    assert np.isnan(learner.quality_)
    assert len(learner.predict(sets["X"])) == len(sets["X"])


def test_a_run_goes_on_with_an_error_score(sets):
    order = rare_order(sets)
    learner = ActiveLearner(Fussy(), FixedOrder(order), error_score=-1.0, **SIZES)
    with pytest.warns(FitFailedWarning, match=r"error_score=-1\.0: ArithmeticError"):
        learner.fit(**sets)
    whole = ActiveLearner(GaussianNB(), FixedOrder(order), **SIZES).fit(**sets)
    assert learner.order_.tolist() == order[:24].tolist()
    for found, expected in (
        (learner.curve_, whole.curve_),
        (learner.validation_curve_, whole.validation_curve_),
    ):
        assert found[2] == -1.0
        np.testing.assert_array_equal(np.delete(found, 2), np.delete(expected, 2))


def test_the_next_batch_is_chosen_with_the_model_of_the_round_before(sets):
    chosen = []

    class Watched(Margin):
        def _select(self, estimator, X, n, candidates, labelled):
            chosen.append(getattr(estimator, "estimator", estimator))
            if len(chosen) < 4:
                return rare_order(sets)[4 * len(chosen) - 4 : 4 * len(chosen)]
            return super()._select(estimator, X, n, candidates, labelled)

    three = SIZES | {"n_rounds": 3}
    with pytest.warns(FitFailedWarning, match="In round 2"):
        ActiveLearner(Fussy(), Watched(), error_score=0, **three).fit(**sets)
    assert chosen[1] is chosen[2]
    assert chosen[0] is not chosen[1]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
def test_without_any_model_a_strategy_that_needs_one_cannot_start(sets):
    sets["y_warm"] = np.r_[2, sets["y_warm"][1:]]
    with pytest.raises(ArithmeticError):
        ActiveLearner(Fussy(), Margin(), error_score=0.0, **SIZES).fit(**sets)
    order = FixedOrder(rare_order(sets))
    learner = ActiveLearner(Fussy(), order, error_score=0.0, **SIZES).fit(**sets)
    assert (learner.curve_ == 0.0).tolist() == [True] * 2 + [False] * 5


def test_a_scorer_that_fails_counts_as_well(sets):
    order = FixedOrder(rare_order(sets))
    with pytest.warns(FitFailedWarning, match="OSError: no answer"):
        learner = ActiveLearner(Mute(), order, error_score=0.25, **SIZES).fit(**sets)
    assert (learner.curve_ == 0.25).tolist() == [False, False, True] + [False] * 4
    assert learner.validation_curve_[2] == 0.25


def test_a_scorer_that_lacks_a_class_is_told_so(sets):
    sets["X_test"], sets["y_test"] = sets["X_test"][:-2], sets["y_test"][:-2]
    learner = ActiveLearner(
        GaussianNB(), Random(), scoring="roc_auc_ovr", **SIZES | {"n_rounds": 1}
    )
    with pytest.raises(ValueError, match=r".") as caught:
        learner.fit(**sets)
    assert any(
        note.startswith("The test set has no row of 1 of 3 classes, such as 2:")
        for note in caught.value.__notes__
    )


ORACLES = {
    "uniform": AnnealingOracle(proposal="uniform", n_steps=40, n_greedy=8),
    "guided": AnnealingOracle(n_steps=25),
    "guided from a strategy": AnnealingOracle(n_steps=10, start=Margin()),
    "greedy": GreedyOracle(n_candidates=12),
    "beam": BeamOracle(n_candidates=6, width=2),
    "best of strategies": BestOfStrategiesOracle(n_candidates=6),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.parametrize("name", ORACLES)
def test_a_search_goes_on_and_its_journal_too(sets, tmp_path, name):
    def search(journal=None, error_score=0.0, **params):
        oracle = ORACLES[name].__sklearn_clone__().set_params(journal=journal, **params)
        learner = ActiveLearner(Fussy(), oracle, error_score=error_score, **SIZES)
        return learner.fit(**sets)

    expected = search()
    # Some sets on the way have a single row of the rare class.
    with pytest.raises(ArithmeticError) as caught:
        search(tmp_path / "j.db", error_score="raise")
    assert any(note.startswith("In round") for note in caught.value.__notes__)
    for found in (
        search(tmp_path / "j.db"),  # behind the set that failed
        search(tmp_path / "j.db"),
        search(n_jobs=2),
    ):
        assert found.order_.tolist() == expected.order_.tolist()
        assert found.strategy_.quality_ == expected.strategy_.quality_
        assert found.strategy_.n_trainings_ == expected.strategy_.n_trainings_


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
def test_a_failed_set_counts_with_the_current_error_score(sets, tmp_path):
    """No journal remembers the score of a failed set."""

    def search(error_score, journal=None):
        oracle = AnnealingOracle(
            proposal="uniform", n_steps=40, n_greedy=8, journal=journal
        )
        learner = ActiveLearner(Fussy(), oracle, error_score=error_score, **SIZES)
        return learner.fit(**sets).strategy_

    search(0.0, tmp_path / "j.db")
    again, afresh = search(-2.0, tmp_path / "j.db"), search(-2.0)
    assert again.order_.tolist() == afresh.order_.tolist()
    assert again.quality_ == afresh.quality_


def test_workers_give_the_notes_of_their_errors(sets):
    oracle = AnnealingOracle(proposal="uniform", n_steps=60, n_greedy=8, n_jobs=2)
    learner = ActiveLearner(Fussy(), oracle, **SIZES)
    with parallel_config("loky"), pytest.raises(ArithmeticError) as caught:
        learner.fit(**sets)
    assert any("rows were labelled" in note for note in caught.value.__notes__)


@pytest.mark.parametrize(
    "estimator",
    [
        CalibratedClassifierCV(LinearSVC(), cv=3),
        QuadraticDiscriminantAnalysis(),
        KNeighborsClassifier(12),
    ],
)
def test_estimators_that_need_several_rows_of_each_class(sets, estimator):
    """They run from a warm start that has these rows, and with an error score."""
    X = np.concatenate([sets["X"], sets["X_warm"]])
    y = np.concatenate([sets["y"], sets["y_warm"]])
    learner = ActiveLearner(
        estimator, Random(), val_size=0, test_size=0.1, warm_size=16, **SIZES
    )
    learner.set_params(error_score=0.0, warm_size=4)
    with pytest.warns(FitFailedWarning):
        learner.fit(X, y)
    assert (learner.curve_ == 0.0).any()
    learner.set_params(error_score="raise", warm_size=16, warm_per_class=4)
    assert np.isfinite(learner.fit(X, y).curve_).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, "ignore", None])
def test_an_error_score_is_a_finite_number(sets, value):
    learner = ActiveLearner(GaussianNB(), Random(), error_score=value, **SIZES)
    with pytest.raises(ValueError, match="error_score"):
        learner.fit(**sets)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:.* ends at chance")
def test_a_study_goes_on_and_notices_another_error_score(blobs, tmp_path):
    X, y = blobs

    def study(**params):
        return compare(
            X, y, Fussy(), {"random": Random(), "fixed": Random(random_state=3)},
            seeds=5, n_orders=1, batch_size=2, n_rounds=3, warm_size=4,
            path=tmp_path, **params,
        )  # fmt: skip

    with pytest.raises(ArithmeticError):
        study()
    found = study(error_score=0.0)
    assert (found.curves == 0.0).any()
    with pytest.warns(UserWarning, match="error_score"):
        other = study(error_score=-1.0)
    np.testing.assert_array_equal(
        np.where(found.curves == 0.0, -1.0, found.curves), other.curves
    )


def test_split_takes_the_same_rows_with_the_default(blobs):
    sets = split(*blobs, warm_size=10, random_state=0)
    again = split(*blobs, warm_size=10, warm_per_class=0, random_state=0)
    assert all(np.array_equal(sets[name], again[name]) for name in sets)
