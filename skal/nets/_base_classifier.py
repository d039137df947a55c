"""Base classes of nets that predict classes."""

import numpy as np
import torch
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from skal._sklearn import StrOptions, _fit_context
from skal.answers._margins import codes_of, margins
from skal.inputs._checks import check_labels
from skal.inputs._tags import all_labels
from skal.nets._base import BaseNet
from skal.nets._row_net import RowNet
from skal.nets._weights import WeightedCrossEntropy, row_weights
from skal.nets.side_by_side._metrics import metric_of


class LabelNet(ClassifierMixin, BaseNet):
    """Base class of nets that predict classes, one or more for each row."""

    _parameter_constraints: dict = {
        **BaseNet._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    # Parameters that descriptions in journals and study folders leave out at their
    # default, since files written before they were added do not have them either.
    _added_params: dict = {"class_weight": None}

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, *, X_val=None, y_val=None, classes=None, sample_weight=None):
        """Train a new module.

        Parameters
        ----------
        X : array-like of n_samples rows
            Rows to train on.

        y : array-like of shape (n_samples,)
            Class labels of any kind.

        X_val : array-like of n_val rows, default=None
            Validation rows. The epoch with the best score on them is kept, and
            training stops after `patience` epochs without a better score. Without
            them, all `max_epochs` epochs are trained and the last one is kept.

        y_val : array-like of shape (n_val,), default=None
            Class labels of `X_val`.

        classes : array-like of shape (n_classes,), default=None
            All class labels, which may include some that `y` lacks. None uses the
            classes found in `y`.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows in the loss, at least 0. A row of weight 0 is left out;
            its label stays among the classes. None weighs all rows alike.

        Returns
        -------
        self : classifier
            Fitted classifier.

        Raises
        ------
        ValueError
            If the device is not available, the rows are invalid, `y` contains a label
            that is not in `classes`, or training diverges.
        """
        self._train(X, y, X_val, y_val, sample_weight, classes)
        return self

    def side_by_side(self, X, y, *, X_val=None, y_val=None, classes=None, width=None):
        """Return an object that trains this net on many subsets of a data set, or None.

        Parameters
        ----------
        X, y : rows and labels
            Rows and labels from which the subsets are taken.

        X_val, y_val : rows and labels, default=None
            Validation set that selects the best epoch, as in `fit`.

        classes : array-like of shape (n_classes,), default=None
            All class labels. None uses the classes found in `y`.

        width : int, default=None
            Maximum number of models trained side by side. On the CPU, it does not
            change any result.

        Returns
        -------
        ManyNets or None
            None if this net can only be trained one at a time: it has no such
            implementation, it has dropout, it is a tagger with `class_weight`, or its
            class overrides `fit` or `predict`.
            If the user's module is the reason, a warning explains it.

        Raises
        ------
        ValueError
            If only one of `X_val` and `y_val` is given, or `fit` would reject the rows,
            labels, parameters or device.
        """
        return self._many(X, y, X_val, y_val, width, classes)

    def _all_classes(self, y, classes):
        if classes is None:
            return np.unique(all_labels(check_labels(y, "y")))
        return classes

    def _weights_of(self, targets, sample_weight):
        # A subclass may have a constructor of its own.
        class_weight = getattr(self, "class_weight", None)
        if class_weight is None and sample_weight is None:
            return None
        return row_weights(targets, self.classes_, class_weight, sample_weight)

    def _criterion(self):
        return WeightedCrossEntropy()

    def _metric(self, scorer, y):
        is_known = np.isin(all_labels(y), self.classes_).all()
        return metric_of(scorer, self) if is_known else None

    def _margins(self, y):
        codes = codes_of(all_labels(y), self.classes_)
        return lambda stack, slot, inputs: margins(
            stack.logits(slot, inputs).cpu().numpy(), codes
        )


class BaseNetClassifier(LabelNet, RowNet):
    """Base class of net classifiers: one label per row.

    A subclass implements its constructor; `_check_rows`, which validates `X` and
    returns an array of dtype float32 and shape (n_rows, *input_shape); and
    `_module_and_params`, which returns the class of the module and the parameters of
    its constructor.
    """

    _output_name = "logit per class"

    @property
    def _n_outputs(self):
        return len(self.classes_)

    def _encode_labels(self, X, y, classes, sample_weight=None):
        """Set `classes_`, and return the rows and class codes to train on."""
        self.classes_, codes = encode_labels(y, classes)
        return X, codes

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
        logits = self._outputs(self._check_rows(X, reset=False))
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
        logits = self._outputs(self._check_rows(X, reset=False))
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
        X = self._check_rows(X, reset=False)
        samples = self._samples(X, n_samples, random_state)
        probs_N_T_C = np.empty((len(X), n_samples, len(self.classes_)))
        for t, logits in enumerate(samples):
            probs_N_T_C[:, t] = logits.softmax(dim=1).numpy()
        return probs_N_T_C

    def _encode_inputs(self, X, y):
        """Return the inputs of a stack, and the true class codes."""
        X = torch.tensor(self._check_rows(X, reset=False), device=self.device)
        return X, np.searchsorted(self.classes_, column_or_1d(y))


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
