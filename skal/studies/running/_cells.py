"""The cells of a study: learners that run in parallel."""

from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator, clone
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils.parallel import Parallel, delayed

from skal._costs import cell_costs
from skal._threads import (
    interruptible,
    interrupts_end_the_study,
    restored_warnings,
    without_warnings,
)
from skal._workers import named_worker_deaths, renew_workers
from skal.learner import ActiveLearner
from skal.problem import Problem
from skal.strategies import FixedOrder
from skal.studies._spec import Splits
from skal.studies.running._chance import chance_score
from skal.studies.running._deadline import Deadline, TimeIsUp
from skal.studies.running._repeats import for_every_seed
from skal.studies.running._store import Run, Store, pending


class Job(NamedTuple):
    """A cell that is to be run.

    Parameters
    ----------
    learner : ActiveLearner
        The learner, not fitted.
    followers : tuple of NamedTuple, default=()
        Cells of other seeds that may give the same run. If they do, they are not run
        themselves: see `EverySeed`.
    other_seeds : tuple of int, default=()
        Training seeds under which the order is replayed.
    """

    learner: ActiveLearner
    followers: tuple[Any, ...] = ()
    other_seeds: tuple[int, ...] = ()


def learner_of(
    problem: Problem, estimator: Any, strategy: Any, seed: int
) -> ActiveLearner:
    """Return a learner that splits nothing off; fit it on `problem.sets`."""
    return ActiveLearner(
        estimator,
        strategy,
        batch_size=problem.batch_size,
        n_rounds=problem.n_rounds,
        scoring=problem.scorer,
        error_score="raise" if problem.error_score is None else problem.error_score,
        noise=problem.noise,
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
    deadline: Deadline | None = None,
) -> dict[Any, Run]:
    """Run all jobs whose runs are not in the store yet.

    Parameters
    ----------
    jobs : mapping of NamedTuple to Job
        Jobs by cell. Each cell has a `seed`.
    splits : Splits
        The problem of each seed.
    n_jobs : int or None
        Number of cells in parallel.
    store : Store or None
        Where each run is saved as soon as it is done.
    callbacks : iterable of callback
        Callbacks that show progress.
    deadline : Deadline or None, default=None
        When to stop. Runs that are not finished by then are left out.

    Returns
    -------
    dict of NamedTuple to Run
        In the order of `jobs`.
    """
    known = store.runs if store is not None else {}
    study = Study(n_jobs).set_callbacks(*callbacks, *([deadline] if deadline else []))
    with suppress(TimeIsUp):
        study.fit(jobs, splits, store)
    runs = known | getattr(study, "runs_", {})
    return {key: runs[key] for key in jobs if key in runs}


class Study(CallbackSupportMixin, BaseEstimator):
    """The loop over cells, as an estimator: only these support callbacks.

    Parameters
    ----------
    n_jobs : int or None, default=None
        Number of cells in parallel.

    Attributes
    ----------
    runs_ : dict of NamedTuple to Run
        The runs that were made.
    """

    def __init__(self, n_jobs=None):
        self.n_jobs = n_jobs

    @with_callbacks
    def fit(self, jobs, splits, store):
        """Run all jobs whose runs are not in the store yet.

        Parameters
        ----------
        jobs, splits, store
            As in `run_cells`.

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
        # Without this, pickling one context would also pickle all of its siblings.
        context._children_map.clear()
        todo = {key: jobs[key] for key in pending(store, jobs)}
        self._mark_done(key for key in jobs if key not in todo)
        # Run followers after the others: most of them turn out to be the same.
        self.runs_ = {}
        waiting = {key for job in todo.values() for key in job.followers}
        self._run(todo, todo.keys() - waiting, splits, store)
        self._run(todo, waiting - self.runs_.keys(), splits, store)
        del self._tasks
        context.call_on_fit_task_end(estimator=self)
        return self

    def _run(self, jobs, chosen, splits, store):
        """Run the chosen jobs in parallel, and save each run as soon as it is done."""
        if effective_n_jobs(self.n_jobs) > 1:
            renew_workers(*_distinct({key: jobs[key].learner for key in chosen}))
        calls = (
            delayed(_run_job)(
                self,
                key,
                _with_followers(job, jobs),
                self._tasks[key],
                splits.problem_of(key.seed),
            )
            for key, job in jobs.items()
            if key in chosen
        )
        parallel = Parallel(self.n_jobs, return_as="generator_unordered", batch_size=1)
        with (
            restored_warnings(),
            interruptible(),
            named_worker_deaths(),
            closing(parallel(calls)) as runs,
        ):
            for key, run, agrees in runs:
                self._keep(key, run, store)
                for follower in jobs[key].followers if agrees else ():
                    self._keep(follower, run._replace(seconds=0.0), store)
                    self._mark_done([follower])

    def _keep(self, key, run, store):
        self.runs_[key] = run
        if store is not None:
            store.keep(key, run)

    def _mark_done(self, keys):
        """Report cells that need no run as done to the callbacks."""
        for key in keys:
            self._tasks[key].call_on_fit_task_begin(estimator=self)
            self._tasks[key].call_on_fit_task_end(estimator=self)

    def __getstate__(self):
        # Workers only need the callbacks of the study. These two attributes change
        # while it is pickled.
        state = super().__getstate__()
        return {k: v for k, v in state.items() if k not in ("_tasks", "runs_")}


def _with_followers(job, jobs):
    """Return a job that also finds out whether its followers give the same run."""
    if not job.followers:
        return job
    others = [(one.seed, jobs[one].learner.strategy) for one in job.followers]
    strategy = for_every_seed(job.learner.strategy, others)
    return job._replace(learner=clone(job.learner).set_params(strategy=strategy))


def _distinct(learners):
    """Return the estimators, strategies and scorers of learners, each only once.

    The strategy of a cell is a clone, which differs between seeds in its seed alone.
    """
    objects = {}
    for key, learner in learners.items():
        objects[id(learner.estimator)] = learner.estimator
        objects[id(learner.scoring)] = learner.scoring
        objects[key.strategy] = learner.strategy
    return objects.values()


def _run_job(study, key, job, task, problem):
    """Return the cell, its run, and whether its followers give the same run."""
    # Fit a clone, so that the memory of the fitted models is freed afterwards.
    learner, begin = clone(job.learner), perf_counter()
    sets = {**problem.sets, **problem.fit_params}
    with (
        task.propagate_callback_context(learner),
        interrupts_end_the_study(),
        # This warning was already given when the problem was made.
        without_warnings(r"\d+ rounds of batch_size="),
    ):
        task.call_on_fit_task_begin(estimator=study)
        learner.fit(**sets)
        # Replay with the job's learner, which has no callbacks.
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
    """Return the curve of an order under another training seed."""
    again = clone(learner).set_params(strategy=FixedOrder(order), random_state=seed)
    return again.fit(**sets).curve_
