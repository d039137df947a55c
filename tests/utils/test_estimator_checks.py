"""The conformance suite catches strategies that break one clause each."""

import gc
import random

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from skal import MaxEntropy, Random
from skal.strategies import BaseStrategy
from skal.utils.estimator_checks import (
    CHECKS,
    SecretLabel,
    check_pool_labels_are_not_read,
    check_strategy,
    parametrize_with_strategy_checks,
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


class ReturnsNothing(Strategy):
    def _select(self, estimator, X, n, candidates, labelled):
        pass


class ReturnsFarPositions(Strategy):
    def _select(self, estimator, X, n, candidates, labelled):
        return candidates[:n] + 10**6


class FailsForOneRow(Strategy):
    def _select(self, estimator, X, n, candidates, labelled):
        return candidates[[0, 1] + list(range(2, n))][:n] if n > 1 else [][0]


class WritesInFit(Strategy):
    def _fit(self, X, y, problem):
        X[0] = 0


class WritesToTheProblem(Strategy):
    def _fit(self, X, y, problem):
        problem.y_warm[:] = 0


class ChangesItsParameters(Strategy):
    def __init__(self, size=1):
        self.size = size

    def _fit(self, X, y, problem):
        self.size = len(X)


class NeedsLabelledSilently(Strategy):
    def _select(self, estimator, X, n, candidates, labelled):
        return candidates[np.argsort(X[candidates] @ labelled.X[0])[:n]]


class DrawsFromPython(Strategy):
    def _select(self, estimator, X, n, candidates, labelled):
        random.random()
        return candidates[:n]


class OddNeeds(Strategy):
    needs = "predict"


class CannotBePickled(Strategy):
    def _fit(self, X, y, problem):
        self.function_ = lambda: None


class TakesArraysOnly(Strategy):
    def _select(self, estimator, X, n, candidates, labelled):
        return candidates[np.argsort(X[:, 0][candidates])[:n]]


class RunsOutOfRows(Strategy):
    def _select(self, estimator, X, n, candidates, labelled):
        return candidates[:n] if len(candidates) > 34 else candidates[: n - 1]


class SelectsUnfitted(Strategy):
    def select(self, estimator, X, n, *, candidates=None, labelled=None):
        self.n_pool_ = len(X) if not hasattr(X, "shape") else X.shape[0]
        return super().select(estimator, X, n, candidates=candidates, labelled=labelled)


class FirstOfThePool(Strategy):
    def select(self, estimator, X, n, *, candidates=None, labelled=None):
        if candidates is None:
            candidates = np.arange(5, 40)
        return super().select(estimator, X, n, candidates=candidates, labelled=labelled)


# One strategy or more for each clause: the check, and a part of its message.
BROKEN = [
    (ReturnsNothing, "check_select_returns_positions", "must return an array"),
    (ReturnsFarPositions, "check_select_returns_positions", "keep to the candidates"),
    (FailsForOneRow, "check_select_returns_positions", "It raised IndexError: list"),
    (WritesInFit, "check_fit_changes_nothing", "It raised ValueError: assignment"),
    (WritesToTheProblem, "check_fit_changes_nothing", "It raised ValueError: assign"),
    (ChangesItsParameters, "check_fit_returns_itself", "must not change the strategy"),
    (FitReturnsNothing, "check_fit_returns_itself", "fit must return self"),
    (
        NeedsLabelledSilently,
        "check_all_rows_are_candidates_by_default",
        "It raised AttributeError: 'NoneType'",
    ),
    (
        FirstOfThePool,
        "check_all_rows_are_candidates_by_default",
        "all rows must be candidates",
    ),
    (ChangesItsMind, "check_select_repeats_itself", "select must repeat itself"),
    (CannotBePickled, "check_select_repeats_itself", "It raised"),
    (WritesToItsInput, "check_select_changes_nothing", "read-only"),
    (ChangesTheModel, "check_select_changes_nothing", "or the model"),
    (BreaksTiesByPosition, "check_ties_are_broken_by_seed", "broken by the seed"),
    (DrawsFromTheGlobalState, "check_global_random_state_is_left_alone", "numpy"),
    (DrawsFromPython, "check_global_random_state_is_left_alone", "global Python"),
    (HidesItsNeeds, "check_needs_are_declared", "It raised AttributeError"),
    (OddNeeds, "check_needs_are_declared", "OddNeeds.needs must be a tuple"),
    (ForgetsToCheck, "check_bad_requests_are_refused", "more rows than candidates"),
    (ForgetsToCheck, "check_select_before_fit_is_refused", "NotFittedError"),
    (SelectsUnfitted, "check_select_before_fit_is_refused", "but nothing was raised"),
    (TakesArraysOnly, "check_containers_do_not_matter", "the same selection"),
    (RunsOutOfRows, "check_learner_runs", "RunsOutOfRows.select must return 4"),
    (SetsInInit, "check_no_attributes_set_in_init", "should not set any attribute"),
]


@pytest.mark.parametrize(("broken", "check", "message"), BROKEN)
def test_each_broken_clause_is_named(broken, check, message):
    with pytest.raises(AssertionError) as caught:
        check_strategy(broken())
    first, *lines = str(caught.value).splitlines()
    assert first.startswith(f"{broken.__name__} breaks ")
    assert f" {sum(line.startswith('- check_') for line in lines)} of the" in first
    (named,) = (line for line in lines if line.startswith(f"- {check}: "))
    assert message in named


def test_every_clause_has_a_strategy_that_breaks_it():
    secret = "check_pool_labels_are_not_read"  # see below
    assert {c.__name__ for c in CHECKS} - {check for _, check, _ in BROKEN} == {secret}


def test_all_broken_clauses_are_listed():
    class ManyFaults(Strategy):
        def fit(self, X, y=None, *, problem=None):
            super().fit(X, y, problem=problem)

        def _select(self, estimator, X, n, candidates, labelled):
            return np.random.permutation(candidates)[:n].tolist()  # noqa: NPY002

    with pytest.raises(AssertionError) as caught:
        check_strategy(ManyFaults())
    for check in (
        "fit_returns_itself", "select_returns_positions", "select_repeats_itself",
        "global_random_state_is_left_alone", "learner_runs",
    ):  # fmt: skip
        assert f"- check_{check}: " in str(caught.value)


def test_clauses_of_pytest_are_named_too():
    mark = parametrize_with_strategy_checks([FailsForOneRow(), Strategy()])
    names = mark.kwargs["ids"]
    assert "Strategy()-check_learner_runs" in names
    at = names.index("FailsForOneRow()-check_select_returns_positions")
    with pytest.raises(AssertionError, match="It raised IndexError") as caught:
        mark.args[1][at]()
    assert isinstance(caught.value.__cause__, IndexError)


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
    with pytest.raises(AssertionError, match=message):
        check_strategy(broken())


class AsksForLabelled(Strategy):
    needs_labelled = True

    def _select(self, estimator, X, n, candidates, labelled):
        return candidates[: n + 0 * len(labelled.positions)]


def test_a_strategy_may_ask_for_the_rows_labelled_so_far():
    check_strategy(AsksForLabelled())


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
