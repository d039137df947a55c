"""What a search maximises: scores of labelled sets, each trained on once."""

from collections.abc import Sequence
from hashlib import blake2b
from types import TracebackType
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import NDArray
from sklearn.utils.parallel import Parallel, delayed

from skal.problem import Problem
from skal.training import Evaluation, Trainer, train_and_score, warn_once


class Objective:
    """Validation scores of labelled sets.

    A set that was asked for before is not trained again; the others are shared out
    over jobs. Use it in a `with` block, so that the workers are kept in between.

    Parameters
    ----------
    problem : Problem
        With a validation set.
    n_jobs : int or None, default=None
        As everywhere in scikit-learn. It does not change any score.
    """

    def __init__(self, problem: Problem, n_jobs: int | None = None) -> None:
        self.trainer = Trainer(problem)
        self._evaluation = Evaluation(problem.X_val, problem.y_val, problem.scorer)
        self._scores: dict[bytes, float] = {}
        self._parallel = Parallel(n_jobs=n_jobs)
        self._n_jobs = effective_n_jobs(n_jobs)

    def __enter__(self) -> "Objective":
        if self._n_jobs > 1:
            self._parallel.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._n_jobs > 1:
            self._parallel.__exit__(kind, error, trace)

    @property
    def n_trainings(self) -> int:
        """Number of sets trained on so far."""
        return len(self._scores)

    def n_new(self, sets: Sequence[NDArray[np.int64]]) -> int:
        """Count the trainings that `scores(sets)` would take."""
        return len(self._new(sets))

    def scores(self, sets: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
        """Score the model of each set on validation.

        Parameters
        ----------
        sets : sequence of ndarray
            Positions in the pool, in any order.

        Returns
        -------
        ndarray of shape (len(sets),)
        """
        new = self._new(sets)
        trained = self._train_and_score(list(new.values()))
        self._scores.update(zip(new, trained, strict=True))
        return np.array([self._scores[_key(positions)] for positions in sets])

    def train(self, positions: NDArray[np.int64]) -> Any:
        """Train on a set, keep its score, and return the model."""
        model = self.trainer.train(positions)
        if model is not None:
            self._scores[_key(positions)] = self._evaluation.score(model)
        return model

    def _new(self, sets: Sequence[NDArray[np.int64]]) -> dict[bytes, NDArray[np.int64]]:
        keyed = {_key(positions): positions for positions in sets}
        return {key: s for key, s in keyed.items() if key not in self._scores}

    def _train_and_score(self, sets: list[NDArray[np.int64]]) -> list[float]:
        n_chunks = min(self._n_jobs, len(sets))
        if n_chunks < 2:
            return train_and_score(self.trainer, self._evaluation, sets)
        chunks = self._parallel(
            delayed(_train_in_worker)(self.trainer, self._evaluation, sets[i::n_chunks])
            for i in range(n_chunks)
        )
        scores = np.empty(len(sets))
        for i, chunk in enumerate(chunks):
            scores[i::n_chunks] = chunk
        return scores.tolist()


_shown_by_worker: set = set()


def _train_in_worker(
    trainer: Trainer, evaluation: Evaluation, sets: list[NDArray[np.int64]]
) -> list[float]:
    with warn_once(_shown_by_worker):
        return train_and_score(trainer, evaluation, sets)


def _key(positions: NDArray[np.int64]) -> bytes:
    """Return a digest of the set: 16 bytes, however large the set is."""
    return blake2b(np.sort(positions).tobytes(), digest_size=16).digest()
