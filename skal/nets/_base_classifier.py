"""Base class of net classifiers: predictions, posterior samples, embeddings."""

from contextlib import contextmanager

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
from skal.seeding import as_seed


class BaseNetClassifier(BaseNet):
    """Base class of net classifiers: one label per row.

    A subclass writes its constructor, `_check_rows`, which turns what it is given into
    an array of dtype float32 and shape (n_rows, *input_shape), and `_recipe`, which
    tells the class of its module and the constructor's parameters.
    """

    # Rows in one forward pass of a prediction.
    _rows_at_once = 1024

    def _with_codes(self, X, y, classes):
        """Learn the classes, and return the rows and labels that a net trains on."""
        self.classes_, codes = encode_labels(y, classes)
        return X, codes

    def _check_module(self, X):
        """Refuse a module whose output is not one logit per class."""
        X = X[:2]
        shape, expected = tuple(self._logits(X).shape), (len(X), len(self.classes_))
        if shape != expected:
            raise ValueError(
                f"{type(self.module_).__name__} answers {len(X)} rows with shape "
                f"{shape}: make it return one logit per class, shape {expected}."
            )

    def predict(self, X):
        """Predict the class of each row.

        Parameters
        ----------
        X : array-like of n_samples rows

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        logits = self._logits(self._check_rows(X, reset=False))
        return self.classes_[logits.argmax(dim=1).numpy()]

    def predict_proba(self, X):
        """Return the class probabilities of each row.

        Parameters
        ----------
        X : array-like of n_samples rows

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

        A sample is one network: it drops the same units for all rows, however many rows
        there are and in whatever order. Only dropout is random; batch norm predicts as
        ever.

        Parameters
        ----------
        X : array-like of n_rows rows

        n_samples : int, default=20
            Number of samples (T). The first of many are what fewer would be.

        random_state : int, RandomState instance or None, default=None
            Determines what is dropped. Pass an int for the same samples in every call.

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
        van Amersfoort and Gal, "BatchBALD", NeurIPS 2019, for one mask for all rows.
        """
        check_is_fitted(self)
        if n_samples < 1:
            raise ValueError(
                f"n_samples={n_samples} samples is none: ask for 1 or more."
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

        Returns
        -------
        ndarray of shape (n_samples, n_units), dtype float32
            What goes into the last `torch.nn.Linear` of the module.

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
        # Not in inference mode: a module may keep a constant that it trains with later.
        with torch.no_grad():
            for rows, chunk in self._passes(X):
                logits = self.module_(torch.tensor(chunk, device=device))
                found.append(logits.cpu().double())
                order.append(rows)
        return in_order(found, order)

    def _passes(self, X):
        """Yield some rows at a time: their numbers, and what the module is given."""
        for rows in batched(np.arange(len(X)), self._rows_at_once):
            yield rows, X[rows]


class StackedRows:
    """Mixin of classifiers of arrays whose module is trained side by side with others.

    What `ManyNets` asks of an estimator.
    """

    _stack_class = ModuleStack

    def _make_stack(self, X, y, classes, width):
        """Learn what `fit` would of all rows, and return models of them in a stack."""
        X, y = self._check_rows(X, y, reset=True)
        self.input_shape_ = X.shape[1:]
        X, codes = self._with_codes(X, y, classes)
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

    def _encode(self, X, y):
        """Return inputs for a stack to answer, and the true class numbers."""
        X = torch.tensor(self._check_rows(X, reset=False), device=self.device)
        return X, np.searchsorted(self.classes_, column_or_1d(y))

    def _hand_over(self, model, stack, place):
        """Make `model` what `fit` would have made of it."""
        for name in ("classes_", "input_shape_", "n_features_in_", "feature_names_in_"):
            if hasattr(self, name):
                setattr(model, name, getattr(self, name))
        model.module_ = stack.trained_module(place)


def encode_labels(y, classes=None):
    """Return the sorted class list, and the position in it of each label.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
    classes : array-like of shape (n_classes,), default=None
        All classes there are. None takes those of `y`.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
    codes : ndarray of shape (n_samples,), dtype int64

    Raises
    ------
    ValueError
        If `y` does not hold classes, or one that is not in `classes`.
    """
    check_classification_targets(y)
    known = np.unique(y if classes is None else np.asarray(classes))
    unknown = np.setdiff1d(y, known)
    if len(unknown):
        raise ValueError(
            f"y holds the label {unknown.tolist()[0]!r}, which is not in classes: give "
            "all classes, those of y among them."
        )
    return known, np.searchsorted(known, y)


@contextmanager
def _inputs_of_last_linear(module):
    """Yield a list, to which each pass adds what goes into the last linear layer."""
    layers = [m for m in module.modules() if isinstance(m, torch.nn.Linear)]
    if not layers:
        raise ValueError(
            f"{type(module).__name__} has no torch.nn.Linear, whose input would be the "
            "embedding: end the module with one."
        )
    seen = []
    hook = layers[-1].register_forward_pre_hook(
        lambda layer, inputs: seen.append(inputs[0].flatten(1).cpu())
    )
    try:
        yield seen
    finally:
        hook.remove()
