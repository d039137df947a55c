"""Scores of models on held-out sets, also of models that could not be trained."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import FitFailedWarning

from skal._threads import single_threaded
from skal.answers._errors import explained
from skal.answers._labels import label_margins
from skal.answers._margins import margins_of, margins_without_model
from skal.inputs._containers import take
from skal.inputs._scoring import as_score
from skal.inputs._tags import all_labels, is_tags
from skal.inputs._targets import Target
from skal.lean._answers import SameRows
from skal.lean._scores import score_of
from skal.problem import Problem
from skal.training import Trainer

# The names of the held-out sets in messages.
SETS = {"val": "validation set", "test": "test set"}


class Judgement(NamedTuple):
    """The score of a model, and the margins of some of its answers.

    Parameters
    ----------
    score : float
        The score on a held-out set.
    margins : ndarray of shape (n_answers,), dtype float16, or None
        The margins of its answers to a sample of the held-out set, if there is one.
    has_failed : bool, default=False
        Whether the model could not be trained or scored, so that the score is the
        `error_score` of the problem.
    """

    score: float
    margins: NDArray[np.float16] | None = None
    has_failed: bool = False


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A held-out set and a scorer.

    Parameters
    ----------
    X, y : rows and labels, or None
        The held-out set.
    scorer : callable
        `scorer(model, X, y)` returns a float, higher is better.
    sample : ndarray of int, default=None
        Rows of the held-out set whose margins `judge` returns; None for no margins.
    name : str, default="val"
        Which set it is, "val" or "test".
    classes : ndarray or None, default=None
        The class list of the run; empty if targets are numbers, or several per row.
    error_score : float or None, default=None
        The score of a model that cannot be trained or scored; None to raise the error.
    target : Target, default=Target.CLASS
        The kind of target.
    """

    X: Any
    y: Any
    scorer: Any
    sample: NDArray[np.int64] | None = None
    name: str = "val"
    classes: NDArray | None = None
    error_score: float | None = None
    target: Target = Target.CLASS

    @classmethod
    def on(
        cls, problem: Problem, name: str, sample: NDArray[np.int64] | None = None
    ) -> "Evaluation":
        """Return the evaluation on a held-out set of a problem.

        Parameters
        ----------
        problem : Problem
            The problem.
        name : str
            The set, "val" or "test".
        sample : ndarray of int, default=None
            Rows of the set whose margins are computed too.

        Returns
        -------
        Evaluation
        """
        X, y = getattr(problem, f"X_{name}"), getattr(problem, f"y_{name}")
        return cls(
            *(X, y, problem.scorer, sample, name),
            *(problem.classes, problem.error_score, problem.target),
        )

    def score(self, model: Any) -> float:
        """Score a model, and check that the score is finite.

        Parameters
        ----------
        model : estimator or None
            The fitted model; None if no row is labelled yet.

        Returns
        -------
        float
            NaN without a model or without a held-out set.

        Raises
        ------
        ValueError
            If the scorer returns NaN or infinity.
        """
        if model is None or self.X is None:
            return float("nan")
        return self._score(model, self._asked(model))

    def _score(self, model: Any, asked: Any) -> float:
        """Score a model, whose answers a view of it finds once."""
        try:
            score = score_of(self.scorer, model, asked, self.X, self.y)
            return as_score(self.scorer, score)
        except Exception:
            with self._gaps_noted(), explained(model):
                raise

    def _asked(self, model: Any) -> Any:
        """Return a view of a model that answers about the held-out set once."""
        if is_tags(self.y):
            return model
        # Lean forms are of models with one target per row.
        return self._rows.asked(model, is_lean=not self.target.has_columns)

    @cached_property
    def _rows(self) -> SameRows:
        return SameRows(self.X, self.sample)

    def judge(self, model: Any) -> Judgement:
        """Score a model, and compute the margins of its answers to the sample.

        Parameters
        ----------
        model : estimator or None
            The fitted model; None if no row is labelled yet.

        Returns
        -------
        Judgement
        """
        if model is None or self.sample is None:
            return Judgement(self.score(model))
        asked = self._asked(model)
        score = self._score(model, asked)
        X, y = self.sampled
        of = label_margins if self.target.has_columns else margins_of
        return Judgement(score, of(asked, X, y))

    def failed(self, error: Exception) -> Judgement:
        """Return the judgement of a model that could not be trained or scored.

        Parameters
        ----------
        error : Exception
            The error that the estimator or the scorer raised.

        Returns
        -------
        Judgement
            With `error_score`, which must not be None, and margins of no model.

        Warns
        -----
        FitFailedWarning
        """
        assert self.error_score is not None
        warn_of_failure(error, self.error_score)
        if self.sample is None:
            return Judgement(self.error_score, has_failed=True)
        margins = margins_without_model(self.sampled[1], self.target)
        return Judgement(self.error_score, margins, has_failed=True)

    @property
    def n_answers(self) -> int:
        """Number of answers to the sample: one per row, or per tag."""
        return len(all_labels(self.sampled[1]))

    @cached_property
    def sampled(self) -> tuple[Any, Any]:
        """Return the rows and labels of the sample."""
        assert self.sample is not None
        return self._rows.sample, take(self.y, self.sample)

    @contextmanager
    def _gaps_noted(self) -> Iterator[None]:
        """Add a note to a scorer's error if the held-out set lacks rows for it."""
        try:
            yield
        except Exception as error:
            classes = np.array(()) if self.classes is None else self.classes
            missing = np.setdiff1d(classes, all_labels(self.y))
            if self.target.has_columns:
                self._note_constant_columns(error)
            elif not self.target.has_classes and len(self.y) == 1:
                error.add_note(
                    f"The {SETS[self.name]} has a single row, for which R2 is not "
                    "defined: give a larger set, or choose another `scoring`."
                )
            elif len(missing):
                names = ", ".join(map(repr, missing.tolist()[:5]))
                error.add_note(
                    f"The {SETS[self.name]} has no row of {len(missing)} of "
                    f"{len(classes)} classes, such as {names}: if the scorer needs "
                    "all classes, set stratify=True or give a larger set."
                )
            raise

    def _note_constant_columns(self, error: Exception) -> None:
        """Add a note if a column of the held-out set has a single value."""
        constant = np.flatnonzero((self.y == self.y[:1]).all(axis=0)).tolist()
        if constant:
            error.add_note(
                f"The {SETS[self.name]} has a single value in {len(constant)} of "
                f"{self.y.shape[1]} columns of y, such as column {constant[0]}: if the "
                'scorer needs two, as "roc_auc" does, give a larger set, or leave '
                "these columns out."
            )
        if "multiclass-multioutput is not supported" in str(error):
            error.add_note(
                "scikit-learn has no such metric for several classes per row: pass a "
                "`scoring` of your own, or choose MultiOutputClassifier, whose `score` "
                "is the share of rows with all classes right."
            )


def warn_of_failure(error: Exception, error_score: float) -> None:
    """Warn that a model could not be trained or scored.

    Parameters
    ----------
    error : Exception
        The error, with its notes.
    error_score : float
        The score that the model gets.
    """
    notes = " ".join(["", *getattr(error, "__notes__", [])])
    warnings.warn(
        f"A model failed, and counts with error_score={error_score}: "
        f"{type(error).__name__}: {str(error).removesuffix('.')}.{notes}",
        FitFailedWarning,
        stacklevel=2,
    )


def train_and_judge(
    trainer: Trainer, evaluation: Evaluation, sets: Sequence[NDArray[np.int64]]
) -> list[Judgement]:
    """Train on each set and score the models: the unit of work of a search.

    The models are trained side by side if the estimator offers it.

    Parameters
    ----------
    trainer : Trainer
        Trains the models.
    evaluation : Evaluation
        Scores them.
    sets : sequence of ndarray of shape (n_acquired,)
        Positions in the pool.

    Returns
    -------
    list of Judgement
        One for each set.
    """
    if trainer.many is not None and trainer.n_warm and evaluation.X is not None:
        rows = [trainer.rows(positions) for positions in sets]
        X, y, scorer = evaluation.X, evaluation.y, evaluation.scorer
        try:
            found = trainer.many.judge(rows, X, y, scorer, evaluation.sample)
            return [Judgement(as_score(scorer, score), m) for score, m in found]
        except Exception:
            # Find out below which of the models failed.
            if evaluation.error_score is None:
                raise
    with single_threaded():
        return [_train_and_judge_one(trainer, evaluation, one) for one in sets]


def _train_and_judge_one(
    trainer: Trainer, evaluation: Evaluation, positions: NDArray[np.int64]
) -> Judgement:
    """Train on one set and score the model; an error may count as `error_score`."""
    try:
        return evaluation.judge(trainer.train(positions))
    except Exception as error:
        trainer.explain(error, positions)
        if evaluation.error_score is None:
            raise
        return evaluation.failed(error)
