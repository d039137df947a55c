"""Comparison of strategies over several seeds and estimators."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from inspect import signature
from numbers import Integral
from typing import Any

from sklearn.utils.validation import check_scalar

from skal._choices import suggest
from skal._sklearn import HasMethods, validate
from skal._threads import single_threaded
from skal.answers._needs import strategy_peeks
from skal.inputs._checks import Predicts, takes_selection_set
from skal.loop import check_runnable
from skal.oracle._base import BaseOracle
from skal.problem import Problem
from skal.seeding import stream
from skal.strategies import FixedOrder, Random
from skal.strategies._base import fit_inner
from skal.studies._comparison import Comparison
from skal.studies._gathered import gather, warn_of_chance, warn_of_repeats
from skal.studies._seeds import MAX_RUNS, as_seeds
from skal.studies._spec import Splits, StudySpec, check_known
from skal.studies._tasks import Task
from skal.studies.running._cells import run_cells
from skal.studies.running._jobs import Cell, _jobs
from skal.studies.running._store import Store, describe_study

# Smallest number of seeds without a warning: tests on fewer have hardly any power.
ENOUGH_SEEDS = 5
# Names of the arguments of `Problem.from_data` that `compare` passes on: all but the
# data, the estimator and the seed.
SIZES = tuple(signature(Problem.from_data).parameters)[3:-1]


def compare(
    X: Any = None,
    y: Any = None,
    estimator: Any = None,
    strategies: Mapping[str, Any] | None = None,
    *,
    problem: Any = None,
    estimators: Mapping[str, Any] | None = None,
    seeds: int | Iterable[int] = 5,
    n_orders: int = 10,
    baseline: str | None = None,
    oracle: str | None = None,
    posterior_estimators: Mapping[str, Any] | None = None,
    include_warm_start: bool = False,
    n_jobs: int | None = None,
    path: Any = None,
    callbacks: Iterable[Any] = (),
    **sizes: Any,
) -> Comparison:
    """Compare strategies, including an oracle, over several seeds and estimators.

    There are two ways to call it:

    `compare(X, y, estimator, strategies)`
        Each seed splits the data anew and seeds all trainings on its split (it is
        their xi). The tests show whether a strategy is better on data like these.
    `compare(problem, strategies)`
        All seeds use the data sets of the problem, as in the paper; only xi differs.
        The tests show whether a difference on this split is larger than the noise of
        training. They say nothing about other data.

    Parameters
    ----------
    X : array-like, dataframe, list, Problem, Task or callable
        All rows of the data; or a problem, as returned by `Problem.from_sets` or
        `load_task`; or a function that takes a seed and returns a `Problem`. The
        problems of all seeds are assumed to be random splits of the same rows.
    y : array-like, or dict of str to strategy
        The label of each row; or the strategies, if `X` is a problem.
    estimator : estimator or dict of str to estimator
        The estimator to train, or several by name. Not used with a problem, which has
        its own.
    strategies : dict of str to strategy, default=None
        The strategies to compare, by name. Optional with a task, which has its own.
    problem : Problem, Task or callable, default=None
        The problem, if it is given by keyword and not as `X`.
    estimators : dict of str to estimator, default=None
        Estimators by name, to use instead of the problem's or the task's own.
    seeds : int or iterable of int, default=5
        The seeds; an int n stands for 0, ..., n - 1. With fewer than five, a warning
        says that differences cannot be tested. See `docs/p_values.md` for the number
        of seeds needed to detect a difference of a given size.
    n_orders : int, default=10
        Number of random orders of the baseline for each seed. Their mean is used; the
        paper takes 100.
    baseline, oracle : str, default=None
        Names of the random baseline and of the oracle in `strategies`. By default, the
        first `Random` and the first oracle.
    posterior_estimators : dict of str to estimator, default=None
        Estimators with a posterior, such as nets with dropout, by the name of the
        estimator they replace. They are trained and scored under strategies that
        sample a posterior, such as `BALD`. By default, a task's own are used. To select
        rows with such a net but score the plain one, use `Proxy(BALD(), net)`.
    include_warm_start : bool, default=False
        Whether to average curves over k = 0..K, as the published tables do. By
        default, they are averaged over k = 1..K.
    n_jobs : int or None, default=None
        Number of runs in parallel. It does not change the result. For a few long
        searches, set `n_jobs` of the oracle instead.
    path : str or path-like, default=None
        Folder in which to keep the study. Each finished run is saved as a line of
        JSON, and an oracle without a `journal` gets one in this folder. If the study
        is killed, the same call resumes it and gives the same table; a call with more
        seeds, orders, strategies or estimators runs only the new ones. If a strategy,
        an estimator or the scorer has changed, in its parameters or in your own code,
        a warning says so, and the runs that depend on it are repeated.
    callbacks : iterable of callback, default=()
        Callbacks that show progress, such as `skal.utils.progress.ProgressBar()`.
    **sizes : dict
        With `X` and `y`: further arguments of `Problem.from_data`, such as
        `batch_size`, `n_rounds`, `test_size`, `scoring`, `cost` and `noise`.

    Returns
    -------
    Comparison
        Prints as a table; its `table()` can be passed to `pandas.DataFrame`.

    Raises
    ------
    ValueError
        If a name, a parameter or a data set is missing or invalid, or `path` is the
        folder of another study.
    TypeError
        If an estimator lacks a method that a strategy needs.

    Warns
    -----
    UserWarning
        If there are fewer than five seeds; if all seeds of a strategy give the same
        run, because they share a split and neither the strategy nor the estimator
        draws random numbers; or if a strategy ends no better than a model that always
        predicts the most frequent class.

    See Also
    --------
    open_study : Read the folder of a comparison.
    seed_transfer : Replay the orders under other seeds.
    model_transfer : Replay the orders with other estimators.
    Proxy : Select rows with one model and score another.

    Notes
    -----
    Random splits of the same rows overlap. They are compared with corrected resampled
    t-tests (Nadeau and Bengio), where the variance of the mean over n splits is
    `s^2 (1 / n + n_test / n_other)`; n_test and n_other are the numbers of rows inside
    and outside the test set.

    An oracle's order may only suit the xi that it was searched with. If training draws
    random numbers, each order is therefore replayed under five other seeds, and the
    printed table shows both gains. A run that is the same for all seeds is made once.

    References
    ----------
    Zhou et al., AISTATS 2021, section 6.1, Table 2 and appendix D.

    Nadeau and Bengio, "Inference for the Generalization Error", Machine Learning 52,
    2003.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skal import AnnealingOracle, Margin, Random, compare
    >>> X, y = load_iris(return_X_y=True)
    >>> strategies = {"random": Random(), "margin": Margin(),
    ...               "oracle": AnnealingOracle(n_steps=50)}
    >>> comparison = compare(X, y, DecisionTreeClassifier(), strategies, n_orders=2,
    ...                      batch_size=2, n_rounds=4, warm_size=6)
    >>> comparison.curves.shape  # estimators, strategies, seeds, k = 0..K
    (1, 3, 5, 5)
    >>> comparison.oracle_gains().gains.shape  # over random, and the best heuristic
    (1, 2, 5)
    """
    if problem is not None:
        X, y = problem, strategies if X is None else X
    unpacked = _unpack(
        X, y, estimator, strategies, estimators, posterior_estimators, sizes
    )
    study = specify(*unpacked, seeds, n_orders, baseline, oracle, include_warm_start)
    store = store_of(study, path)
    runs = run_cells(
        _jobs(study, n_orders, store),
        study.splits,
        n_jobs=n_jobs,
        store=store,
        callbacks=callbacks,
    )
    warn_of_chance(study, runs)
    found = gather(study, runs)
    warn_of_repeats(found)
    return found


def specify(
    source: Any,
    strategies: Mapping[str, Any],
    estimators: Mapping[str, Any],
    posterior_estimators: Mapping[str, Any],
    seeds: int | Iterable[int],
    n_orders: int,
    baseline: str | None = None,
    oracle: str | None = None,
    include_warm_start: bool = False,
) -> StudySpec:
    """Return the specification of a comparison, after all checks of its arguments.

    Parameters
    ----------
    source : Problem or callable
        The problem, or a function that returns the problem of a seed.
    strategies, estimators, posterior_estimators, seeds, n_orders
        As in `compare`.
    baseline, oracle, include_warm_start
        As in `compare`.

    Returns
    -------
    StudySpec
    """
    seeds = as_seeds(seeds)
    study = StudySpec(
        splits=Splits(source, seeds[0]),
        estimators=dict(estimators),
        strategies=dict(strategies),
        seeds=seeds,
        baseline=_first(strategies, Random) if baseline is None else baseline,
        oracle=_first(strategies, BaseOracle) if oracle is None else oracle,
        posterior_estimators=dict(posterior_estimators),
        include_warm_start=include_warm_start,
    )
    check_scalar(n_orders, "n_orders", Integral, min_val=1, max_val=MAX_RUNS)
    _check_study(study)
    return study


def store_of(study: StudySpec, path: Any) -> Store | None:
    """Return the folder of a comparison, opened; None without a path."""
    if path is None:
        return None
    return Store(path, "compare", Cell, describe_study(study))


def _unpack(
    X: Any,
    y: Any,
    estimator: Any,
    strategies: Any,
    estimators: Any,
    posterior_estimators: Any,
    sizes: dict[str, Any],
) -> tuple[Problem | Callable[[int], Problem], Any, Any, dict[str, Any]]:
    """Sort out the arguments of `compare`, with defaults from a problem or task.

    Returns
    -------
    source : Problem or callable
        The problem, or a function that returns the problem of a seed.
    strategies, estimators, posterior_estimators : mapping of str to estimator
    """
    if isinstance(X, Problem | Task) or callable(X):
        strategies = y if strategies is None else strategies
        _refuse_sizes(sizes, estimator)
        source, task = (X.problem, X) if isinstance(X, Task) else (X, None)
    else:
        _refuse_no_data(X, y, estimator)
        estimators = _named(estimator) if estimators is None else estimators
        _check_named(estimators, "estimator", Predicts())
        source, task = resplit(X, y, estimators, sizes), None
    if task is not None:
        strategies = task.strategies if strategies is None else strategies
        estimators = task.estimators if estimators is None else estimators
    if estimators is None:
        estimators = _named(Splits(source, 0).example.estimator)
    _check_named(estimators, "estimators", Predicts())
    _check_named(strategies, "strategies", HasMethods(["fit", "select"]))
    if posterior_estimators is None:
        posterior_estimators = {} if task is None else _with_dropout(task, estimators)
    if posterior_estimators:
        _check_named(posterior_estimators, "posterior_estimators", Predicts())
    for name in posterior_estimators:
        check_known(name, estimators, "estimator")
    return source, strategies, estimators, posterior_estimators


def _refuse_sizes(sizes: dict[str, Any], estimator: Any) -> None:
    """Refuse arguments that are already part of a problem."""
    given = [*sizes, *["estimator"] * (estimator is not None)]
    if given:
        raise ValueError(
            f"{given[0]} is part of a problem: set it when you make the problem, or "
            "pass X and y to compare."
        )


def _refuse_no_data(X: Any, y: Any, estimator: Any) -> None:
    if isinstance(y, Mapping) or (y is None and estimator is None):
        raise ValueError(
            "compare takes either X, y, an estimator and strategies, or a problem and "
            "strategies. The problem must be a Problem (see Problem.from_sets), a "
            f"Task, or a function of the seed, got {type(X).__name__}."
        )


def _named(estimator: Any) -> Any:
    """Return estimators by name; a single one is named after its class."""
    if isinstance(estimator, Mapping):
        return estimator
    return {type(estimator).__name__: estimator}


def resplit(
    X: Any, y: Any, estimators: Mapping[str, Any], sizes: dict[str, Any]
) -> Callable[[int], Problem]:
    """Return a function that makes the problem of a seed, on a split of its own.

    Parameters
    ----------
    X, y : rows and labels
    estimators : mapping of str to estimator
    sizes : dict
        Further arguments of `Problem.from_data`.

    Returns
    -------
    callable
        It can be pickled.
    """
    for name in sizes:
        if name not in SIZES:
            raise TypeError(
                f"compare got an unexpected argument {name!r}: it takes "
                f"{', '.join(SIZES)}.{suggest(name, SIZES)}"
            )
    # All estimators share one split. It has a selection set if any of them uses one.
    chosen = sorted(estimators.values(), key=takes_selection_set)[-1]
    return partial(_pose, X, y, chosen, sizes)


def _pose(X: Any, y: Any, estimator: Any, sizes: dict[str, Any], seed: int) -> Problem:
    return Problem.from_data(X, y, estimator, **sizes, random_state=seed)


def _with_dropout(task: Task, estimators: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task's posterior estimators for those estimators that are its own."""
    return {
        name: model
        for name, model in task.posterior_estimators.items()
        if estimators.get(name) is task.estimators[name]
    }


def _check_named(named: Any, what: str, kind: HasMethods) -> None:
    """Refuse anything but a dict of names to objects of the right kind."""
    if not isinstance(named, Mapping) or not named:
        raise ValueError(
            f"{what} must be a dict with at least one entry, got {named!r}."
        )
    for name, one in named.items():
        if not isinstance(name, str):
            raise ValueError(f"{what} must have strings as keys, got {name!r}.")
        if not kind.is_satisfied_by(one) or isinstance(one, type):
            raise ValueError(f"{what}[{name!r}] must be {kind}, got {one!r}.")


def _first(strategies: Mapping[str, Any], kind: type) -> str | None:
    return next((n for n, one in strategies.items() if isinstance(one, kind)), None)


def _check_study(study: StudySpec) -> None:
    """Refuse a study that cannot run, before anything is trained."""
    for role in ("baseline", "oracle"):
        if getattr(study, role) is not None:
            check_known(getattr(study, role), study.strategies, "strategy")
    for one in (*study.estimators.values(), *study.strategies.values()):
        if hasattr(one, "_parameter_constraints"):
            validate(one)
    _check_sets(study)
    if (n := len(study.seeds)) < ENOUGH_SEEDS:
        warnings.warn(
            f"A comparison over {n} seed{'s' * (n > 1)} is too small to test for "
            f"differences: give at least {ENOUGH_SEEDS} seeds.",
            stacklevel=4,
        )


def _check_sets(study: StudySpec) -> None:
    """Refuse strategies that lack a data set or a method of an estimator."""
    problem = study.splits.example
    for name, strategy in study.strategies.items():
        for estimator in study.estimators:
            model = study.model_of(estimator, name)
            check_runnable(replace(problem, estimator=model), strategy)
        if isinstance(strategy, FixedOrder):
            _check_order(study, name, strategy)
        if not strategy_peeks(strategy):
            # A strategy that peeks may search in `fit`, so it is left out here.
            with single_threaded():
                fit_inner(strategy, problem.X_pool, problem, stream(0))


def _check_order(study: StudySpec, name: str, strategy: FixedOrder) -> None:
    if study.splits.vary:
        raise ValueError(
            f"The order of {name!r} needs one pool for all seeds, but each seed has a "
            "split of its own: compare on one Problem (see Problem.from_sets)."
        )
    study.problem.positions(strategy.order, f"The order of {name!r}", is_whole=True)
