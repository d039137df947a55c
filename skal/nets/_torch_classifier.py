"""TorchClassifier: trains any torch module as a scikit-learn classifier."""

from skal.nets._any_module import AnyModule
from skal.nets._base_classifier import BaseNetClassifier
from skal.nets._row_net import StackedRows


class TorchClassifier(AnyModule, StackedRows, BaseNetClassifier):
    """Train a torch module as a scikit-learn classifier.

    The net is trained with Adam on the cross-entropy of shuffled minibatches. If `fit`
    is given a validation set, such as the selection set of an `ActiveLearner`, the best
    epoch is kept. The same `random_state` gives bit-for-bit the same weights in any
    process on the CPU; the global random state is neither used nor changed.

    Parameters
    ----------
    module : type
        Class of a `torch.nn.Module` that maps inputs of shape (n_rows, ...) to
        one logit per class, such as `MLP`. Its constructor must accept `n_classes`, and
        may accept `input_shape`, the shape of one row. Each `fit` builds a new module.

    module_params : dict, default=None
        Other parameters of the constructor. Each can also be set separately, as in
        `set_params(module__hidden=20)` or in the grid of a search.

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

    class_weight : dict, "balanced" or None, default=None
        Weight of each class in the loss, as a dict from labels to weights; a class that
        it lacks has weight 1. "balanced" weighs classes by the inverse of their number
        of training rows. None weighs all alike.

    scoring : str, callable or None, default=None
        Validation score that determines the best epoch, given in any form that
        scikit-learn accepts. None uses the estimator's `score` method, the accuracy.

    device : str, default="cpu"
        Device on which to train and predict, such as "cuda".

    random_state : int, RandomState instance or None, default=None
        Controls the initial weights, the order of the minibatches, and dropout during
        training. Pass an int for reproducible output across multiple function calls.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted.

    module_ : torch.nn.Module
        The trained module.

    input_shape_ : tuple of int
        Shape of one row.

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
    ImageCNN : A convolutional network for images.
    TorchRegressor : Predicts numbers.
    MLP : A multilayer perceptron.

    References
    ----------
    Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015. The number
    of epochs and the patience are from Zhou et al., AISTATS 2021.

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
        class_weight=None,
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
        self.class_weight = class_weight
        self.scoring = scoring
        self.device = device
        self.random_state = random_state

    def fit(self, X, y, *, X_val=None, y_val=None, classes=None, sample_weight=None):
        """Train a new module.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Rows to train on, converted to float32.

        y : array-like of shape (n_samples,)
            Class labels of any kind.

        X_val : array-like of shape (n_val, n_features) or (n_val, ...), default=None
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
        self : TorchClassifier
            Fitted classifier.

        Raises
        ------
        TypeError
            If `module` is not a class.
        ValueError
            If the module lacks parameters or does not accept them, fails on the rows,
            does not return one logit per class or has nothing to train; if the device
            is not available, the rows are invalid, `y` contains a label that is not in
            `classes`, or training diverges.
        """
        self._check_params_of_module()
        return super().fit(
            X,
            y,
            X_val=X_val,
            y_val=y_val,
            classes=classes,
            sample_weight=sample_weight,
        )
