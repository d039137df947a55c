"""What all net classifiers share: training, prediction, samples, embeddings, files."""

from contextlib import contextmanager
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skal.nets import _saving
from skal.nets._dropout import fixed_masks
from skal.nets._training import check_device, make_net, reproducible, train
from skal.seeding import as_seed

# Rows in one forward pass of a prediction.
ROWS_AT_ONCE = 1024


class BaseNetClassifier(ClassifierMixin, BaseEstimator):
    """Base class of net classifiers: a skorch net is built in `fit`, never inherited.

    A subclass writes its constructor, `_check_rows`, which turns what it is given into
    an array of dtype float32 and shape (n_rows, *input_shape), and `_recipe`, which
    tells the class of its module and the constructor's parameters.
    """

    _parameter_constraints: dict = {
        "lr": [Interval(Real, 0, None, closed="neither")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "patience": [Interval(Integral, 1, None, closed="left")],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "device": [str],
        "random_state": ["random_state"],
    }

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, *, X_val=None, y_val=None, classes=None):
        """Train a new module.

        Parameters
        ----------
        X : array-like of n_samples rows
            Rows to train on.

        y : array-like of shape (n_samples,)
            Class labels of any kind.

        X_val : array-like of n_val rows, default=None
            Rows to choose the epoch by: the one with the best score on them is kept,
            and training stops after `patience` epochs without a better one. Without
            them, all `max_epochs` epochs are trained and the last is kept.

        y_val : array-like of shape (n_val,), default=None
            Their labels.

        classes : array-like of shape (n_classes,), default=None
            All classes there are, of which `y` may lack some. None takes those of `y`.

        Returns
        -------
        self : classifier
            Fitted classifier.

        Raises
        ------
        ValueError
            If the device is not there, rows are not as they should be, `y` holds a
            label that is not among the classes, or training diverges.
        """
        check_device(self.device)
        X, y = self._check_rows(X, y, reset=True)
        self.classes_, codes = encode_labels(y, classes)
        self.input_shape_ = X.shape[1:]
        score = self._judge(X_val, y_val)
        with reproducible(as_seed(self.random_state)):
            net = self._make_net()
            self.module_ = net.module_
            self._check_logits(X[:2])
            X, codes = (torch.tensor(a, device=self.device) for a in (X, codes))
            epochs = train(net, X, codes, self.patience, score)
        self.module_.eval().zero_grad()
        self.loss_curve_, self.validation_scores_, self.best_epoch_ = epochs
        return self

    def _make_net(self):
        module, params = self._recipe()
        return make_net(
            module,
            params,
            # torch takes no numbers of numpy's, such as a search over a range gives.
            lr=float(self.lr),
            max_epochs=int(self.max_epochs),
            batch_size=int(self.batch_size),
            device=self.device,
        )

    def _judge(self, X_val, y_val):
        """Return a function that scores the estimator in its present state, or None."""
        if (X_val is None) != (y_val is None):
            raise ValueError(
                "X_val and y_val go together and one of them is missing: give both, or "
                "neither to train all epochs."
            )
        if X_val is None:
            return None
        check_consistent_length(X_val, y_val)
        self._check_rows(X_val, reset=False)
        scorer = check_scoring(self, self.scoring)
        return lambda: scorer(self, X_val, y_val)

    def _check_logits(self, X):
        """Refuse a module whose output is not one logit per class."""
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
        with _inputs_of_last_linear(self.module_) as seen:
            self._logits(self._check_rows(X, reset=False))
        return torch.cat(seen).numpy()

    def _logits(self, X):
        """Return the module's output as a tensor on the CPU, in float64."""
        self.module_.eval()
        device = next(self.module_.parameters()).device
        with torch.inference_mode():
            return torch.cat(
                [
                    self.module_(torch.tensor(chunk, device=device)).cpu().double()
                    for chunk in _chunks(X)
                ]
            )

    def save(self, path):
        """Write the fitted estimator to a file, without pickle.

        The file is moved to its place when it is whole, so that a reader never sees a
        part of it.

        Parameters
        ----------
        path : str or path-like

        Raises
        ------
        TypeError
            If a parameter is of a kind that the file cannot hold, such as a callable.
        """
        check_is_fitted(self)
        fitted = {
            name: value
            for name, value in vars(self).items()
            if name.endswith("_") and name != "module_"
        }
        facts = {"class": type(self).__name__, "params": self._stored_params()}
        _saving.write(path, self._stored_tensors(), facts | {"fitted": fitted})

    @classmethod
    def load(cls, path, **params):
        """Read a fitted estimator from a file that `save` wrote.

        Parameters
        ----------
        path : str or path-like

        **params : dict
            Parameters that take the place of the stored ones, such as `device`.

        Returns
        -------
        classifier
            Fitted, as it was saved.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is damaged, or holds another kind of estimator.
        """
        weights, facts = _saving.read(path)
        if facts["class"] != cls.__name__:
            raise ValueError(
                f"{path} holds a {facts['class']}, not a {cls.__name__}: read it with "
                f"{facts['class']}.load."
            )
        model = cls(**cls._restored_params(facts["params"] | params))
        vars(model).update(facts["fitted"])
        model._restore_module(weights, path)
        return model

    def _stored_params(self):
        return self.get_params(deep=False)

    def _stored_tensors(self):
        return self.module_.state_dict()

    @classmethod
    def _restored_params(cls, params):
        return params

    def _restore_module(self, weights, path):
        check_device(self.device)
        module, params = self._recipe()
        # A constructor draws its first weights, which must leave no trace either.
        with reproducible(0):
            self.module_ = module(**params).to(self.device).eval()
        try:
            self.module_.load_state_dict(weights)
        except RuntimeError as error:
            raise ValueError(
                f"The weights in {path} do not fit {module.__name__}: load it with the "
                "module and the parameters that it was saved with."
            ) from error


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


def _chunks(X):
    return (X[i : i + ROWS_AT_ONCE] for i in range(0, len(X), ROWS_AT_ONCE))


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
