"""The engine that trains many models at once, in the slots of a stack."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from skal.nets._training import BestEpoch, Epochs, check_loss
from skal.nets.side_by_side._stack import Stack


class Engine:
    """Trains nets of one architecture on many subsets of one data set.

    Each training gives the result of `fit` on that subset: the same initial weights,
    minibatches and best epoch. When a training ends, the next one starts in its slot,
    so that the batch stays full. The result of a training depends neither on its slot
    nor on the other trainings in the batch.

    Parameters
    ----------
    stack : Stack
        The models, and the data from which the subsets are taken.
    batch_size, max_epochs, patience : int
        As in `TorchClassifier`.
    seed : int
        Controls the order of the minibatches.
    score : callable, default=None
        `score(stack, slots)` returns the validation scores of some models. It is called
        after each epoch. Without it, all epochs are trained and the last one is kept.
    """

    def __init__(
        self,
        stack: Stack,
        *,
        batch_size: int,
        max_epochs: int,
        patience: int,
        seed: int,
        score: Callable[[Stack, Sequence[int]], list[float]] | None = None,
    ) -> None:
        self.stack = stack
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.score = score
        self._orders = Orders(seed)

    def run(
        self,
        sets: Sequence[NDArray[np.int64]],
        collect: Callable[[Stack, int, Epochs], Any],
    ) -> list[Any]:
        """Train on each set.

        Parameters
        ----------
        sets : sequence of ndarray
            The rows of each set, in the order in which `fit` would receive them.
        collect : callable
            `collect(stack, slot, epochs)` returns the result of a trained model.

        Returns
        -------
        list
            The return value of `collect` for each set.

        Raises
        ------
        ValueError
            If a training diverges.
        """
        results: list[Any] = [None] * len(sets)
        queue = deque(enumerate(sets))
        runs: list[_Run] = []
        while queue or runs:
            while queue and len(runs) < self.stack.width:
                runs.append(self._start(len(runs), *queue.popleft()))
            # From the last slot: the model moved into a gap has been checked already.
            for slot in reversed(self._step(runs)):
                if runs[slot].stopping.is_over:
                    results[runs[slot].number] = self._finish(slot, runs[slot], collect)
                    self._refill(slot, runs, queue)
        return results

    def _start(self, slot: int, number: int, rows: NDArray[np.int64]) -> "_Run":
        self.stack.load(slot, rows)
        orders = self._orders.for_length(len(rows))
        stopping = BestEpoch(self.max_epochs, self.patience)
        return _Run(number, len(rows), orders, self.batch_size, stopping)

    def _step(self, runs: list["_Run"]) -> list[int]:
        """Train each model on one minibatch, and score models that end an epoch.

        Return the slots of these.
        """
        losses = self.stack.step([run.next_batch() for run in runs])
        ended = [
            slot
            for slot, (run, loss) in enumerate(zip(runs, losses, strict=True))
            if run.add_loss(loss)
        ]
        if ended:
            self._end_epochs(ended, [runs[slot] for slot in ended])
        return ended

    def _end_epochs(self, slots: Sequence[int], runs: Sequence["_Run"]) -> None:
        """Score models together, which is faster, and keep improved weights."""
        for run in runs:
            check_loss(run.mean_loss(), len(run.stopping.losses) + 1)
        scores: list[Any] = [None] * len(slots)
        if self.score is not None:
            scores = self.score(self.stack, slots)
        for slot, run, score in zip(slots, runs, scores, strict=True):
            if run.stopping.add(run.mean_loss(), score):
                self.stack.keep(slot)
            run.next_epoch()

    def _finish(self, slot: int, run: "_Run", collect: Callable[..., Any]) -> Any:
        if self.score is not None:
            self.stack.restore(slot)
        return collect(self.stack, slot, run.stopping.epochs)

    def _refill(self, slot: int, runs: list["_Run"], queue: deque) -> None:
        """Start the next training in a slot, or move the last model into it."""
        if queue:
            runs[slot] = self._start(slot, *queue.popleft())
            return
        last = runs.pop()
        if slot < len(runs):
            self.stack.move(len(runs), slot)
            runs[slot] = last


class Orders:
    """The order of the rows in each epoch, as in `fit`, drawn once per set size.

    Parameters
    ----------
    seed : int
        Seed of the permutations.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._cache: dict[int, tuple[torch.Generator, list[NDArray]]] = {}

    def for_length(self, n: int) -> Callable[[int], NDArray[np.int64]]:
        """Return a function from the epoch, from 0, to the order of `n` rows.

        Parameters
        ----------
        n : int
            Number of rows.

        Returns
        -------
        callable
            `order(epoch)` returns an ndarray of shape (n,).
        """
        if n not in self._cache:
            self._cache[n] = torch.Generator().manual_seed(self.seed), []
        generator, orders = self._cache[n]

        def order(epoch: int) -> NDArray[np.int64]:
            while len(orders) <= epoch:
                orders.append(torch.randperm(n, generator=generator).numpy())
            return orders[epoch]

        return order


class _Run:
    """The state of one training."""

    def __init__(
        self,
        number: int,
        n_rows: int,
        order: Callable[[int], NDArray[np.int64]],
        batch_size: int,
        stopping: BestEpoch,
    ) -> None:
        self.number = number
        self.n_rows = n_rows
        self.order = order
        self.batch_size = batch_size
        self.stopping = stopping
        self.next_epoch()

    def next_batch(self) -> NDArray[np.int64]:
        return self._rows[self._begin : self._begin + self.batch_size]

    def add_loss(self, loss: float) -> bool:
        """Add the loss of a minibatch. Return whether it was the last of the epoch."""
        self._total += loss * len(self.next_batch())
        self._begin += self.batch_size
        return self._begin >= self.n_rows

    def mean_loss(self) -> float:
        """Return the mean loss of the epoch that has just ended."""
        return self._total / self.n_rows

    def next_epoch(self) -> None:
        """Start an epoch, with the rows in a new order."""
        self._begin, self._total = 0, 0.0
        self._rows = self.order(len(self.stopping.losses))


def padded(
    batches: Iterable[NDArray[np.int64]],
    size: int,
    row_weights: Sequence[NDArray[np.float64] | None] = (),
) -> tuple[NDArray, NDArray]:
    """Stack minibatches, padding them to the same size.

    Parameters
    ----------
    batches : iterable of ndarray
        Rows of each minibatch, at most `size`.
    size : int
        Number of rows after padding.
    row_weights : sequence of (ndarray or None), default=()
        Weights of the rows of the training set of each of the first models; None, or
        no entry, for 1 each.

    Returns
    -------
    rows : ndarray of shape (n_models, size), dtype int64
        Rows of each minibatch, padded with zeros.
    weights : ndarray of shape (n_models, size), dtype float64
        Weight of each row in the mean loss; zero for padding.
    """
    batches = list(batches)
    rows = np.zeros((len(batches), size), dtype=np.int64)
    weights = np.zeros((len(batches), size))
    for slot, batch in enumerate(batches):
        rows[slot, : len(batch)] = batch
        weights[slot, : len(batch)] = 1 / len(batch)
    for slot, (batch, own) in enumerate(zip(batches, row_weights, strict=False)):
        if own is not None:
            weights[slot, : len(batch)] *= own[batch]
    return rows, weights
