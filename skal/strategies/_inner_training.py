"""Trainings inside a strategy: on the labelled rows, as a learner would train."""

from dataclasses import replace

import numpy as np

from skal._threads import single_threaded
from skal.answers._fixed_classes import class_list
from skal.inputs._containers import n_rows, take
from skal.inputs._targets import check_targets, target_of
from skal.problem import Problem
from skal.training import Trainer, row_priority


class InnerTraining:
    """Trains an estimator on rows that are labelled, as a learner would.

    Parameters
    ----------
    estimator : estimator
        The unfitted estimator.
    problem : Problem or None
        The problem of the run, as far as the strategy may see it; None without a
        learner.
    seed : int
        The seed of the trainings without a problem.
    n_pool : int
        Number of rows in the pool.

    Attributes
    ----------
    problem : Problem or None
        The problem without its pool, for this estimator.
    n_trainings : int
        Number of trainings so far.
    """

    def __init__(self, estimator, problem, seed, n_pool):
        self.estimator, self.seed, self.n_pool = estimator, seed, n_pool
        self.problem, self.n_trainings = None, 0
        if problem is not None:
            # The arguments of `fit` are meant for all rows of the learner.
            self.problem = replace(
                problem.for_selection(),
                estimator=estimator,
                fit_params={},
                X_pool=None,
                scorer=None,
            )

    def train(self, labelled):
        """Return the model trained on labelled rows.

        Parameters
        ----------
        labelled : Labelled
            The rows and labels, and their positions in the pool.

        Returns
        -------
        fitted estimator
            Its predictions cover the class list of the run.
        """
        self.n_trainings += 1
        trainer = Trainer(self._problem_of(labelled))
        trainer.priority = self._priority(np.asarray(labelled.positions))
        with single_threaded():
            return trainer.train(np.arange(n_rows(labelled.X)))

    def _problem_of(self, labelled):
        """Return a problem whose pool is the labelled rows, without a warm start."""
        target, no_rows = target_of(self.estimator, labelled.y), np.arange(0)
        y = check_targets(labelled.y, "labelled.y", target)
        sets = {
            "X_pool": labelled.X,
            "y_pool": y,
            "X_warm": take(labelled.X, no_rows),
            "y_warm": take(y, no_rows),
            "pool_rows": np.arange(n_rows(labelled.X)),
        }
        if self.problem is not None:
            return replace(self.problem, **sets)
        return Problem(
            **sets,
            classes=class_list([y]) if target.has_classes else no_rows,
            target=target,
            estimator=self.estimator,
            scorer=None,
            batch_size=1,
            n_rounds=1,
            seed=self.seed,
        )

    def _priority(self, positions):
        """Return the priorities of the rows in the learner's canonical order.

        `positions` has shape (n_labelled,), with -1 for the warm start.
        """
        is_warm = positions < 0
        n_warm = int(is_warm.sum())
        rows = n_warm + positions
        rows[is_warm] = np.arange(n_warm)
        seed = self.seed if self.problem is None else self.problem.seed
        return row_priority(seed, n_warm + self.n_pool)[rows]
