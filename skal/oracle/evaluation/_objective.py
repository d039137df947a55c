"""What a search maximises: scores of labelled sets, each trained on once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from itertools import islice
from math import ceil
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal.inputs._containers import n_rows
from skal.inputs._tags import is_tags
from skal.oracle.evaluation._budget import Budget, OutOfTime
from skal.oracle.evaluation._score_table import Scores
from skal.oracle.evaluation._workers import Jobs
from skal.oracle.journal._journal import Journal
from skal.problem import Problem
from skal.seeding import Stream, stream
from skal.training import Evaluation, Trainer

# Seconds that a batch should last, since joblib looks for results every 0.01 seconds.
WORTHWHILE = 0.02
# Trainings that a job is given for that, at most: far ahead little comes true.
MOST_TURNS = 8

# Seconds that a turn should last where time is not limited: long enough that waiting
# for its slowest job does not matter, and short enough to be watched.
WATCHABLE = 0.5

# Of nets side by side each takes time, so one that is hardly ever asked for had better
# not be trained. 0.25 to 0.6 were alike, 0 took a quarter longer (average of words,
# half of the steps accepted).
LEAST_CHANCE = 0.4

# Answers on validation that are compared, and models whose margins are kept.
MOST_ANSWERS = 4000
MOST_KEPT = 2048

Sets = dict[bytes, NDArray[np.int64]]
Margins = NDArray[np.float16]
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
    with_margins : bool, default=False
        Tell for some rows of validation by how much each model is right. For all models
        these are the same rows: all, or such a number that there are 4,000 answers.
    budget : Budget or None, default=None
        Measures the trainings. Where it has a `max_time`, that is checked between them,
        and `OutOfTime` raised once it is over. The first set is trained in any case.
    """

    def __init__(
        self,
        problem: Problem,
        n_jobs: int | None = None,
        *,
        prefetch: Any = 0,
        journal: Journal | None = None,
        with_margins: bool = False,
        budget: Budget | None = None,
    ) -> None:
        self.trainer = Trainer(problem)
        sample = some_rows(problem) if with_margins else None
        self._evaluation = Evaluation(
            problem.X_val, problem.y_val, problem.scorer, sample
        )
        self._margins: dict[bytes, Margins] = {}
        self._jobs = Jobs(self.trainer, self._evaluation, n_jobs)
        self._scores = Scores()
        self._ahead = Scores()
        self._failed: set[bytes] = set()
        # Scores of the sets that are being trained, as far as they are there.
        self._arrived: dict[bytes, float] = {}
        self._prefetch = prefetch
        self._journal = journal
        self.budget = Budget() if budget is None else budget
        # Called after each training, or after those that run side by side.
        self.on_trained: Callable[[], None] = lambda: None

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
    def n_trainings_so_far(self) -> int:
        """Number of trainings, with those of the sets that are being scored."""
        return len(self._scores) + len(self._arrived)

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
        try:
            if missing:
                known |= self._train(missing, likely)
            else:
                self.budget.skip()
        finally:
            self._forget_margins(latest=new)
            self._ahead.discard(known)
            self._scores.add(known)
        keys = [_key(positions) for positions in sets]
        found = self._scores.find(keys)
        return np.array([found[key] for key in keys])

    def margins(self, sets: Sequence[NDArray[np.int64]]) -> list[Margins | None]:
        """Return the margins of models that were scored.

        Of the latest models, that is: those of others are forgotten, and None.
        """
        return [self._margins.get(_key(positions)) for positions in sets]

    def scores_so_far(self, sets: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
        """Return the scores of sets that were scored; NaN for others."""
        keys = [_key(positions) for positions in sets]
        found = self._scores.find(keys)
        return np.array([found.get(key, np.nan) for key in keys])

    def scores_in_time(self, sets: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
        """Score growing sets as far as time and the user allow it.

        A set that could not be scored counts as much as the one before it, as if
        nothing were learned; at least one of them, or the empty set, must have a score.
        """
        with suppress(OutOfTime, KeyboardInterrupt):
            return self.scores(sets)
        empty = np.empty(0, dtype=np.int64)
        found = self.scores_so_far([empty, *sets])
        is_known = ~np.isnan(found)
        latest = np.maximum.accumulate(np.where(is_known, np.arange(len(found)), -1))
        latest[latest < 0] = np.argmax(is_known)
        return found[latest][1:]

    def check_time(self) -> None:
        """Raise OutOfTime if there is none left, and a set was scored."""
        if self.n_trainings or self._arrived:
            self.budget.check()

    def train(self, positions: NDArray[np.int64]) -> Any:
        """Train on a set, keep its score, and return the model."""
        self.check_time()
        model = self.trainer.train(positions)
        if model is not None:
            key, judgement = _key(positions), self._evaluation.judge(model)
            self._keep_margins({key: judgement.margins})
            self._forget_margins(latest=[key])
            self._scores.add({key: _exact(judgement.score)})
            self._write({key: _exact(judgement.score)})
            self.budget.add(1)
            self.on_trained()
        return model

    def _new(self, sets: Iterable[NDArray[np.int64]]) -> Sets:
        keyed = {_key(positions): positions for positions in sets}
        known = self._scores.find(keyed)
        return {key: s for key, s in keyed.items() if key not in known}

    def _known(self, new: Iterable[bytes]) -> dict[bytes, float]:
        """Return the scores there are of sets that were not asked for before."""
        known = self._ahead.find(new)
        if self._journal is None:
            return known
        unknown = [key for key in new if key not in known]
        if self._evaluation.sample is None:
            return known | self._journal.find(unknown)
        # A score without margins was written by a search that asks for none.
        found = self._journal.find_margins(unknown)
        self._keep_margins(found)
        return known | self._journal.find(found)

    def _write(self, scores: Mapping[bytes, float]) -> None:
        if self._journal is not None:
            margins = {
                key: self._margins[key] for key in scores if key in self._margins
            }
            self._journal.add_scores(scores, margins)

    def flush(self) -> None:
        """Write what was trained into the journal now, and not with the next step."""
        if self._journal is not None:
            self._journal.write()

    def _keep_margins(self, found: Mapping[bytes, Margins | None]) -> None:
        self._margins |= {key: m for key, m in found.items() if m is not None}

    def _forget_margins(self, latest: Iterable[bytes]) -> None:
        """Forget the oldest, in the order asked for: a journal knows some earlier."""
        for key in latest:
            if key in self._margins:
                self._margins[key] = self._margins.pop(key)
        for key in list(islice(self._margins, max(0, len(self._margins) - MOST_KEPT))):
            del self._margins[key]

    def _train(self, missing: Sets, likely: Iterable[Likely]) -> dict[bytes, float]:
        """Return the scores of sets that must be trained, and train others ahead."""
        ahead = self._choose(missing, likely)
        try:
            trained = self._scored(missing | ahead)
        except (OutOfTime, KeyboardInterrupt):
            self._keep(self._arrived, ahead)
            raise
        except Exception:
            if not ahead:
                raise
            # Perhaps it failed on what nobody will ever ask for.
            self._failed.update(ahead)
            done = {k: score for k, score in self._arrived.items() if k in missing}
            left = {k: positions for k, positions in missing.items() if k not in done}
            ahead, trained = {}, done | self._scored(left)
        self._keep(trained, ahead)
        return {key: trained[key] for key in missing}

    def _keep(self, trained: Mapping[bytes, float], ahead: Sets) -> None:
        """Keep the scores of sets, those apart that were trained ahead."""
        self._write(trained)
        self._ahead.add({key: trained[key] for key in ahead if key in trained})
        self._scores.add({k: score for k, score in trained.items() if k not in ahead})
        self._arrived = {}

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
        return [score for turn in self._turns(sets) for score in self._run(turn)]

    def _run(self, turn: list[NDArray[np.int64]]) -> list[float]:
        """Train on a few sets, unless there is no time left."""
        self.check_time()
        found = dict(zip(map(_key, turn), self._jobs.run(turn), strict=True))
        self._keep_margins({key: judged.margins for key, judged in found.items()})
        self._arrived |= {key: _exact(judged.score) for key, judged in found.items()}
        is_shared_out = self._jobs.n_jobs > 1 and len(turn) > 1
        busy = self._jobs.seconds * len(turn) / self._jobs.n_jobs
        self.budget.add(len(turn), busy if is_shared_out else None)
        self.on_trained()
        return [judged.score for judged in found.values()]

    def _turns(self, sets: list[NDArray[np.int64]]) -> Iterator[list[NDArray]]:
        """Cut sets into those that are trained before anybody looks at the clock."""
        begin = 0
        while begin < len(sets):
            end = begin + self._n_in_turn(sets)
            yield sets[begin:end]
            begin = end

    def _n_in_turn(self, sets: list[NDArray[np.int64]]) -> int:
        """Return how many sets to train in a turn: of one size, they end together."""
        n_jobs, is_timed = self._jobs.n_jobs, self.budget.max_time is not None
        if not is_timed and n_jobs > 1 and len({len(s) for s in sets}) > 1:
            return len(sets)
        if not is_timed and self.trainer.width > 1:
            return len(sets)
        at_once = n_jobs * self.trainer.width
        seconds = at_once * self.budget.seconds_per_training
        lasting = WORTHWHILE if is_timed else WATCHABLE
        return at_once * max(1, int(lasting / seconds) if seconds > 0 else 1)


def some_rows(problem: Problem) -> NDArray[np.int64]:
    """Return rows of the validation set on which to compare answers, in their order.

    All of them, or a random choice that has some 4,000 answers. With 1,000 of 4,000 the
    search fits these, and takes several times as many trainings.
    """
    rng = stream(problem.seed, Stream.SAMPLE)
    order = rng.permutation(n_rows(problem.X_val))
    sizes = [len(problem.y_val[row]) for row in order] if is_tags(problem.y_val) else 1
    n_answers = np.cumsum(np.broadcast_to(sizes, len(order)))
    return np.sort(order[: np.searchsorted(n_answers, MOST_ANSWERS, side="right") or 1])


def _key(positions: NDArray[np.int64]) -> bytes:
    """Return a digest of the set: 16 bytes, however large the set is."""
    return blake2b(np.sort(positions).tobytes(), digest_size=16).digest()


def _exact(score: float) -> float:
    """Return the score as SQLite keeps it: there is no negative zero."""
    return score + 0.0
