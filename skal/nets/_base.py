"""Base class of all nets: training, selection of the best epoch, saving."""

import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.utils.validation import check_consistent_length, check_is_fitted
from torch.nn.parameter import is_lazy

from skal._sklearn import Interval, StrOptions, _check_sample_weight, validate
from skal.inputs._containers import take
from skal.nets import _saving
from skal.nets._training import (
    check_device,
    has_validation,
    make_net,
    reproducible,
    train,
)
from skal.nets._weights import with_mean_one
from skal.nets.side_by_side._many import ManyNets
from skal.nets.side_by_side._metrics import is_of_skal
from skal.nets.side_by_side._stack import NotSideBySide
from skal.seeding import as_seed


class BaseNet(BaseEstimator):
    """Base class of nets.

    `_train` builds a skorch net; the class does not inherit from one, so that it
    follows scikit-learn's conventions. A subclass implements its constructor, `fit` and
    `side_by_side`, which call `_train` and `_many`, and four methods:
    `_check_rows`,
    which validates `X` and returns an array of shape (n_rows, *input_shape);
    `_encode_labels`, which sets attributes such as `classes_` and returns the inputs
    and targets to train on; `_criterion`, which returns the loss; and
    `_module_and_params`, which returns the class of the module and the parameters of
    its constructor. To train many side by side, it also implements `_build_stack`,
    `_encode_inputs`, `_metric`, `_margins` and `_copy_fitted_state`.
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

    def _train(self, X, y, X_val, y_val, sample_weight, classes=None):
        """Train a new module; the arguments are as in `fit`."""
        check_device(self.device)
        if sample_weight is not None:
            X, y, classes, sample_weight = self._with_weight(
                X, y, classes, sample_weight
            )
        X, y = self._check_rows(X, y, reset=True)
        self.input_shape_ = X.shape[1:]
        X, targets = self._encode_labels(X, y, classes, sample_weight)
        weights = self._weights_of(targets, sample_weight)
        score = self._validation_scorer(X_val, y_val)
        # Order of the random draws: the initial weights, layer by layer, then the
        # values that `_make_net` replaces. The generator is then reset to the seed, so
        # that the following draws depend only on the number of rows: for each epoch
        # the order of the rows, then for each minibatch the dropout masks.
        seed = as_seed(self.random_state)
        with reproducible(seed):
            net = self._make_net()
            self.module_ = net.module_
            self._check_module(X)
            X, targets = (torch.tensor(a, device=self.device) for a in (X, targets))
            if weights is not None:
                dtype = torch.get_default_dtype()
                weights = torch.tensor(weights, device=self.device, dtype=dtype)
            torch.manual_seed(seed)
            epochs = train(net, X, targets, self.patience, score, weights)
        self.module_.eval().zero_grad()
        self.loss_curve_, self.validation_scores_, self.best_epoch_ = epochs
        return self

    def _with_weight(self, X, y, classes, sample_weight):
        """Return the rows with a positive weight, the classes of all, and the weights.

        Rows of weight 0 are left out as a whole, so that they fill no minibatch.
        """
        check_consistent_length(X, y)
        weights = _check_sample_weight(
            sample_weight, X, dtype=np.float64, ensure_non_negative=True
        )
        kept = np.flatnonzero(weights)
        if len(kept) == len(weights):
            return X, y, classes, weights
        classes = self._all_classes(y, classes)
        return take(X, kept), take(y, kept), classes, weights[kept]

    def _all_classes(self, y, classes):
        """Return all classes, the ones of rows of weight 0 included, if any."""
        return classes

    def _weights_of(self, targets, sample_weight):
        """Return the weight of each target in the loss, or None if all are alike."""
        return None if sample_weight is None else with_mean_one(sample_weight)

    def _make_net(self):
        module, params = self._module_and_params()
        return make_net(
            module,
            params,
            self._criterion(),
            # torch rejects numpy numbers, which a randomized search may set.
            lr=float(self.lr),
            max_epochs=int(self.max_epochs),
            batch_size=int(self.batch_size),
            device=self.device,
        )

    def _validation_scorer(self, X_val, y_val):
        """Return a function that scores the estimator in its current state, or None."""
        if not has_validation(X_val, y_val):
            return None
        self._check_rows(X_val, reset=False)
        scorer = self._scorer()
        return lambda: scorer(self, X_val, y_val)

    def _scorer(self):
        return check_scoring(self, self.scoring)

    def _check_module(self, X):
        """Raise an error, before training, if the output has the wrong shape."""

    # Class of the stack that trains many of these nets side by side, or None.
    _stack_class: Any = None

    def _many(self, X, y, X_val, y_val, width, classes=None):
        """Return an object that trains many of these nets; see `side_by_side`."""
        has_dropout = getattr(self, "dropout", 0)
        own = is_of_skal(self.fit) and is_of_skal(self.predict)
        if self._stack_class is None or has_dropout or not own:
            return None
        validate(self)
        check_device(self.device)
        try:
            return ManyNets(
                self, X, y, X_val=X_val, y_val=y_val, classes=classes, width=width
            )
        except NotSideBySide as reason:
            if str(reason):
                warnings.warn(str(reason), stacklevel=3)
            return None

    def _trainable_rows(self, rows):
        """Return the rows, as indices into the stack, on which `fit` would train."""
        return rows

    def save(self, path):
        """Write the fitted estimator to a file, without pickle.

        The file is written under a temporary name and then moved, so that a reader
        never sees an incomplete file.

        Parameters
        ----------
        path : str or path-like
            Where to write the file.

        Raises
        ------
        TypeError
            If a parameter has a type that the file cannot hold, such as a callable.
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
        """Read a fitted estimator from a file written by `save`.

        Parameters
        ----------
        path : str or path-like
            The file to read.

        **params : dict
            Parameters that replace the stored ones, such as `device`.

        Returns
        -------
        estimator
            The fitted estimator.

        Raises
        ------
        FileNotFoundError
            If the file does not exist.
        ValueError
            If the file is damaged, or holds an estimator of another class.
        """
        unknown = sorted(set(params) - set(cls._get_param_names()))
        if unknown:
            raise ValueError(
                f"{cls.__name__} has no parameter {unknown[0]!r}: choose among "
                f"{', '.join(cls._get_param_names())}."
            )
        weights, facts = _saving.read(path)
        try:
            _saving.check_facts(facts, cls)
        except ValueError as error:
            raise _damaged(path, error) from error
        if facts["class"] != cls.__name__:
            raise ValueError(
                f"{path} holds a {facts['class']}, not a {cls.__name__}: read it with "
                f"{facts['class']}.load."
            )
        try:
            model = cls(**cls._restored_params(facts["params"] | params))
            vars(model).update(facts["fitted"])
            model._restore_module(weights, path)
            validate(model)
        except ValueError:
            raise
        except _saving.UNREADABLE as error:
            raise _damaged(path, error) from error
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
        module, params = self._module_and_params()
        if path:
            _check_sizes(module, params, weights, path)
        # The constructor draws initial weights: leave the global random state as it is.
        with reproducible(0):
            self.module_ = module(**params).to(self.device).eval()
        try:
            self.module_.load_state_dict(weights)
        except RuntimeError as error:
            raise ValueError(_misfit(module, path)) from error


def _check_sizes(module, params, weights, path):
    """Compare the sizes of a module with its stored weights before memory is taken."""
    try:
        with reproducible(0), torch.device("meta"):
            expected = module(**params).state_dict()
    # A constructor may need numbers: the weights are then compared when it was built.
    except Exception:
        return
    for name, value in expected.items():
        is_known = name in weights and not is_lazy(value)
        if is_known and value.shape != weights[name].shape:
            raise ValueError(_misfit(module, path))


def _misfit(module, path):
    return (
        f"The weights in {path} do not fit {module.__name__}: load it with the module "
        "and the parameters with which it was saved."
    )


def _damaged(path, error):
    return ValueError(
        f"{path} is damaged or was not written by the save of a skal net "
        f"({type(error).__name__}: {error}): save the net again."
    )
