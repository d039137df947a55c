"""Base class of nets that return one row of outputs for each row of inputs."""

from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from skal.nets._base import BaseNet
from skal.nets._mc_dropout import fixed_masks
from skal.nets._training import batched, reproducible
from skal.nets.side_by_side._module_stack import ModuleStack, Rows
from skal.nets.side_by_side._probe import make_module_stack
from skal.nets.side_by_side._stack import in_order
from skal.seeding import as_seed, isolated


class RowNet(BaseNet):
    """Base class of nets that return one row of outputs for each row of inputs.

    A subclass has `_n_outputs`, the number of outputs.
    """

    # Number of rows per forward pass in prediction.
    _rows_at_once = 1024
    # One output, in the words of error messages.
    _output_name = "output"

    def _check_module(self, X):
        """Raise an error unless the module returns the right number of outputs."""
        X = X[:2]
        shape, expected = tuple(self._outputs(X).shape), (len(X), self._n_outputs)
        # Not in the first pass, in which lazy layers draw their weights.
        state = torch.get_rng_state()
        self._outputs(X)
        if not torch.equal(state, torch.get_rng_state()):
            self._draws_ = True
        if shape != expected:
            raise ValueError(
                f"{type(self.module_).__name__} returns {len(X)} rows with shape "
                f"{shape}: make it return one {self._output_name}, shape {expected}."
            )

    def _samples(self, X, n_samples, random_state):
        """Return an iterator over samples of the outputs by Monte-Carlo dropout."""
        if n_samples < 1:
            raise ValueError(
                f"n_samples must be at least 1, got {n_samples}: ask for 1 or more."
            )
        seed = as_seed(random_state)
        return (self._masked_outputs(X, seed, t) for t in range(n_samples))

    def _masked_outputs(self, X, seed, sample):
        with fixed_masks(self.module_, seed, sample):
            return self._outputs(X)

    def embed(self, X):
        """Return the activations of the penultimate layer.

        Parameters
        ----------
        X : array-like of n_samples rows
            Rows to embed.

        Returns
        -------
        ndarray of shape (n_samples, n_units), dtype float32
            Input of the last `torch.nn.Linear` of the module.

        Raises
        ------
        ValueError
            If the module has no linear layer.
        """
        check_is_fitted(self)
        X = self._check_rows(X, reset=False)
        with _inputs_of_last_linear(self.module_) as seen:
            self._outputs(X)
        return in_order(seen, [rows for rows, _ in self._passes(X)]).numpy()

    def _outputs(self, X):
        """Return the module's output as a tensor on the CPU, in float64."""
        self.module_.eval()
        device = next(self.module_.parameters()).device
        found, order = [], []
        # A module that draws random numbers, also in evaluation mode, always draws the
        # same ones. Others do not wait for the lock of the global random state.
        draws = getattr(self, "_draws_", False)
        # no_grad, not inference mode: a module may cache a constant that it later uses
        # in training, where inference tensors are not allowed.
        with torch.no_grad(), isolated(0) if draws else nullcontext():
            for rows, chunk in self._passes(X):
                outputs = self.module_(torch.tensor(chunk, device=device))
                found.append(self._one_tensor(outputs).cpu().double())
                order.append(rows)
        return in_order(found, order)

    def _one_tensor(self, outputs):
        if isinstance(outputs, torch.Tensor):
            return outputs
        raise ValueError(
            f"{type(self.module_).__name__} returns {type(outputs).__name__}: make its "
            "forward method return one tensor, of shape "
            f"(n_rows, {self._n_outputs})."
        )

    def _passes(self, X):
        """Yield batches of rows: their indices, and the input of the module."""
        for rows in batched(np.arange(len(X)), self._rows_at_once):
            yield rows, X[rows]


class StackedRows:
    """Mixin for nets on arrays whose module can be trained side by side.

    It implements the methods that `ManyNets` calls, besides `_encode_inputs`.
    """

    _stack_class: Any = ModuleStack

    def _build_stack(self, X, y, classes, width):
        """Set the fitted attributes from all rows, and return a stack of models."""
        X, y = self._check_rows(X, y, reset=True)
        self.input_shape_ = X.shape[1:]
        X, targets = self._encode_stacked(X, y, classes)
        # The module gets the same initial weights as in `fit`.
        with reproducible(as_seed(self.random_state)):
            self.module_ = self._make_net().module_
            self._check_module(X)
            return make_module_stack(
                self._make_stack,
                self.module_,
                width,
                min(int(self.batch_size), len(X)),
                float(self.lr),
                Rows(torch.tensor(X, device=self.device), targets),
                self._rows_at_once,
            )

    def _encode_stacked(self, X, y, classes):
        """Return the inputs and the targets of a stack."""
        X, codes = self._encode_labels(X, y, classes)
        return X, torch.tensor(codes, device=self.device)

    def _make_stack(self, *args):
        return self._stack_class(*args)

    def _copy_fitted_state(self, model, stack, slot):
        """Set the fitted attributes of `model` as its own `fit` would have done."""
        for name in ("classes_", "input_shape_", "n_features_in_", "feature_names_in_"):
            if hasattr(self, name):
                setattr(model, name, getattr(self, name))
        model.module_ = stack.trained_module(slot)


@contextmanager
def _inputs_of_last_linear(module):
    """Yield a list that collects the inputs of the last linear layer, pass by pass."""
    layers = [m for m in module.modules() if isinstance(m, torch.nn.Linear)]
    if not layers:
        raise ValueError(
            f"{type(module).__name__} has no torch.nn.Linear, whose input would serve "
            "as the embedding: end the module with one."
        )
    seen = []
    hook = layers[-1].register_forward_pre_hook(
        lambda layer, inputs: seen.append(inputs[0].flatten(1).cpu())
    )
    try:
        yield seen
    finally:
        hook.remove()
