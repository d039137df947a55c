"""Studies that need more than one run, and the paper's tasks to run them on."""

from skal.studies._compare import compare
from skal.studies._comparison import Comparison
from skal.studies._distribution import (
    Distribution,
    input_distribution,
    label_distribution,
)
from skal.studies._open import open_study
from skal.studies._overlap import OrderOverlap, order_overlap
from skal.studies._paired import PairedTests
from skal.studies._regularization import regularization_gain
from skal.studies._seeds import SeedResults, evaluate_order, run_seeds
from skal.studies._statistics import jackknife_pairs
from skal.studies._tasks import Task, load_task
from skal.studies._transfer import (
    ModelTransfer,
    SeedTransfer,
    model_transfer,
    seed_transfer,
)

__all__ = [
    "Comparison",
    "Distribution",
    "ModelTransfer",
    "OrderOverlap",
    "PairedTests",
    "SeedResults",
    "SeedTransfer",
    "Task",
    "compare",
    "evaluate_order",
    "input_distribution",
    "jackknife_pairs",
    "label_distribution",
    "load_task",
    "model_transfer",
    "open_study",
    "order_overlap",
    "regularization_gain",
    "run_seeds",
    "seed_transfer",
]
