"""A classifier made of a torch module of the user's own."""

import numpy as np
from sklearn.utils.validation import validate_data

from skal.nets._base_classifier import BaseNetClassifier, StackedRows
from skal.nets._modules import MLP, check_module, defaults, told

# Modules that a file may name. What is not here must be given to `load`: a name in a
# file never decides what is imported.
_NAMED = {"skal.nets.MLP": MLP}


_PREFIX = "module__"


class TorchClassifier(StackedRows, BaseNetClassifier):
    """Train a torch module as a scikit-learn classifier.

    Adam on the cross-entropy, in shuffled minibatches. Given a validation set in `fit`,
    such as an `ActiveLearner`'s selection set, the best epoch is kept. The same
    `random_state` gives the same weights bit for bit, in any process on the CPU,
    whatever the global random state, which is left alone.

    Parameters
    ----------
    module : type
        Class of a `torch.nn.Module` that answers (n_rows, *input_shape) with one logit
        per class, such as `MLP`. Its constructor takes `n_classes` and, if it wishes,
        `input_shape`, the shape of one row. Each `fit` builds a new module.

    module_params : dict, default=None
        The constructor's other parameters. Each can be set by itself as well, as in
        `set_params(module__hidden=20)` or the grid of a search.

    lr : float, default=1e-3
        Learning rate of Adam.

    max_epochs : int, default=100
        At most so many passes through the rows.

    batch_size : int, default=32
        Rows in a minibatch. The last of an epoch may be smaller; where the module has
        batch norm, which learns nothing from a single row, such a row joins the
        minibatch before it.

    patience : int, default=20
        With a validation set, training stops after this many epochs without a better
        score.

    scoring : str, callable or None, default=None
        What an epoch is judged by, as everywhere in scikit-learn; None takes the
        estimator's `score`, which is the accuracy.

    device : str, default="cpu"
        Where to train and predict, such as "cuda".

    random_state : int, RandomState instance or None, default=None
        Determines the initial weights, the minibatches, and what dropout drops in
        training. Pass an int for the same model in every call.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class list.

    module_ : torch.nn.Module
        The trained module.

    input_shape_ : tuple of int
        Shape of one row.

    loss_curve_ : list of float
        Mean training loss of each epoch.

    validation_scores_ : list of float
        Validation score after each epoch; empty without a validation set.

    best_epoch_ : int
        The epoch, from 1, whose weights were kept.

    n_features_in_ : int
        Number of features seen during :term:`fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during :term:`fit`, if all are strings.

    See Also
    --------
    ImageCNN : A convolutional network for images.
    MLP : A module to begin with.

    References
    ----------
    Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015. Epochs and
    patience as in Zhou et al., AISTATS 2021.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skal.nets import MLP, TorchClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> net = TorchClassifier(MLP, module_params={"hidden": 20, "dropout": 0.5},
    ...                       lr=0.01, max_epochs=30, random_state=0)
    >>> model = make_pipeline(StandardScaler(), net).fit(X, y)
    >>> bool(model.score(X, y) > 0.9)
    True
    >>> net.sample_proba(X[:5], n_samples=7, random_state=0).shape
    (5, 7, 3)
    """

    _parameter_constraints: dict = {
        **BaseNetClassifier._parameter_constraints,
        "module": [callable],
        "module_params": [dict, None],
    }

    def __init__(
        self,
        module,
        *,
        module_params=None,
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
        self.lr = lr
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.patience = patience
        self.scoring = scoring
        self.device = device
        self.random_state = random_state

    def get_params(self, deep=True):
        """Return the parameters.

        Parameters
        ----------
        deep : bool, default=True
            Whether to add those of the module, as `module__name`.

        Returns
        -------
        dict
        """
        params = super().get_params(deep=deep)
        if not deep:
            return params
        given = self.module_params if isinstance(self.module_params, dict) else {}
        inner = defaults(self.module) | given
        return params | {_PREFIX + name: value for name, value in inner.items()}

    def set_params(self, **params):
        """Set parameters, those of the module as `module__name`.

        Parameters
        ----------
        **params : dict

        Returns
        -------
        self : classifier

        Raises
        ------
        ValueError
            If there is no such parameter. A name that comes close is suggested.
        """
        inner = {
            name.removeprefix(_PREFIX): value
            for name, value in params.items()
            if name.startswith(_PREFIX)
        }
        super().set_params(
            **{name: v for name, v in params.items() if not name.startswith(_PREFIX)}
        )
        if inner:
            check_module(self.module, inner)
            # A new dict: the old one belongs to whoever gave it.
            self.module_params = (self.module_params or {}) | inner
        return self

    def fit(self, X, y, *, X_val=None, y_val=None, classes=None):
        """Train a new module.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Rows to train on, converted to float32.

        y : array-like of shape (n_samples,)
            Class labels of any kind.

        X_val : array-like of shape (n_val, n_features) or (n_val, ...), default=None
            Rows to choose the epoch by: the one with the best score on them is kept,
            and training stops after `patience` epochs without a better one. Without
            them, all `max_epochs` epochs are trained and the last is kept.

        y_val : array-like of shape (n_val,), default=None
            Their labels.

        classes : array-like of shape (n_classes,), default=None
            All classes there are, of which `y` may lack some. None takes those of `y`.

        Returns
        -------
        self : TorchClassifier
            Fitted classifier.

        Raises
        ------
        TypeError
            If `module` is not a class.
        ValueError
            If the module takes no such parameters or does not return one logit per
            class, the device is not there, rows are not as they should be, `y` holds a
            label that is not among the classes, or training diverges.
        """
        check_module(self.module, self.module_params or {})
        return super().fit(X, y, X_val=X_val, y_val=y_val, classes=classes)

    def _make_stack(self, X, y, classes, width):
        check_module(self.module, self.module_params or {})
        return super()._make_stack(X, y, classes, width)

    def _check_rows(self, X, y="no_validation", *, reset):
        # What overflows in float32 becomes infinite, and that is refused.
        with np.errstate(over="ignore"):
            checked = validate_data(
                self, X, y, reset=reset, dtype=np.float32, allow_nd=True, order="C"
            )
        if not reset and checked.shape[1:] != self.input_shape_:
            raise ValueError(
                f"Rows of X have shape {checked.shape[1:]}, and those of fit had "
                f"{self.input_shape_}: give rows of that shape."
            )
        return checked

    def _recipe(self):
        facts = told(self.module, len(self.classes_), self.input_shape_)
        return self.module, {**(self.module_params or {}), **facts}

    def _stored_params(self):
        names = {module: name for name, module in _NAMED.items()}
        name = names.get(self.module, self.module.__qualname__)
        return super()._stored_params() | {"module": name}

    @classmethod
    def _restored_params(cls, params):
        module = params["module"]
        if isinstance(module, str):
            if module not in _NAMED:
                raise ValueError(
                    f"The file holds the weights of {module}, which is not a module of "
                    f"skal: give its class, as in load(path, module={module})."
                )
            params = params | {"module": _NAMED[module]}
        return params
