"""ImageCNN: the convolutional network of the paper's object classification."""

import math
from numbers import Real

import numpy as np
import torch
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data
from torch import nn

from skal._sklearn import Interval
from skal.nets._base_classifier import BaseNetClassifier, StackedRows

# Two unpadded 5 x 5 convolutions, each halved by pooling, leave nothing of less.
_SMALLEST_UNPADDED = 16
_SMALLEST = 4


class ConvNet(nn.Module):
    """Two convolutions and two linear layers.

    Convolutions of 32 and 64 channels, 5 x 5 and unpadded, each followed by max-pooling
    over 2 x 2, and linear layers of 128 units and of one per class, with ReLU between.
    Images of fewer than 16 pixels a side are padded by 2 in each convolution.

    Parameters
    ----------
    n_classes : int
        Number of logits.

    input_shape : tuple of int
        (channels, height, width) of an image.

    dropout : float, default=0.0
        Probability with which a channel of a convolution, or an input of the last
        layer, is dropped in training.
    """

    def __init__(self, n_classes, input_shape, dropout=0.0):
        super().__init__()
        is_padded = min(input_shape[1:]) < _SMALLEST_UNPADDED
        padding = 2 if is_padded else 0
        self.convolutions = nn.Sequential(
            nn.Conv2d(input_shape[0], 32, 5, padding=padding),
            nn.Dropout2d(dropout),
            # Before ReLU: the same, and ReLU has a quarter of the values to look at.
            nn.MaxPool2d(2, ceil_mode=is_padded),
            nn.ReLU(),
            nn.Conv2d(32, 64, 5, padding=padding),
            nn.Dropout2d(dropout),
            nn.MaxPool2d(2, ceil_mode=is_padded),
            nn.ReLU(),
            nn.Flatten(),
        )
        # In evaluation mode, where dropout draws no random numbers.
        with torch.no_grad():
            n_units = self.convolutions.eval()(torch.zeros(1, *input_shape)).shape[1]
        self.convolutions.train()
        self.head = nn.Sequential(
            nn.Linear(n_units, 128),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(128, n_classes),
        )
        # Convolutions are twice as fast with the channels side by side.
        self.to(memory_format=torch.channels_last)

    def forward(self, X):
        """Return the logits.

        Parameters
        ----------
        X : tensor of shape (n_images, channels, height, width)

        Returns
        -------
        tensor of shape (n_images, n_classes)
        """
        return self.head(self.convolutions(X))


class ImageCNN(StackedRows, BaseNetClassifier):
    """The convolutional network of the paper, for small images.

    Convolutions of 32 and 64 channels, 5 x 5, each followed by max-pooling over 2 x 2,
    and linear layers of 128 units and of one per class, with ReLU between. It is
    trained as `TorchClassifier` trains.

    Images come as (n_images, height, width), as (n_images, channels, height, width), or
    flat, one row each. Bytes (dtype uint8) are divided by 255; other numbers are taken
    as they are.

    Parameters
    ----------
    dropout : float, default=0.0
        Probability with which a channel of a convolution, or an input of the last
        layer, is dropped in training, and in the samples of `sample_proba`, which needs
        it to be above 0.

    image_shape : tuple of int, default=None
        (height, width) or (channels, height, width) of an image. None takes the shape
        that images come in. Flat rows are then square and grey; only rows of fewer than
        16 values, which are hardly images, are strips one pixel high.

    lr : float, default=1e-3
        Learning rate of Adam.

    max_epochs : int, default=100
        At most so many passes through the images.

    batch_size : int, default=32
        Images in a minibatch.

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
        (channels, height, width) of an image.

    loss_curve_ : list of float
        Mean training loss of each epoch.

    validation_scores_ : list of float
        Validation score after each epoch; empty without a validation set.

    best_epoch_ : int
        The epoch, from 1, whose weights were kept.

    n_features_in_ : int
        Number of values in an image.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during :term:`fit`, if images are flat rows of a data
        frame and all names are strings.

    See Also
    --------
    TorchClassifier : Train any other module.

    Notes
    -----
    Images of fewer than 16 pixels a side are padded by 2 in each convolution; the
    paper's, of 28 x 28, are not.

    References
    ----------
    Zhou et al., "Towards Understanding the Behaviors of Optimal Deep Active Learning
    Algorithms", AISTATS 2021, Table 1.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skal.nets import ImageCNN
    >>> digits = load_digits()
    >>> images, y = digits.images[:300] / 16, digits.target[:300]
    >>> model = ImageCNN(dropout=0.5, max_epochs=5, random_state=0).fit(images, y)
    >>> model.predict(images).shape, model.embed(images).shape
    ((300,), (300, 128))
    >>> model.sample_proba(images, n_samples=3, random_state=0).shape
    (300, 3, 10)
    """

    # What these need between the layers stays in the processor's cache.
    _rows_at_once = 32

    _parameter_constraints: dict = {
        **BaseNetClassifier._parameter_constraints,
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "image_shape": [tuple, None],
    }

    def __init__(
        self,
        *,
        dropout=0.0,
        image_shape=None,
        lr=1e-3,
        max_epochs=100,
        batch_size=32,
        patience=20,
        scoring=None,
        device="cpu",
        random_state=None,
    ):
        self.dropout = dropout
        self.image_shape = image_shape
        self.lr = lr
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.patience = patience
        self.scoring = scoring
        self.device = device
        self.random_state = random_state

    def fit(self, X, y, *, X_val=None, y_val=None, classes=None):
        """Train a new network.

        Parameters
        ----------
        X : array-like of n_samples images
            Images to train on, in one of the three layouts.

        y : array-like of shape (n_samples,)
            Class labels of any kind.

        X_val : array-like of n_val images, default=None
            Images to choose the epoch by: the one with the best score on them is kept,
            and training stops after `patience` epochs without a better one. Without
            them, all `max_epochs` epochs are trained and the last is kept.

        y_val : array-like of shape (n_val,), default=None
            Their labels.

        classes : array-like of shape (n_classes,), default=None
            All classes there are, of which `y` may lack some. None takes those of `y`.

        Returns
        -------
        self : ImageCNN
            Fitted classifier.

        Raises
        ------
        ValueError
            If it cannot be told what shape images have, or they have not the same, the
            device is not there, `y` holds a label that is not among the classes, or
            training diverges.
        """
        return super().fit(X, y, X_val=X_val, y_val=y_val, classes=classes)

    def _check_rows(self, X, y="no_validation", *, reset):
        X = X if hasattr(X, "shape") else np.asarray(X)
        given = None
        if len(X.shape) > 2:
            given = as_image_shape(X.shape[1:])
            X = np.reshape(X, (len(X), math.prod(given)))
            if not reset:
                check_same_shape(given, self.input_shape_)
        checked = validate_data(self, X, y, reset=reset)
        flat = checked[0] if reset else checked
        shape = self._shape_of(flat, given) if reset else self.input_shape_
        images = scaled(flat).reshape(len(flat), *shape)
        return (images, checked[1]) if reset else images

    def _shape_of(self, flat, given):
        """Return the shape of the images of `fit`: given, declared or guessed."""
        if self.image_shape is None:
            return given or guess_image_shape(flat.shape[1])
        declared = as_image_shape(self.image_shape)
        if given is not None:
            check_same_shape(given, declared)
        if math.prod(declared) != flat.shape[1]:
            raise ValueError(
                f"Rows of X have {flat.shape[1]} features and image_shape="
                f"{self.image_shape} has {math.prod(declared)} values: make them agree."
            )
        return declared

    def _recipe(self):
        facts = {"n_classes": len(self.classes_), "input_shape": self.input_shape_}
        return ConvNet, facts | {"dropout": self.dropout}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def scaled(flat):
    """Return the values as float32, bytes divided by 255.

    Parameters
    ----------
    flat : ndarray of shape (n_images, n_values)

    Returns
    -------
    ndarray of shape (n_images, n_values), dtype float32

    Raises
    ------
    ValueError
        If a value is too large for float32.
    """
    if flat.dtype == np.uint8:
        return flat.astype(np.float32) / np.float32(255)
    # What overflows in float32 becomes infinite, and that is refused.
    with np.errstate(over="ignore"):
        return check_array(flat, dtype=np.float32, input_name="X", order="C")


def as_image_shape(shape):
    """Return (channels, height, width), with one channel where none is named.

    Parameters
    ----------
    shape : tuple of int
        (height, width) or (channels, height, width).

    Returns
    -------
    tuple of int

    Raises
    ------
    ValueError
        If the shape is of another length, or fewer than 4 pixels a side.
    """
    if len(shape) not in (2, 3) or min(shape[-2:]) < _SMALLEST:
        raise ValueError(
            f"Images of shape {tuple(shape)} are not (height, width) or (channels, "
            f"height, width) with at least {_SMALLEST} pixels a side: put the channels "
            "first, and enlarge smaller images."
        )
    return (1,) * (3 - len(shape)) + tuple(int(size) for size in shape)


def guess_image_shape(n_values):
    """Return the shape that flat rows are taken to have.

    Parameters
    ----------
    n_values : int

    Returns
    -------
    tuple of int
        (1, side, side), or for fewer than 16 values (1, 1, n_values).

    Raises
    ------
    ValueError
        If they are no square.
    """
    if n_values < _SMALLEST**2:
        return (1, 1, n_values)
    side = math.isqrt(n_values)
    if side**2 != n_values:
        raise ValueError(
            f"Rows of {n_values} features are no square images: say what they are, as "
            "in image_shape=(3, 32, 32), or give images that are not flat."
        )
    return (1, side, side)


def check_same_shape(given, expected):
    """Refuse images that are not of the expected shape.

    Parameters
    ----------
    given, expected : tuple of int
        (channels, height, width).

    Raises
    ------
    ValueError
        If they differ.
    """
    if given != expected:
        raise ValueError(
            f"Images of X have shape {given}, and {expected} (channels, height, width) "
            "is expected: give images of the size that was fitted or declared."
        )
