"""Parallel training: in other processes, on this machine or on a cluster."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import NamedTuple

import numpy as np
from joblib import effective_n_jobs, parallel_config
from numpy.typing import NDArray
from sklearn.utils.parallel import Parallel, delayed

from skal._threads import interruptible, warn_once, without_warnings
from skal._workers import named_worker_deaths, renew_workers
from skal.judging import Evaluation, Judgement, train_and_judge
from skal.training import Trainer

# Number of searches whose work a worker caches: workers of a cluster may serve several
# searches, and each cache entry holds the data of one.
MAX_CACHED = 4


class Work(NamedTuple):
    """The trainer and the evaluation of a search, which workers cache."""

    trainer: Trainer
    evaluation: Evaluation


class Jobs:
    """Workers that train on sets and score the models.

    The first tasks carry the trainer and the evaluation, which workers cache; later
    tasks carry the sets only. A worker without a cache entry, since it has joined
    later or has replaced one that died, returns None, and its task is sent again with
    the work. Tasks are therefore small, and no state can be lost with a worker.

    Use it in a `with` block, so that the workers are kept between calls.

    Parameters
    ----------
    trainer : Trainer
        Trains the models.
    evaluation : Evaluation
        Scores the models.
    n_jobs : int or None, default=None
        Number of trainings that run in parallel. It does not change any score.
    """

    def __init__(
        self, trainer: Trainer, evaluation: Evaluation, n_jobs: int | None = None
    ) -> None:
        self._work = Work(trainer, evaluation)
        self._parallel = Parallel(n_jobs=n_jobs)
        self._was_sent = False
        self.n_jobs = effective_n_jobs(n_jobs)
        # Mean seconds per training in the latest parallel batch.
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
        # With a threading backend the cache is in this process: drop our entry.
        _cache.pop(self._work.trainer.key, None)
        if self.n_jobs > 1:
            self._parallel.__exit__(kind, error, trace)

    def run(self, sets: Sequence[NDArray[np.int64]]) -> list[Judgement]:
        """Train on sets and score the models.

        Parameters
        ----------
        sets : sequence of ndarray
            Positions in the pool.

        Returns
        -------
        list of Judgement
            One for each set, in the same order.
        """
        # Train a single set here, without sending it anywhere.
        if self.n_jobs < 2:
            return train_and_judge(*self._work, sets)
        if len(sets) < 2:
            with parallel_config(backend="sequential"):
                return train_and_judge(*self._work, sets)
        # Train one share in each worker.
        shares = deal(sets, self.n_jobs)
        results = self._train([[sets[i] for i in share] for share in shares])
        self.seconds = sum(result.seconds for result in results) / len(sets)
        # Put the results back into the order of the sets.
        found = {
            i: judgement
            for share, result in zip(shares, results, strict=True)
            for i, judgement in zip(share, result.judgements, strict=True)
        }
        return [found[i] for i in range(len(sets))]

    def _train(self, shares: list[list[NDArray[np.int64]]]) -> list["ShareResult"]:
        """Train on shares, and send the work to workers that have not cached it."""
        sent = self._send(shares, None if self._was_sent else self._work)
        self._was_sent = True
        results = {i: result for i, result in enumerate(sent) if result is not None}
        missed = [i for i in range(len(shares)) if i not in results]
        again = self._send([shares[i] for i in missed], self._work) if missed else []
        for i, result in zip(missed, again, strict=True):
            assert result is not None  # since the work was sent along
            results[i] = result
        return [results[i] for i in range(len(shares))]

    def _send(
        self, shares: list[list[NDArray[np.int64]]], work: Work | None
    ) -> list["ShareResult | None"]:
        """Have each share trained on; None if its worker has not cached the work."""
        key = self._work.trainer.key
        # Dask warns about graphs over 10 MB. Ours is sent once per worker; scattered
        # data would be lost if the worker that holds it died.
        with (
            without_warnings("Sending large graph"),
            interruptible(),
            named_worker_deaths(),
        ):
            return self._parallel(
                delayed(_train_in_worker)(key, work, share) for share in shares
            )


def deal(sets: Sequence[NDArray[np.int64]], n_shares: int) -> list[list[int]]:
    """Split sets into shares that take about equally long.

    Parameters
    ----------
    sets : sequence of ndarray
        The sets. Larger ones are taken to train longer.
    n_shares : int
        Maximum number of shares.

    Returns
    -------
    list of list of int
        The indices of the sets in each share; no share is empty.
    """
    n_shares = min(n_shares, len(sets))
    by_size = sorted(range(len(sets)), key=lambda i: -len(sets[i]))
    # Deal by descending size, in alternating direction: 0 1 2 2 1 0 0 1 2 ...
    turns = [*range(n_shares), *reversed(range(n_shares))]
    shares: list[list[int]] = [[] for _ in range(n_shares)]
    for turn, i in enumerate(by_size):
        shares[turns[turn % len(turns)]].append(i)
    return shares


class ShareResult(NamedTuple):
    """The judgements of a share of sets, and the seconds that it took."""

    judgements: list[Judgement]
    seconds: float


# In a worker: the work of the latest searches, by key, and the warnings already shown.
_cache: dict[str, Work] = {}
_shown_by_worker: set = set()


def _train_in_worker(
    key: str, work: Work | None, sets: list[NDArray[np.int64]]
) -> ShareResult | None:
    """Train on a share; None if the work is neither given nor cached."""
    if work is None:
        work = _cache.get(key)
    else:
        _store(key, work)
    if work is None:
        return None
    started = time.perf_counter()
    # Nested parallelism would wait for workers that are busy, so switch it off.
    with warn_once(_shown_by_worker), parallel_config(backend="sequential"):
        judgements = train_and_judge(*work, sets)
    return ShareResult(judgements, time.perf_counter() - started)


def _store(key: str, work: Work) -> None:
    """Cache the work of a search, and drop the oldest entry if there are too many."""
    _cache.setdefault(key, work)
    for old in list(_cache)[:-MAX_CACHED]:
        _cache.pop(old, None)
