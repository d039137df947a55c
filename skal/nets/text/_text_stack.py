"""Base class of stacks that read sentences, with words and vectors per model."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.func import functional_call

from skal.nets.side_by_side._engine import padded
from skal.nets.side_by_side._stack import Stack, in_order
from skal.nets.text._vocabulary import PADDING, SENTENCES_AT_ONCE, UNKNOWN, by_length


class Corpus(NamedTuple):
    """Sentences as word numbers, with the initial vectors of their words.

    Parameters
    ----------
    numbers : ndarray of shape (n_sentences, length), dtype int64
        Word numbers, padded on the right.
    codes : ndarray of shape (n_sentences,) or (n_sentences, length), dtype int64
        Class codes.
    vectors : tensor of shape (n_words + 2, dimension)
        Initial vectors of padding, of the unknown word, and of all words.
    is_new : ndarray of shape (n_words + 2,), dtype bool
        Words without a given vector. A model only knows them if they are in its
        training set.
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
        Word numbers within this training set, from 1; 0 is padding.
    lengths : ndarray of shape (n_sentences,)
        Number of words of each sentence.
    codes : ndarray
        Class codes.
    used : ndarray of shape (n_used,), dtype int64
        Numbers, in the corpus, of the words in this training set.
    own : ndarray of shape (n_words + 2,), dtype int64
        Number, in this training set, of each word of the corpus; 0 if it is not used.
    tables : dict of Sentences to (tensor, tensor, tensor)
        Cache for prediction: the vectors of the words of some sentences, which of them
        the model trains, and the numbers of these words in this training set.
    """

    numbers: NDArray[np.int64]
    lengths: NDArray[np.int64]
    codes: NDArray[np.int64]
    used: NDArray[np.int64]
    own: NDArray[np.int64]
    tables: dict["Sentences", tuple[torch.Tensor, ...]]

    @property
    def n_vectors(self) -> int:
        """Number of trained vectors, including padding, which stays zero."""
        return len(self.used) + 1


class Sentences:
    """Sentences to predict, in batches of similar length.

    Parameters
    ----------
    numbers : ndarray of shape (n_sentences, length), dtype int64
        Word numbers of the corpus, padded on the right.

    Attributes
    ----------
    used : ndarray of shape (n_used,)
        Numbers, in the corpus, of the words that occur, starting with padding. The
        other attributes contain indices into this array.
    words : ndarray of shape (n_words,)
        The words of all sentences, concatenated.
    starts : ndarray of shape (n_sentences,)
        Index of the first word of each sentence.
    chunks : list of (rows, numbers)
        Batches of sentences of similar length: their indices, and their words without
        shared padding.
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
    """Base class of stacks of nets that read sentences.

    Adam never changes the vectors of words that do not occur in a training set. Thus
    they are not part of the stack, and are only looked up in prediction.

    Parameters
    ----------
    module : torch.nn.Module
        The module with the initial weights that `fit` would use, for all words.
    width, batch_size, lr
        As in `Stack`.
    corpus : Corpus
        The data from which the subsets are taken.
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

    def _codes(self, job: Job) -> NDArray[np.int64]:
        return job.codes

    def _vector_gradients(
        self, words: NDArray[np.int64], d_rows: torch.Tensor
    ) -> torch.Tensor:
        """Sum the gradients of rows, of shape (n_models, n_rows, ...), by word."""
        n = len(words)
        n_vectors = max(job.n_vectors for job in self.jobs[:n])
        sums = d_rows.new_zeros(n * n_vectors, self.corpus.dimension)
        own = self._to(words + np.arange(n)[:, None] * n_vectors)
        sums.index_add_(0, own.reshape(-1), d_rows.flatten(0, 1))
        sums = sums.view(n, n_vectors, -1)
        # The first vector of a model is padding, which stays zero.
        sums[:, 0] = 0
        return sums

    def _first_vectors(self, n: int) -> NDArray[np.int64]:
        """Return the first row of vectors of each model, in rows of `dimension`."""
        per_model = self.rows.shape[1] // self.corpus.dimension
        return (np.arange(n) * per_model + self.n_before)[:, None]

    def logits(self, slot: int, inputs: Sentences) -> torch.Tensor:
        """Return the logits of each sentence.

        Parameters
        ----------
        slot : int
            Index of the slot.
        inputs : Sentences
            The sentences.

        Returns
        -------
        tensor of shape (n_sentences, n_classes)
            The logits.
        """
        found, order = [], []
        with torch.inference_mode():
            weights = super().state_dict(slot)
            weights["embedding.weight"] = self._table(slot, inputs)
            for rows, numbers in inputs.chunks:
                found.append(
                    functional_call(self.module, weights, (self._to(numbers),))
                )
                order.append(rows)
            return in_order(found, order)

    def _table(self, slot: int, inputs: Sentences) -> torch.Tensor:
        """Return the vectors of the words of some sentences in a model."""
        tables = self.jobs[slot].tables
        if inputs not in tables:
            tables[inputs] = self._first_table(self.jobs[slot], inputs.used)
        table, trained, own = tables[inputs]
        return table.index_copy_(0, trained, self._own_vectors(slot)[own])

    def _first_table(
        self, job: Job, words: NDArray[np.int64]
    ) -> tuple[torch.Tensor, ...]:
        # Words that the model does not know use the vector of the unknown word.
        is_unknown = self.corpus.is_new[words] & (job.own[words] == 0)
        known = np.where(is_unknown, UNKNOWN, words)
        own = job.own[known]
        trained = np.flatnonzero(own)
        table = self.corpus.vectors[self._to(known)]
        return table, *self._all_to([trained, own[trained]])

    def _own_vectors(self, slot: int) -> torch.Tensor:
        own = self.rows[slot, self.begin : self.n_used[slot]]
        return own.view(-1, self.corpus.dimension)

    def state_dict(self, slot: int) -> dict[str, torch.Tensor]:
        """Return the weights of one model, for all words, by name in the module.

        Parameters
        ----------
        slot : int
            Index of the slot.

        Returns
        -------
        dict of str to tensor
            The weights by name.
        """
        vectors = self.corpus.vectors.clone()
        used = self._to(self.jobs[slot].used)
        vectors[used] = self._own_vectors(slot)[1:]
        return super().state_dict(slot) | {"embedding.weight": vectors}

    def _all_to(self, arrays: Iterable[NDArray]) -> list[torch.Tensor]:
        """Return several arrays as tensors, as `_to` does."""
        return [self._to(values) for values in arrays]

    def _to(self, values: NDArray) -> torch.Tensor:
        """Return an array as a tensor on the models' device, and with their dtype."""
        tensor = torch.from_numpy(np.ascontiguousarray(values))
        if tensor.is_floating_point():
            tensor = tensor.to(self.rows.dtype)
        return tensor.to(self.rows.device)


class AutogradStack(TextStack):
    """Base class of text stacks whose gradients are computed by autograd."""

    def _differentiate(
        self, leaves: dict[str, torch.Tensor], batches: Sequence[NDArray[np.int64]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        n, batch = len(batches), self._collate(batches)
        table = self.rows.view(-1, self.corpus.dimension)
        rows = self._to(batch.words + self._first_vectors(n))
        vectors = table[rows].requires_grad_()
        losses = self._losses(leaves, vectors, batch)
        d_rows, *found = torch.autograd.grad(losses.sum(), [vectors, *leaves.values()])
        d_vectors = self._vector_gradients(batch.words, d_rows)
        return losses.detach(), self._in_rows(found, d_vectors)

    @abstractmethod
    def _collate(self, batches: Sequence[NDArray[np.int64]]) -> Any:
        """Return stacked minibatches, with `words` of shape (n_models, n_rows)."""

    @abstractmethod
    def _losses(
        self, weights: dict[str, torch.Tensor], vectors: torch.Tensor, batch: Any
    ) -> torch.Tensor:
        """Return the loss of each model, given the vectors of `batch.words`."""


class Batch(NamedTuple):
    """Minibatches of several models: the word in each row, and the sentences.

    Parameters
    ----------
    words : ndarray of shape (n_models, n_rows)
        Word numbers in the training set of each model; 0 for padding.
    means : ndarrays
        Arguments for the mean over the words of a sentence: the weight of each word,
        or, if each row is a word, the sentence of each row and the lengths of all
        sentences.
    codes : ndarray of shape (n_models, n_sentences) or (n_models, n_rows)
        Class codes.
    weights : ndarray of the shape of `codes`
        Weights in the mean loss.
    packing : Packing or None
        The layout of the rows, if they are packed.
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
    row_weights: Sequence[NDArray[np.float64] | None] = (),
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Stack the sentences of minibatches, padding them to the same size.

    Parameters
    ----------
    jobs : sequence of Job
        The data of each training.
    batches : sequence of ndarray
        Indices of the sentences of each minibatch.
    n_rows : int
        Number of sentences per minibatch, after padding.
    by_length : bool, default=False
        Whether to sort each minibatch by length, the longest sentence first.
    row_weights : sequence of (ndarray or None), default=()
        Weights of the sentences of each training, as in `padded`.

    Returns
    -------
    words : ndarray of shape (n_models, n_sentences, length)
        Word numbers; zero for padding.
    lengths : ndarray of shape (n_models, n_sentences)
        Number of words of each sentence.
    codes : ndarray of shape (n_models, n_sentences, ...)
        Class codes.
    weights : ndarray of shape (n_models, n_sentences)
        Weight of each sentence in the mean loss.
    """
    jobs = jobs[: len(batches)]
    if by_length:
        batches = [
            batch[np.argsort(-job.lengths[batch], kind="stable")]
            for job, batch in zip(jobs, batches, strict=True)
        ]
    # Copy the sentences of each model, leaving zeros as padding.
    length = max(job.numbers.shape[1] for job in jobs)
    shape = len(jobs), n_rows
    words, lengths = np.zeros((*shape, length), np.int64), np.zeros(shape, np.int64)
    width = max(job.codes[:1].size for job in jobs)
    codes = np.zeros((*shape, width), np.int64)
    for slot, (job, batch) in enumerate(zip(jobs, batches, strict=True)):
        n = len(batch)
        words[slot, :n, : job.numbers.shape[1]] = job.numbers[batch]
        lengths[slot, :n] = job.lengths[batch]
        codes[slot, :n] = job.codes[batch].reshape(n, -1)
    # Sentences have one code each, or one per word.
    is_one_each = jobs[0].codes.ndim == 1
    weights = padded(batches, n_rows, row_weights)[1]
    words = words[:, :, : lengths.max()]
    return words, lengths, codes[:, :, 0] if is_one_each else codes, weights


def mean_rows(
    rows: torch.Tensor, sentences: torch.Tensor, lengths: torch.Tensor
) -> torch.Tensor:
    """Return the mean over the words of each sentence.

    Parameters
    ----------
    rows : tensor of shape (n_models, n_rows, n_values)
        Values of each word; zero for padding.
    sentences : tensor of shape (n_models, n_rows), dtype int64
        Index of the sentence of each row.
    lengths : tensor of shape (n_models, n_sentences)
        Number of words of each sentence.

    Returns
    -------
    tensor of shape (n_models, n_sentences, n_values)
        The means.
    """
    n, size = lengths.shape
    first = torch.arange(0, n * size, size, device=rows.device).unsqueeze(1)
    sums = rows.new_zeros(n * size, rows.shape[2])
    # Summed row by row, so that padding between rows does not change any bit.
    sums = sums.index_add(0, (sentences + first).reshape(-1), rows.flatten(0, 1))
    return sums.view(n, size, -1) / lengths.clamp(min=1).unsqueeze(2)
