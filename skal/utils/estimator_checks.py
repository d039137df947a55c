"""Checks that a strategy keeps the contract of skal.

`check_strategy` is for strategies what `check_estimator` of
`sklearn.utils.estimator_checks` is for estimators.
"""

import pickle
import random
from functools import partial

import numpy as np
from joblib import hash as fingerprint
from scipy import sparse
from sklearn.base import is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.utils import estimator_checks as sklearn_checks
from sklearn.utils import get_tags

from skal.answers._needs import (
    strategy_needs,
    strategy_peeks,
    works_from_nothing,
)
from skal.learner import ActiveLearner
from skal.strategies._read_only import protected, read_only
from skal.utils._bench import N_POOL, Bench
from skal.utils._secret_labels import SecretLabel, Watched

__all__ = ["check_strategy", "parametrize_with_strategy_checks"]


def check_strategy(strategy, estimator=None):
    """Check that a strategy keeps the contract of skal.

    Every clause of the contract is checked, also after one was found broken.

    Parameters
    ----------
    strategy : strategy instance
        The strategy to check. It is cloned, not changed. It must be able to choose 12
        rows out of a pool of 40, so a fixed order must have at least 12 rows.

    estimator : classifier or regressor, default=None
        One for numeric rows with the methods that the strategy needs. The default is
        logistic regression. One that takes several targets per row only, such as
        `MultiOutputClassifier`, gets several labels or numbers.

    Raises
    ------
    AssertionError
        If a clause is broken. The message lists all that are, each with the name of the
        check, what is expected, and what came instead.

    See Also
    --------
    parametrize_with_strategy_checks : One pytest case per strategy and check.

    Examples
    --------
    >>> from skal import MaxEntropy
    >>> from skal.utils.estimator_checks import check_strategy
    >>> check_strategy(MaxEntropy())
    """
    broken = []
    for check in _yield_checks(strategy, estimator):
        try:
            check()
        except AssertionError as error:
            broken.append(f"- {check.args[0].__name__}: {error}")
    if broken:
        raise AssertionError(
            f"{type(strategy).__name__} breaks {len(broken)} of the clauses that "
            "skal.utils.estimator_checks checks:\n" + "\n".join(broken)
        )


def parametrize_with_strategy_checks(strategies, estimator=None):
    """Parametrize a pytest function that takes one argument, `check`, and calls it.

    Parameters
    ----------
    strategies : list of strategy instances
        The strategies to check.
    estimator : classifier or regressor, default=None
        As in `check_strategy`.

    Returns
    -------
    pytest.MarkDecorator
        A decorator for the test function.

    See Also
    --------
    check_strategy : The same as one call.

    Examples
    --------
    >>> from skal import Margin, Random
    >>> from skal.utils.estimator_checks import parametrize_with_strategy_checks
    >>> @parametrize_with_strategy_checks([Margin(), Random()])
    ... def test_strategies(check):
    ...     check()
    """
    import pytest

    checks = [check for s in strategies for check in _yield_checks(s, estimator)]
    names = [f"{check.args[1]}-{check.args[0].__name__}" for check in checks]
    return pytest.mark.parametrize("check", checks, ids=names)


def _yield_checks(strategy, estimator):
    """Yield all checks of a strategy, as callables without arguments."""
    estimator = LogisticRegression() if estimator is None else estimator
    name = type(strategy).__name__
    for check in (
        sklearn_checks.check_no_attributes_set_in_init,
        sklearn_checks.check_get_params_invariance,
        sklearn_checks.check_estimator_cloneable,
        sklearn_checks.check_do_not_raise_errors_in_init_or_set_params,
    ):
        yield partial(_keeps, check, name, strategy)
    for check in CHECKS:
        yield partial(_keeps, check, strategy, estimator)


def _keeps(check, *args):
    """Run a check, and raise an AssertionError for any other error, too."""
    try:
        check(*args)
    except AssertionError:
        raise
    except Exception as error:
        clause = (check.__doc__ or check.__name__).partition("\n")[0]
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise AssertionError(f"{clause} It raised {reason}") from error


def check_fit_returns_itself(strategy, estimator):
    """Check that `fit` returns the strategy and does not change its parameters."""
    bench = Bench(strategy, estimator)
    before = fingerprint(bench.strategy.get_params())
    assert bench.fit() is bench.strategy, "fit must return self"
    after = fingerprint(bench.strategy.get_params())
    assert before == after, "fit must not change the strategy's parameters"


def check_fit_changes_nothing(strategy, estimator):
    """Check that `fit` does not change its arguments, and takes read-only arrays."""
    bench = Bench(strategy, estimator)
    before = fingerprint((bench.X, bench.seen))
    seen = protected(bench.seen)
    bench.strategy.fit(read_only(bench.X), seen.y_pool, problem=seen)
    assert before == fingerprint((bench.X, bench.seen)), (
        "fit must not change its arguments"
    )


def check_select_returns_positions(strategy, estimator):
    """Check that `select` returns n distinct int64 positions of candidates."""
    bench = Bench(strategy, estimator)
    bench.fit()
    candidates = np.arange(4, N_POOL)
    for n in (0, 1, 8):
        chosen = bench.select(n=n, candidates=candidates)
        assert isinstance(chosen, np.ndarray), "select must return an array"
        assert chosen.shape == (n,), f"select must return {n} rows when asked for {n}"
        assert chosen.dtype == np.int64, "select must return int64 positions"
        assert len(set(chosen.tolist())) == n, "select must not repeat a row"
        assert np.isin(chosen, candidates).all(), "select must keep to the candidates"


def check_all_rows_are_candidates_by_default(strategy, estimator):
    """Check that all rows are candidates by default, and `labelled` is optional.

    A strategy that sets `needs_labelled` must ask for it with a ValueError.
    """
    bench = Bench(strategy, estimator)
    bench.fit()
    select = partial(bench.strategy.select, bench.model, bench.X, 5)
    if getattr(bench.strategy, "needs_labelled", False):
        _assert_raises(ValueError, select, "select without `labelled`")
        select = partial(select, labelled=bench.labelled)
    named = select(candidates=np.arange(N_POOL))
    assert np.array_equal(select(), named), "all rows must be candidates by default"


def check_select_repeats_itself(strategy, estimator):
    """Check that `select` repeats itself: called again, unpickled, and refitted."""
    bench = Bench(strategy, estimator)
    bench.fit()
    first = bench.select()
    assert np.array_equal(first, bench.select()), "select must repeat itself"
    pickled = pickle.loads(pickle.dumps(bench.strategy))
    assert np.array_equal(first, bench.select(pickled)), (
        "select must return the same after pickling"
    )
    bench.fit()
    assert np.array_equal(first, bench.select()), (
        "a second fit with the same seed must lead to the same selection"
    )


def check_select_changes_nothing(strategy, estimator):
    """Check that `select` does not change its arguments, and takes read-only arrays."""
    bench = Bench(strategy, estimator)
    bench.fit()
    candidates = np.arange(4, N_POOL)
    arrays = (bench.X, candidates, *bench.labelled)
    for array in arrays:
        array.setflags(write=False)
    before = fingerprint((*arrays, bench.model))
    bench.select(candidates=candidates)
    assert before == fingerprint((*arrays, bench.model)), (
        "select must not change its arguments or the model"
    )


def check_ties_are_broken_by_seed(strategy, estimator):
    """Check that the seed decides between rows that are all equal."""
    if not any("random_state" in name for name in strategy.get_params(deep=True)):
        return

    def choice(seed):
        bench = Bench(strategy, estimator, seed)
        bench.X = np.zeros_like(bench.X)
        bench.fit()
        return bench.select(n=8).tolist()

    assert choice(0) == choice(0), "the same seed must break ties in the same way"
    assert any(choice(0) != choice(seed) for seed in (1, 2, 3)), (
        "ties must be broken by the seed, not by position"
    )


def check_global_random_state_is_left_alone(strategy, estimator):
    """Check that `fit` and `select` do not use numpy's or Python's global generator."""

    def states():
        numpy_state = np.random.get_state()  # noqa: NPY002
        return {"numpy": fingerprint(numpy_state), "Python": random.getstate()}

    bench = Bench(strategy, estimator)
    before = states()
    bench.fit()
    bench.select()
    after = states()
    for name, state in before.items():
        assert state == after[name], (
            f"the global {name} random state must be left as it was"
        )


def check_pool_labels_are_not_read(strategy, estimator):
    """Check that no label of an unlabelled row is read, unless the strategy peeks."""
    if strategy_peeks(strategy):
        return
    bench = Bench(strategy, estimator)
    arguments = bench.fit_arguments
    if arguments["y"].ndim == 2 or is_regressor(estimator):
        # Such an array cannot notice a reader: change it instead.
        params = {"batch_size": 4, "n_rounds": 1, "random_state": 0}
        learner, y = ActiveLearner(estimator, strategy, **params), arguments["y"]
        orders = [learner.fit(**arguments | {"y": one}).order_ for one in (y, y[::-1])]
        assert np.array_equal(*orders), "the first batch must not depend on pool labels"
        return
    labels = np.array([SecretLabel(label) for label in arguments["y"]], dtype=object)
    for name in ("warm", "val", "test"):
        known = [SecretLabel(label) for label in arguments[f"y_{name}"]]
        arguments[f"y_{name}"] = np.array(known, dtype=object)
    watched = Watched(bench.strategy, labels)
    ActiveLearner(estimator, watched, batch_size=4, n_rounds=3, random_state=0).fit(
        **{**arguments, "y": labels}
    )


def check_needs_are_declared(strategy, estimator):
    """Check that a model without the needed methods raises a TypeError.

    A strategy that works from nothing selects without a model.
    """
    bench = Bench(strategy, estimator)
    bench.fit()
    if works_from_nothing(strategy):
        bench.model = None
        bench.select()
    if not set(strategy_needs(strategy)) - {"embedding"}:
        return

    class Bare:
        pass

    bench.model = Bare()
    _assert_raises(TypeError, bench.select, "an estimator that lacks what is needed")


def check_bad_requests_are_refused(strategy, estimator):
    """Check that invalid numbers of rows and invalid candidates raise a ValueError."""
    bench = Bench(strategy, estimator)
    bench.fit()
    for n, candidates, what in (
        (5, np.arange(4), "more rows than candidates"),
        (-1, np.arange(4), "a negative number of rows"),
        (2, np.array([3, 3, 4]), "repeated candidates"),
        (2, np.array([0, N_POOL]), "candidates outside the pool"),
        (1, np.array([-1, 2]), "negative candidates"),
        (1, np.array([0.5, 2.0]), "candidates that are not integers"),
    ):
        request = partial(bench.select, n=n, candidates=candidates)
        _assert_raises(ValueError, request, what)


def check_select_before_fit_is_refused(strategy, estimator):
    """Check that `select` before `fit` raises a NotFittedError."""
    bench = Bench(strategy, estimator)
    _assert_raises(NotFittedError, bench.select, "select before fit")


def check_containers_do_not_matter(strategy, estimator):
    """Check that sparse rows and data frames give the same selection as arrays."""
    arrays = Bench(strategy, estimator)
    arrays.fit()
    chosen = arrays.select()
    for container in _containers(estimator):
        bench = Bench(strategy, estimator, container=container)
        bench.fit()
        assert set(bench.select().tolist()) == set(chosen.tolist()), (
            f"{type(bench.X).__name__} must give the same selection as an array"
        )


def _containers(estimator):
    """Yield functions that put an array into another container."""
    if get_tags(estimator).input_tags.sparse:
        yield sparse.csr_array
    try:
        import pandas as pd
    except ImportError:
        return
    yield partial(pd.DataFrame, columns=["a", "b"])


def check_learner_runs(strategy, estimator):
    """Check that an ActiveLearner can use the strategy, and repeats itself."""
    arguments = Bench(strategy, estimator).fit_arguments

    def order():
        learner = ActiveLearner(
            estimator, strategy, batch_size=4, n_rounds=3, random_state=5
        )
        return learner.fit(**arguments).order_.tolist()

    assert len(set(order())) == 12, "each round must label rows that are new"
    assert order() == order(), "a run must repeat itself"


def _assert_raises(kind, function, what):
    """Check that a call raises an error of a kind, with a message."""
    came = "nothing was raised"
    try:
        function()
    except Exception as error:
        came = f"{type(error).__name__} was raised"
        if isinstance(error, kind) and str(error):
            return
    raise AssertionError(
        f"{what} must be refused by a {kind.__name__} that says so, but {came}"
    )


CHECKS = (
    check_fit_returns_itself,
    check_fit_changes_nothing,
    check_select_returns_positions,
    check_all_rows_are_candidates_by_default,
    check_select_repeats_itself,
    check_select_changes_nothing,
    check_ties_are_broken_by_seed,
    check_global_random_state_is_left_alone,
    check_pool_labels_are_not_read,
    check_needs_are_declared,
    check_bad_requests_are_refused,
    check_select_before_fit_is_refused,
    check_containers_do_not_matter,
    check_learner_runs,
)
