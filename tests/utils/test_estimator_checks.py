"""The conformance suite catches strategies that break one clause each."""

import gc

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from skal import MaxEntropy, Random
from skal.strategies import BaseStrategy
from skal.utils.estimator_checks import (
    SecretLabel,
    check_pool_labels_are_not_read,
    check_strategy,
)


class Strategy(BaseStrategy):
    """Takes the first candidates; each subclass below breaks it in one way."""

    def __init__(self):
        pass

    _parameter_constraints: dict = {}

    def _select(self, estimator, X, n, candidates, labelled):
        return candidates[:n]


class ReturnsList(Strategy):
    def select(self, *args, **kwargs):
        return super().select(*args, **kwargs).tolist()


class ReturnsInt32(Strategy):
    def _select(self, estimator, X, n, candidates, labelled):
        return candidates[:n].astype(np.int32)


class RepeatsRows(Strategy):
    def _select(self, estimator, X, n, candidates, labelled):
        return np.repeat(candidates[:1], n)


class ReturnsTooMany(Strategy):
    def _select(self, estimator, X, n, candidates, labelled):
        return candidates


class IgnoresCandidates(Strategy):
    def _select(self, estimator, X, n, candidates, labelled):
        return np.arange(n)


class FitReturnsNothing(Strategy):
    def fit(self, X, y=None, *, problem=None):
        super().fit(X, y, problem=problem)


class ChangesItsMind(Strategy):
    def _select(self, estimator, X, n, candidates, labelled):
        self.calls = getattr(self, "calls", 0) + 1
        return np.roll(candidates, self.calls)[:n]


class DrawsFromTheGlobalState(Strategy):
    def _select(self, estimator, X, n, candidates, labelled):
        np.random.rand()  # noqa: NPY002
        return candidates[:n]


class WritesToItsInput(Strategy):
    def _select(self, estimator, X, n, candidates, labelled):
        X[0] = 0
        return candidates[:n]


class ChangesTheModel(MaxEntropy):
    def _select(self, estimator, X, n, candidates, labelled):
        estimator.visited = True
        return super()._select(estimator, X, n, candidates, labelled)


class BreaksTiesByPosition(Random):
    def _fit(self, X, y, problem):
        self._priority = np.arange(self.n_pool_)


class HidesItsNeeds(MaxEntropy):
    needs = ()


class ForgetsToCheck(Strategy):
    def select(self, estimator, X, n, *, candidates=None, labelled=None):
        candidates = np.arange(len(X)) if candidates is None else candidates
        return np.asarray(candidates)[:n].astype(np.int64)


class SetsInInit(Strategy):
    def __init__(self):
        self.seed_ = 0


class Peeps(Strategy):
    """Finds the pool's labels in memory, and reads them."""

    def _select(self, estimator, X, n, candidates, labelled):
        for thing in gc.get_objects():
            if isinstance(thing, SecretLabel):
                str(thing)
        return candidates[:n]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (ReturnsList, "must return an array"),
        (ReturnsInt32, "int64"),
        (RepeatsRows, "must not repeat a row"),
        (ReturnsTooMany, "must return 1 rows"),
        (IgnoresCandidates, "keep to the candidates"),
        (FitReturnsNothing, "fit must return self"),
        (ChangesItsMind, "by default|repeat itself"),
        (DrawsFromTheGlobalState, "global numpy random state"),
        (WritesToItsInput, "read-only"),
        (ChangesTheModel, "must not change its arguments"),
        (BreaksTiesByPosition, "broken by the seed"),
        (ForgetsToCheck, "must be refused by a"),
        (SetsInInit, "should not set any attribute"),
    ],
)
def test_a_broken_clause_is_caught(broken, message):
    with pytest.raises((AssertionError, ValueError), match=message):
        check_strategy(broken())


def test_undeclared_needs_are_caught():
    with pytest.raises(AttributeError, match="predict_proba"):
        check_strategy(HidesItsNeeds())


def test_a_strategy_that_finds_the_labels_is_caught():
    with pytest.raises(AssertionError, match="read the label of a row that is not"):
        check_pool_labels_are_not_read(Peeps(), LogisticRegression())
    check_pool_labels_are_not_read(Strategy(), LogisticRegression())


def test_reading_labels_is_caught():
    label = SecretLabel(3)
    assert label == "class 3"
    label.secret = True
    for read in (str, hash, repr, lambda x: x == "class 3", lambda x: x < "z"):
        with pytest.raises(AssertionError, match="not labelled yet"):
            read(label)


def test_a_strategy_that_keeps_the_contract_passes():
    check_strategy(Strategy())


def test_an_estimator_need_not_take_sparse_rows():
    check_strategy(MaxEntropy(), GaussianNB())
