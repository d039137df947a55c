"""`AverageNet`, side by side: nets so small that most of their time is overhead."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import embedding_bag

from skal.nets._stack import fours
from skal.nets._stack_text import Sentences, TextStack
from skal.nets._stacks import gather

LAYERS = "head.0", "head.2", "head.5"
Weights = dict[str, torch.Tensor]


class Batch(NamedTuple):
    """Minibatches side by side, their words one after the other.

    Parameters
    ----------
    words : tensor of shape (n_words,), dtype int64
        Numbers among the words of each training.
    models, sentences : tensors of shape (n_words,), dtype int64
        Of which model each word is, and of which of all sentences.
    lengths : tensor of shape (n_models * n_sentences,)
    codes : tensor of shape (n_models, n_sentences), dtype int64
    weights : tensor of shape (n_models, n_sentences)
        In the mean loss.
    """

    words: torch.Tensor
    models: torch.Tensor
    sentences: torch.Tensor
    lengths: torch.Tensor
    codes: torch.Tensor
    weights: torch.Tensor


class AverageStack(TextStack):
    """`AverageNet`, side by side.

    Its products are so small that autograd would take as long as they do, so the
    gradients are written out.
    """

    default_width = 16

    def _collate(self, batches: Sequence[NDArray[np.int64]]) -> Batch:
        words, lengths, codes, weights = gather(self.jobs, batches, self.n_rows)
        is_word = words != 0
        lengths = lengths.reshape(-1)
        sentences = np.repeat(np.arange(len(lengths)), lengths)
        parts = words[is_word], sentences // self.n_rows, sentences, lengths
        return Batch(*map(self._to, (*parts, codes, weights)))

    def _differentiate(
        self, leaves: Weights, batches: Sequence[NDArray[np.int64]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        batch, n = self._collate(batches), len(batches)
        with torch.no_grad():
            gradients = torch.zeros_like(self.rows[:n])
            per_model = self.rows.shape[1] // self.dimension
            rows = batch.words + (batch.models * per_model + self.n_before)
            starts = batch.lengths.cumsum(0) - batch.lengths
            table = self.rows.view(-1, self.dimension)
            sums = embedding_bag(rows, table, starts, mode="sum")
            shares = (1 / batch.lengths.clamp(min=1)).unsqueeze(1)
            means = (sums * shares).view(n, self.n_rows, -1)
            losses, found, of_means = backpropagate(
                leaves, means, batch.codes, batch.weights
            )
            of_means = of_means.flatten(0, 1) * shares
            of_words = of_means.index_select(0, batch.sentences)
            gradients.view(-1, self.dimension).index_add_(0, rows, of_words)
            for gradient, value in zip(
                self._views(gradients).values(), found, strict=True
            ):
                gradient.copy_(value)
        return losses, gradients

    def answers(
        self, places: Sequence[int], inputs: Sentences
    ) -> list[NDArray[np.int64]]:
        """Return the predicted class number of each sentence, of several models."""
        logits = self._all_logits(places, inputs)
        return list(logits.argmax(dim=2).cpu().numpy())

    def _all_logits(self, places: Sequence[int], inputs: Sentences) -> torch.Tensor:
        """Return logits of shape (n_models, n_sentences, n_classes)."""
        n = len(inputs)
        words, starts = self._to(inputs.words), self._to(inputs.starts)
        with torch.inference_mode():
            x = self.rows.new_zeros(len(places), fours(n), self.dimension)
            for row, place in zip(x, places, strict=True):
                table = self._table(place, inputs)
                row[:n] = embedding_bag(words, table, starts, mode="mean")
            weights = self._views(self.rows[list(places), : len(self.first)])
            return forward(weights, x)[-1][:, :n]

    def logits(self, place: int, inputs: Sentences) -> torch.Tensor:
        """Return the logits of each sentence, of one model."""
        return self._all_logits([place], inputs)[0]


def forward(w: Weights, x0: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Return what comes out of each layer.

    Parameters
    ----------
    w : dict of str to tensor
        Stacked weights.
    x0 : tensor of shape (n_models, n_sentences, dimension)
        Mean vectors.

    Returns
    -------
    x1, x2, logits : tensors of shape (n_models, n_sentences, n_units)
    """
    x1 = linear(w, LAYERS[0], x0).relu_()
    x2 = linear(w, LAYERS[1], x1).relu_()
    return x1, x2, linear(w, LAYERS[2], x2)


def linear(w: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    """Apply a linear layer of each model to its rows."""
    bias = w[f"{name}.bias"].unsqueeze(1)
    return torch.baddbmm(bias, x, w[f"{name}.weight"].mT)


def backpropagate(
    w: Weights, x0: torch.Tensor, codes: torch.Tensor, weights: torch.Tensor
) -> tuple[torch.Tensor, list[torch.Tensor], torch.Tensor]:
    """Return the losses, and the gradients of the weights and of the means.

    Parameters
    ----------
    w : dict of str to tensor
        Stacked weights.
    x0 : tensor of shape (n_models, n_sentences, dimension)
        Mean vectors.
    codes : tensor of shape (n_models, n_sentences), dtype int64
    weights : tensor of shape (n_models, n_sentences)
        Of each sentence in the mean loss.

    Returns
    -------
    losses : tensor of shape (n_models,)
    gradients : list of tensor
        In the order of the weights.
    of_means : tensor of the shape of `x0`
    """
    x1, x2, logits = forward(w, x0)
    log_probs = logits.log_softmax(dim=2)
    codes = codes.unsqueeze(2)
    losses = -(weights * log_probs.gather(2, codes).squeeze(2)).sum(dim=1)
    d3 = log_probs.exp_()
    d3.scatter_add_(2, codes, d3.new_full(codes.shape, -1.0))
    d3.mul_(weights.unsqueeze(2))
    d2 = before_relu(torch.bmm(d3, w["head.5.weight"]), x2)
    d1 = before_relu(torch.bmm(d2, w["head.2.weight"]), x1)
    layers = ((d1, x0), (d2, x1), (d3, x2))
    found = [g for d, x in layers for g in (torch.bmm(d.mT, x), d.sum(dim=1))]
    return losses, found, torch.bmm(d1, w["head.0.weight"])


def before_relu(grad: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return the gradient of what became `x` by a ReLU."""
    return torch.ops.aten.threshold_backward(grad, x, 0)
