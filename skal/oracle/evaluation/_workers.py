"""Trainings side by side: in other processes, on this machine or on a cluster."""

import time
import warnings
from collections.abc import Sequence
from types import TracebackType
from typing import NamedTuple

import numpy as np
from joblib import effective_n_jobs, parallel_config
from numpy.typing import NDArray
from sklearn.utils.parallel import Parallel, delayed

from skal._threads import warn_once
from skal._workers import renew_workers
from skal.training import Evaluation, Judgement, Trainer, train_and_judge

# So many searches a worker remembers: those of a cluster may serve several.
MOST_KNOWN = 4


class Work(NamedTuple):
    """How sets are trained on, and what the models are scored on."""

    trainer: Trainer
    evaluation: Evaluation


class Jobs:
    """Workers that train on sets, and score the models.

    A worker is told once what the work is, and then only which sets. One that does not
    know it, since it has joined or has taken the place of one that died, asks. So what
    is sent with each task is small, and nothing is kept where it could be lost.

    Use it in a `with` block, so that the workers are kept in between.

    Parameters
    ----------
    trainer : Trainer
    evaluation : Evaluation
    n_jobs : int or None, default=None
        As everywhere in scikit-learn. It does not change any score.
    """

    def __init__(
        self, trainer: Trainer, evaluation: Evaluation, n_jobs: int | None = None
    ) -> None:
        self._work = Work(trainer, evaluation)
        self._parallel = Parallel(n_jobs=n_jobs)
        self._was_told = False
        self.n_jobs = effective_n_jobs(n_jobs)
        # Mean seconds per training, in the last batch that was shared out.
        self.seconds = float("inf")

    def __enter__(self) -> "Jobs":
        if self.n_jobs > 1:
            renew_workers(self._work.trainer.estimator, self._work.evaluation.scorer)
            self._parallel.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Threads have left it here.
        _known.pop(self._work.trainer.key, None)
        if self.n_jobs > 1:
            self._parallel.__exit__(kind, error, trace)

    def run(self, sets: Sequence[NDArray[np.int64]]) -> list[Judgement]:
        """Judge the model of each set.

        Parameters
        ----------
        sets : sequence of ndarray
            Positions in the pool.

        Returns
        -------
        list of Judgement
        """
        if self.n_jobs < 2:
            return train_and_judge(*self._work, sets)
        if len(sets) < 2:
            with parallel_config(backend="sequential"):
                return train_and_judge(*self._work, sets)
        dealt = deal(sets, self.n_jobs)
        answers = self._ask([[sets[i] for i in share] for share in dealt])
        self.seconds = sum(answer.seconds for answer in answers) / len(sets)
        found = {
            number: judgement
            for share, answer in zip(dealt, answers, strict=True)
            for number, judgement in zip(share, answer.judgements, strict=True)
        }
        return [found[number] for number in range(len(sets))]

    def _ask(self, shares: list[list[NDArray[np.int64]]]) -> list["Answer"]:
        """Have shares trained on, and tell the work to workers that ask for it."""
        found = self._send(shares, None if self._was_told else self._work)
        self._was_told = True
        answers = {i: answer for i, answer in enumerate(found) if answer is not None}
        asking = [i for i in range(len(shares)) if i not in answers]
        again = self._send([shares[i] for i in asking], self._work) if asking else []
        for i, answer in zip(asking, again, strict=True):
            assert answer is not None  # since it was told
            answers[i] = answer
        return [answers[i] for i in range(len(shares))]

    def _send(
        self, shares: list[list[NDArray[np.int64]]], work: Work | None
    ) -> list["Answer | None"]:
        key = self._work.trainer.key
        with warnings.catch_warnings():
            # So Dask greets ten megabytes; they are sent once. What it could scatter
            # beforehand would be lost with the worker that keeps it.
            warnings.filterwarnings("ignore", "Sending large graph")
            return self._parallel(
                delayed(_train_in_worker)(key, work, share) for share in shares
            )


def deal(sets: Sequence[NDArray[np.int64]], n_shares: int) -> list[list[int]]:
    """Deal sets out so that the shares take about as long.

    Parameters
    ----------
    sets : sequence of ndarray
        The longer one is, the longer it takes.
    n_shares : int

    Returns
    -------
    list of list of int
        The numbers of the sets in each share, of which none is empty.
    """
    n_shares = min(n_shares, len(sets))
    by_size = sorted(range(len(sets)), key=lambda i: -len(sets[i]))
    # There and back again, as teams are picked: 0 1 2 2 1 0 0 1 2 ...
    turns = [*range(n_shares), *reversed(range(n_shares))]
    shares: list[list[int]] = [[] for _ in range(n_shares)]
    for i, number in enumerate(by_size):
        shares[turns[i % len(turns)]].append(number)
    return shares


class Answer(NamedTuple):
    """What the models of a share are worth, and the seconds that it took."""

    judgements: list[Judgement]
    seconds: float


_known: dict[str, Work] = {}
_shown_by_worker: set = set()


def _train_in_worker(
    key: str, work: Work | None, sets: list[NDArray[np.int64]]
) -> Answer | None:
    """Train on a share; None if it was not told how, now or before."""
    if work is None:
        work = _known.get(key)
    else:
        _remember(key, work)
    if work is None:
        return None
    started = time.perf_counter()
    # What is parallel inside of a training would wait for the workers that are busy.
    with warn_once(_shown_by_worker), parallel_config(backend="sequential"):
        judgements = train_and_judge(*work, sets)
    return Answer(judgements, time.perf_counter() - started)


def _remember(key: str, work: Work) -> None:
    _known.setdefault(key, work)
    for old in list(_known)[:-MOST_KNOWN]:
        _known.pop(old, None)
