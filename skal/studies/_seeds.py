"""Runs repeated over seeds, and an order followed under several of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.callback import (
    AutoPropagatedCallback,
    CallbackSupportMixin,
    with_callbacks,
)
from sklearn.utils.parallel import Parallel, delayed

from skal._workers import renew_workers
from skal.learner import ActiveLearner
from skal.strategies import FixedOrder
from skal.studies._tables import lay_out


@dataclass(frozen=True)
class SeedResults:
    """The runs of one learner, one per seed.

    Parameters
    ----------
    seeds : tuple of int
    learners : tuple of ActiveLearner
        The fitted learners, one per seed.
    """

    seeds: tuple[int, ...]
    learners: tuple[ActiveLearner, ...]

    @property
    def curves(self) -> NDArray[np.float64]:
        """Performance curves on test, shape (n_seeds, n_rounds + 1)."""
        return np.array([learner.curve_ for learner in self.learners])

    @property
    def qualities(self) -> NDArray[np.float64]:
        """xi-quality on test of each seed, shape (n_seeds,)."""
        return np.array([learner.quality_ for learner in self.learners])

    @property
    def mean(self) -> float:
        """Mean xi-quality over seeds."""
        return float(self.qualities.mean())

    @property
    def spread(self) -> float:
        """Standard deviation of the xi-quality over seeds; NaN for a single one."""
        return float(self.qualities.std(ddof=1)) if len(self.seeds) > 1 else np.nan

    def table(self) -> dict[str, NDArray]:
        """Return one row per seed, as columns; `pandas.DataFrame` takes it.

        Returns
        -------
        dict of str to ndarray of shape (n_seeds,)
            "seed", "quality" (on test), "validation_quality" (where there is a
            validation set), "final_score" and "n_trainings".
        """
        learners = self.learners
        columns = {"seed": np.array(self.seeds), "quality": self.qualities}
        validation = np.array([one.validation_quality_ for one in learners])
        if not np.isnan(validation).all():
            columns["validation_quality"] = validation
        columns["final_score"] = self.curves[:, -1]
        columns["n_trainings"] = np.array([one.n_trainings_ for one in learners])
        return columns

    def __str__(self) -> str:
        summary = f"mean {self.mean:.4f}"
        if len(self.seeds) > 1:
            summary += f", standard deviation {self.spread:.4f}"
        return f"{lay_out(self.table())}\n{summary}"


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

    A seed replaces the learner's `random_state`: it carves the sets that are not
    given, and is the xi of all trainings. Give the sets (`skal.split`) to vary xi
    alone.

    Parameters
    ----------
    learner : ActiveLearner
        It is cloned for each seed. Callbacks set on it show the progress of the loop.
    X, y : rows and labels
        As in `ActiveLearner.fit`.
    seeds : int or iterable of int, default=5
        An int counts from zero.
    n_jobs : int or None, default=None
        Seeds that run side by side. It does not change the result.
    **fit_params : dict
        Passed to `ActiveLearner.fit`.

    Returns
    -------
    SeedResults

    Raises
    ------
    ValueError
        If there are no seeds, or one is repeated.

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
    seeds = as_seeds(seeds)
    loop = SeedLoop(learner, seeds, n_jobs)
    callbacks = getattr(learner, "_skl_callbacks", [])
    shared = [c for c in callbacks if isinstance(c, AutoPropagatedCallback)]
    own = [c for c in callbacks if c not in shared]
    loop.learner = clone(learner).set_callbacks(*own)
    return loop.set_callbacks(*shared).fit(X, y, fit_params).results_


def as_seeds(seeds: int | Iterable[int]) -> tuple[int, ...]:
    """Return the seeds of a loop; an int counts from zero.

    Raises
    ------
    ValueError
        If there are none, or one is repeated or no integer from zero.
    """
    is_count = isinstance(seeds, int | np.integer)
    if not is_count and not isinstance(seeds, Iterable):
        raise ValueError(f"seeds must be an integer, or several; got {seeds!r}.")
    found = tuple(range(seeds)) if is_count else tuple(seeds)  # type: ignore
    if not found or len(set(found)) < len(found):
        raise ValueError(f"seeds must be distinct and at least one; got {found}.")
    wrong = [s for s in found if not isinstance(s, int | np.integer) or s < 0]
    if wrong:
        raise ValueError(f"seeds must be integers from zero; got {wrong[0]!r}.")
    return tuple(map(int, found))


class SeedLoop(CallbackSupportMixin, BaseEstimator):
    """The loop as an estimator, since only those carry scikit-learn's callbacks."""

    def __init__(self, learner, seeds, n_jobs):
        self.learner = learner
        self.seeds = seeds
        self.n_jobs = n_jobs

    @with_callbacks
    def fit(self, X, y, fit_params):
        context = self._init_callback_context(
            task_name="seeds", max_subtasks=len(self.seeds), sequential_subtasks=False
        ).call_on_fit_task_begin(estimator=self)
        # Made before the parallel loop: a context must not change while it is pickled.
        tasks = [
            context.subcontext(task_name=f"seed {seed}", task_id=i)
            for i, seed in enumerate(self.seeds)
        ]
        renew_workers(self.learner)
        learners = Parallel(n_jobs=self.n_jobs)(
            delayed(_fit_one)(self, clone(self.learner), seed, task, X, y, fit_params)
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
    """Follow a labelling order under several seeds.

    An oracle's order was found with one seed and one validation set, and fits what is
    particular to both. How much worse it is with other seeds tells how much of its
    quality was luck of the seed. Luck of the validation set is how much more it gains
    over random orders there than on test: see `skal.curves.optimism`.

    Parameters
    ----------
    order : array-like of int
        Rows of `X`, such as an `ActiveLearner`'s `order_`.
    learner : ActiveLearner
        With the estimator to be trained; its strategy and seed are not used.
    X, y : rows and labels
        The pool that the order is of.
    seeds : int or iterable of int, default=5
        What takes the place of xi. An int counts from zero.
    n_jobs : int or None, default=None
        Seeds that run side by side. It does not change the result.
    **fit_params : dict
        Passed to `ActiveLearner.fit`: the sets, which have to be given, and whatever
        the estimator's `fit` takes.

    Returns
    -------
    SeedResults
        Also printed as a table: the quality of each seed on test and on validation.

    Raises
    ------
    ValueError
        If a set is not given, or the order does not suit the pool.

    See Also
    --------
    FixedOrder : The strategy that follows an order.
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
    replay = clone(learner).set_params(strategy=FixedOrder(order))
    missing = [
        f"X_{name}"
        for name, size in replay.carved_sizes().items()
        if size != 0 and fit_params.get(f"X_{name}") is None
    ]
    if missing:
        raise ValueError(
            f"{', '.join(missing)} would be carved out of X anew for each seed, and an "
            "order belongs to one pool: give the sets, as skal.split returns them."
        )
    return run_seeds(replay, X, y, seeds=seeds, n_jobs=n_jobs, **fit_params)
