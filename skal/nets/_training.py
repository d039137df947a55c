"""Training a net: minibatches, epochs, and which epoch is kept."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.utils.validation import check_consistent_length
from skorch import NeuralNetClassifier
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from skal._threads import single_threaded
from skal.seeding import isolated

# What nets compute in, whatever torch's default is: tests compare them in float64.
DTYPE = torch.float32


class Epochs(NamedTuple):
    """What a training was like.

    Parameters
    ----------
    losses : list of float
        Mean training loss of each epoch.
    scores : list of float
        Validation score after each epoch; empty without a validation set.
    best : int
        The epoch, from 1, whose weights were kept.
    """

    losses: list[float]
    scores: list[float]
    best: int


class BestEpoch:
    """Which epoch is kept, and when to stop: one rule for all trainings.

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
        """Note an epoch; whether its weights are to be kept.

        Parameters
        ----------
        loss : float
            The mean training loss.
        score : float or None
            Without it the last epoch is the best, and nothing has to be kept.
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
        """Whether there are no more epochs, or too many without a better one."""
        epoch = len(self.losses)
        is_stuck = bool(self.scores) and epoch - self.best >= self.patience
        return is_stuck or epoch == self.max_epochs

    @property
    def epochs(self) -> Epochs:
        """What the training was like."""
        return Epochs(self.losses, self.scores, self.best)


class ShuffledBatches:
    """Minibatches in a new random order in every epoch; the last may be smaller.

    It takes the place of torch's `DataLoader`, which fetches rows one at a time: most
    of the time of a small net.

    Parameters
    ----------
    dataset : skorch.dataset.Dataset
        Its `X` and `y` are tensors.
    batch_size : int
    joins_single : bool, default=False
        Whether a last minibatch of one row joins the one before it.
    """

    def __init__(
        self, dataset: Any, batch_size: int, joins_single: bool = False
    ) -> None:
        self.X, self.y = dataset.X, dataset.y
        self.batch_size, self.joins_single = batch_size, joins_single

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        order = torch.randperm(len(self.y)).to(self.y.device)
        batches = list(order.split(self.batch_size))
        if self.joins_single and len(batches) > 1 and len(batches[-1]) == 1:
            batches[-2:] = [torch.cat(batches[-2:])]
        for rows in batches:
            yield self.X[rows], self.y[rows]


def make_net(
    module: Any,
    module_params: dict[str, Any],
    *,
    lr: float,
    max_epochs: int,
    batch_size: int,
    device: str,
) -> NeuralNetClassifier:
    """Build the skorch net that trains a module, and the module in it.

    Parameters
    ----------
    module : type
    module_params : dict
        All parameters of its constructor.
    lr, max_epochs, batch_size, device
        As in `TorchClassifier`.

    Returns
    -------
    skorch.NeuralNetClassifier
        Initialised.
    """
    net = NeuralNetClassifier(
        module,
        **{f"module__{name}": value for name, value in module_params.items()},
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        optimizer__fused=True,
        lr=lr,
        max_epochs=max_epochs,
        batch_size=batch_size,
        # skorch would take a fifth of the labels away to validate on.
        train_split=None,
        callbacks="disable",
        verbose=0,
        device=device,
    )
    net.initialize()
    # Batch norm learns nothing from a single row: torch refuses it.
    has_norm = any(isinstance(part, _BatchNorm) for part in net.module_.modules())
    net.iterator_train = partial(ShuffledBatches, joins_single=has_norm)
    return net


def train(
    net: NeuralNetClassifier,
    X: torch.Tensor,
    y: torch.Tensor,
    patience: int,
    score: Callable[[], float] | None = None,
) -> Epochs:
    """Train a net, and leave it with the weights of its best epoch.

    Parameters
    ----------
    net : skorch.NeuralNetClassifier
        Initialised, as by `make_net`.
    X : tensor of shape (n_rows, *input_shape)
    y : tensor of shape (n_rows,), dtype int64
    patience : int
        Training stops after this many epochs without a better score.
    score : callable, default=None
        Judges the module in its present state. Without it, all epochs are trained and
        the last is kept.

    Returns
    -------
    Epochs

    Raises
    ------
    ValueError
        If the loss or a score is not a finite number.
    """
    kept, weights = BestEpoch(net.max_epochs, patience), None
    while not kept.is_over:
        # One epoch a call: skorch's own fit takes Ctrl-C for the end of training.
        net.fit_loop(X, y, epochs=1)
        loss = check_loss(_mean_loss(net), len(kept.losses) + 1)
        if kept.add(loss, score and score()):
            weights = _copied_weights(net.module_)
    if weights is not None:
        net.module_.load_state_dict(weights)
    return kept.epochs


def _mean_loss(net: NeuralNetClassifier) -> float:
    """Return the mean training loss of the last epoch."""
    batches = net.history[-1, "batches", :, ("train_loss", "train_batch_size")]
    losses, sizes = zip(*batches, strict=True)
    return float(np.average(losses, weights=sizes))


def check_loss(loss: float, epoch: int) -> float:
    """Return the training loss of an epoch, or say that it is no finite number."""
    if not np.isfinite(loss):
        raise ValueError(
            f"The training loss is {loss} in epoch {epoch}: scale the features "
            "(StandardScaler), or choose a smaller lr."
        )
    return loss


def check_score(score: float, epoch: int) -> float:
    """Return the validation score of an epoch, or say that it is no finite number."""
    if not np.isfinite(score):
        raise ValueError(
            f"The validation score is {score} in epoch {epoch}: choose a scoring that "
            "is a finite number for every model."
        )
    return float(score)


def _copied_weights(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def batched(X: Any, n_rows: int) -> Iterator[Any]:
    """Return some rows of an array at a time.

    Parameters
    ----------
    X : array or tensor of shape (n_rows, ...)
    n_rows : int

    Returns
    -------
    generator
    """
    return (X[i : i + n_rows] for i in range(0, len(X), n_rows))


@contextmanager
def reproducible(seed: int) -> Iterator[None]:
    """Let a block depend on the seed alone, and leave no trace in any global state.

    On one thread, since the number of threads changes the last bits of a sum, and with
    cuDNN's deterministic algorithms where there is a GPU. Gradients are there, also
    where the caller has turned them off, and numbers are float32, also where the caller
    has chosen another default.

    Parameters
    ----------
    seed : int
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
    """Whether there is a set to choose the epoch by, or refuse half of one.

    Parameters
    ----------
    X_val, y_val : rows and labels, or None

    Returns
    -------
    bool

    Raises
    ------
    ValueError
        If one of them is missing, or they differ in length.
    """
    if (X_val is None) != (y_val is None):
        raise ValueError(
            "X_val and y_val go together and one of them is missing: give both, or "
            "neither to train all epochs."
        )
    check_consistent_length(X_val, y_val)
    return X_val is not None


def check_device(device: str) -> None:
    """Refuse a device that torch does not have.

    Parameters
    ----------
    device : str

    Raises
    ------
    ValueError
        If torch cannot use the device here.
    """
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise ValueError(
            f"device={device!r} is no device that torch knows: use 'cpu' or 'cuda'."
        ) from error
    if kind == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            f"device={device!r} asks for a GPU and torch finds none: use device='cpu', "
            "or install a torch that is built for the GPU of this computer."
        )
