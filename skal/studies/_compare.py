"""Comparison of strategies: strategies x seeds x estimators."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils.validation import check_scalar

from skal._sklearn import HasMethods
from skal._threads import single_threaded
from skal.answers._needs import strategy_peeks
from skal.inputs._checks import Predicts, takes_selection_set
from skal.loop import check_runnable
from skal.oracle._base import BaseOracle
from skal.problem import Problem
from skal.seeding import stream
from skal.strategies import FixedOrder, Random
from skal.strategies._base import fit_inner
from skal.studies._comparison import Comparison, check_known
from skal.studies._seeds import as_seeds
from skal.studies._spec import Splits, StudySpec
from skal.studies._tasks import Task
from skal.studies.running._cells import run_cells
from skal.studies.running._jobs import Cell, _jobs
from skal.studies.running._store import Run, Store, describe_study

# With fewer seeds, no test can tell a difference from luck.
ENOUGH_SEEDS = 5
# Arguments that say how whole data are split, as in `ActiveLearner`.
SIZES = (
    *("batch_size", "n_rounds", "warm_size", "select_size", "val_size", "test_size"),
    "scoring",
)


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
    """Compare strategies, an oracle among them, over several seeds and estimators.

    Call it in one of two ways:

    `compare(X, y, estimator, strategies)`
        Each seed splits the data anew, and is the xi of all trainings on its split.
        Tests tell whether a strategy is better on data like these.
    `compare(problem, strategies)`
        All seeds share the sets of the problem, as in the paper, and differ in xi
        alone. Tests tell luck of the training apart from a difference on this split,
        and say nothing about other data.

    Parameters
    ----------
    X : rows, Problem, Task or callable
        All rows of the data; or a problem, as `Problem.from_sets` or `load_task` gives
        it; or a function that returns a `Problem` for each seed, which are taken to be
        random splits of the same rows.
    y : labels, or dict of str to strategy
        The label of each row; after a problem, the strategies.
    estimator : estimator or dict of str to estimator
        Trained on the data; several are given by name. A problem brings its own.
    strategies : dict of str to strategy, default=None
        Compared with each other, by name. A task brings its own.
    problem : Problem, Task or callable, default=None
        A problem, by keyword.
    estimators : dict of str to estimator, default=None
        Trained in the place of those of a problem or task.
    seeds : int or iterable of int, default=5
        An int counts from zero. Below five, there is a warning: nothing can be tested.
        `docs/p_values.md` has how many tell which difference.
    n_orders : int, default=10
        Random orders of the baseline for each seed, which count as their mean. The
        paper takes 100.
    baseline, oracle : str, default=None
        The names of the random baseline and of the oracle among `strategies`; by
        default the first `Random`, and the first oracle.
    posterior_estimators : dict of str to estimator, default=None
        Trained and scored in the place of the estimator of the same name where a
        strategy samples its posterior, as `BALD` does: a net with dropout. By default
        those of the task. To choose by such a net and score the plain one, wrap the
        strategy: `Proxy(BALD(), net)`.
    include_warm_start : bool, default=False
        Average curves over k = 0..K, as the published tables do, and not over k = 1..K.
    n_jobs : int or None, default=None
        Runs side by side. It does not change the result. Where there are few and long
        ones, give the oracle an `n_jobs` instead.
    path : str or path-like, default=None
        A folder to keep the study in. Each run is written down when it is done, as a
        line of JSON, and an oracle without a `journal` is given one there. Killed and
        called again, the study goes on where it was, to the same table; called with
        more seeds, orders, strategies or estimators, it runs what is new. Where a
        strategy, an estimator or the scorer has changed, in its parameters or in code
        of your own, a warning says so, and the cells that depend on it are run again.
    callbacks : iterable of callback, default=()
        Shown the progress, such as `skal.utils.progress.ProgressBar()`.
    **sizes : dict
        With whole data: `batch_size`, `n_rounds`, `warm_size`, `select_size`,
        `val_size`, `test_size` and `scoring`, as in `ActiveLearner`.

    Returns
    -------
    Comparison
        Also printed as a table; `pandas.DataFrame` takes its `table()`.

    Raises
    ------
    ValueError
        If a name, a parameter or a set is missing or wrong, or `path` is the folder of
        another study.
    TypeError
        If a strategy needs a method that an estimator lacks.

    Warns
    -----
    UserWarning
        If there are fewer than five seeds; if all seeds of a strategy are one run,
        since neither it nor the estimator draws random numbers and all share a split;
        or if a strategy ends no better than always answering the most frequent class.

    See Also
    --------
    seed_transfer, model_transfer : Follow the orders that were found again.
    Proxy : Choose by one model and score another.

    Notes
    -----
    Random splits of the same rows overlap. Tests over them are corrected resampled
    t-tests (Nadeau and Bengio): the variance of the mean over n splits is taken as
    `s^2 (1 / n + n_test / n_other)`, with the numbers of rows in the test set and
    outside of it.

    An oracle's order may suit the xi that it was searched with, and no other one. Where
    training draws random numbers, each order is followed again under five other seeds;
    the printed table has the gains of both. Runs that all seeds share are trained once.

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
    source, strategies, estimators, posterior_estimators = _unpack(
        X, y, estimator, strategies, estimators, posterior_estimators, sizes
    )
    seeds = as_seeds(seeds)
    study = StudySpec(
        splits=Splits(source, seeds[0]),
        estimators=dict(estimators),
        strategies=dict(strategies),
        seeds=seeds,
        baseline=_first(strategies, Random) if baseline is None else baseline,
        oracle=_first(strategies, BaseOracle) if oracle is None else oracle,
        posterior_estimators=posterior_estimators,
        include_warm_start=include_warm_start,
    )
    check_scalar(n_orders, "n_orders", Integral, min_val=1)
    _check_study(study)
    store = (
        None if path is None else Store(path, "compare", Cell, describe_study(study))
    )
    jobs = _jobs(study, n_orders, store)
    runs = run_cells(
        jobs, study.splits, n_jobs=n_jobs, store=store, callbacks=callbacks
    )
    _warn_of_chance(study, runs)
    found = _gather(study, runs)
    _warn_of_repeats(found)
    return found


def _unpack(
    X: Any,
    y: Any,
    estimator: Any,
    strategies: Any,
    estimators: Any,
    posterior_estimators: Any,
    sizes: dict[str, Any],
) -> tuple[Problem | Callable[[int], Problem], Any, Any, dict[str, Any]]:
    """Return where problems come from, and fill in from a problem or task."""
    if isinstance(X, Problem | Task) or callable(X):
        strategies = y if strategies is None else strategies
        _refuse_sizes(sizes, estimator)
        source, task = (X.problem, X) if isinstance(X, Task) else (X, None)
    else:
        _refuse_no_data(X, y, estimator)
        estimators = _named(estimator) if estimators is None else estimators
        _check_named(estimators, "estimator", Predicts())
        source, task = _resplit(X, y, estimators, sizes), None
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
    return source, strategies, estimators, dict(posterior_estimators)


def _refuse_sizes(sizes: dict[str, Any], estimator: Any) -> None:
    """Refuse what a problem determines by itself."""
    given = [*sizes, *["estimator"] * (estimator is not None)]
    if given:
        raise ValueError(
            f"{given[0]} is part of a problem: pose the problem with it, or give "
            "compare the whole X and y."
        )


def _refuse_no_data(X: Any, y: Any, estimator: Any) -> None:
    if isinstance(y, Mapping) or (y is None and estimator is None):
        raise ValueError(
            "compare takes X, y, an estimator and strategies, or a problem and "
            "strategies, where the problem must be a Problem (as Problem.from_sets "
            f"returns it), a Task, or a function of the seed; got {type(X).__name__}."
        )


def _named(estimator: Any) -> Any:
    """Return estimators by name: a single one has the name of its class."""
    if isinstance(estimator, Mapping):
        return estimator
    return {type(estimator).__name__: estimator}


def _resplit(
    X: Any, y: Any, estimators: Mapping[str, Any], sizes: dict[str, Any]
) -> Callable[[int], Problem]:
    """Return what poses a problem on a random split of the data for each seed."""
    for name in sizes:
        if name not in SIZES:
            raise TypeError(
                f"compare got an unexpected argument {name!r}: it takes "
                f"{', '.join(SIZES)}."
            )
    # All estimators share one split: one that takes a selection set has it carved.
    chosen = sorted(estimators.values(), key=takes_selection_set)[-1]
    return partial(_pose, X, y, chosen, sizes)


def _pose(X: Any, y: Any, estimator: Any, sizes: dict[str, Any], seed: int) -> Problem:
    return Problem.from_data(X, y, estimator, **sizes, random_state=seed)


def _with_dropout(task: Task, estimators: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task's estimators with dropout, but for those that are not its own."""
    return {
        name: model
        for name, model in task.posterior_estimators.items()
        if estimators.get(name) is task.estimators[name]
    }


def _check_named(named: Any, what: str, kind: HasMethods) -> None:
    """Refuse what is no dict of names and objects that can be used."""
    if not isinstance(named, Mapping) or not named:
        raise ValueError(
            f"{what} must be a dict that names at least one: got {named!r}."
        )
    for name, one in named.items():
        if not isinstance(name, str):
            raise ValueError(f"{what} must be named by texts: got {name!r}.")
        if not kind.is_satisfied_by(one) or isinstance(one, type):
            raise ValueError(f"{what}[{name!r}] must be {kind}: got {one!r}.")


def _first(strategies: Mapping[str, Any], kind: type) -> str | None:
    return next((n for n, one in strategies.items() if isinstance(one, kind)), None)


def _check_study(study: StudySpec) -> None:
    """Refuse what cannot run, before anything is trained."""
    for role in ("baseline", "oracle"):
        if getattr(study, role) is not None:
            check_known(getattr(study, role), study.strategies, "strategy")
    for one in (*study.estimators.values(), *study.strategies.values()):
        if hasattr(one, "_parameter_constraints"):
            one._validate_params()
    _check_sets(study)
    n = len(study.seeds)
    if n < ENOUGH_SEEDS:
        warnings.warn(
            f"A comparison over {n} seed{'s' * (n > 1)} is too small to test for "
            f"differences: give {ENOUGH_SEEDS} seeds or more.",
            stacklevel=3,
        )


def _check_sets(study: StudySpec) -> None:
    """Refuse pairings that lack a method or a data set."""
    problem = study.splits.example
    for name, strategy in study.strategies.items():
        for estimator in study.estimators:
            model = study.model_of(estimator, name)
            check_runnable(replace(problem, estimator=model), strategy)
        if isinstance(strategy, FixedOrder):
            _check_order(study, name, strategy)
        if not strategy_peeks(strategy):
            # A strategy that peeks may search in `fit`: not before all is checked.
            with single_threaded():
                fit_inner(strategy, problem.X_pool, problem, stream(0))


def _check_order(study: StudySpec, name: str, strategy: FixedOrder) -> None:
    if study.splits.vary:
        raise ValueError(
            f"The order of {name!r} belongs to one pool, and each seed has a split of "
            "its own: compare on one Problem, as Problem.from_sets returns it."
        )
    study.problem.whole_order(strategy.order, f"The order of {name!r}")


def _gather(study: StudySpec, runs: Mapping[Cell, Run]) -> Comparison:
    """Put runs into arrays, those of one baseline and seed as their mean."""
    grouped: dict[tuple[str, str, int], list[Run]] = {}
    for cell, run in runs.items():
        grouped.setdefault(cell[:3], []).append(run)
    keys = [
        (estimator, strategy, seed)
        for estimator in study.estimators
        for strategy in study.strategies
        for seed in study.seeds
    ]
    shape = len(study.estimators), len(study.strategies), len(study.seeds), -1
    curves, validation_curves = (
        np.array(
            [np.mean([getattr(r, name) for r in grouped[k]], axis=0) for k in keys]
        ).reshape(shape)
        for name in ("curve", "validation_curve")
    )
    others = {key: grouped[key][0].other_curves for key in keys}
    return Comparison(
        **{part.name: getattr(study, part.name) for part in fields(study)},
        curves=curves,
        validation_curves=validation_curves,
        orders={key: np.array([run.order for run in grouped[key]]) for key in keys},
        baseline_curves=_of_baseline(study, grouped),
        other_seeds={key: found for key, found in others.items() if found.size},
    )


def _of_baseline(
    study: StudySpec, grouped: Mapping[tuple[str, str, int], list[Run]]
) -> Any:
    """Return the curves of each order of the baseline; None where there is none."""
    if study.baseline is None:
        return None
    return np.array(
        [
            [
                [run.curve for run in grouped[estimator, study.baseline, seed]]
                for seed in study.seeds
            ]
            for estimator in study.estimators
        ]
    )


def _warn_of_chance(study: StudySpec, runs: Mapping[Cell, Run]) -> None:
    """Warn of strategies with models that have learned nothing in the end."""
    for estimator in study.estimators:
        for strategy in study.strategies:
            of_pair = [r for c, r in runs.items() if c[:2] == (estimator, strategy)]
            score = float(np.mean([run.curve[-1] for run in of_pair]))
            chance = float(np.mean([run.chance for run in of_pair]))
            if score <= chance:
                plain = study.estimators[estimator]
                model = study.model_of(estimator, strategy)
                of = "" if model is plain else " Its model is the posterior estimator."
                warnings.warn(
                    f"{strategy} with {estimator} ends at chance: its last test score "
                    f"is {score:.3f}, and always answering the most frequent class "
                    f"has {chance:.3f}.{of} Train the model for longer, or label more "
                    "rows.",
                    stacklevel=3,
                )


def _warn_of_repeats(found: Comparison) -> None:
    """Warn of strategies with seeds that do not differ."""
    names = [
        f"{strategy} with {estimator}"
        for strategy in found.strategies
        for estimator, repeats in zip(
            found.estimators, found.repeats(strategy), strict=True
        )
        if repeats
    ]
    if names:
        warnings.warn(
            f"Seeds do not differ for {', '.join(names)}: nothing there draws random "
            f"numbers, and all {len(found.seeds)} seeds share one split. Give compare "
            "the whole X and y, so that each seed splits the data anew.",
            stacklevel=3,
        )
