"""Searches of many rounds that label one row each: orders grow as is foretold."""

from types import SimpleNamespace

import numpy as np
import pytest
from _small_search import assert_same
from sklearn.base import clone
from sklearn.decomposition import KernelPCA
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skal import ActiveLearner, AnnealingOracle, Problem, Random, split
from skal.inputs._matrix import KernelScaling, Scaling
from skal.oracle.annealing import _forward, _guided, _oracle, _regression
from skal.oracle.annealing._forward import N_PROBES, ForwardSearch
from skal.oracle.annealing._regression import (
    MANY_ROUNDS,
    Labelled,
    Regression,
    goes_row_by_row,
)
from skal.oracle.annealing._responses import ClassResponses
from skal.oracle.annealing._ridge import fit_ridge
from skal.oracle.annealing._start import StartSpec
from skal.oracle.evaluation import _budget, _kept_margins, _workers
from skal.oracle.evaluation._objective import Objective
from skal.training import Trainer

K = 30
SVM = SVC(gamma="auto")


def make_sets(warm_size=8):
    X, y = np.random.default_rng(3).normal(size=(110, 3)), np.arange(110) % 3
    X += 1.5 * np.eye(3)[y]
    sizes = {"val_size": 35, "test_size": 25}
    return split(X, y, warm_size=warm_size, **sizes, random_state=0)


@pytest.fixture(scope="module")
def sets():
    return make_sets()


def learn(sets, estimator=SVM, strategy=None, **params):
    strategy = AnnealingOracle(max_trainings=400) if strategy is None else strategy
    params = {"batch_size": 1, "n_rounds": K, "random_state": 0} | params
    return ActiveLearner(estimator, clone(strategy), **params).fit(**sets)


@pytest.fixture(scope="module")
def reference(sets):
    return learn(sets)


@pytest.fixture
def counted(monkeypatch):
    """The number of sets that are trained on, and a limit."""
    counts, train = {"trained": 0, "limit": np.inf}, Objective._train_and_score

    def watch(self, sets):
        if counts["trained"] + len(sets) > counts["limit"]:
            raise KeyError("killed")
        counts["trained"] += len(sets)
        return train(self, sets)

    monkeypatch.setattr(Objective, "_train_and_score", watch)
    return counts


def pose(sets, estimator=SVM, batch_size=1, n_rounds=K):
    sizes = {"batch_size": batch_size, "n_rounds": n_rounds}
    return Problem.from_sets(sets, estimator, **sizes)


class TestKernelScaling:
    def test_its_components_are_those_of_scikit_learn(self):
        X = np.random.default_rng(0).normal(size=(60, 4))
        inner = Scaling(X, True)
        columns = inner.transform(X).astype(float)
        reference = KernelPCA(60, kernel="rbf", gamma=0.7).fit(columns)
        new = np.random.default_rng(1).normal(size=(20, 4))
        scaling = KernelScaling(X, inner, 0.7)
        found = [scaling.transform(rows) for rows in (X, new)]
        expected = [reference.transform(inner.transform(rows)) for rows in (X, new)]
        scale = np.mean(np.sum(expected[0] ** 2, axis=1))
        assert (found[0][:, -1] == 1).all()
        for a in (0, 1):
            # Components have any sign: compare inner products.
            products = found[a][:, :-1] @ found[0][:, :-1].T
            np.testing.assert_allclose(
                products, expected[a] @ expected[0].T / scale, atol=1e-3
            )

    def test_of_many_rows_some_are_landmarks(self, monkeypatch):
        monkeypatch.setattr("skal.inputs._matrix.N_LANDMARKS", 20)
        X = np.random.default_rng(0).normal(size=(90, 4))
        found = KernelScaling(X, Scaling(X, False), 1.0).transform(X)
        assert found.shape[0] == 90
        assert found.shape[1] <= 19
        assert np.isfinite(found).all()

    @pytest.mark.parametrize("X", [np.ones((5, 2)), np.full((5, 2), np.nan)])
    def test_rows_that_are_all_the_same(self, X):
        found = KernelScaling(X, Scaling(X, True), 1.0).transform(np.eye(2))
        assert np.isfinite(found).all()


class TestForwardSearch:
    @pytest.fixture
    def begun(self, sets):
        problem = pose(sets)
        objective = Objective(problem, with_margins=True)
        search = ForwardSearch(problem, objective, 0, 4)
        search._choose_regression()
        return search, problem, objective

    def test_a_kernel_is_chosen_for_a_kernel_machine(self, begun):
        search, _, _ = begun
        assert isinstance(search._regression._scaling, KernelScaling)

    def test_forecasts_are_those_of_regressions_anew(self, begun):
        search, problem, objective = begun
        (prefix,) = search._kept
        points = np.arange(problem.n_pool)
        _, shifts = search._foretell(prefix, points)
        regression, trainer = search._regression, objective.trainer
        before = self.margins(regression, trainer.labelled_rows(points[:0]))
        for point in points:
            rows = trainer.labelled_rows(np.array([point]))
            expected = self.margins(regression, rows) - before
            np.testing.assert_allclose(shifts[point], expected, atol=1e-4)

    @staticmethod
    def margins(regression, rows):
        X, responses = regression.columns(rows).astype(float), regression.data.responses
        ridge = fit_ridge(X, np.eye(3)[responses.codes[rows]], regression._penalty)
        scores, true = regression.X_val @ ridge.coefs, responses.true
        others = np.where(np.eye(3)[true] > 0, -np.inf, scores).max(axis=1)
        return scores[np.arange(len(scores)), true] - others

    def test_regressions_that_grow_are_regressions_anew(self, begun):
        search, _, objective = begun
        for _ in range(5):
            search._grow()
        for prefix in search._kept:
            anew = search._regression.fit(objective.trainer.labelled_rows(prefix.order))
            np.testing.assert_allclose(
                prefix.regression.ridge.coefs, anew.coefs, atol=1e-8
            )

    def test_totals_and_margins_are_those_of_the_models(self, begun):
        search, _, objective = begun
        for _ in range(5):
            search._grow()
        assert len(search._kept) == 2
        assert len({np.sort(one.order).tobytes() for one in search._kept}) == 2
        for prefix in search._kept:
            sets = [prefix.order[:n] for n in range(1, 6)]
            margins = np.array(objective.margins(sets), dtype=float)
            np.testing.assert_array_equal(prefix.margins, margins)
            wrong_by = np.where(margins < 0, -margins, 0).mean(axis=1)
            values = objective.scores(sets) - 0.3 * wrong_by
            assert prefix.total == pytest.approx(values.sum())

    def test_each_round_trains_on_as_many_sets(self, begun):
        search, _, objective = begun
        n_before = objective.n_trainings
        for _ in range(5):
            search._grow()
        assert n_before == N_PROBES
        assert objective.n_trainings - n_before == 4 * 5

    def test_where_all_sets_are_tried_it_is_greedy(self, sets, monkeypatch):
        monkeypatch.setattr(_forward, "KEPT", 0.01)
        problem = pose(sets)
        objective = Objective(problem, with_margins=True)
        search = ForwardSearch(problem, objective, 0, n_tried=problem.n_pool)
        search._choose_regression()
        order = []
        for _ in range(3):
            search._grow()
            left = [i for i in range(problem.n_pool) if i not in order]
            longer = [np.array([*order, i]) for i in left]
            margins = np.array(objective.margins(longer), dtype=float)
            wrong_by = np.where(margins < 0, -margins, 0).mean(axis=1)
            values = objective.scores(longer) - 0.3 * wrong_by
            order.append(left[int(np.argmax(values))])
            assert search.best_order.tolist() == order
        assert objective.n_trainings == N_PROBES + sum(problem.n_pool - np.arange(3))

    def test_in_large_pools_each_beam_has_candidates(self, sets, monkeypatch):
        monkeypatch.setattr(_forward, "N_FORETOLD", 5)
        problem = pose(sets)
        search = ForwardSearch(problem, Objective(problem, with_margins=True), 0, 2)
        search.run()
        candidates = [search._candidates(number) for number in (0, 1)]
        assert all(len(np.unique(one)) == K + 5 for one in candidates)
        assert candidates[0].tolist() != candidates[1].tolist()
        assert set(search.best_order) < set(candidates[0])
        assert len(np.unique(search.best_order)) == K

    def test_each_beam_follows_another_regression(self, begun, monkeypatch):
        search, _, objective = begun
        search.n_allowed, ends = N_PROBES + 3 * 4 * K, []

        def grow_whole():
            ForwardSearch._grow_whole(search)
            choice = search._regression._choices.index(
                (search._regression._scaling, search._regression._penalty)
            )
            ends.append((choice, search._kept[0].order, objective.n_trainings))

        monkeypatch.setattr(search, "_grow_whole", grow_whole)
        search.run()
        choices, orders, trainings = zip(*ends, strict=True)
        assert choices == tuple(range(len(ends)))
        assert len(ends) >= 3
        # Another beam would exceed the limit, and none before did.
        assert trainings[-1] <= search.n_allowed < trainings[-1] + 4 * K
        # The best order is that of the highest quality, with its margins.
        sets = [[order[:k] for k in range(1, K + 1)] for order in orders]
        qualities = [objective.scores(one).mean() for one in sets]
        assert max(qualities) > qualities[0]
        best = int(np.argmax(qualities))
        assert search.best_order.tolist() == orders[best].tolist()
        margins = np.array(objective.margins(sets[best]), dtype=float)
        np.testing.assert_array_equal(search.best_margins, margins)

    def test_margins_that_were_dropped_are_trained_again(self, sets, monkeypatch):
        problem, found = pose(sets), []
        for n_kept in (2048, 10):
            monkeypatch.setattr(_kept_margins, "MAX_KEPT", n_kept)
            objective = Objective(problem, with_margins=True)
            search = ForwardSearch(problem, objective, 0, 4, 300)
            search.run()
            found.append((search.best_order.tolist(), objective.n_trainings))
        assert found[0] == found[1]

    def test_regressions_that_are_the_same_count_once(self):
        X = np.random.default_rng(0).normal(size=(40, 3))
        X = (X - X.mean(axis=0)) / X.std(axis=0)
        codes = np.arange(40) % 2
        labelled = Labelled(X, X[:9], ClassResponses(codes, codes[:9], 2))
        rows = [np.arange(n) for n in (10, 20)]
        margins = np.random.default_rng(1).normal(size=(2, 9)).astype(np.float32)
        regression = Regression(labelled, rows, margins, with_kernels=True)
        # The columns are scaled already, so that half of the 64 choices repeat.
        assert 16 <= regression.n_choices <= 32


def test_ordinary_searches_do_not_go_row_by_row(sets):
    assert goes_row_by_row(pose(sets))
    assert goes_row_by_row(pose(sets, n_rounds=MANY_ROUNDS))
    assert not goes_row_by_row(pose(sets, n_rounds=MANY_ROUNDS - 1))
    assert not goes_row_by_row(pose(sets, batch_size=2, n_rounds=21))


def test_its_quality_is_the_learners(reference):
    found = reference.strategy_
    assert found.quality_ == pytest.approx(reference.validation_quality_)
    assert found.history_["best"][-1] == pytest.approx(found.quality_)
    assert K + N_PROBES < found.n_trainings_ <= 400
    assert len(np.unique(reference.order_)) == K


def test_it_is_above_other_starts_with_as_many_trainings(sets):
    quality = {
        start: learn(
            sets, strategy=AnnealingOracle(max_trainings=4 * K, start=start)
        ).validation_quality_
        for start in ("auto", "strategies", "random")
    }
    assert quality["auto"] > max(quality["strategies"], quality["random"])


def test_a_search_never_falls_below_its_start(reference):
    history = reference.strategy_.history_
    assert (history["current"] >= history["current"][0] - 0.01).all()


@pytest.mark.parametrize(
    ("max_trainings", "n_orders"),
    [(None, 16), (K, 1), (5 * K + N_PROBES, 5), (5 * K, 4), (9999, 16)],
)
def test_beams_may_take_all_of_a_small_budget(sets, max_trainings, n_orders):
    assert StartSpec("beams", max_trainings).n_candidates(pose(sets)) == n_orders


def test_the_smallest_budget_is_far_above_random(sets, monkeypatch):
    oracle = AnnealingOracle(max_trainings=K + N_PROBES)
    # Nothing is left for a step, so it is not prepared.
    monkeypatch.setattr(_guided, "Forecast", None)
    found = learn(sets, strategy=oracle)
    assert found.strategy_.n_trainings_ == K + N_PROBES
    random = [
        learn(sets, strategy=Random(random_state=i)).validation_quality_
        for i in range(10)
    ]
    assert found.validation_quality_ > max(random)


def test_a_budget_below_the_start_is_refused(sets):
    oracle = AnnealingOracle(max_trainings=K + N_PROBES - 1)
    with pytest.raises(ValueError, match=f"set max_trainings to {K + N_PROBES} or"):
        learn(sets, strategy=oracle)


def test_the_same_seed_jobs_and_another_seed(sets, reference, global_state):
    assert_same(reference, learn(sets))
    oracle = AnnealingOracle(max_trainings=400, n_jobs=2)
    assert_same(reference, learn(sets, strategy=oracle))
    other = learn(sets, random_state=1)
    assert other.order_.tolist() != reference.order_.tolist()


def test_it_goes_on_where_it_was_killed(sets, reference, tmp_path, counted):
    oracle = AnnealingOracle(max_trainings=400, journal=tmp_path / "search.db")
    for limit in (40, 250):
        counted["limit"] = limit
        with pytest.raises(KeyError, match="killed"):
            learn(sets, strategy=oracle)
    counted["limit"] = np.inf
    assert_same(reference, learn(sets, strategy=oracle))
    # At most one step was done twice.
    assert counted["trained"] <= reference.strategy_.n_trainings_ + 2 * K
    n_trained = counted["trained"]
    assert_same(reference, learn(sets, strategy=oracle))
    assert counted["trained"] == n_trained


@pytest.mark.parametrize(
    ("start", "message"),
    [("auto", "start='strategies' in"), ("random", "screening='ridge or logistic' in")],
)
def test_a_journal_from_before_is_refused(sets, tmp_path, monkeypatch, start, message):
    oracle = AnnealingOracle(n_steps=2, start=start, journal=tmp_path / "s.db")
    with monkeypatch.context() as patch:
        for module in (_regression, _oracle):
            patch.setattr(module, "goes_row_by_row", lambda problem: False)
        learn(sets, strategy=oracle)
    with pytest.raises(ValueError, match=f"{message} the journal"):
        learn(sets, strategy=oracle)


@pytest.mark.parametrize("max_time", [2, 20, 60, 400])
def test_time_that_ends_in_the_start(sets, monkeypatch, max_time):
    """With a clock that only advances by a second in each training."""
    clock, train = SimpleNamespace(now=0.0), Trainer.train

    def tick(self, positions):
        clock.now += 1
        return train(self, positions)

    clock.monotonic = clock.perf_counter = lambda: clock.now
    monkeypatch.setattr(_budget, "time", clock)
    monkeypatch.setattr(_workers, "time", clock)
    monkeypatch.setattr(Trainer, "train", tick)
    problem = pose(sets)
    oracle = AnnealingOracle(n_steps=5, max_time=max_time, random_state=0)
    with pytest.warns(UserWarning, match="ended the search in its start"):
        found = oracle.fit(problem.X_pool, problem.y_pool, problem=problem)
    assert sorted(found.order_) == sorted(set(found.order_))
    assert len(found.order_) == K
    scores = Objective(problem).scores([found.order_[:k] for k in range(1, K + 1)])
    if max_time >= 60:  # in less time, the order cannot be scored
        assert found.quality_ == pytest.approx(scores.mean())


@pytest.mark.parametrize(
    "estimator", [GaussianNB(), LogisticRegression(), DecisionTreeClassifier()]
)
def test_from_nothing_and_with_any_classifier(estimator):
    found = learn(make_sets(0), estimator)
    assert len(np.unique(found.order_)) == K
    assert found.strategy_.quality_ == pytest.approx(found.validation_quality_)
