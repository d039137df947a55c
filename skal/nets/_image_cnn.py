"""ImageCNN: the paper's convolutional network for object classification."""

import math
from numbers import Real

import numpy as np
import torch
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data
from torch import nn

from skal._sklearn import Interval
from skal.nets._base_classifier import BaseNetClassifier
from skal.nets._row_net import StackedRows

# Smallest side, in pixels, of images that are not padded: smaller ones would vanish in
# the two convolutions, which shrink each side by 4, and the pooling, which halves it.
_SMALLEST_UNPADDED = 16
# Smallest side, in pixels, of images that are padded, since pooling halves it twice.
_SMALLEST = 4


class ConvNet(nn.Module):
    """Two convolutions and two linear layers.

    The convolutions have 32 and 64 channels and 5 x 5 kernels without padding, each
    followed by 2 x 2 max-pooling. The linear layers have 128 units and one unit per
    class. ReLU is applied between layers. If a side of the images has fewer than 16
    pixels, each convolution pads by 2.

    Parameters
    ----------
    n_classes : int
        Number of logits.

    input_shape : tuple of int
        (channels, height, width) of an image.

    dropout : float, default=0.0
        Probability of dropping a channel of a convolution, or an input of the last
        layer, during training.
    """

    def __init__(self, n_classes, input_shape, dropout=0.0):
        super().__init__()
        is_padded = min(input_shape[1:]) < _SMALLEST_UNPADDED
        padding = 2 if is_padded else 0
        self.convolutions = nn.Sequential(
            nn.Conv2d(input_shape[0], 32, 5, padding=padding),
            nn.Dropout2d(dropout),
            # Pooling before ReLU gives the same result with a quarter of the values.
            nn.MaxPool2d(2, ceil_mode=is_padded),
            nn.ReLU(),
            nn.Conv2d(32, 64, 5, padding=padding),
            nn.Dropout2d(dropout),
            nn.MaxPool2d(2, ceil_mode=is_padded),
            nn.ReLU(),
            nn.Flatten(),
        )
        # Evaluation mode, so that dropout draws no random numbers here.
        with torch.no_grad():
            n_units = self.convolutions.eval()(torch.zeros(1, *input_shape)).shape[1]
        self.convolutions.train()
        self.head = nn.Sequential(
            nn.Linear(n_units, 128),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(128, n_classes),
        )
        # The channels-last memory format makes the convolutions twice as fast.
        self.to(memory_format=torch.channels_last)

    def forward(self, X):
        """Return the logits.

        Parameters
        ----------
        X : tensor of shape (n_images, channels, height, width)
            Images to classify.

        Returns
        -------
        tensor of shape (n_images, n_classes)
            The logits.
        """
        return self.head(self.convolutions(X))


class ImageCNN(StackedRows, BaseNetClassifier):
    """The paper's convolutional network for small images.

    The network consists of two convolutions of 32 and 64 channels with 5 x 5 kernels,
    each followed by 2 x 2 max-pooling, and two linear layers of 128 units and one unit
    per class, with ReLU between layers. It is trained in the same way as
    `TorchClassifier`.

    Images have shape (n_images, height, width) or (n_images, channels, height, width),
    or are flattened to one row each. Bytes (dtype uint8) are divided by 255; other
    values are used unchanged.

    Parameters
    ----------
    dropout : float, default=0.0
        Probability of dropping a channel of a convolution, or an input of the last
        layer, during training and in `sample_proba`, which needs a value above 0.

    image_shape : tuple of int, default=None
        (height, width) or (channels, height, width) of an image. With None, the shape
        is inferred from `X`: flat rows are assumed to be square grey-scale images, or,
        with fewer than 16 values, images that are one pixel high.

    lr : float, default=1e-3
        Learning rate of Adam.

    max_epochs : int, default=100
        Maximum number of passes through the training images.

    batch_size : int, default=32
        Number of images per minibatch.

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
        (channels, height, width) of an image.

    loss_curve_ : list of float
        Mean training loss of each epoch.

    validation_scores_ : list of float
        Validation score after each epoch; empty without a validation set.

    best_epoch_ : int
        The epoch, counted from 1, whose weights were kept.

    n_features_in_ : int
        Number of values per image.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during :term:`fit`. Defined only if images are the rows
        of a data frame whose column names are all strings.

    See Also
    --------
    TorchClassifier : Trains any other module.

    Notes
    -----
    If a side of the images has fewer than 16 pixels, each convolution pads by 2. The
    paper's images of 28 x 28 pixels are not padded.

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

    # Rows per forward pass: small enough for all activations to fit in the CPU cache.
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
        class_weight=None,
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
        self.class_weight = class_weight
        self.scoring = scoring
        self.device = device
        self.random_state = random_state

    def fit(self, X, y, *, X_val=None, y_val=None, classes=None, sample_weight=None):
        """Train a new network.

        Parameters
        ----------
        X : array-like of n_samples images
            Images to train on, in one of the three layouts described above.

        y : array-like of shape (n_samples,)
            Class labels of any kind.

        X_val : array-like of n_val images, default=None
            Validation images. The epoch with the best score on them is kept, and
            training stops after `patience` epochs without a better score. Without
            them, all `max_epochs` epochs are trained and the last one is kept.

        y_val : array-like of shape (n_val,), default=None
            Class labels of `X_val`.

        classes : array-like of shape (n_classes,), default=None
            All class labels, which may include some that `y` lacks. None uses the
            classes found in `y`.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the images in the loss, at least 0. An image of weight 0 is
            left out; its label stays among the classes. None weighs all alike.

        Returns
        -------
        self : ImageCNN
            Fitted classifier.

        Raises
        ------
        ValueError
            If the shape of the images cannot be inferred or differs between images,
            the device is not available, `y` contains a label that is not in `classes`,
            or training diverges.
        """
        return super().fit(
            X,
            y,
            X_val=X_val,
            y_val=y_val,
            classes=classes,
            sample_weight=sample_weight,
        )

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
        """Return the shape of the training images: given, declared or guessed."""
        if self.image_shape is None:
            return given or guess_image_shape(flat.shape[1])
        declared = as_image_shape(self.image_shape)
        if given is not None:
            check_same_shape(given, declared)
        if math.prod(declared) != flat.shape[1]:
            raise ValueError(
                f"Rows of X have {flat.shape[1]} features, but image_shape="
                f"{self.image_shape} has {math.prod(declared)} values: make them agree."
            )
        return declared

    def _module_and_params(self):
        facts = {"n_classes": len(self.classes_), "input_shape": self.input_shape_}
        return ConvNet, facts | {"dropout": self.dropout}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def scaled(flat):
    """Convert values to float32, dividing bytes by 255.

    Parameters
    ----------
    flat : ndarray of shape (n_images, n_values)
        Images, one per row.

    Returns
    -------
    ndarray of shape (n_images, n_values), dtype float32
        The converted values.

    Raises
    ------
    ValueError
        If a value is too large for float32.
    """
    if flat.dtype == np.uint8:
        return flat.astype(np.float32) / np.float32(255)
    # A value too large for float32 becomes infinite, which check_array rejects.
    with np.errstate(over="ignore"):
        return check_array(flat, dtype=np.float32, input_name="X", order="C")


def as_image_shape(shape):
    """Return (channels, height, width), adding a channel axis if necessary.

    Parameters
    ----------
    shape : tuple of int
        (height, width) or (channels, height, width).

    Returns
    -------
    tuple of int
        The shape with a channel axis.

    Raises
    ------
    ValueError
        If `shape` has another length, or a side has fewer than 4 pixels.
    """
    if len(shape) not in (2, 3) or min(shape[-2:]) < _SMALLEST:
        raise ValueError(
            "Images must be (height, width) or (channels, height, width) with at least "
            f"{_SMALLEST} pixels a side, got shape {tuple(shape)}: put the channels "
            "first, and enlarge smaller images."
        )
    return (1,) * (3 - len(shape)) + tuple(int(size) for size in shape)


def guess_image_shape(n_values):
    """Return the assumed image shape of flat rows.

    Parameters
    ----------
    n_values : int
        Number of values per row.

    Returns
    -------
    tuple of int
        (1, side, side), or (1, 1, n_values) if there are fewer than 16 values.

    Raises
    ------
    ValueError
        If the number of values is not a square.
    """
    if n_values < _SMALLEST**2:
        return (1, 1, n_values)
    side = math.isqrt(n_values)
    if side**2 != n_values:
        raise ValueError(
            f"Rows of {n_values} features are not square images: set their shape, as "
            "in image_shape=(3, 32, 32), or pass images that are not flat."
        )
    return (1, side, side)


def check_same_shape(given, expected):
    """Raise an error unless the images have the expected shape.

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
            f"Images of X have shape {given}, but {expected} (channels, height, width) "
            "is expected: pass images of the fitted or declared size."
        )
