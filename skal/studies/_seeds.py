"""Runs of a learner, or replays of an order, under several seeds."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.callback import (
    AutoPropagatedCallback,
    CallbackSupportMixin,
    with_callbacks,
)
from sklearn.utils.parallel import Parallel, delayed

from skal._threads import interruptible, restored_warnings
from skal._workers import named_worker_deaths, renew_workers
from skal.learner import ActiveLearner
from skal.strategies import FixedOrder
from skal.studies._exports import Exports, Part
from skal.studies._tables import spell

# Far more than can be run: a larger number is a mistake, and would fill the memory.
MAX_RUNS = 10**6


@dataclass(frozen=True)
class SeedResults(Exports):
    """Runs of one learner, one per seed.

    Parameters
    ----------
    seeds : tuple of int
        The seeds.
    learners : tuple of ActiveLearner
        The fitted learners, one per seed.

    See Also
    --------
    run_seeds : Returns it.
    compare : Several strategies, with tests.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import ActiveLearner, Margin, run_seeds
    >>> learner = ActiveLearner(GaussianNB(), Margin(), batch_size=5, n_rounds=3)
    >>> results = run_seeds(learner, *load_iris(return_X_y=True), seeds=3)
    >>> results.curves.shape, results.qualities.shape
    ((3, 4), (3,))
    """

    seeds: tuple[int, ...]
    learners: tuple[ActiveLearner, ...]

    @property
    def curves(self) -> NDArray[np.float64]:
        """Performance curves on the test set, shape (n_seeds, n_rounds + 1)."""
        return np.array([learner.curve_ for learner in self.learners])

    @property
    def qualities(self) -> NDArray[np.float64]:
        """xi-quality of each seed on the test set, shape (n_seeds,)."""
        return np.array([learner.quality_ for learner in self.learners])

    @property
    def mean(self) -> float:
        """Mean xi-quality over seeds."""
        return float(self.qualities.mean())

    @property
    def spread(self) -> float:
        """Standard deviation of the xi-quality over seeds; NaN for a single seed."""
        return float(self.qualities.std(ddof=1)) if len(self.seeds) > 1 else np.nan

    def table(self) -> dict[str, NDArray]:
        """Return one row per seed, as columns.

        Returns
        -------
        dict of str to ndarray of shape (n_seeds,)
            "seed", "quality" (on test), "validation_quality" (if there is a validation
            set), "final_score" and "n_trainings". Pass it to `pandas.DataFrame`.
        """
        learners = self.learners
        columns = {"seed": np.array(self.seeds), "quality": self.qualities}
        validation = np.array([one.validation_quality_ for one in learners])
        if not np.isnan(validation).all():
            columns["validation_quality"] = validation
        columns["final_score"] = self.curves[:, -1]
        columns["n_trainings"] = np.array([one.n_trainings_ for one in learners])
        return columns

    def _notes(self) -> str:
        summary = f"mean {spell(self.mean)}"
        if len(self.seeds) > 1:
            summary += f", standard deviation {self.spread:.4f}"
        return summary

    def _parts(self) -> list[Part]:
        return [Part("", self._notes(), self.table())]


def run_seeds(
    learner: ActiveLearner,
    X: Any,
    y: Any,
    *,
    seeds: int | Iterable[int] = 5,
    n_jobs: int | None = None,
    **fit_params: Any,
) -> SeedResults:
    """Fit a learner once per seed.

    Each seed replaces the `random_state` of the learner: it determines how missing data
    sets are split off, and it seeds all trainings (it is their xi). To vary xi only,
    pass the data sets, as returned by `skal.split`.

    Parameters
    ----------
    learner : ActiveLearner
        The learner. It is cloned for each seed. Its callbacks show the progress over
        all seeds.
    X, y : rows and labels
        The data, as in `ActiveLearner.fit`.
    seeds : int or iterable of int, default=5
        The seeds; an int n stands for 0, ..., n - 1.
    n_jobs : int or None, default=None
        Number of seeds to run in parallel. It does not change the result.
    **fit_params : dict
        Passed to `ActiveLearner.fit`.

    Returns
    -------
    SeedResults
        The fitted learners, with their curves and qualities.

    Raises
    ------
    ValueError
        If there are no seeds, or a seed is invalid or repeated.

    See Also
    --------
    compare : Compare strategies over several seeds, with tests.
    evaluate_order : Replay one order under several seeds.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import ActiveLearner, Random, run_seeds
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(GaussianNB(), Random(), batch_size=5, n_rounds=4)
    >>> run_seeds(learner, X, y, seeds=3).curves.shape
    (3, 5)
    """
    _check_learner(learner)
    seeds = as_seeds(seeds)
    loop = SeedLoop(learner, seeds, n_jobs)
    callbacks = getattr(learner, "_skl_callbacks", [])
    shared = [c for c in callbacks if isinstance(c, AutoPropagatedCallback)]
    own = [c for c in callbacks if c not in shared]
    loop.learner = clone(learner).set_callbacks(*own)
    return loop.set_callbacks(*shared).fit(X, y, fit_params).results_


def _check_learner(learner: Any) -> None:
    if not isinstance(learner, ActiveLearner):
        raise TypeError(
            f"learner must be an ActiveLearner, got {type(learner).__name__}: give "
            "ActiveLearner(estimator, strategy)."
        )


def as_seeds(seeds: int | Iterable[int]) -> tuple[int, ...]:
    """Return seeds as a tuple.

    Parameters
    ----------
    seeds : int or iterable of int
        An int n stands for 0, ..., n - 1.

    Returns
    -------
    tuple of int

    Raises
    ------
    ValueError
        If there are no seeds, or one is repeated, negative or not an integer.
    """
    is_count = isinstance(seeds, int | np.integer) and not isinstance(seeds, bool)
    if is_count and seeds > MAX_RUNS:  # type: ignore[operator]
        raise ValueError(
            f"seeds must be at most {MAX_RUNS}, got {seeds}: give fewer seeds, or a "
            "list of them."
        )
    if not is_count and not isinstance(seeds, Iterable):
        raise ValueError(
            f"seeds must be an integer or an iterable of integers, got {seeds!r}."
        )
    found = tuple(range(seeds)) if is_count else tuple(seeds)  # type: ignore
    if not found or len(set(found)) < len(found):
        raise ValueError(f"seeds must be distinct and at least one, got {found}.")
    wrong = [s for s in found if not _is_seed(s)]
    if wrong:
        raise ValueError(f"seeds must be non-negative integers, got {wrong[0]!r}.")
    return tuple(map(int, found))


def _is_seed(seed: Any) -> bool:
    """Return whether a seed is a non-negative integer."""
    is_integer = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    return is_integer and seed >= 0


class SeedLoop(CallbackSupportMixin, BaseEstimator):
    """The loop over seeds, as an estimator: only these support callbacks."""

    def __init__(self, learner, seeds, n_jobs):
        self.learner = learner
        self.seeds = seeds
        self.n_jobs = n_jobs

    @with_callbacks
    def fit(self, X, y, fit_params):
        """Fit a clone of the learner for each seed."""
        context = self._init_callback_context(
            task_name="seeds", max_subtasks=len(self.seeds), sequential_subtasks=False
        ).call_on_fit_task_begin(estimator=self)
        # Make all contexts before the parallel loop: one must not change while it is
        # pickled.
        tasks = [
            context.subcontext(task_name=f"seed {seed}", task_id=i)
            for i, seed in enumerate(self.seeds)
        ]
        if effective_n_jobs(self.n_jobs) > 1:
            renew_workers(self.learner)
        with restored_warnings(), interruptible(), named_worker_deaths():
            learners = Parallel(n_jobs=self.n_jobs)(
                delayed(_fit_one)(
                    self, clone(self.learner), seed, task, X, y, fit_params
                )
                for seed, task in zip(self.seeds, tasks, strict=True)
            )
        self.results_ = SeedResults(self.seeds, tuple(learners))
        context.call_on_fit_task_end(estimator=self)
        return self


def _fit_one(loop, learner, seed, task, X, y, fit_params):
    learner.set_params(random_state=seed)
    with task.propagate_callback_context(learner):
        task.call_on_fit_task_begin(estimator=loop)
        learner.fit(X, y, **fit_params)
    task.call_on_fit_task_end(estimator=loop)
    return learner


def evaluate_order(
    order: ArrayLike,
    learner: ActiveLearner,
    X: Any,
    y: Any,
    *,
    seeds: int | Iterable[int] = 5,
    n_jobs: int | None = None,
    **fit_params: Any,
) -> SeedResults:
    """Replay a labelling order under several seeds.

    An oracle's order is found with one seed and one validation set, and overfits both.
    The drop in quality under other seeds shows how much of it was due to the seed. For
    the validation set, see `skal.curves.optimism`: it is the difference between the
    gains over random orders on validation and on test.

    Parameters
    ----------
    order : array-like of int of shape (n_acquired,)
        Rows of `X`, such as `order_` of an `ActiveLearner`.
    learner : ActiveLearner
        The learner with the estimator to train. Its strategy and seed are ignored.
    X, y : rows and labels
        The pool that the order belongs to.
    seeds : int or iterable of int, default=5
        The seeds of training (xi); an int n stands for 0, ..., n - 1.
    n_jobs : int or None, default=None
        Number of seeds to run in parallel. It does not change the result.
    **fit_params : dict
        Passed to `ActiveLearner.fit`: the data sets, which are required, and parameters
        of the estimator's `fit`.

    Returns
    -------
    SeedResults
        Prints as a table with the quality of each seed on test and on validation.

    Raises
    ------
    ValueError
        If a data set is missing, or the order does not fit the pool.

    See Also
    --------
    FixedOrder : The strategy that replays an order.
    seed_transfer : Replay all orders of a comparison under all of its seeds.
    skal.curves.optimism : How much of a gain on validation is lost on test.

    References
    ----------
    Zhou et al., AISTATS 2021, section 6.2 (seed transfer).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skal import ActiveLearner, AnnealingOracle, evaluate_order, split
    >>> sets = split(*load_iris(return_X_y=True), warm_size=6, random_state=0)
    >>> learner = ActiveLearner(DecisionTreeClassifier(), AnnealingOracle(n_steps=50),
    ...                         batch_size=2, n_rounds=4, random_state=0).fit(**sets)
    >>> others = evaluate_order(learner.order_, learner, **sets, seeds=[1, 2, 3])
    >>> bool(others.table()["validation_quality"].mean() < learner.validation_quality_)
    True
    """
    _check_learner(learner)
    replay = clone(learner).set_params(strategy=FixedOrder(order))
    missing = [
        f"X_{name}"
        for name, size in replay.carved_sizes().items()
        if size != 0 and fit_params.get(f"X_{name}") is None
    ]
    if missing:
        raise ValueError(
            f"{', '.join(missing)} would be split off X anew for each seed, but an "
            "order belongs to one pool: pass the data sets, as returned by skal.split."
        )
    return run_seeds(replay, X, y, seeds=seeds, n_jobs=n_jobs, **fit_params)
