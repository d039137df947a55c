import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, make_blobs
from sklearn.ensemble import RandomForestClassifier, StackingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skal import (
    BALD,
    IDMR,
    ODMR,
    ActiveLearner,
    AnnealingOracle,
    BestOfStrategiesOracle,
    FixedOrder,
    Longest,
    Margin,
    MaxEntropy,
    MinConfidence,
    Problem,
    Proxy,
    Random,
    Then,
    compare,
    run_seeds,
    split,
)
from skal.datasets import make_intents, make_tagged_sentences
from skal.strategies import Labelled

# Another seed, another model; and ties are broken by a seed that is given.
TREE = DecisionTreeClassifier(max_features=1, max_depth=3)
FOREST = RandomForestClassifier(8, max_depth=3)
LINEAR = LogisticRegression()


@pytest.fixture
def sets():
    X, y = make_blobs(200, centers=4, cluster_std=4.0, random_state=1)
    return split(X, y, warm_size=12, val_size=40, test_size=40, random_state=0)


def follow(estimator, strategy, sets, **params):
    params = {"batch_size": 5, "n_rounds": 4, "random_state": 3} | params
    return ActiveLearner(estimator, strategy, **params).fit(**sets)


@pytest.mark.parametrize("model", [LINEAR, TREE, make_pipeline(StandardScaler(), TREE)])
def test_a_proxy_equal_to_the_estimator_changes_nothing(model, sets):
    plain = follow(model, Margin(random_state=0), sets)
    by_proxy = follow(model, Proxy(Margin(random_state=0), model), sets)
    assert by_proxy.order_.tolist() == plain.order_.tolist()
    np.testing.assert_array_equal(by_proxy.curve_, plain.curve_)


@pytest.mark.parametrize("strategy", [Margin(random_state=0), BALD(random_state=0)])
def test_the_order_is_that_of_a_learner_that_trains_the_proxy(strategy, sets):
    chosen = follow(FOREST, strategy, sets)
    by_proxy = follow(LINEAR, Proxy(strategy, FOREST), sets)
    assert by_proxy.order_.tolist() == chosen.order_.tolist()
    own = follow(LINEAR, Margin(random_state=0), sets)
    assert by_proxy.order_.tolist() != own.order_.tolist()
    replayed = follow(LINEAR, FixedOrder(chosen.order_), sets)
    np.testing.assert_array_equal(by_proxy.curve_, replayed.curve_)


def test_the_learners_own_model_is_not_asked(sets):
    class Mute(LogisticRegression):
        def predict_proba(self, X):
            raise AssertionError

    strategy = Proxy(BALD(random_state=0), FOREST)
    assert strategy.needs == ()
    mute = follow(Mute(), strategy, sets, scoring="accuracy")
    assert mute.order_.tolist() == follow(LINEAR, strategy, sets).order_.tolist()
    # A support vector machine has no probabilities at all.
    assert len(follow(LinearSVC(max_iter=10_000), strategy, sets).order_) == 20


def test_step_by_step(sets):
    """Train the proxy by hand on what is labelled, and let the strategy choose."""
    learner = follow(LINEAR, Proxy(Margin(random_state=0), GaussianNB()), sets)
    order = []
    for k in range(4):
        X = np.concatenate([sets["X_warm"], sets["X"][order]])
        y = np.concatenate([sets["y_warm"], sets["y"][order]])
        model = GaussianNB().fit(X, y)
        left = np.setdiff1d(np.arange(len(sets["X"])), order)
        chosen = Margin(random_state=0).fit(sets["X"])
        order += chosen.select(model, sets["X"], 5, candidates=left).tolist()
        assert learner.order_[: 5 * (k + 1)].tolist() == order


class Recorder(GaussianNB):
    """Notes what each clone is trained on."""

    seen = []

    def fit(self, X, y):
        self.seen.append((X.copy(), y.copy()))
        return super().fit(X, y)


@pytest.fixture
def recorded():
    Recorder.seen.clear()
    return Recorder.seen


def test_it_is_trained_on_what_is_labelled_and_no_more(sets, recorded):
    learner = follow(LINEAR, Proxy(Margin(), Recorder()), sets)
    assert len(recorded) == 4
    truth = {
        bytes(row): label
        for part in ("", "_warm")
        for row, label in zip(sets[f"X{part}"], sets[f"y{part}"], strict=True)
    }
    for k, (X, y) in enumerate(recorded):
        rows = np.concatenate([sets["X_warm"], sets["X"][learner.order_[: 5 * k]]])
        assert sorted(map(bytes, X)) == sorted(map(bytes, rows))
        assert [truth[bytes(row)] for row in X] == y.tolist()


def test_it_is_trained_once_a_round(sets, recorded):
    matching = IDMR(Proxy(Margin(), Recorder()), n_bins=4)
    learner = follow(LINEAR, matching, sets)
    assert len(recorded) == 4
    assert learner.n_trainings_ == 5 + 4


def test_nothing_is_trained_for_a_strategy_that_needs_no_model(sets, recorded):
    learner = follow(LINEAR, Proxy(Random(random_state=0), Recorder()), sets)
    assert not recorded
    assert learner.n_trainings_ == 5
    plain = follow(LINEAR, Random(random_state=0), sets)
    assert learner.order_.tolist() == plain.order_.tolist()
    chosen = learner.strategy_
    chosen.select(None, sets["X"], 0)
    assert not recorded


def test_training_depends_on_the_set_and_on_the_seed_alone(sets, global_state):
    problem = Problem.from_sets(sets, LINEAR, batch_size=5, n_rounds=4)
    before = global_state()

    def choose(rows, random_state=0):
        strategy = Proxy(Margin(random_state=0), TREE, random_state=random_state)
        strategy.fit(sets["X"], problem=problem.for_selection())
        positions = np.concatenate([np.full(12, -1), rows])
        labelled = Labelled(
            np.concatenate([sets["X_warm"], sets["X"][rows]]),
            np.concatenate([sets["y_warm"], sets["y"][rows]]),
            positions,
        )
        left = np.arange(20, len(sets["X"]))
        return strategy.select(
            None, sets["X"], 8, candidates=left, labelled=labelled
        ).tolist()

    assert choose([0, 5, 9, 17]) == choose([17, 0, 9, 5])
    assert choose([0, 5, 9, 17]) == choose([17, 0, 9, 5], random_state=7)  # xi is 0
    assert choose([0, 5, 9, 17]) != choose([1, 2, 3, 4])
    assert global_state() == before


def test_another_seed_of_the_run_is_another_proxy(sets):
    strategy = Proxy(Margin(random_state=0), TREE)
    orders = [
        follow(LINEAR, strategy, sets, random_state=seed).order_.tolist()
        for seed in (0, 1)
    ]
    assert orders[0] != orders[1]


def test_any_number_of_jobs(sets):
    learner = ActiveLearner(LINEAR, Proxy(BALD(), FOREST), batch_size=5, n_rounds=2)
    one, two = (run_seeds(learner, seeds=2, n_jobs=n, **sets) for n in (1, 2))
    np.testing.assert_array_equal(one.curves, two.curves)


def test_a_study_trains_the_plain_estimator_under_a_proxy(sets, tmp_path):
    problem = Problem.from_sets(sets, LINEAR, batch_size=5, n_rounds=2)
    strategies = {"random": Random(), "bald": Proxy(BALD(), FOREST)}
    with pytest.warns(UserWarning, match="too small to test"):
        first = compare(problem, strategies, seeds=2, n_orders=2, path=tmp_path)
    with pytest.warns(UserWarning, match="too small to test"):
        again = compare(problem, strategies, seeds=2, n_orders=2, path=tmp_path)
    np.testing.assert_array_equal(first.curves, again.curves)
    assert first.heuristics == ("bald",)


def test_classes_that_are_not_labelled_yet(sets):
    sets |= {"X_warm": sets["X_warm"][:2], "y_warm": np.repeat(sets["y_warm"][:1], 2)}
    for model in (LINEAR, TREE):
        plain = follow(model, MaxEntropy(random_state=0), sets)
        by_proxy = follow(model, Proxy(MaxEntropy(random_state=0), model), sets)
        assert by_proxy.order_.tolist() == plain.order_.tolist()


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (Proxy(BALD(), Recorder()), "BALD needs posterior samples .* Recorder has"),
        (
            IDMR(Proxy(MaxEntropy(), LinearSVC())),
            "MaxEntropy needs class probabilities",
        ),
        (Proxy(IDMR(BALD()), Recorder()), "IDMR needs posterior samples"),
    ],
)
def test_a_wrong_pairing_fails_before_anything_is_trained(
    strategy, message, sets, recorded
):
    with pytest.raises(TypeError, match=message):
        follow(Recorder(), strategy, sets)
    assert not recorded


def test_what_cannot_be_a_proxy(sets):
    with pytest.raises(TypeError, match="LinearRegression is a regressor"):
        follow(LINEAR, Proxy(Margin(), LinearRegression()), sets)
    pairs = KNeighborsClassifier(metric="precomputed")
    with pytest.raises(ValueError, match="takes a precomputed matrix over pairs"):
        follow(LINEAR, Proxy(Margin(), pairs), sets)
    with pytest.raises(ValueError, match="'estimator' parameter of Proxy"):
        follow(LINEAR, Proxy(Margin(), "forest"), sets)
    with pytest.raises(ValueError, match="'strategy' parameter of Proxy"):
        follow(LINEAR, Proxy("margin", LINEAR), sets)


def test_a_proxy_that_hides_its_methods_until_it_is_fitted(sets):
    sets["y_warm"] = np.arange(12) % 4
    stack = StackingClassifier([("tree", TREE)], final_estimator=LINEAR, cv=2)
    assert len(follow(LINEAR, Proxy(Margin(), stack), sets).order_) == 20


def test_an_empty_warm_start(sets):
    sets |= {"X_warm": sets["X"][:0], "y_warm": sets["y"][:0]}
    with pytest.raises(ValueError, match="Proxy needs a model in the first round"):
        follow(LINEAR, Proxy(Margin(), LINEAR), sets)
    assert np.isnan(follow(LINEAR, Proxy(Random(), LINEAR), sets).curve_[0])
    then = Proxy(Then(Random(), Margin()), LINEAR)
    assert np.isfinite(follow(LINEAR, then, sets).curve_[1:]).all()


def test_alone(recorded):
    X, y = load_iris(return_X_y=True)
    rows = np.arange(0, 150, 10)
    labelled = Labelled(X[rows], y[rows], rows)
    left = np.setdiff1d(np.arange(150), rows)
    strategy = Proxy(Margin(random_state=0), Recorder(), random_state=0).fit(X)
    chosen = strategy.select(None, X, 5, candidates=left, labelled=labelled)
    by_hand = GaussianNB().fit(X[rows], y[rows])
    plain = Margin(random_state=0).fit(X)
    assert chosen.tolist() == plain.select(by_hand, X, 5, candidates=left).tolist()
    strategy.select(None, X, 5, candidates=left, labelled=labelled)
    assert len(recorded) == strategy.n_trainings_ == 1
    as_lists = Labelled(X[rows].tolist(), y[rows].tolist(), rows.tolist())
    again = strategy.select(None, X, 5, candidates=left, labelled=as_lists)
    assert again.tolist() == chosen.tolist()
    warm = Labelled(X[rows], y[rows], np.full(15, -1))
    elsewhere = strategy.select(None, X, 5, candidates=left, labelled=warm)
    assert elsewhere.tolist() == chosen.tolist()


def test_other_labels_of_the_same_rows_are_another_proxy():
    X, y = load_iris(return_X_y=True)
    strategy = Proxy(Margin(random_state=0), LINEAR, random_state=0).fit(X)
    rows = np.arange(0, 150, 10)
    chosen = [
        strategy.select(None, X, 9, labelled=Labelled(X[rows], labels, rows)).tolist()
        for labels in (y[rows], (y[rows] > 0).astype(int), y[rows])
    ]
    assert chosen[0] != chosen[1]
    assert chosen[0] == chosen[2]
    assert strategy.n_trainings_ == 3


def test_alone_without_labelled_rows():
    X, y = load_iris(return_X_y=True)
    strategy = Proxy(Margin(), LINEAR).fit(X)
    empty = Labelled(X[:0], y[:0], np.arange(0))
    for labelled in (None, empty):
        with pytest.raises(ValueError, match="labelled must hold the rows to train"):
            strategy.select(None, X, 5, labelled=labelled)
        assert strategy.select(None, X, 0, labelled=labelled).shape == (0,)
    assert Proxy(Random(), LINEAR).fit(X).select(None, X, 5).shape == (5,)


def test_without_labelled_the_warm_start_is_what_is_known(sets):
    learner = follow(LINEAR, Proxy(Margin(random_state=0), GaussianNB()), sets)
    first = learner.strategy_.select(LINEAR, sets["X"], 5)
    assert first.tolist() == learner.order_[:5].tolist()


def test_no_label_of_the_pool_is_kept(sets):
    for strategy in (
        Proxy(Margin(), LINEAR),
        Proxy(AnnealingOracle(n_steps=2), LINEAR),
    ):
        kept = follow(LINEAR, strategy, sets).strategy_._training.problem
        hidden = (kept.X_pool, kept.y_pool, kept.X_val, kept.y_val, kept.X_test)
        assert hidden == (None,) * 5


def test_what_is_inside_sees_no_more_than_it_may(sets):
    class Curious(Margin):
        def _fit(self, X, y, problem):
            assert y is None
            assert problem.y_pool is None
            assert isinstance(problem.estimator, GaussianNB)
            super()._fit(X, y, problem)

    for strategy in (
        Proxy(Curious(), GaussianNB()),
        Proxy(ODMR(Curious(), labels="true"), GaussianNB()),
        ODMR(Proxy(Curious(), GaussianNB()), labels="true"),
    ):
        assert follow(LINEAR, strategy, sets).quality_ > 0


def test_an_oracle_searches_with_the_proxy(sets):
    oracle = AnnealingOracle(n_steps=30, random_state=0)
    found = follow(GaussianNB(), oracle, sets)
    strategy = Proxy(oracle, GaussianNB())
    by_proxy = follow(LINEAR, strategy, sets)
    assert by_proxy.order_.tolist() == found.order_.tolist()
    assert by_proxy.n_trainings_ == found.n_trainings_
    with pytest.raises(ValueError, match="needs a validation set to search on"):
        follow(LINEAR, strategy, {k: v for k, v in sets.items() if "val" not in k},
               val_size=0)  # fmt: skip


def test_a_search_among_what_a_proxy_proposes(sets):
    strategies = [Random(), Proxy(BALD(), FOREST)]
    oracle = BestOfStrategiesOracle(strategies=strategies, n_candidates=6)
    learner = follow(LINEAR, oracle, sets)
    assert learner.order_.tolist() == follow(LINEAR, oracle, sets).order_.tolist()


def test_arguments_of_fit_are_for_the_learners_estimator(sets, recorded):
    learner = ActiveLearner(
        LINEAR, Proxy(Margin(), Recorder()), warm_size=12, batch_size=5, n_rounds=2
    )
    X, y = sets["X"], sets["y"]
    learner.fit(X, y, sample_weight=np.ones(len(X)))
    assert len(recorded) == 2


def test_data_frames_and_a_pickle(sets):
    frames = {
        name: pd.DataFrame(part, columns=["a", "b"]) if name[0] == "X" else part
        for name, part in sets.items()
    }
    strategy = Proxy(Margin(random_state=0), TREE)
    arrays, learner = follow(LINEAR, strategy, sets), follow(LINEAR, strategy, frames)
    assert learner.order_.tolist() == arrays.order_.tolist()
    again = pickle.loads(pickle.dumps(learner.strategy_))
    chosen = learner.strategy_.select(None, frames["X"], 5)
    assert again.select(None, frames["X"], 5).tolist() == chosen.tolist()
    assert not hasattr(clone(learner.strategy_), "strategy_")


def nets():
    pytest.importorskip("torch")
    return pytest.importorskip("skal.nets")


def test_bald_by_a_net_with_dropout_for_the_plain_net():
    X, y = make_intents(120, random_state=0)
    params = {"embedding_dim": 8, "max_epochs": 3}
    plain = nets().EmbeddingBagClassifier(**params)
    dropout = plain.__class__(**params, dropout=0.5)
    sizes = {"warm_size": 10, "select_size": 20, "val_size": 0, "test_size": 30}
    params = {"batch_size": 5, "n_rounds": 2, "random_state": 0, **sizes}
    bald = BALD(n_samples=4, random_state=0)
    direct = ActiveLearner(dropout, bald, **params).fit(X, y)
    learner = ActiveLearner(plain, Proxy(bald, dropout), **params).fit(X, y)
    assert learner.order_.tolist() == direct.order_.tolist()
    alike = ActiveLearner(plain, Margin(random_state=0), **params).fit(X, y)
    by_proxy = Proxy(Margin(random_state=0), plain)
    learner = ActiveLearner(plain, by_proxy, **params).fit(X, y)
    assert learner.order_.tolist() == alike.order_.tolist()
    np.testing.assert_array_equal(learner.curve_, alike.curve_)


def test_a_tagger():
    X, y = make_tagged_sentences(80, random_state=0)
    tagger = nets().BiLSTMTagger(embedding_dim=4, max_epochs=2)
    sizes = {"warm_size": 10, "select_size": 10, "val_size": 0, "test_size": 20}
    params = {"batch_size": 4, "n_rounds": 2, "random_state": 0, **sizes}
    chosen = MinConfidence(random_state=0)
    direct = ActiveLearner(tagger, chosen, **params).fit(X, y)
    by_proxy = ActiveLearner(tagger, Proxy(chosen, tagger), **params).fit(X, y)
    assert by_proxy.order_.tolist() == direct.order_.tolist()
    longest = ActiveLearner(tagger, Proxy(Longest(), tagger), **params).fit(X, y)
    assert longest.n_trainings_ == 3
