"""Expected predictive information gain, and committees, as strategies."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import load_iris, make_blobs
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skal import BALD, EPIG, ActiveLearner, Committee, Stochastic, compare
from skal.answers._posterior import sample_posterior
from skal.information import epig, kl_to_consensus, mutual_information, vote_entropy
from skal.inputs._containers import take

X, Y = make_blobs(120, centers=3, cluster_std=3.0, random_state=0)


class MockNet(BaseEstimator):
    """A fitted net with given posterior samples."""

    def __init__(self, probs_N_T_C):
        self.probs_N_T_C = probs_N_T_C

    def sample_proba(self, X, n_samples, random_state):
        return self.probs_N_T_C[np.asarray(X).ravel()]


@pytest.fixture(scope="module")
def forest():
    forest = RandomForestClassifier(12, max_depth=3, random_state=0)
    return forest.fit(X[:40], Y[:40])


@pytest.mark.parametrize("seed", range(4))
def test_epig_of_the_whole_pool(forest, seed):
    strategy = EPIG(n_targets=200, random_state=seed).fit(X)
    assert strategy.targets_.tolist() == list(range(120))
    probs = sample_posterior(forest, X, 1, 0)
    value = epig(probs, probs)
    chosen = strategy.select(forest, X, 20)
    assert (np.diff(value[chosen]) <= 1e-12).all()
    assert value[chosen].min() >= np.delete(value, chosen).max() - 1e-12


def test_targets_are_drawn_by_the_seed(forest):
    drawn = [EPIG(n_targets=10, random_state=s).fit(X).targets_ for s in (0, 0, 1)]
    assert drawn[0].tolist() == drawn[1].tolist() != drawn[2].tolist()
    assert len(set(drawn[0])) == 10


@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame, list])
def test_targets_that_the_user_names(container):
    rng = np.random.default_rng(0)
    net = MockNet(rng.dirichlet(np.ones(3) / 3, size=(30, 6)))
    pool, targets = np.arange(20)[:, None], np.arange(20, 30)[:, None]
    strategy = EPIG(X_target=container(targets)).fit(pool)
    chosen = strategy.select(net, pool, 20)
    value = epig(net.probs_N_T_C[:20], net.probs_N_T_C[20:])
    assert (np.diff(value[chosen]) <= 1e-12).all()
    again = pickle.loads(pickle.dumps(strategy)).select(net, pool, 20)
    assert again.tolist() == chosen.tolist()


def test_epig_leaves_alone_what_tells_nothing_about_the_targets():
    # Row 0 divides the models in one way, row 1 in another; targets follow row 1.
    first, second = [[1, 0]] * 4 + [[0, 1]] * 4, [[1, 0], [0, 1]] * 4
    probs = np.array([first, second, second, second], dtype=float)
    rows, model = np.arange(4)[:, None], MockNet(probs)
    targets = rows[2:]
    assert mutual_information(probs).round(6).tolist() == [round(np.log(2), 6)] * 4
    chosen = EPIG(X_target=targets).fit(rows).select(model, rows, 1, candidates=[0, 1])
    assert chosen.tolist() == [1]
    bald = [BALD(random_state=seed).fit(rows) for seed in range(9)]
    chosen = [int(b.select(model, rows, 1, candidates=[0, 1])[0]) for b in bald]
    assert set(chosen) == {0, 1}


def test_no_target_is_refused():
    with pytest.raises(ValueError, match="X_target of EPIG must have at least one row"):
        EPIG(X_target=X[:0]).fit(X)
    with pytest.raises(ValueError, match="'n_targets' parameter of EPIG"):
        EPIG(n_targets=0).fit(X)


def test_many_candidates_are_asked_in_parts(forest, monkeypatch):
    expected = EPIG(random_state=0).fit(X).select(forest, X, 30)
    monkeypatch.setattr("skal.strategies._disagreement.AT_ONCE", 64)
    chosen = EPIG(random_state=0).fit(X).select(forest, X, 30)
    assert chosen.tolist() == expected.tolist()


def test_duplicates_one_candidate_and_a_missing_class():
    same = np.ones((30, 2))
    forest = RandomForestClassifier(5, random_state=0).fit(X[:20], Y[:20] > 0)
    assert len(set(EPIG().fit(same).select(forest, same, 7).tolist())) == 7
    assert EPIG().fit(X).select(forest, X, 1, candidates=[4]).tolist() == [4]
    learner = ActiveLearner(
        RandomForestClassifier(5), EPIG(), batch_size=4, n_rounds=3, random_state=0
    )
    # The warm start lacks a class, and in the second case has only one.
    for known in (Y < 2, Y < 1):
        warm = np.flatnonzero(known)[:6]
        rest = np.setdiff1d(np.arange(120), warm)
        learner.fit(X[rest], Y[rest], X_warm=X[warm], y_warm=Y[warm])
        assert len(set(learner.order_.tolist())) == 12


def test_epig_in_a_pipeline_a_study_and_with_noise():
    model = make_pipeline(StandardScaler(), RandomForestClassifier(5))
    strategies = {
        "epig": EPIG(n_targets=20),
        "power": Stochastic(EPIG(n_targets=20)),
        "named": EPIG(X_target=X[:20]),
    }
    study = compare(X, Y, model, strategies, seeds=5, batch_size=4, n_rounds=2)
    assert all(name in str(study) for name in strategies)


@pytest.mark.parametrize("strategy", [EPIG(), Committee()])
def test_a_model_without_samples_is_refused(strategy):
    learner = ActiveLearner(LogisticRegression(), strategy, batch_size=5)
    with pytest.raises(TypeError, match=r"needs posterior samples.* choose a net"):
        learner.fit(X, Y)


@pytest.mark.parametrize(
    ("kind", "measure"), [("vote_entropy", vote_entropy), ("kl", kl_to_consensus)]
)
def test_committees_follow_their_measure(forest, kind, measure):
    value = measure(sample_posterior(forest, X, 1, 0))
    for candidates in (np.arange(120), np.arange(5, 110, 3)):
        chosen = Committee(kind).fit(X).select(forest, X, 15, candidates=candidates)
        left = np.setdiff1d(candidates, chosen)
        assert (np.diff(value[chosen]) <= 0).all()
        assert value[chosen].min() >= value[left].max()


def test_divergence_from_the_consensus_is_bald():
    X, y = load_iris(return_X_y=True)
    for seed in range(5):
        rows = np.random.default_rng(seed).permutation(150)[:20]
        forest = RandomForestClassifier(15, max_depth=3, random_state=seed)
        forest.fit(X[rows], y[rows])
        probs = sample_posterior(forest, X, 1, 0)
        np.testing.assert_allclose(
            kl_to_consensus(probs), mutual_information(probs), atol=1e-12
        )
        kl = Committee("kl", random_state=seed).fit(X).select(forest, X, 10)
        bald = BALD(random_state=seed).fit(X).select(forest, X, 10)
        by_kl, by_bald = (mutual_information(take(probs, r)) for r in (kl, bald))
        np.testing.assert_allclose(by_kl, by_bald, atol=1e-12)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="'kind' parameter of Committee must be"):
        Committee("kl_divergence").fit(X)
