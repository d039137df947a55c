"""TorchRegressor: trains any torch module as a scikit-learn regressor."""

from math import prod
from typing import Any

import numpy as np
import torch
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from skal._sklearn import StrOptions, _fit_context
from skal.answers._margins import residuals, scale_of
from skal.nets._any_module import AnyModule
from skal.nets._numbers import LOSSES, NumberLoss, standardized, target_scale
from skal.nets._row_net import RowNet, StackedRows
from skal.nets.side_by_side._metrics import metric_of_numbers
from skal.nets.side_by_side._number_stack import NumberStack

# Number of samples by Monte-Carlo dropout behind a standard deviation, and their seed.
N_SAMPLES, SEED = 20, 0


class TorchRegressor(AnyModule, StackedRows, RegressorMixin, RowNet):
    """Train a torch module as a scikit-learn regressor.

    The net is trained with Adam on the squared error of shuffled minibatches. Targets
    are standardized for training, by the mean and standard deviation of the training
    rows, and predictions are in the units of `y`. If `fit` is given a validation set,
    such as the selection set of an `ActiveLearner`, the best epoch is kept. The same
    `random_state` gives bit-for-bit the same weights in any process on the CPU; the
    global random state is neither used nor changed.

    Parameters
    ----------
    module : type
        Class of a `torch.nn.Module` that maps inputs of shape (n_rows, ...) to
        outputs of shape (n_rows, n_outputs), such as `MLP`. Its constructor must accept
        the number of outputs, as `n_outputs` or `n_classes`, and may accept
        `input_shape`, the shape of one row. Each `fit` builds a new module.

    module_params : dict, default=None
        Other parameters of the constructor. Each can also be set separately, as in
        `set_params(module__hidden=20)` or in the grid of a search.

    loss : {"squared_error", "absolute_error", "huber"}, default="squared_error"
        The loss of a number, averaged over several outputs. "huber" is squared for
        errors of up to one standard deviation of `y`, and linear beyond.

    lr : float, default=1e-3
        Learning rate of Adam.

    max_epochs : int, default=100
        Maximum number of passes through the training rows.

    batch_size : int, default=32
        Number of rows per minibatch. The last minibatch of an epoch may be smaller. If
        the module has batch norm, which needs more than one row, a single remaining row
        is added to the minibatch before it.

    patience : int, default=20
        Number of epochs without a better validation score after which training stops.
        Not used without a validation set.

    scoring : str, callable or None, default=None
        Validation score that determines the best epoch, given in any form that
        scikit-learn accepts. None uses the estimator's `score` method, R2.

    device : str, default="cpu"
        Device on which to train and predict, such as "cuda".

    random_state : int, RandomState instance or None, default=None
        Controls the initial weights, the order of the minibatches, and dropout during
        training. Pass an int for reproducible output across multiple function calls.

    Attributes
    ----------
    module_ : torch.nn.Module
        The trained module. Its outputs are standardized.

    input_shape_ : tuple of int
        Shape of one row.

    output_shape_ : tuple of int
        Shape of the targets of one row: () for a number, (n_outputs,) for several.

    y_mean_, y_scale_ : ndarray of shape (n_outputs,)
        Mean and standard deviation of each output in training.

    loss_curve_ : list of float
        Mean training loss of each epoch.

    validation_scores_ : list of float
        Validation score after each epoch; empty without a validation set.

    best_epoch_ : int
        The epoch, counted from 1, whose weights were kept.

    n_features_in_ : int
        Number of features seen during :term:`fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during :term:`fit`. Defined only if all are strings.

    See Also
    --------
    MLP : A multilayer perceptron.
    TorchClassifier : Predicts classes.

    References
    ----------
    Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015. The number
    of epochs and the patience are from Zhou et al., AISTATS 2021.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skal.nets import MLP, TorchRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> net = TorchRegressor(MLP, module_params={"hidden": 20, "dropout": 0.2},
    ...                      lr=0.01, max_epochs=30, random_state=0)
    >>> model = make_pipeline(StandardScaler(), net).fit(X, y)
    >>> bool(model.score(X, y) > 0.5)
    True
    >>> mean, std = model.predict(X[:5], return_std=True)
    >>> mean.shape, std.shape
    ((5,), (5,))
    """

    _parameter_constraints: dict = {
        **RowNet._parameter_constraints,
        "module": [callable],
        "module_params": [dict, None],
        "loss": [StrOptions(set(LOSSES))],
    }
    _stack_class: Any = NumberStack
    _output_name = "number per output"
    _checks_of_fit = {"multi_output": True, "y_numeric": True}

    def __init__(
        self,
        module,
        *,
        module_params=None,
        loss="squared_error",
        lr=1e-3,
        max_epochs=100,
        batch_size=32,
        patience=20,
        scoring=None,
        device="cpu",
        random_state=None,
    ):
        self.module = module
        self.module_params = module_params
        self.loss = loss
        self.lr = lr
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.patience = patience
        self.scoring = scoring
        self.device = device
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, *, X_val=None, y_val=None, sample_weight=None):
        """Train a new module.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Rows to train on, converted to float32.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers to predict.

        X_val : array-like of shape (n_val, n_features) or (n_val, ...), default=None
            Validation rows. The epoch with the best score on them is kept, and
            training stops after `patience` epochs without a better score. Without
            them, all `max_epochs` epochs are trained and the last one is kept.

        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Numbers of `X_val`.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows in the loss, at least 0. A row of weight 0 is left out.
            None weighs all rows alike.

        Returns
        -------
        self : TorchRegressor
            Fitted regressor.

        Raises
        ------
        TypeError
            If `module` is not a class.
        ValueError
            If the module lacks parameters or does not accept them, fails on the rows,
            does not return one number per output or has nothing to train; if the device
            is not available, the rows or numbers are invalid, or training diverges.
        """
        self._check_params_of_module()
        return self._train(X, y, X_val, y_val, sample_weight)

    def side_by_side(self, X, y, *, X_val=None, y_val=None, width=None):
        """Return an object that trains this net on many subsets of a data set, or None.

        Parameters
        ----------
        X, y : rows and numbers
            Rows and numbers from which the subsets are taken.

        X_val, y_val : rows and numbers, default=None
            Validation set that selects the best epoch, as in `fit`.

        width : int, default=None
            Maximum number of models trained side by side. On the CPU, it does not
            change any result.

        Returns
        -------
        ManyNets or None
            None if this net can only be trained one at a time: it has dropout, or its
            class overrides `fit` or `predict`. If the module is the reason, a warning
            explains it.

        Raises
        ------
        ValueError
            If only one of `X_val` and `y_val` is given, or `fit` would reject the rows,
            numbers, parameters or device.
        """
        return self._many(X, y, X_val, y_val, width)

    def predict(self, X, return_std=False):
        """Predict the numbers of each row.

        Parameters
        ----------
        X : array-like of n_samples rows
            Rows to predict.

        return_std : bool, default=False
            Whether to return a standard deviation as well.

        Returns
        -------
        y_mean : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The predictions, without dropout.

        y_std : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The standard deviation over 20 samples by Monte-Carlo dropout, which are the
            same in every call. Only returned if `return_std` is True.

        Raises
        ------
        ValueError
            If a standard deviation is asked for and the module has no dropout layer.
        """
        check_is_fitted(self)
        rows = self._check_rows(X, reset=False)
        mean = self._in_units(self._outputs(rows))
        if not return_std:
            return mean
        return mean, self.sample_y(X, N_SAMPLES, SEED).std(axis=-1)

    def sample_y(self, X, n_samples=20, random_state=None):
        """Sample the predicted numbers by Monte-Carlo dropout.

        Each sample is one network, which drops the same units for all rows, regardless
        of their number and order. Only dropout is random: batch norm stays in
        evaluation mode.

        Parameters
        ----------
        X : array-like of n_rows rows
            Rows to predict.

        n_samples : int, default=20
            Number of samples. Asking for more keeps the first ones unchanged.

        random_state : int, RandomState instance or None, default=None
            Controls the dropout masks. Pass an int for reproducible output across
            multiple function calls.

        Returns
        -------
        ndarray of shape (n_rows, n_samples) or (n_rows, n_outputs, n_samples)
            As `GaussianProcessRegressor.sample_y` returns it.

        Raises
        ------
        ValueError
            If the module has no dropout layer, or `n_samples` is below 1.

        References
        ----------
        Gal and Ghahramani, "Dropout as a Bayesian Approximation", ICML 2016.
        """
        check_is_fitted(self)
        samples = self._samples(
            self._check_rows(X, reset=False), n_samples, random_state
        )
        return np.stack([self._in_units(outputs) for outputs in samples], axis=-1)

    @property
    def _n_outputs(self):
        return prod(self.output_shape_)

    def _criterion(self):
        return NumberLoss(self.loss)

    def _in_units(self, outputs):
        """Return outputs of the module in the units and the shape of the targets."""
        found = outputs.numpy() * self.y_scale_ + self.y_mean_
        return found.reshape(len(found), *self.output_shape_)

    def _as_table(self, y):
        """Set the shape of the targets; return them as (n_rows, n_outputs)."""
        self.output_shape_ = y.shape[1:]
        return np.asarray(y, dtype=np.float64).reshape(len(y), -1)

    def _encode_labels(self, X, y, classes, sample_weight=None):
        """Set the scale of the targets; return the rows and standardized targets."""
        y = self._as_table(y)
        self.y_mean_, self.y_scale_ = target_scale(y, sample_weight)
        return X, standardized(y, self.y_mean_, self.y_scale_)

    def _encode_stacked(self, X, y, classes):
        # Each model of a stack standardizes the targets of its own rows.
        return X, self._as_table(y)

    def _make_stack(self, *args):
        return self._stack_class(self._criterion(), *args)

    def _encode_inputs(self, X, y):
        """Return the inputs of a stack, and the true numbers."""
        X = torch.tensor(self._check_rows(X, reset=False), device=self.device)
        return X, np.asarray(y)

    def _metric(self, scorer, y):
        return metric_of_numbers(scorer, self)

    def _margins(self, y):
        true = np.asarray(y)
        scale = scale_of(true)
        return lambda stack, slot, inputs: residuals(
            stack.answer(slot, inputs).reshape(true.shape), true, scale
        )

    def _copy_fitted_state(self, model, stack, slot):
        super()._copy_fitted_state(model, stack, slot)
        model.output_shape_ = self.output_shape_
        model.y_mean_ = stack.y_means[slot].copy()
        model.y_scale_ = stack.y_scales[slot].copy()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
