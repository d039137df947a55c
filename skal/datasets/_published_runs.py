"""The runs that Zhou et al. released with their paper: curves, and labelling orders."""

import gzip
import json
from dataclasses import dataclass
from importlib import resources

import numpy as np

from skal._sklearn import StrOptions, validate_params

_TASKS = {
    "object_classification",
    "intent_classification",
    "named_entity_recognition",
}


@dataclass(frozen=True, eq=False)
class PublishedRun:
    """One performance curve of Zhou et al., and the labelling order behind it.

    Parameters
    ----------
    task : str
        The task, by its name in `load_task`.
    strategy : str
        "optimal" for the order that their search found, "random" for the mean of
        random orders, or the name of a heuristic, such as "idmr-max-entropy".
    source_model, source_seed : str, int
        The model and the training seed that the order was made with.
    model, seed : str, int
        The model and the training seed that followed the order.
    on : {"valid", "test"}
        The set that the curve was measured on.
    dropout : bool
        Whether the model that followed the order had dropout.
    order : ndarray of shape (B * K,) or None
        Positions in the pool of `load_task(task, split="published")`, in the order in
        which they were labelled. None for random orders, which were not released.
    curve : ndarray of shape (K + 1,)
        Scores after k = 0..K rounds.

    See Also
    --------
    load_published_runs : Returns them.

    Examples
    --------
    >>> from skal.datasets import load_published_runs
    >>> run = load_published_runs("object_classification")[0]
    >>> run.strategy, run.order.shape, run.curve.shape
    ('optimal', (300,), (13,))
    """

    task: str
    strategy: str
    source_model: str
    source_seed: int
    model: str
    seed: int
    on: str
    dropout: bool
    order: np.ndarray | None
    curve: np.ndarray

    @property
    def is_own(self):
        """Return whether the model and the seed that made the order followed it."""
        source = self.source_model, self.source_seed
        return source == (self.model, self.seed)


@validate_params(
    {"task": [StrOptions(_TASKS), None]}, prefer_skip_nested_validation=True
)
def load_published_runs(task=None):
    """Load the runs that Zhou et al. released with their paper.

    They are part of skal and need no download: 261 curves and 93 orders, found by the
    published search, chosen by heuristics, by heuristics with IDMR and ODMR, or carried
    from model to model and from seed to seed.

    Parameters
    ----------
    task : str, default=None
        Name of a task, as in `load_task`. By default, the runs of all tasks.

    Returns
    -------
    list of PublishedRun
        The runs. Those on validation and on test are separate.

    See Also
    --------
    load_task : With `split="published"`, the data that these orders are of.

    Notes
    -----
    The paper's quality is the mean of a curve over k = 0..K.

    References
    ----------
    Zhou et al., "Towards Understanding the Behaviors of Optimal Deep Active Learning
    Algorithms", AISTATS 2021. The numbers are those of the folders `statistics` in
    https://github.com/YilunZhou/optimal-active-learning at commit 71ef248, with runs
    that are listed twice taken once. MIT licence, copyright 2020 Yilun Zhou.

    Examples
    --------
    >>> from skal.datasets import load_published_runs
    >>> runs = load_published_runs("object_classification")
    >>> own = [r for r in runs if r.strategy == "optimal" and r.is_own]
    >>> [f"{r.curve.mean():.3f}" for r in own if r.on == "test"]
    ['0.764', '0.760', '0.764', '0.762', '0.756']
    """
    path = resources.files("skal.datasets") / "data" / "zhou2021.json.gz"
    found = json.loads(gzip.decompress(path.read_bytes()))
    orders = [np.array(order) for order in found["orders"]]
    return [
        _as_run(run, orders) for run in found["runs"] if task in (None, run["task"])
    ]


def _as_run(run, orders):
    order = run["order"]
    run |= {"order": None if order is None else orders[order].copy()}
    return PublishedRun(**run | {"curve": np.array(run["curve"])})
