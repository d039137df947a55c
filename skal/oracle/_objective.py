"""What a search maximises: scores of labelled sets, each trained on once."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from itertools import islice
from math import ceil
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal.oracle._jobs import Jobs
from skal.oracle._journal import Journal
from skal.oracle._scores import Scores
from skal.problem import Problem
from skal.training import Evaluation, Trainer

# Seconds that a batch should last, since joblib looks for results every 0.01 seconds.
WORTHWHILE = 0.02
# Trainings that a job is given for that, at most: far ahead little comes true.
MOST_TURNS = 8

# Of nets side by side each takes time, so one that is hardly ever asked for had better
# not be trained. 0.25 to 0.6 were alike, 0 took a quarter longer (average of words,
# half of the steps accepted).
LEAST_CHANCE = 0.4

Sets = dict[bytes, NDArray[np.int64]]
# How probable it is that sets will be asked for, and the sets.
Likely = tuple[float, Sequence[NDArray[np.int64]]]


class Objective:
    """Validation scores of labelled sets.

    A set that was asked for before is not trained again, nor one that is in the
    journal; the others are shared out over jobs. Use it in a `with` block, so that the
    workers are kept in between.

    Parameters
    ----------
    problem : Problem
        With a validation set.
    n_jobs : int or None, default=None
        As everywhere in scikit-learn. It does not change any score.
    prefetch : "auto" or int, default=0
        How many sets that may be asked for later are trained together with those that
        are asked for now: "auto" fills up what can be trained at once. It does not
        change any score, nor what is counted.
    journal : Journal or None, default=None
        Where scores are looked up and written down.
    """

    def __init__(
        self,
        problem: Problem,
        n_jobs: int | None = None,
        *,
        prefetch: Any = 0,
        journal: Journal | None = None,
    ) -> None:
        self.trainer = Trainer(problem)
        self._evaluation = Evaluation(problem.X_val, problem.y_val, problem.scorer)
        self._jobs = Jobs(self.trainer, self._evaluation, n_jobs)
        self._scores = Scores()
        self._ahead = Scores()
        self._failed: set[bytes] = set()
        self._prefetch = prefetch
        self._journal = journal

    def __enter__(self) -> "Objective":
        self._jobs.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._jobs.__exit__(kind, error, trace)

    @property
    def n_trainings(self) -> int:
        """Number of sets asked for so far: what was trained ahead does not count."""
        return len(self._scores)

    @property
    def n_speculative(self) -> int:
        """Number of sets that were trained ahead, and not asked for so far."""
        return len(self._ahead)

    def n_new(self, sets: Sequence[NDArray[np.int64]]) -> int:
        """Count the sets that were not asked for before."""
        return len(self._new(sets))

    def scores(
        self,
        sets: Sequence[NDArray[np.int64]],
        likely: Iterable[Likely] = (),
    ) -> NDArray[np.float64]:
        """Score the model of each set on validation.

        Parameters
        ----------
        sets : sequence of ndarray
            Positions in the pool, in any order.
        likely : iterable of (float, such a sequence), default=()
            What may be asked for later, and how probable that is, the likeliest first.
            As much of it is trained ahead as `prefetch` allows, where there is
            something to train at all.

        Returns
        -------
        ndarray of shape (len(sets),)
        """
        new = self._new(sets)
        known = self._known(new)
        missing = {key: new[key] for key in new if key not in known}
        if missing:
            known |= self._train(missing, likely)
        self._ahead.discard(new)
        self._scores.add(known)
        keys = [_key(positions) for positions in sets]
        found = self._scores.find(keys)
        return np.array([found[key] for key in keys])

    def train(self, positions: NDArray[np.int64]) -> Any:
        """Train on a set, keep its score, and return the model."""
        model = self.trainer.train(positions)
        if model is not None:
            scores = {_key(positions): _exact(self._evaluation.score(model))}
            self._scores.add(scores)
            self._write(scores)
        return model

    def _new(self, sets: Iterable[NDArray[np.int64]]) -> Sets:
        keyed = {_key(positions): positions for positions in sets}
        known = self._scores.find(keyed)
        return {key: s for key, s in keyed.items() if key not in known}

    def _known(self, new: Iterable[bytes]) -> dict[bytes, float]:
        """Return the scores there are of sets that were not asked for before."""
        known = self._ahead.find(new)
        if self._journal is not None:
            known |= self._journal.find(key for key in new if key not in known)
        return known

    def _write(self, scores: dict[bytes, float]) -> None:
        if self._journal is not None:
            self._journal.add_scores(scores)

    def _train(self, missing: Sets, likely: Iterable[Likely]) -> dict[bytes, float]:
        """Return the scores of sets that must be trained, and train others ahead."""
        ahead = self._choose(missing, likely)
        try:
            trained = self._scored(missing | ahead)
        except Exception:
            if not ahead:
                raise
            # Perhaps it failed on what nobody will ever ask for.
            self._failed.update(ahead)
            ahead, trained = {}, self._scored(missing)
        self._write(trained)
        self._ahead.add({key: trained[key] for key in ahead})
        return {key: trained[key] for key in missing}

    def _choose(self, missing: Sets, likely: Iterable[Likely]) -> Sets:
        """Choose what to train ahead, next to what is missing."""
        room = self._n_ahead(len(missing))
        chosen: Sets = {}
        # So many steps fill the room, unless they ask for hardly anything new.
        for chance, sets in islice(likely, 2 * room):
            if chance < self._least_chance(len(missing) + len(chosen)):
                break
            fresh = self._new(sets)
            known = self._known(fresh).keys() | missing.keys() | self._failed
            chosen |= {key: fresh[key] for key in fresh if key not in known}
            if len(chosen) >= room:
                break
        return dict(islice(chosen.items(), room))

    def _n_ahead(self, n_missing: int) -> int:
        """Return how many sets to train ahead, at most."""
        if self._prefetch != "auto":
            return self._prefetch
        at_once = self._jobs.n_jobs * self.trainer.width
        turns = ceil(n_missing / at_once)
        if self._jobs.n_jobs > 1:
            seconds = self._jobs.seconds * self.trainer.width
            turns = max(turns, min(MOST_TURNS, ceil(WORTHWHILE / seconds)))
        return turns * at_once - n_missing

    def _least_chance(self, n_chosen: int) -> float:
        """Return how probable it must be that another set is needed, after some."""
        is_free = n_chosen < self._jobs.n_jobs or self.trainer.width == 1
        return 0.0 if is_free or self._prefetch != "auto" else LEAST_CHANCE

    def _scored(self, sets: Sets) -> dict[bytes, float]:
        scores = self._train_and_score(list(sets.values()))
        return dict(zip(sets, map(_exact, scores), strict=True))

    def _train_and_score(self, sets: list[NDArray[np.int64]]) -> list[float]:
        return self._jobs.run(sets)


def _key(positions: NDArray[np.int64]) -> bytes:
    """Return a digest of the set: 16 bytes, however large the set is."""
    return blake2b(np.sort(positions).tobytes(), digest_size=16).digest()


def _exact(score: float) -> float:
    """Return the score as SQLite keeps it: there is no negative zero."""
    return score + 0.0
