import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import LinearSVC

from skal import BALD, ActiveLearner, BatchBALD, VariationRatio
from skal.answers._fixed_classes import FixedClasses
from skal.answers._posterior import has_posterior, sample_posterior
from skal.information import batchbald, mutual_information, variation_ratio

ROWS = np.arange(30)[:, None]


class MockNet(BaseEstimator):
    """A fitted net with given posterior samples."""

    def __init__(self, probs_N_T_C):
        self.probs_N_T_C = probs_N_T_C
        self.asked = []

    def sample_proba(self, X, n_samples, random_state):
        self.asked.append((n_samples, random_state))
        return self.probs_N_T_C[np.asarray(X).ravel()]


@pytest.fixture
def net():
    rng = np.random.default_rng(0)
    return MockNet(rng.dirichlet(np.ones(3) / 3, size=(30, 6)))


def test_rankings_follow_the_measures(net):
    for strategy, measure in (
        (BALD(), mutual_information),
        (VariationRatio(), variation_ratio),
    ):
        chosen = strategy.fit(ROWS).select(net, ROWS, 30)
        value = measure(net.probs_N_T_C)[chosen]
        assert (np.diff(value) <= 1e-12).all()


def test_batchbald_picks_what_the_computation_picks(net):
    chosen = BatchBALD().fit(ROWS).select(net, ROWS, 4)
    assert chosen.tolist() == batchbald(net.probs_N_T_C, 4)[0].tolist()
    few = np.array([3, 9, 12, 20, 25])
    chosen = BatchBALD().fit(ROWS).select(net, ROWS, 2, candidates=few)
    picked = batchbald(net.probs_N_T_C[few], 2)[0]
    assert chosen.tolist() == few[picked].tolist()


def test_samples_are_asked_for_with_a_seed_of_the_strategy(net):
    for seed in (0, 0, 1):
        BALD(n_samples=7, random_state=seed).fit(ROWS).select(net, ROWS, 2)
    (first, again, other) = net.asked
    assert first == again != other
    assert first[0] == 7


@pytest.fixture
def fitted(blobs):
    X, y = blobs
    names = np.array(["ham", "spam", "zen"])
    return lambda estimator: (estimator.fit(X[:60], names[y[:60]]), X)


@pytest.mark.parametrize(
    "ensemble",
    [
        RandomForestClassifier(8, random_state=0),
        ExtraTreesClassifier(8, random_state=0),
        BaggingClassifier(GaussianNB(), n_estimators=8, random_state=0),
        BaggingClassifier(GaussianNB(), n_estimators=8, max_features=1, random_state=0),
        BaggingClassifier(LinearSVC(), n_estimators=8, random_state=0),
        VotingClassifier(
            [("nb", GaussianNB()), ("lr", LogisticRegression())], voting="soft"
        ),
    ],
)
@pytest.mark.parametrize("n_pipelines", [0, 1, 2, 3])
def test_the_members_average_to_the_ensemble(fitted, ensemble, n_pipelines):
    """A pipeline may have one step, or another pipeline for its last one."""
    for scaler in ([], [StandardScaler()], [MinMaxScaler()])[:n_pipelines]:
        ensemble = make_pipeline(*scaler, ensemble)
    model, X = fitted(ensemble)
    assert has_posterior(model)
    samples = sample_posterior(model, X, 99, seed=0)
    assert samples.shape[0] == 120
    assert samples.shape[1] in (2, 8)
    np.testing.assert_allclose(samples.mean(axis=1), model.predict_proba(X))


def test_a_member_that_saw_fewer_classes_keeps_the_columns_apart():
    X, y = np.arange(12.0)[:, None], np.repeat([5, 7, 9], [10, 1, 1])
    model = BaggingClassifier(KNeighborsClassifier(1), 10, random_state=0).fit(X, y)
    assert {len(member.classes_) for member in model.estimators_} != {3}
    samples = sample_posterior(model, X, 1, seed=0)
    np.testing.assert_allclose(samples.mean(axis=1), model.predict_proba(X))


def test_a_member_without_probabilities_votes(fitted):
    vote = VotingClassifier([("nb", GaussianNB()), ("svm", LinearSVC())])
    model, X = fitted(vote)
    votes = sample_posterior(model, X, 1, seed=0)[:, 1]
    said = model.named_estimators_["svm"].predict(X)
    np.testing.assert_array_equal(votes, np.eye(3)[said])


@pytest.mark.parametrize("make", [np.ndarray.tolist, sparse.coo_matrix, pd.DataFrame])
@pytest.mark.parametrize(
    "ensemble", [BaggingClassifier(LinearSVC()), RandomForestClassifier()]
)
def test_the_pool_may_come_in_any_container(blobs, make, ensemble):
    X, y = blobs
    model, pool = ensemble.set_params(n_estimators=4).fit(X, y), make(X)
    chosen = BALD(random_state=0).fit(pool).select(model, pool, 3)
    plain = BALD(random_state=0).fit(X).select(model, X, 3)
    assert chosen.tolist() == plain.tolist()


def test_the_class_list_of_the_run_is_kept(net, fitted):
    model, X = fitted(RandomForestClassifier(5, random_state=0))
    wider = FixedClasses(model, np.array(["bat", "ham", "spam", "zen"]))
    samples = sample_posterior(wider, X, 1, seed=0)
    assert samples.shape == (120, 5, 4)
    assert (samples[:, :, 0] == 0).all()


@pytest.mark.parametrize("strategy", [BALD(), BatchBALD(), VariationRatio()])
def test_in_a_learner_from_a_single_class_on(blobs, strategy):
    X, y = blobs
    warm = np.flatnonzero(y == 0)[:5]
    rest = np.setdiff1d(np.arange(120), warm)
    learner = ActiveLearner(
        make_pipeline(StandardScaler(), RandomForestClassifier(10)),
        strategy,
        batch_size=6,
        n_rounds=3,
        random_state=0,
    ).fit(X[rest], y[rest], X_warm=X[warm], y_warm=y[warm])
    assert learner.curve_[-1] > learner.curve_[0]


def test_a_model_that_cannot_be_sampled_is_refused(blobs):
    learner = ActiveLearner(LogisticRegression(), BALD(), batch_size=3, n_rounds=3)
    with pytest.raises(TypeError, match=r"BALD needs posterior .*BaggingClassifier"):
        learner.fit(*blobs)


@pytest.mark.parametrize("strategy", [BALD(), BatchBALD(), VariationRatio()])
def test_samples_that_are_no_numbers_are_refused(strategy, net):
    net.probs_N_T_C[4, 2, 0] = np.nan
    with pytest.raises(
        ValueError, match=r"no value for 1 of 30 .* MockNet returns NaN"
    ):
        strategy.fit(ROWS).select(net, ROWS, 5)
