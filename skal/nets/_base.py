"""Base class of all nets: training, choice of the epoch, files."""

import warnings
from numbers import Integral, Real
from typing import Any

import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.utils.validation import check_is_fitted

from skal._sklearn import Interval, StrOptions, _fit_context
from skal.nets import _saving
from skal.nets._training import (
    check_device,
    has_validation,
    make_net,
    reproducible,
    train,
)
from skal.nets.side_by_side._many import ManyNets
from skal.nets.side_by_side._metrics import is_of_skal
from skal.nets.side_by_side._stack import NotSideBySide
from skal.seeding import as_seed


class BaseNet(ClassifierMixin, BaseEstimator):
    """Base class of nets: a skorch net is built in `fit`, never inherited.

    A subclass writes its constructor; `_check_rows`, which turns what it is given into
    an array of shape (n_rows, *input_shape); `_with_codes`, which learns the classes,
    and turns rows and labels into what a net trains on; and `_recipe`, which tells the
    class of its module and the constructor's parameters.
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
        self.input_shape_ = X.shape[1:]
        X, codes = self._with_codes(X, y, classes)
        score = self._judge(X_val, y_val)
        # What is drawn, in this order: the module's first weights, layer by layer, and
        # what `_make_net` puts in their place. Then, from the seed anew, so that it
        # depends on the number of rows alone: in each epoch the order of the rows, and,
        # minibatch by minibatch, what dropout drops.
        seed = as_seed(self.random_state)
        with reproducible(seed):
            net = self._make_net()
            self.module_ = net.module_
            self._check_module(X)
            X, codes = (torch.tensor(a, device=self.device) for a in (X, codes))
            torch.manual_seed(seed)
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
        if not has_validation(X_val, y_val):
            return None
        self._check_rows(X_val, reset=False)
        scorer = self._scorer()
        return lambda: scorer(self, X_val, y_val)

    def _scorer(self):
        return check_scoring(self, self.scoring)

    def _check_module(self, X):
        """Refuse a module that does not answer as it should, before it is trained."""

    # The class of the stack that trains many of these side by side, if there is one.
    _stack_class: Any = None

    def side_by_side(self, X, y, *, X_val=None, y_val=None, classes=None, width=None):
        """Return what trains this net on many subsets of one data set, or None.

        Parameters
        ----------
        X, y : rows and labels
            What subsets are taken from.

        X_val, y_val : rows and labels, default=None
            To choose the epoch by, as in `fit`.

        classes : array-like of shape (n_classes,), default=None
            All classes there are. None takes those of `y`.

        width : int, default=None
            How many models stand side by side. It does not change any result on the
            CPU.

        Returns
        -------
        ManyNets or None
            None where this net is only trained one by one: there is no such form of it,
            it has dropout, or its class has a `fit` or `predict` of its own. Where a
            module of your own is why, a warning says so.

        Raises
        ------
        ValueError
            If one of `X_val` and `y_val` is missing, or rows, labels, parameters or the
            device are such that `fit` refuses them.
        """
        has_dropout = getattr(self, "dropout", 0)
        own = is_of_skal(self.fit) and is_of_skal(self.predict)
        if self._stack_class is None or has_dropout or not own:
            return None
        self._validate_params()
        check_device(self.device)
        try:
            return ManyNets(
                self, X, y, X_val=X_val, y_val=y_val, classes=classes, width=width
            )
        except NotSideBySide as why:
            if str(why):
                warnings.warn(str(why), stacklevel=2)
            return None

    def _trainable(self, rows):
        """Return the rows that `fit` would train on."""
        return rows

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
        estimator
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
