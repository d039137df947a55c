"""Base class of net classifiers: predictions, posterior samples, embeddings."""

from contextlib import contextmanager, nullcontext

import numpy as np
import torch
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from skal.nets._base import BaseNet
from skal.nets._mc_dropout import fixed_masks
from skal.nets._training import batched, reproducible
from skal.nets.side_by_side._module_stack import ModuleStack, Rows
from skal.nets.side_by_side._probe import make_module_stack
from skal.nets.side_by_side._stack import in_order
from skal.seeding import as_seed, isolated


class BaseNetClassifier(BaseNet):
    """Base class of net classifiers: one label per row.

    A subclass implements its constructor; `_check_rows`, which validates `X` and
    returns an array of dtype float32 and shape (n_rows, *input_shape); and
    `_module_and_params`, which returns the class of the module and the parameters of
    its constructor.
    """

    # Number of rows per forward pass in prediction.
    _rows_at_once = 1024

    def _encode_labels(self, X, y, classes):
        """Set `classes_`, and return the rows and class codes to train on."""
        self.classes_, codes = encode_labels(y, classes)
        return X, codes

    def _check_module(self, X):
        """Raise an error unless the module returns one logit per class."""
        X = X[:2]
        shape, expected = tuple(self._logits(X).shape), (len(X), len(self.classes_))
        # Not in the first pass, in which lazy layers draw their weights.
        state = torch.get_rng_state()
        self._logits(X)
        if not torch.equal(state, torch.get_rng_state()):
            self._draws_ = True
        if shape != expected:
            raise ValueError(
                f"{type(self.module_).__name__} returns {len(X)} rows with shape "
                f"{shape}: make it return one logit per class, shape {expected}."
            )

    def predict(self, X):
        """Predict the class of each row.

        Parameters
        ----------
        X : array-like of n_samples rows
            Rows to predict.

        Returns
        -------
        ndarray of shape (n_samples,)
            The predicted class labels.
        """
        check_is_fitted(self)
        logits = self._logits(self._check_rows(X, reset=False))
        return self.classes_[logits.argmax(dim=1).numpy()]

    def predict_proba(self, X):
        """Return the class probabilities of each row.

        Parameters
        ----------
        X : array-like of n_samples rows
            Rows to predict.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), dtype float64
            Columns in the order of `classes_`.
        """
        check_is_fitted(self)
        logits = self._logits(self._check_rows(X, reset=False))
        return logits.softmax(dim=1).numpy()

    def sample_proba(self, X, n_samples=20, random_state=None):
        """Sample the posterior of the class probabilities by Monte-Carlo dropout.

        Each sample is one network, which drops the same units for all rows, regardless
        of their number and order. Only dropout is random: batch norm stays in
        evaluation mode.

        Parameters
        ----------
        X : array-like of n_rows rows
            Rows to predict.

        n_samples : int, default=20
            Number of samples (T). Asking for more keeps the first ones unchanged.

        random_state : int, RandomState instance or None, default=None
            Controls the dropout masks. Pass an int for reproducible output across
            multiple function calls.

        Returns
        -------
        ndarray of shape (n_rows, n_samples, n_classes), dtype float64
            Columns in the order of `classes_`.

        Raises
        ------
        ValueError
            If the module has no dropout layer, or `n_samples` is below 1.

        References
        ----------
        Gal and Ghahramani, "Dropout as a Bayesian Approximation", ICML 2016; Kirsch,
        van Amersfoort and Gal, "BatchBALD", NeurIPS 2019, for sharing one mask between
        all rows.
        """
        check_is_fitted(self)
        if n_samples < 1:
            raise ValueError(
                f"n_samples must be at least 1, got {n_samples}: ask for 1 or more."
            )
        X, seed = self._check_rows(X, reset=False), as_seed(random_state)
        probs_N_T_C = np.empty((len(X), n_samples, len(self.classes_)))
        for t in range(n_samples):
            with fixed_masks(self.module_, seed, t):
                probs_N_T_C[:, t] = self._logits(X).softmax(dim=1).numpy()
        return probs_N_T_C

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
            self._logits(X)
        return in_order(seen, [rows for rows, _ in self._passes(X)]).numpy()

    def _logits(self, X):
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
                logits = self.module_(torch.tensor(chunk, device=device))
                found.append(self._one_tensor(logits).cpu().double())
                order.append(rows)
        return in_order(found, order)

    def _one_tensor(self, logits):
        if isinstance(logits, torch.Tensor):
            return logits
        raise ValueError(
            f"{type(self.module_).__name__} returns {type(logits).__name__}: make its "
            "forward method return one tensor of logits, of shape "
            f"(n_rows, {len(self.classes_)})."
        )

    def _passes(self, X):
        """Yield batches of rows: their indices, and the input of the module."""
        for rows in batched(np.arange(len(X)), self._rows_at_once):
            yield rows, X[rows]


class StackedRows:
    """Mixin for classifiers of arrays whose module can be trained side by side.

    It implements the methods that `ManyNets` calls.
    """

    _stack_class = ModuleStack

    def _build_stack(self, X, y, classes, width):
        """Set the fitted attributes from all rows, and return a stack of models."""
        X, y = self._check_rows(X, y, reset=True)
        self.input_shape_ = X.shape[1:]
        X, codes = self._encode_labels(X, y, classes)
        # The module gets the same initial weights as in `fit`.
        with reproducible(as_seed(self.random_state)):
            self.module_ = self._make_net().module_
            self._check_module(X)
            return make_module_stack(
                self.module_,
                width,
                min(int(self.batch_size), len(X)),
                float(self.lr),
                Rows(*(torch.tensor(a, device=self.device) for a in (X, codes))),
                self._rows_at_once,
            )

    def _encode_inputs(self, X, y):
        """Return the inputs of a stack, and the true class codes."""
        X = torch.tensor(self._check_rows(X, reset=False), device=self.device)
        return X, np.searchsorted(self.classes_, column_or_1d(y))

    def _copy_fitted_state(self, model, stack, slot):
        """Set the fitted attributes of `model` as its own `fit` would have done."""
        for name in ("classes_", "input_shape_", "n_features_in_", "feature_names_in_"):
            if hasattr(self, name):
                setattr(model, name, getattr(self, name))
        model.module_ = stack.trained_module(slot)


def encode_labels(y, classes=None):
    """Return the sorted class labels, and the class code of each label.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class labels.
    classes : array-like of shape (n_classes,), default=None
        All class labels. None uses the classes found in `y`.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        The class labels, sorted.
    codes : ndarray of shape (n_samples,), dtype int64
        Index of each label in `classes`.

    Raises
    ------
    ValueError
        If `y` is not a classification target, or contains a label that is not in
        `classes`.
    """
    check_classification_targets(y)
    known = np.unique(y if classes is None else np.asarray(classes))
    unknown = np.setdiff1d(y, known)
    if len(unknown):
        raise ValueError(
            f"y contains the label {unknown.tolist()[0]!r}, which is not in classes: "
            "pass all classes, including every label in y."
        )
    return known, np.searchsorted(known, y)


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
