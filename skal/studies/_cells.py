"""The cells of a study: learners that run side by side, on the same data sets."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from time import perf_counter
from typing import Any

from sklearn.base import BaseEstimator, clone
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils.parallel import Parallel, delayed

from skal.learner import ActiveLearner
from skal.problem import Problem
from skal.studies._store import Run, Store
from skal.utils._costs import cell_costs


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
    learners: Mapping[Any, ActiveLearner],
    problem: Problem,
    *,
    n_jobs: int | None,
    store: Store | None,
    callbacks: Iterable[Any],
) -> dict[Any, Run]:
    """Run each learner, but for those that a store knows.

    Parameters
    ----------
    learners : mapping of NamedTuple to ActiveLearner
        Under the names of their cells.
    problem : Problem
    n_jobs : int or None
        Cells that run side by side.
    store : Store or None
        Where each cell is written down as soon as it is done.
    callbacks : iterable of callback
        What shows the progress.

    Returns
    -------
    dict of NamedTuple to Run
        In the order of `learners`.
    """
    known = store.runs if store is not None else {}
    study = Study(n_jobs).set_callbacks(*callbacks)
    runs = known | study.fit(learners, problem, known, store).runs_
    return {key: runs[key] for key in learners}


class Study(CallbackSupportMixin, BaseEstimator):
    """All cells as an estimator, since only those carry scikit-learn's callbacks."""

    def __init__(self, n_jobs=None):
        self.n_jobs = n_jobs

    @with_callbacks
    def fit(self, learners, problem, known, store):
        context = self._init_callback_context(
            task_name="cells", max_subtasks=len(learners), sequential_subtasks=False
        )
        costs = {"costs": cell_costs(learners, problem)}
        context.call_on_fit_task_begin(estimator=self, metadata=costs)
        tasks = {
            key: context.subcontext(task_name=str(key), task_id=i)
            for i, key in enumerate(learners)
        }
        # A context is pickled with all that stand beside it, unless they are let go.
        context._children_map.clear()
        self._pass_over([tasks[key] for key in learners if key in known])
        sets = {**problem.sets, **problem.fit_params}
        # One at a time, so that each is written down as soon as it is done.
        runs = Parallel(self.n_jobs, return_as="generator_unordered", batch_size=1)(
            delayed(_run)(self, key, learner, tasks[key], sets)
            for key, learner in learners.items()
            if key not in known
        )
        found = {}
        with closing(runs):
            for key, run in runs:
                found[key] = run
                if store is not None:
                    store.keep(key, run)
        self.runs_ = found
        context.call_on_fit_task_end(estimator=self)
        return self

    def _pass_over(self, tasks):
        """Show the cells that were done before as done."""
        for task in tasks:
            task.call_on_fit_task_begin(estimator=self)
            task.call_on_fit_task_end(estimator=self)


def _run(study, key, learner, task, sets):
    # A clone, so that what was fitted is let go.
    learner, begin = clone(learner), perf_counter()
    with task.propagate_callback_context(learner), _whole_or_not_at_all():
        task.call_on_fit_task_begin(estimator=study)
        learner.fit(**sets)
    report = {"quality": learner.quality_}
    task.call_on_fit_task_end(estimator=study, metadata=report)
    curves = learner.curve_, learner.validation_curve_
    seconds = round(perf_counter() - begin, 3)
    return key, Run(*curves, learner.order_, seconds, learner.n_trainings_)


@contextmanager
def _whole_or_not_at_all() -> Iterator[None]:
    """Let Ctrl-C end the study: a search would end early, and count as a whole one."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "The search was interrupted")
        # It was said when the problem was posed.
        warnings.filterwarnings("ignore", r"\d+ rounds of batch_size=")
        try:
            yield
        except UserWarning as error:
            if "search was interrupted" not in str(error):
                raise
            raise KeyboardInterrupt from None
