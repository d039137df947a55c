"""The cells of a study: learners that run side by side."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils.parallel import Parallel, delayed

from skal._costs import cell_costs
from skal._workers import renew_workers
from skal.learner import ActiveLearner
from skal.problem import Problem
from skal.strategies import FixedOrder
from skal.studies._spec import Splits
from skal.studies.running._chance import chance_score
from skal.studies.running._repeats import for_every_seed
from skal.studies.running._store import Run, Store


class Job(NamedTuple):
    """The run of one cell.

    Parameters
    ----------
    learner : ActiveLearner
        Not fitted.
    followers : tuple of NamedTuple, default=()
        Cells of other seeds, with runs that may be the same as this one. They are not
        run if they are: see `EverySeed`.
    other_seeds : tuple of int, default=()
        Seeds of training under which the order that is found is followed again.
    """

    learner: ActiveLearner
    followers: tuple[Any, ...] = ()
    other_seeds: tuple[int, ...] = ()


def learner_of(
    problem: Problem, estimator: Any, strategy: Any, seed: int
) -> ActiveLearner:
    """Return a learner for a problem, that carves nothing; fit it on `problem.sets`."""
    return ActiveLearner(
        estimator,
        strategy,
        batch_size=problem.batch_size,
        n_rounds=problem.n_rounds,
        scoring=problem.scorer,
        random_state=seed,
        **dict.fromkeys(("warm_size", "select_size", "val_size", "test_size"), 0),
    )


def run_cells(
    jobs: Mapping[Any, Job],
    splits: Splits,
    *,
    n_jobs: int | None,
    store: Store | None,
    callbacks: Iterable[Any],
) -> dict[Any, Run]:
    """Run each job, but for those that a store knows.

    Parameters
    ----------
    jobs : mapping of NamedTuple to Job
        Under the names of their cells, each with a `seed`.
    splits : Splits
        The problem of each seed.
    n_jobs : int or None
        Cells that run side by side.
    store : Store or None
        Where each cell is written down as soon as it is done.
    callbacks : iterable of callback
        Shown the progress.

    Returns
    -------
    dict of NamedTuple to Run
        In the order of `jobs`.
    """
    known = store.runs if store is not None else {}
    study = Study(n_jobs).set_callbacks(*callbacks)
    runs = known | study.fit(jobs, splits, known, store).runs_
    return {key: runs[key] for key in jobs}


class Study(CallbackSupportMixin, BaseEstimator):
    """All cells as an estimator, since only estimators carry scikit-learn's callbacks.

    Parameters
    ----------
    n_jobs : int or None, default=None
    """

    def __init__(self, n_jobs=None):
        self.n_jobs = n_jobs

    @with_callbacks
    def fit(self, jobs, splits, known, store):
        """Run the jobs that are not known; `runs_` has their runs.

        Parameters
        ----------
        jobs, splits, store
            As in `run_cells`.
        known : mapping of NamedTuple to Run

        Returns
        -------
        self : Study
        """
        context = self._init_callback_context(
            task_name="cells", max_subtasks=len(jobs), sequential_subtasks=False
        )
        learners = {key: job.learner for key, job in jobs.items()}
        costs = {"costs": cell_costs(learners, splits.example)}
        context.call_on_fit_task_begin(estimator=self, metadata=costs)
        self._tasks = {
            key: context.subcontext(task_name=str(key), task_id=i)
            for i, key in enumerate(jobs)
        }
        # A pickled context takes all of its siblings along, unless they are let go.
        context._children_map.clear()
        self._pass_over(key for key in jobs if key in known)
        self.runs_ = {}
        pending = {key: job for key, job in jobs.items() if key not in known}
        waiting = {key for job in pending.values() for key in job.followers}
        self._run(pending, pending.keys() - waiting, splits, store)
        self._run(pending, waiting - self.runs_.keys(), splits, store)
        del self._tasks
        context.call_on_fit_task_end(estimator=self)
        return self

    def _run(self, jobs, chosen, splits, store):
        """Run the chosen jobs side by side, and keep each run as soon as it is done."""
        renew_workers(*(jobs[key].learner for key in jobs if key in chosen))
        runs = Parallel(self.n_jobs, return_as="generator_unordered", batch_size=1)(
            delayed(_run_job)(
                self,
                key,
                _asking(job, jobs),
                self._tasks[key],
                splits.problem_of(key.seed),
            )
            for key, job in jobs.items()
            if key in chosen
        )
        with closing(runs):
            for key, run, agrees in runs:
                self._keep(key, run, store)
                for follower in jobs[key].followers if agrees else ():
                    self._keep(follower, run._replace(seconds=0.0), store)
                    self._pass_over([follower])

    def _keep(self, key, run, store):
        self.runs_[key] = run
        if store is not None:
            store.keep(key, run)

    def _pass_over(self, keys):
        """Show cells that need no run as done."""
        for key in keys:
            self._tasks[key].call_on_fit_task_begin(estimator=self)
            self._tasks[key].call_on_fit_task_end(estimator=self)

    def __getstate__(self):
        # Workers need the study for its callbacks alone, and both of these change while
        # it is sent to them.
        state = super().__getstate__()
        return {k: v for k, v in state.items() if k not in ("_tasks", "runs_")}


def _asking(job, jobs):
    """Return a job that finds out whether the runs of its followers are the same."""
    if not job.followers:
        return job
    others = [(one.seed, jobs[one].learner.strategy) for one in job.followers]
    strategy = for_every_seed(job.learner.strategy, others)
    return job._replace(learner=clone(job.learner).set_params(strategy=strategy))


def _run_job(study, key, job, task, problem):
    """Return the cell, its run, and whether its followers are known to be the same."""
    # A clone, so that everything fitted is let go.
    learner, begin = clone(job.learner), perf_counter()
    sets = {**problem.sets, **problem.fit_params}
    with task.propagate_callback_context(learner), _whole_or_not_at_all():
        task.call_on_fit_task_begin(estimator=study)
        learner.fit(**sets)
        # Of the job's learner: this one has callbacks.
        follow = partial(_follow, job.learner, learner.order_, sets)
        others = [follow(seed) for seed in job.other_seeds]
    report = {"quality": learner.quality_}
    task.call_on_fit_task_end(estimator=study, metadata=report)
    run = Run(
        learner.curve_,
        learner.validation_curve_,
        problem.pool_rows[learner.order_],
        seconds=round(perf_counter() - begin, 3),
        n_trainings=learner.n_trainings_,
        chance=chance_score(problem),
        other_curves=np.array(others),
    )
    return key, run, getattr(learner.strategy_, "agrees_", False)


def _follow(learner, order, sets, seed):
    """Return the curve of an order under another seed of training."""
    again = clone(learner).set_params(strategy=FixedOrder(order), random_state=seed)
    return again.fit(**sets).curve_


@contextmanager
def _whole_or_not_at_all() -> Iterator[None]:
    """Let Ctrl-C end the study: a search would end early, and count as a whole one."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "The search was interrupted")
        # Said once, when the problem was posed.
        warnings.filterwarnings("ignore", r"\d+ rounds of batch_size=")
        try:
            yield
        except UserWarning as error:
            if "search was interrupted" not in str(error):
                raise
            raise KeyboardInterrupt from None
