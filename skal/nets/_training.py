"""Training a net: minibatches, epochs, and early stopping."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.utils.validation import check_consistent_length
from skorch import NeuralNet
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from skal._threads import single_threaded
from skal.nets._explained import explained, nothing_to_train
from skal.seeding import isolated

# dtype of all nets, whatever torch's default dtype is (tests compare in float64).
DTYPE = torch.float32


class Epochs(NamedTuple):
    """The history of a training.

    Parameters
    ----------
    losses : list of float
        Mean training loss of each epoch.
    scores : list of float
        Validation score after each epoch; empty without a validation set.
    best : int
        The epoch, counted from 1, whose weights were kept.
    """

    losses: list[float]
    scores: list[float]
    best: int


class BestEpoch:
    """Early stopping: selects the best epoch and says when to stop.

    This is the only early-stopping rule: `train` and the `Engine` that trains many
    nets side by side both use it.

    Parameters
    ----------
    max_epochs, patience : int
        As in `TorchClassifier`.
    """

    def __init__(self, max_epochs: int, patience: int) -> None:
        self.max_epochs, self.patience = max_epochs, patience
        self.losses: list[float] = []
        self.scores: list[float] = []
        self.best = 0

    def add(self, loss: float, score: float | None) -> bool:
        """Record an epoch. Return whether its weights must be kept.

        Parameters
        ----------
        loss : float
            Mean training loss of the epoch.
        score : float or None
            Validation score. With None, the last epoch is the best, so that there are
            no weights to keep.

        Returns
        -------
        bool
            Whether this is the best epoch so far, according to its score.
        """
        self.losses.append(loss)
        epoch = len(self.losses)
        if score is None:
            self.best = epoch
            return False
        self.scores.append(check_score(score, epoch))
        is_better = self.best == 0 or self.scores[-1] > self.scores[self.best - 1]
        if is_better:
            self.best = epoch
        return is_better

    @property
    def is_over(self) -> bool:
        """Return whether `max_epochs` or the limit set by `patience` is reached."""
        epoch = len(self.losses)
        is_stuck = bool(self.scores) and epoch - self.best >= self.patience
        return is_stuck or epoch == self.max_epochs

    @property
    def epochs(self) -> Epochs:
        """The history of the training."""
        return Epochs(self.losses, self.scores, self.best)


class ShuffledBatches:
    """Minibatches in a new random order in each epoch; the last may be smaller.

    Replaces torch's `DataLoader`, which fetches rows one by one and would take most of
    the training time of a small net.

    Parameters
    ----------
    dataset : skorch.dataset.Dataset
        Holds the tensors `X` and `y`; or as `y` a tuple of the codes and their weights.
    batch_size : int
        Number of rows per minibatch.
    joins_single : bool, default=False
        Whether a single row in the last minibatch is added to the one before.
    """

    def __init__(
        self, dataset: Any, batch_size: int, joins_single: bool = False
    ) -> None:
        self.X, self.y = dataset.X, dataset.y
        self.is_weighted = isinstance(self.y, tuple)
        self.batch_size, self.joins_single = batch_size, joins_single

    def __iter__(self) -> Iterator[tuple[torch.Tensor, Any]]:
        order = torch.randperm(len(self.X)).to(self.X.device)
        batches = list(order.split(self.batch_size))
        if self.joins_single and len(batches) > 1 and len(batches[-1]) == 1:
            batches[-2:] = [torch.cat(batches[-2:])]
        for rows in batches:
            if self.is_weighted:
                yield self.X[rows], tuple(part[rows] for part in self.y)
            else:
                yield self.X[rows], self.y[rows]


def make_net(
    module: Any,
    module_params: dict[str, Any],
    criterion: nn.Module,
    *,
    lr: float,
    max_epochs: int,
    batch_size: int,
    device: str,
) -> NeuralNet:
    """Build and initialize the skorch net that trains a module.

    Parameters
    ----------
    module : type
        Class of the module.
    module_params : dict
        All parameters of its constructor.
    criterion : torch.nn.Module
        Computes the loss from the outputs and the targets.
    lr, max_epochs, batch_size, device
        As in `TorchClassifier`.

    Returns
    -------
    skorch.NeuralNet
        The initialized net.
    """
    net = NeuralNet(
        module,
        **{f"module__{name}": value for name, value in module_params.items()},
        criterion=criterion,
        optimizer=torch.optim.Adam,
        optimizer__fused=True,
        lr=lr,
        max_epochs=max_epochs,
        batch_size=batch_size,
        # By default, skorch holds out a fifth of the rows for validation.
        train_split=None,
        callbacks="disable",
        verbose=0,
        device=device,
    )
    with explained(module):
        net.initialize()
    if not any(value.requires_grad for value in net.module_.parameters()):
        raise ValueError(nothing_to_train(module))
    # torch's batch norm raises an error for a minibatch of a single row.
    has_norm = any(isinstance(part, _BatchNorm) for part in net.module_.modules())
    net.iterator_train = partial(ShuffledBatches, joins_single=has_norm)
    return net


def train(
    net: NeuralNet,
    X: torch.Tensor,
    y: torch.Tensor,
    patience: int,
    score: Callable[[], float] | None = None,
    weights: torch.Tensor | None = None,
) -> Epochs:
    """Train a net, and restore the weights of its best epoch.

    Parameters
    ----------
    net : skorch.NeuralNet
        An initialized net, as returned by `make_net`.
    X : tensor of shape (n_rows, *input_shape)
        Rows to train on.
    y : tensor of shape (n_rows, ...)
        Class codes, or numbers to predict.
    patience : int
        Training stops after this many epochs without a better score.
    score : callable, default=None
        Returns the validation score of the module in its current state. Without it, all
        epochs are trained and the last one is kept.
    weights : tensor of the shape of `y`, default=None
        Weights of the targets in the loss. None weighs all alike.

    Returns
    -------
    Epochs
        The history of the training.

    Raises
    ------
    ValueError
        If the loss or a score is not a finite number.
    """
    stopping, best = BestEpoch(net.max_epochs, patience), None
    target = y if weights is None else (y, weights)
    while not stopping.is_over:
        # One epoch per call, because skorch's own loop treats Ctrl-C as a normal end.
        with explained(type(net.module_)):
            net.fit_loop(X, target, epochs=1)
        loss = check_loss(_mean_loss(net), len(stopping.losses) + 1)
        if stopping.add(loss, score and score()):
            best = _copied_weights(net.module_)
    if best is not None:
        net.module_.load_state_dict(best)
    return stopping.epochs


def _mean_loss(net: NeuralNet) -> float:
    """Return the mean training loss of the last epoch."""
    batches = net.history[-1, "batches", :, ("train_loss", "train_batch_size")]
    losses, sizes = zip(*batches, strict=True)
    return float(np.average(losses, weights=sizes))


def check_loss(loss: float, epoch: int) -> float:
    """Return the training loss of an epoch, or raise an error if it is not finite.

    Parameters
    ----------
    loss : float
        Mean training loss.
    epoch : int
        The epoch, counted from 1.

    Returns
    -------
    float
        The loss.

    Raises
    ------
    ValueError
        If the loss is not finite.
    """
    if not np.isfinite(loss):
        raise ValueError(
            f"The training loss is {loss} in epoch {epoch}: scale the features "
            "(StandardScaler), or choose a smaller lr."
        )
    return loss


def check_score(score: float, epoch: int) -> float:
    """Return the validation score of an epoch, or raise an error if not finite.

    Parameters
    ----------
    score : float
        Validation score.
    epoch : int
        The epoch, counted from 1.

    Returns
    -------
    float
        The score.

    Raises
    ------
    ValueError
        If the score is not finite.
    """
    if not np.isfinite(score):
        raise ValueError(
            f"The validation score is {score} in epoch {epoch}: choose a scoring whose "
            "value is finite for every model."
        )
    return float(score)


def _copied_weights(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def batched(X: Any, n_rows: int) -> Iterator[Any]:
    """Return a generator of batches of an array.

    Parameters
    ----------
    X : array or tensor of shape (n_rows, ...)
        Array to split.
    n_rows : int
        Number of rows per batch.

    Returns
    -------
    generator
        Yields consecutive slices of `X`; the last may have fewer rows.
    """
    return (X[i : i + n_rows] for i in range(0, len(X), n_rows))


@contextmanager
def reproducible(seed: int) -> Iterator[None]:
    """Make the result of a block depend only on the seed; restore global state after.

    The block runs on a single thread, because the number of threads changes the last
    bits of a sum, and with cuDNN's deterministic algorithms on a GPU. It runs with
    gradients enabled and float32 as the default dtype, whatever the caller has set.

    Parameters
    ----------
    seed : int
        Seed of torch's random number generator.
    """
    cudnn = torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True
    )
    with (
        isolated(seed),
        single_threaded(),
        cudnn,
        torch.inference_mode(False),
        torch.enable_grad(),
        _default_dtype(DTYPE),
    ):
        yield


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def has_validation(X_val: Any, y_val: Any) -> bool:
    """Return whether there is a validation set, and check that it is complete.

    Parameters
    ----------
    X_val, y_val : rows and labels, or None
        The validation set.

    Returns
    -------
    bool

    Raises
    ------
    ValueError
        If only one of them is given, or their lengths differ.
    """
    if (X_val is None) != (y_val is None):
        raise ValueError(
            "X_val and y_val go together and one of them is missing: give both, or "
            "neither to train all epochs."
        )
    check_consistent_length(X_val, y_val)
    return X_val is not None


def check_device(device: str) -> None:
    """Raise an error if torch cannot use the device.

    Parameters
    ----------
    device : str
        Name of the device.

    Raises
    ------
    ValueError
        If torch does not recognize the device, cannot use it, or finds no GPU.
    """
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise ValueError(
            f"device={device!r} is not a device that torch knows: use 'cpu' or 'cuda'."
        ) from error
    if kind == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            f"device={device!r} asks for a GPU, but torch finds no GPU: use "
            "device='cpu', or install a build of torch for the GPU of this computer."
        )
    if kind not in ("cpu", "cuda"):
        _check_other_device(device)


def _check_other_device(device: str) -> None:
    """Raise an error if a device cannot hold numbers; "meta" has none."""
    try:
        torch.ones(1, device=device).item()
    # Any error here means that this build or computer lacks the device.
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(
            f"device={device!r} cannot be used here ({reason}): use 'cpu' or 'cuda'."
        ) from error
