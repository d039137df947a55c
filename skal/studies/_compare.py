"""Comparison of strategies: strategies x seeds x estimators, on one problem."""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import check_scalar

from skal.learner import ActiveLearner
from skal.loop import check_runnable
from skal.oracle._base import BaseOracle
from skal.problem import Problem
from skal.seeding import MAX_SEED, Stream, as_seed, stream
from skal.strategies import FixedOrder, Random
from skal.strategies._base import fit_inner
from skal.studies._cells import learner_of, run_cells
from skal.studies._comparison import Comparison, check_known, samples_posterior
from skal.studies._seeds import as_seeds
from skal.studies._store import Run, Store, describe_study
from skal.studies._tasks import Task
from skal.training import single_threaded
from skal.utils._validation import Predicts

# With fewer seeds, no test can tell a difference from luck.
ENOUGH_SEEDS = 5


class Cell(NamedTuple):
    """One run of a comparison. `number` counts the orders of the baseline."""

    estimator: str
    strategy: str
    seed: int
    number: int

    def __str__(self) -> str:
        order = f", order {self.number}" if self.number else ""
        return f"{self.estimator} {self.strategy} {self.seed}{order}"


def compare(
    problem: Problem | Task,
    strategies: Mapping[str, Any] | None = None,
    *,
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
) -> Comparison:
    """Compare strategies, an oracle among them, over several seeds and estimators.

    The data sets are those of the problem in every run, and a seed is the xi of all its
    trainings. What differs between two seeds is luck of the training alone.

    Parameters
    ----------
    problem : Problem or Task
        As `Problem.from_sets` or `load_task` returns it.
    strategies : dict of str to strategy, default=None
        What is compared, by name; by default those of the task.
    estimators : dict of str to estimator, default=None
        What is trained, by name; by default those of the task, or that of the problem,
        under the name of its class.
    seeds : int or iterable of int, default=5
        An int counts from zero. Below five, there is a warning: nothing can be tested.
    n_orders : int, default=10
        Random orders of the baseline for each seed, which count as their mean. The
        paper takes 100.
    baseline, oracle : str, default=None
        The names of the random baseline and of the oracle among `strategies`; by
        default the first `Random`, and the first oracle.
    posterior_estimators : dict of str to estimator, default=None
        What takes the place of the estimator of the same name where a strategy samples
        its posterior, as `BALD` does: a net with dropout. By default those of the task.
    include_warm_start : bool, default=False
        Average curves over k = 0..K, as the published tables do, and not over k = 1..K.
    n_jobs : int or None, default=None
        Runs side by side. It does not change the result. Where there are few and long
        ones, give the oracle an `n_jobs` instead.
    path : str or path-like, default=None
        A folder to keep the study in. Each run is written down when it is done, as a
        line of JSON, and an oracle without a `journal` is given one there. Killed and
        called again, the study goes on where it was, to the same table; called with
        more seeds, orders, strategies or estimators, it runs what is new.
    callbacks : iterable of callback, default=()
        What shows the progress, such as `skal.utils.progress.ProgressBar()`.

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

    See Also
    --------
    seed_transfer, model_transfer : Follow the orders that were found again.

    References
    ----------
    Zhou et al., AISTATS 2021, section 6.1, Table 2 and appendix D.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skal import AnnealingOracle, Margin, Problem, Random, compare, split
    >>> sets = split(*load_iris(return_X_y=True), warm_size=6, random_state=0)
    >>> problem = Problem.from_sets(sets, DecisionTreeClassifier(), batch_size=2,
    ...                             n_rounds=4)
    >>> strategies = {"random": Random(), "margin": Margin(),
    ...               "oracle": AnnealingOracle(n_steps=50)}
    >>> comparison = compare(problem, strategies, seeds=5, n_orders=2)
    >>> comparison.curves.shape  # estimators, strategies, seeds, k = 0..K
    (1, 3, 5, 5)
    >>> comparison.oracle_gains().gains.shape  # over random, and the best heuristic
    (1, 2, 5)
    """
    problem, strategies, estimators, posterior_estimators = _unpack(
        problem, strategies, estimators, posterior_estimators
    )
    study = Comparison(
        problem,
        dict(estimators),
        dict(strategies),
        as_seeds(seeds),
        *(np.empty(0), np.empty(0), {}),
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
    learners = {cell: _learner(study, cell, store) for cell in _cells(study, n_orders)}
    runs = run_cells(learners, problem, n_jobs=n_jobs, store=store, callbacks=callbacks)
    return _gather(study, runs)


def _unpack(
    problem: Any, strategies: Any, estimators: Any, posterior_estimators: Any
) -> tuple[Problem, Any, Any, dict[str, Any]]:
    """Fill in what is not given: of a task, or of a problem."""
    task = problem if isinstance(problem, Task) else None
    problem = problem if task is None else task.problem
    if not isinstance(problem, Problem):
        raise ValueError(
            "problem must be a Problem, as Problem.from_sets returns it, or a Task; "
            f"got {problem!r}."
        )
    if task is not None:
        strategies = task.strategies if strategies is None else strategies
        estimators = task.estimators if estimators is None else estimators
    if estimators is None:
        estimators = {type(problem.estimator).__name__: problem.estimator}
    _check_named(estimators, "estimators", Predicts())
    _check_named(strategies, "strategies", HasMethods(["fit", "select"]))
    if posterior_estimators is None:
        posterior_estimators = {} if task is None else _with_dropout(task, estimators)
    if posterior_estimators:
        _check_named(posterior_estimators, "posterior_estimators", Predicts())
    for name in posterior_estimators:
        check_known(name, estimators, "estimator")
    return problem, strategies, estimators, dict(posterior_estimators)


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


def _check_study(study: Comparison) -> None:
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


def _check_sets(study: Comparison) -> None:
    """Refuse pairings that lack a method or a data set."""
    for name, strategy in study.strategies.items():
        for estimator in study.estimators:
            model = _model(study, estimator, strategy)
            check_runnable(replace(study.problem, estimator=model), strategy)
        if isinstance(strategy, FixedOrder):
            study.problem.whole_order(strategy.order, f"The order of {name!r}")
        if not getattr(strategy, "peeks", False):
            # What peeks may search: this is to be before any search.
            with single_threaded():
                fit_inner(strategy, study.problem.X_pool, study.problem, stream(0))


def _model(study: Comparison, estimator: str, strategy: Any) -> Any:
    """Return what is trained under a strategy, which may need posterior samples."""
    plain = study.estimators[estimator]
    if not samples_posterior(strategy):
        return plain
    return study.posterior_estimators.get(estimator, plain)


def _cells(study: Comparison, n_orders: int) -> list[Cell]:
    """Name the runs, seed by seed: every seed is a whole table."""
    repeated = study.baseline is not None and "random_state" in (
        study.strategies[study.baseline].get_params()
    )
    return [
        Cell(estimator, strategy, seed, number)
        for seed in study.seeds
        for estimator in study.estimators
        for strategy in study.strategies
        for number in range(n_orders if strategy == study.baseline and repeated else 1)
    ]


def _learner(study: Comparison, cell: Cell, store: Store | None) -> ActiveLearner:
    strategy = clone(study.strategies[cell.strategy])
    if cell.number > 0:
        strategy.set_params(random_state=_order_seed(strategy, cell))
    if store is not None:
        unset = [
            name
            for name, value in strategy.get_params().items()
            if value is None and name.rpartition("__")[2] == "journal"
        ]
        path = store.journal_path(cell, strategy) if unset else None
        for name in unset:
            strategy.set_params(**{name: path})
    model = _model(study, cell.estimator, strategy)
    return learner_of(study.problem, model, strategy, cell.seed)


def _order_seed(strategy: Any, cell: Cell) -> int:
    """Return the seed of a further random order; the first is that of any run."""
    own = strategy.random_state
    seed = cell.seed if own is None else as_seed(own)
    return int(stream(seed, Stream.STRATEGY, cell.number).integers(MAX_SEED))


def _gather(study: Comparison, runs: Mapping[Cell, Run]) -> Comparison:
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
    orders = {key: np.array([run.order for run in grouped[key]]) for key in keys}
    return replace(
        study,
        curves=curves,
        validation_curves=validation_curves,
        orders=orders,
        baseline_curves=_of_baseline(study, grouped),
    )


def _of_baseline(
    study: Comparison, grouped: Mapping[tuple[str, str, int], list[Run]]
) -> Any:
    """Return the test curves of each order of the baseline; None without one."""
    if study.baseline is None:
        return None
    return np.array(
        [
            [[r.curve for r in grouped[name, study.baseline, s]] for s in study.seeds]
            for name in study.estimators
        ]
    )
