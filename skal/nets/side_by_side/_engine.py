"""Many trainings side by side: one batched computation that is kept full."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from skal.nets._training import BestEpoch, Epochs, check_loss
from skal.nets.side_by_side._stack import Stack


class Engine:
    """Trains nets of one kind on many subsets of one data set.

    Each training is what `fit` would do on that subset: the same first weights, the
    same minibatches, the same epoch kept. When one ends, the next takes its place, so
    that the batch stays full. What comes out of a training does not depend on its place
    in the batch, nor on the others in it.

    Parameters
    ----------
    stack : Stack
        The models, and the data.
    batch_size, max_epochs, patience : int
        As in `TorchClassifier`.
    seed : int
        Determines the minibatches.
    score : callable, default=None
        `score(stack, places)` judges models, each after each epoch; without it, all
        epochs are trained and the last is kept.
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
        ask: Callable[[Stack, int, Epochs], Any],
    ) -> list[Any]:
        """Train on each set.

        Parameters
        ----------
        sets : sequence of ndarray
            The rows of each set, in the order in which `fit` would be given them.
        ask : callable
            `ask(stack, place, epochs)` takes out of a trained model what is wanted.

        Returns
        -------
        list
            What `ask` returned for each set.

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
            self._step(runs)
            # From the last place, so that what moves into a gap has had its turn.
            for place in reversed(range(len(runs))):
                if runs[place].kept.is_over:
                    results[runs[place].number] = self._finish(place, runs[place], ask)
                    self._refill(place, runs, queue)
        return results

    def _start(self, place: int, number: int, rows: NDArray[np.int64]) -> "_Run":
        self.stack.load(place, rows)
        orders = self._orders.of(len(rows))
        kept = BestEpoch(self.max_epochs, self.patience)
        return _Run(number, len(rows), orders, self.batch_size, kept)

    def _step(self, runs: list["_Run"]) -> None:
        """Train each model on one minibatch, and judge those that end an epoch."""
        losses = self.stack.step([run.next_batch() for run in runs])
        ended = [
            place
            for place, (run, loss) in enumerate(zip(runs, losses, strict=True))
            if run.add_loss(loss)
        ]
        if ended:
            self._end_epochs(ended, [runs[place] for place in ended])

    def _end_epochs(self, places: Sequence[int], runs: Sequence["_Run"]) -> None:
        """Judge models together, which is quicker, and keep those that are better."""
        for run in runs:
            check_loss(run.mean_loss(), len(run.kept.losses) + 1)
        scores: list[Any] = [None] * len(places)
        if self.score is not None:
            scores = self.score(self.stack, places)
        for place, run, score in zip(places, runs, scores, strict=True):
            if run.kept.add(run.mean_loss(), score):
                self.stack.keep(place)
            run.next_epoch()

    def _finish(self, place: int, run: "_Run", ask: Callable[..., Any]) -> Any:
        if self.score is not None:
            self.stack.restore(place)
        return ask(self.stack, place, run.kept.epochs)

    def _refill(self, place: int, runs: list["_Run"], queue: deque) -> None:
        """Start the next training in a place, or move the last one there."""
        if queue:
            runs[place] = self._start(place, *queue.popleft())
            return
        last = runs.pop()
        if place < len(runs):
            self.stack.move(len(runs), place)
            runs[place] = last


class Orders:
    """The order of the rows in each epoch: that of `fit`, drawn once per length.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._known: dict[int, tuple[torch.Generator, list[NDArray]]] = {}

    def of(self, n: int) -> Callable[[int], NDArray[np.int64]]:
        """Return a function that tells the order of `n` rows in an epoch, from 0."""
        if n not in self._known:
            self._known[n] = torch.Generator().manual_seed(self.seed), []
        generator, orders = self._known[n]

        def order(epoch: int) -> NDArray[np.int64]:
            while len(orders) <= epoch:
                orders.append(torch.randperm(n, generator=generator).numpy())
            return orders[epoch]

        return order


class _Run:
    """Where one training stands."""

    def __init__(
        self,
        number: int,
        n_rows: int,
        order: Callable[[int], NDArray[np.int64]],
        batch_size: int,
        kept: BestEpoch,
    ) -> None:
        self.number = number
        self.n_rows = n_rows
        self.order = order
        self.batch_size = batch_size
        self.kept = kept
        self.next_epoch()

    def next_batch(self) -> NDArray[np.int64]:
        return self._rows[self._begin : self._begin + self.batch_size]

    def add_loss(self, loss: float) -> bool:
        """Note the mean loss of a minibatch; whether it was the last of an epoch."""
        self._total += loss * len(self.next_batch())
        self._begin += self.batch_size
        return self._begin >= self.n_rows

    def mean_loss(self) -> float:
        """Return the mean loss of the epoch that has just ended."""
        return self._total / self.n_rows

    def next_epoch(self) -> None:
        """Begin an epoch, with the rows in a new order."""
        self._begin, self._total = 0, 0.0
        self._rows = self.order(len(self.kept.losses))


def padded(batches: Iterable[NDArray[np.int64]], size: int) -> tuple[NDArray, NDArray]:
    """Put minibatches side by side.

    Parameters
    ----------
    batches : iterable of ndarray
        Of at most `size` rows each.
    size : int

    Returns
    -------
    rows : ndarray of shape (n_models, size), dtype int64
        Zero where a minibatch has no more rows.
    weights : ndarray of shape (n_models, size), dtype float64
        Of each row in the mean loss; zero where there is none.
    """
    batches = list(batches)
    rows = np.zeros((len(batches), size), dtype=np.int64)
    weights = np.zeros((len(batches), size))
    for place, batch in enumerate(batches):
        rows[place, : len(batch)] = batch
        weights[place, : len(batch)] = 1 / len(batch)
    return rows, weights
