"""Strategies that a user writes: by the base classes alone, and with mistakes."""

from contextlib import suppress

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from skal import (
    IDMR,
    ODMR,
    ActiveLearner,
    BaseStrategy,
    BestOfStrategiesOracle,
    Margin,
    Proxy,
    Random,
)
from skal.strategies import Labelled, OrderStrategy, RankingStrategy
from skal.strategies._read_only import read_only

X, Y = load_iris(return_X_y=True)


def run(strategy, rows=X, **params):
    learner = ActiveLearner(
        GaussianNB(), strategy, batch_size=5, n_rounds=3, random_state=0
    )
    return learner.fit(rows, Y, **params)


class Answers(BaseStrategy):
    """Returns whatever `answer` makes of the candidates."""

    def __init__(self, answer=None):
        self.answer = answer

    def _select(self, estimator, X, n, candidates, labelled):
        return self.answer(candidates, n)


BATCHES = {
    "far outside": lambda c, n: np.full(n, 10**6) + np.arange(n),
    "negative": lambda c, n: -1 - np.arange(n),
    "masked": lambda c, n: np.ma.masked_array(c[:n], mask=np.arange(n) == 0),
    "list": lambda c, n: c[:n].tolist(),
    "floats": lambda c, n: c[:n] / 1.0,
    "int32": lambda c, n: c[:n].astype(np.int32),
    "too few": lambda c, n: c[: n - 1],
    "nothing": lambda c, n: None,
    "empty": lambda c, n: c[:0],
    "twice the same": lambda c, n: np.repeat(c[:1], n),
    "a column": lambda c, n: c[:n, None],
}
WRAPPERS = {
    "alone": lambda one: one,
    "IDMR": lambda one: IDMR(one, n_bins=1),
    "Proxy": lambda one: Proxy(one, GaussianNB()),
    "oracle": lambda one: BestOfStrategiesOracle(strategies=[one], n_candidates=3),
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("batch", BATCHES)
def test_a_wrong_batch_is_blamed_on_the_strategy_that_returned_it(batch, wrapper):
    strategy = WRAPPERS[wrapper](Answers(BATCHES[batch]))
    with pytest.raises(ValueError, match=r"^Answers.select must return \d distinct"):
        run(strategy)


def test_a_good_batch_is_taken_from_the_same_places():
    for wrap in WRAPPERS.values():
        order = run(wrap(Answers(lambda c, n: c[:n]))).order_
        assert len(set(order.tolist())) == 15


@pytest.mark.parametrize("n", [0, np.int64(0), 2.0, 3])
def test_every_subclass_takes_any_number_of_rows(n):
    class NeverNone(BaseStrategy):
        def _select(self, estimator, X, n, candidates, labelled):
            return candidates[np.argsort(X[candidates, 0])[-n:]]

    chosen = NeverNone().fit(X).select(None, X, n)
    assert chosen.dtype == np.int64
    assert len(chosen) == n


@pytest.mark.parametrize("n", [2.5, "3", None, np.nan, -1, 151, [2]])
def test_a_number_that_makes_no_sense_is_refused(n):
    with pytest.raises(ValueError, match=r"n must be a whole number between 0 and"):
        Random().fit(X).select(None, X, n)


@pytest.mark.parametrize("needs", [None, (3,), "predict", {"predict": 1}, 7])
def test_needs_of_another_type_are_refused(needs):
    class Odd(Answers):
        pass

    Odd.needs = needs
    for use in (run, lambda one: one.fit(X).select(None, X, 2)):
        with pytest.raises(TypeError, match=r"Odd.needs must be a tuple of method"):
            use(Odd())


def test_needs_may_be_a_list():
    class Listed(Answers):
        needs = ["predict_proba"]

    run(Listed(lambda c, n: c[:n]))


class Ranked(RankingStrategy):
    def __init__(self, values=None, random_state=None):
        self.values = values
        self.random_state = random_state

    def _utility(self, estimator, X, candidates):
        return self.values(candidates)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (lambda c: np.zeros((len(c), 1)), r"must return shape \(4,\), got \(4, 1\)"),
        (lambda c: np.zeros(len(c) - 1), r"must return shape \(4,\), got \(3,\)"),
        (lambda c: 0.5, r"must return shape \(4,\), got \(\)"),
        (lambda c: ["low"] * len(c), "must return numbers, got <U3"),
        (lambda c: None, "_utility must return"),
        (lambda c: np.where(c == 1, np.nan, 1.0), "finds no value for 1 of 4"),
        (lambda c: np.ma.masked_equal(c, 2), "finds no value for 1 of 4"),
        (lambda c: [[1], [1, 2], 3, 4], "must return numbers"),
    ],
)
def test_a_utility_that_gives_no_ranking_is_refused(values, message):
    rows = np.ones((4, 1))
    with pytest.raises(ValueError, match=message):
        Ranked(values).fit(rows).select(None, rows, 2)


@pytest.mark.parametrize(
    "kind", [np.uint8, np.int64, np.float32, bool, object, list, pd.Series]
)
def test_numbers_of_any_type_rank_alike(kind):
    plain = np.array([1, 0, 1, 0, 0])

    def values(candidates):
        return kind(plain) if kind in (list, pd.Series) else plain.astype(kind)

    chosen = Ranked(values, random_state=0).fit(np.ones((5, 1)))
    assert sorted(chosen.select(None, np.ones((5, 1)), 2).tolist()) == [0, 2]


def test_infinite_utilities_are_ranked():
    rows = np.ones((3, 1))
    strategy = Ranked(lambda c: np.array([0, np.inf, -np.inf])).fit(rows)
    assert strategy.select(None, rows, 3).tolist() == [1, 0, 2]


def test_a_ranking_needs_a_seed():
    class Unseeded(RankingStrategy):
        def _utility(self, estimator, X, candidates):
            return np.zeros(len(candidates))

    with pytest.raises(TypeError, match="Unseeded must have a parameter random_state"):
        Unseeded().fit(X)


def test_a_ranking_may_look_at_the_pool_without_calling_the_base_class():
    class Central(Ranked):
        def _fit(self, X, y, problem):
            self.center_ = X.mean(axis=0)

        def _utility(self, estimator, X, candidates):
            return -np.linalg.norm(X[candidates] - self.center_, axis=1)

    strategy = Central().fit(X)
    nearest = np.argmin(np.linalg.norm(X - X.mean(axis=0), axis=1))
    assert strategy.select(None, X, 1).tolist() == [nearest]


class Planned(OrderStrategy):
    def __init__(self, plan=None):
        self.plan = plan

    def _fit(self, X, y, problem):
        self._plan = self.plan(self.n_pool_)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (lambda n: np.zeros(n, int), r"Planned._plan repeats 1 rows"),
        (lambda n: np.arange(n) + 1, r"Planned._plan must hold rows of the pool"),
        (lambda n: np.arange(14), r"Planned._plan has 14 rows, and .* label 15: give"),
        (lambda n: np.arange(n) / 2, r"Planned._plan must be a one-dimensional"),
        (lambda n: None, r"Planned._plan must be set by _fit"),
    ],
)
def test_an_order_that_cannot_be_followed_is_refused_in_fit(plan, message):
    with pytest.raises(ValueError, match=message):
        run(Planned(plan))


def test_an_order_may_be_a_list():
    rows = np.ones((6, 1))
    strategy = Planned(lambda n: list(range(n))[::-1]).fit(rows)
    assert strategy.select(None, rows, 2).tolist() == [5, 4]


def test_an_order_that_is_never_set_is_named():
    class Forgets(OrderStrategy):
        pass

    with pytest.raises(ValueError, match=r"Forgets._plan must be set by _fit"):
        Forgets().fit(X)


class NeedsLabelled(BaseStrategy):
    needs_labelled = True

    def _select(self, estimator, X, n, candidates, labelled):
        far = abs(X[candidates, None] - labelled.X[None]).sum(-1).min(1)
        return candidates[np.argsort(-far)[:n]]


@pytest.mark.parametrize("labelled", [None, (X, Y), X, "rows"])
def test_the_rows_labelled_so_far_are_asked_for(labelled):
    strategy = NeedsLabelled().fit(X)
    with pytest.raises(ValueError, match=r"labelled=skal.strategies.Labelled"):
        strategy.select(None, X, 2, labelled=labelled)


def test_the_rows_labelled_so_far_are_given_by_a_learner():
    assert len(run(NeedsLabelled()).order_) == 15
    given = Labelled(X[:3], Y[:3], np.arange(3))
    assert len(NeedsLabelled().fit(X).select(None, X, 2, labelled=given)) == 2


def test_odmr_alone_matches_the_labels_that_it_is_given():
    model = LogisticRegression(max_iter=500).fit(X[::5], Y[::5])
    rows = np.r_[0, 50:52, 100]
    given = Labelled(X[rows], Y[rows], rows)
    left = np.setdiff1d(np.arange(150), rows)
    chosen = (
        ODMR(Random(), random_state=0)
        .fit(X)
        .select(model, X, 8, candidates=left, labelled=given)
    )
    assert np.bincount(model.predict(X[chosen])).tolist() == [2, 4, 2]
    with pytest.raises(ValueError, match="labelled must hold the rows labelled"):
        ODMR(Random()).fit(X).select(model, X, 8)


def test_odmr_in_a_learner_does_not_depend_on_an_earlier_fit():
    strategy = run(ODMR(Margin())).strategy_
    first = strategy.fit(X)
    model = GaussianNB().fit(X, Y)
    with pytest.raises(ValueError, match="labelled must hold the rows labelled"):
        first.select(model, X, 3)


def writers():
    """Return functions that change what `fit` is given."""

    def rows(X, problem):
        X[:] = 0

    def warm_labels(X, problem):
        problem.y_warm[:] = 0

    def warm_rows(X, problem):
        problem.X_warm[:] = 0

    def classes(X, problem):
        problem.classes[:] = 9

    def weights(X, problem):
        problem.fit_params["sample_weight"][:] = 0

    return [rows, warm_labels, warm_rows, classes, weights]


@pytest.mark.parametrize("write", writers(), ids=lambda write: write.__name__)
@pytest.mark.parametrize("wrap", [lambda one: one, IDMR], ids=["alone", "IDMR"])
def test_a_strategy_cannot_write_to_the_data_of_a_run(write, wrap):
    class Writes(Random):
        def _fit(self, X, y, problem):
            write(X, problem)

    with pytest.raises(ValueError, match="read-only"):
        run(wrap(Writes()), sample_weight=np.ones(len(X)))


def test_a_strategy_cannot_write_to_the_rows_in_select():
    class Writes(Random):
        def _utility(self, estimator, X, candidates):
            X[:] = 0
            return np.zeros(len(candidates))

    for strategy in (Writes(), BestOfStrategiesOracle(strategies=[Writes()])):
        with pytest.raises(ValueError, match="read-only"):
            run(strategy)


@pytest.mark.parametrize("kind", ["pandas", "polars", "sparse"])
def test_writing_to_other_containers_changes_no_result(kind):
    frame = pd.DataFrame(X, columns=list("abcd"))
    rows = {
        "pandas": frame,
        "polars": pl.DataFrame(frame.to_dict("list")),
        "sparse": sparse.csr_array(X),
    }[kind]

    class Writes(Random):
        def _fit(self, X, y, problem):
            for given in (X, problem.X_pool, problem.X_warm):
                if kind == "pandas":
                    given.iloc[:, 0] = 0.0
                elif kind == "polars":
                    given[0, "a"] = 100.0
                else:
                    given.data = np.zeros_like(given.data)

    def curve(strategy):
        learner = ActiveLearner(
            LogisticRegression(max_iter=500), strategy, batch_size=5, n_rounds=2,
            random_state=0,
        )  # fmt: skip
        return learner.fit(rows, Y).curve_.tolist()

    assert curve(Writes()) == curve(Random())


@pytest.mark.parametrize(
    "kind", ["csr_array", "csc_matrix", "coo_array", "lil_array", "dok_array"]
)
def test_sparse_rows_are_protected_in_any_format(kind):
    table = getattr(sparse, kind)(np.eye(4))
    seen = read_only(table)
    assert (seen.toarray() == np.eye(4)).all()
    assert seen.tocsr()[np.array([2])].toarray().tolist() == [[0, 0, 1, 0]]
    with suppress(ValueError):
        if kind == "coo_array":
            seen.data[:] = 9
        else:
            seen[0, 0] = 9
    assert table.toarray()[0, 0] == 1


def test_lists_of_tokens_are_copied():
    rows = [["a", "b"], ["c"]]
    read_only(rows)[0].clear()
    assert rows == [["a", "b"], ["c"]]
