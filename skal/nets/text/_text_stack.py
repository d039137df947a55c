"""Base class of stacks that read sentences: the words and vectors of many models."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.func import functional_call

from skal.nets.side_by_side._engine import padded
from skal.nets.side_by_side._stack import Stack, in_order
from skal.nets.text._vocabulary import PADDING, SENTENCES_AT_ONCE, UNKNOWN, by_length


class Corpus(NamedTuple):
    """Sentences as word numbers, with the vectors that their words begin with.

    Parameters
    ----------
    numbers : ndarray of shape (n_sentences, length), dtype int64
        Padded on the right.
    codes : ndarray of shape (n_sentences,) or (n_sentences, length), dtype int64
        Class numbers.
    vectors : tensor of shape (n_words + 2, dimension)
        Of padding, an unknown word, and all words.
    is_new : ndarray of shape (n_words + 2,), dtype bool
        Words without a vector of their own: a model knows those that it trains on.
    """

    numbers: NDArray[np.int64]
    codes: NDArray[np.int64]
    vectors: torch.Tensor
    is_new: NDArray[np.bool_]

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return self.vectors.shape[1]


class Job(NamedTuple):
    """The data of one training.

    Parameters
    ----------
    numbers : ndarray of shape (n_sentences, length), dtype int64
        Words, numbered among those of this training, from 1; 0 is padding.
    lengths : ndarray of shape (n_sentences,)
    codes : ndarray
    used : ndarray of shape (n_used,), dtype int64
        The numbers of its words among all.
    own : ndarray of shape (n_words + 2,), dtype int64
        What number each of all words has here; 0 if it is not used.
    tables : dict of Sentences to (tensor, tensor, tensor)
        For sentences that were answered: the vectors of their words, which of these the
        model trains, and their numbers among its words.
    """

    numbers: NDArray[np.int64]
    lengths: NDArray[np.int64]
    codes: NDArray[np.int64]
    used: NDArray[np.int64]
    own: NDArray[np.int64]
    tables: dict["Sentences", tuple[torch.Tensor, ...]]

    @property
    def n_vectors(self) -> int:
        """How many vectors it trains, that of padding, which stays zero, included."""
        return len(self.used) + 1


class Sentences:
    """Sentences to be answered, some of like length at a time.

    Parameters
    ----------
    numbers : ndarray of shape (n_sentences, length), dtype int64
        Words, numbered as in the corpus, padded on the right.

    Attributes
    ----------
    used : ndarray of shape (n_used,)
        The numbers in the corpus of their words, that of padding first. Elsewhere here
        words are numbered by their place in it.
    words : ndarray of shape (n_words,)
        The words of all sentences, one after the other.
    starts : ndarray of shape (n_sentences,)
        Where each of them begins.
    chunks : list of (rows, numbers)
        Sentences of like length: their rows, and their words without common padding.
    """

    def __init__(self, numbers: NDArray[np.int64]) -> None:
        lengths = np.maximum((numbers != PADDING).sum(axis=1), 1)
        self.used = np.union1d([PADDING], numbers)
        numbers = np.searchsorted(self.used, numbers)
        self.words = numbers[np.arange(numbers.shape[1]) < lengths[:, None]]
        self.starts = np.cumsum(lengths) - lengths
        self.chunks = list(by_length(numbers, SENTENCES_AT_ONCE))

    def __len__(self) -> int:
        return len(self.starts)


class TextStack(Stack):
    """Base class of nets that read sentences.

    Vectors of words that no sentence of a training uses are never moved by Adam, so
    they are not trained, only looked up when the model answers.

    Parameters
    ----------
    module : torch.nn.Module
        As `fit` would begin with it, for all words.
    width, batch_size, lr
        As in `Stack`.
    corpus : Corpus
    """

    def __init__(
        self,
        module: torch.nn.Module,
        width: int,
        batch_size: int,
        lr: float,
        corpus: Corpus,
    ) -> None:
        first = module.state_dict()
        del first["embedding.weight"]
        super().__init__(first, width, batch_size, lr, corpus.dimension)
        self.module = module.eval()
        self.corpus = corpus
        self.lengths = (corpus.numbers != PADDING).sum(axis=1)

    def _begin(self, rows: NDArray[np.int64]) -> tuple[Job, torch.Tensor]:
        lengths, vectors = self.lengths[rows], self.corpus.vectors
        numbers = self.corpus.numbers[rows, : lengths.max()]
        used = np.unique(numbers)
        used = used[used != PADDING]
        own = np.zeros(len(vectors), dtype=np.int64)
        own[used] = np.arange(1, len(used) + 1)
        job = Job(own[numbers], lengths, self.corpus.codes[rows], used, own, {})
        return job, torch.cat([torch.zeros_like(vectors[:1]), vectors[self._to(used)]])

    def _of_vectors(
        self, words: NDArray[np.int64], of_rows: torch.Tensor
    ) -> torch.Tensor:
        """Add up the gradients of rows, shape (n_models, n_rows, ...), by word."""
        n = len(words)
        n_vectors = max(job.n_vectors for job in self.jobs[:n])
        sums = of_rows.new_zeros(n * n_vectors, self.corpus.dimension)
        own = self._to(words + np.arange(n)[:, None] * n_vectors)
        sums.index_add_(0, own.reshape(-1), of_rows.flatten(0, 1))
        sums = sums.view(n, n_vectors, -1)
        # Padding is the first of a model's vectors, and stays zero.
        sums[:, 0] = 0
        return sums

    def _first_vectors(self, n: int) -> NDArray[np.int64]:
        """Where the vectors of each model begin, in rows of `dimension` weights."""
        per_model = self.rows.shape[1] // self.corpus.dimension
        return (np.arange(n) * per_model + self.n_before)[:, None]

    def logits(self, place: int, inputs: Sentences) -> torch.Tensor:
        """Return the logits of each sentence."""
        found, order = [], []
        with torch.inference_mode():
            weights = super().state_dict(place)
            weights["embedding.weight"] = self._table(place, inputs)
            for rows, numbers in inputs.chunks:
                found.append(
                    functional_call(self.module, weights, (self._to(numbers),))
                )
                order.append(rows)
            return in_order(found, order)

    def _table(self, place: int, inputs: Sentences) -> torch.Tensor:
        """Return the vectors that the words of some sentences have in a model."""
        tables = self.jobs[place].tables
        if inputs not in tables:
            tables[inputs] = self._first_table(self.jobs[place], inputs.used)
        table, trained, own = tables[inputs]
        return table.index_copy_(0, trained, self._own_vectors(place)[own])

    def _first_table(
        self, job: Job, words: NDArray[np.int64]
    ) -> tuple[torch.Tensor, ...]:
        # A word that the model does not know is the unknown one, which it may train.
        is_strange = self.corpus.is_new[words] & (job.own[words] == 0)
        known = np.where(is_strange, UNKNOWN, words)
        own = job.own[known]
        trained = np.flatnonzero(own)
        table = self.corpus.vectors[self._to(known)]
        return table, self._to(trained), self._to(own[trained])

    def _own_vectors(self, place: int) -> torch.Tensor:
        own = self.rows[place, self.begin : self.n_used[place]]
        return own.view(-1, self.corpus.dimension)

    def state_dict(self, place: int) -> dict[str, torch.Tensor]:
        """Return the weights of one model as those of the module, for all words."""
        vectors = self.corpus.vectors.clone()
        used = self._to(self.jobs[place].used)
        vectors[used] = self._own_vectors(place)[1:]
        return super().state_dict(place) | {"embedding.weight": vectors}

    def _to(self, values: NDArray) -> torch.Tensor:
        """Return an array as a tensor where the models are, and of their dtype."""
        tensor = torch.from_numpy(np.ascontiguousarray(values))
        if tensor.is_floating_point():
            tensor = tensor.to(self.rows.dtype)
        return tensor.to(self.rows.device)


class AutogradStack(TextStack):
    """Base class of those whose gradients torch finds, from a form of the losses."""

    def _differentiate(
        self, leaves: dict[str, torch.Tensor], batches: Sequence[NDArray[np.int64]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        n, batch = len(batches), self._collate(batches)
        table = self.rows.view(-1, self.corpus.dimension)
        rows = self._to(batch.words + self._first_vectors(n))
        vectors = table[rows].requires_grad_()
        losses = self._losses(leaves, vectors, batch)
        of_rows, *found = torch.autograd.grad(losses.sum(), [vectors, *leaves.values()])
        of_vectors = self._of_vectors(batch.words, of_rows)
        return losses.detach(), self._in_rows(found, of_vectors)

    @abstractmethod
    def _collate(self, batches: Sequence[NDArray[np.int64]]) -> Any:
        """Return minibatches side by side, with `words` of shape (n_models, n_rows)."""

    @abstractmethod
    def _losses(
        self, weights: dict[str, torch.Tensor], vectors: torch.Tensor, batch: Any
    ) -> torch.Tensor:
        """Return the loss of each model from the vectors of `batch.words`."""


class Batch(NamedTuple):
    """Minibatches side by side: what stands in each row, and how rows make sentences.

    Parameters
    ----------
    words : ndarray of shape (n_models, n_rows)
        Numbers among the words of each training; 0 is none.
    means : ndarrays
        What the mean over a sentence's words is taken by: the share of each of its
        words; or, where a row is a word, of which sentence, and the lengths of all.
    codes : ndarray of shape (n_models, n_sentences) or (n_models, n_rows)
    weights : ndarray of the shape of `codes`
        In the mean loss.
    packing : Packing or None
    """

    words: NDArray[np.int64]
    means: Any
    codes: NDArray[np.int64]
    weights: NDArray[np.float64]
    packing: Any = None


def gather(
    jobs: Sequence[Any],
    batches: Sequence[NDArray[np.int64]],
    n_rows: int,
    by_length: bool = False,
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Put the sentences of minibatches side by side.

    Parameters
    ----------
    jobs : sequence of Job
    batches : sequence of ndarray
        Which of its sentences each takes.
    n_rows : int
        How many sentences each may take.
    by_length : bool, default=False
        Sort each minibatch, the longest first.

    Returns
    -------
    words : ndarray of shape (n_models, n_sentences, length)
        Zero beyond the end of a sentence, and where there is none.
    lengths : ndarray of shape (n_models, n_sentences)
    codes : ndarray of shape (n_models, n_sentences, ...)
    weights : ndarray of shape (n_models, n_sentences)
        Of each sentence in the mean loss.
    """
    jobs = jobs[: len(batches)]
    if by_length:
        batches = [
            batch[np.argsort(-job.lengths[batch], kind="stable")]
            for job, batch in zip(jobs, batches, strict=True)
        ]
    length = max(job.numbers.shape[1] for job in jobs)
    shape = len(jobs), n_rows
    words, lengths = np.zeros((*shape, length), np.int64), np.zeros(shape, np.int64)
    width = max(job.codes[:1].size for job in jobs)
    codes = np.zeros((*shape, width), np.int64)
    for place, (job, batch) in enumerate(zip(jobs, batches, strict=True)):
        n = len(batch)
        words[place, :n, : job.numbers.shape[1]] = job.numbers[batch]
        lengths[place, :n] = job.lengths[batch]
        codes[place, :n] = job.codes[batch].reshape(n, -1)
    is_one_each = jobs[0].codes.ndim == 1
    weights = padded(batches, n_rows)[1]
    words = words[:, :, : lengths.max()]
    return words, lengths, codes[:, :, 0] if is_one_each else codes, weights


def mean_rows(
    rows: torch.Tensor, sentences: torch.Tensor, lengths: torch.Tensor
) -> torch.Tensor:
    """Return the mean over the words of each sentence.

    Parameters
    ----------
    rows : tensor of shape (n_models, n_rows, n_values)
        Zero where there is no word.
    sentences : tensor of shape (n_models, n_rows), dtype int64
        Of which sentence each row is.
    lengths : tensor of shape (n_models, n_sentences)

    Returns
    -------
    tensor of shape (n_models, n_sentences, n_values)
    """
    n, size = lengths.shape
    first = torch.arange(0, n * size, size, device=rows.device).unsqueeze(1)
    sums = rows.new_zeros(n * size, rows.shape[2])
    # One row after the other: padding in between changes no bit of a sum.
    sums = sums.index_add(0, (sentences + first).reshape(-1), rows.flatten(0, 1))
    return sums.view(n, size, -1) / lengths.clamp(min=1).unsqueeze(2)
