"""Studies that need more than one run, and the paper's tasks to run them on."""

from skal.studies._compare import compare
from skal.studies._comparison import Comparison
from skal.studies._distribution import (
    Distribution,
    input_distribution,
    label_distribution,
)
from skal.studies._labels_saved import LabelsSaved, labels_saved
from skal.studies._open import open_study
from skal.studies._overlap import OrderOverlap, order_overlap
from skal.studies._paired import PairedTests
from skal.studies._power import detectable_gain, power_of_test, seeds_needed
from skal.studies._ranks import StrategyRanks, rank_strategies
from skal.studies._regularization import regularization_gain
from skal.studies._seeds import SeedResults, evaluate_order, run_seeds
from skal.studies._statistics import gain_interval, jackknife_pairs, sign_flip_test
from skal.studies._tasks import Task, load_task
from skal.studies._transfer import (
    ModelTransfer,
    SeedTransfer,
    model_transfer,
    seed_transfer,
)
from skal.studies._verdict import Bound, Verdict
from skal.studies._worth_it import worth_it

__all__ = [
    "Bound",
    "Comparison",
    "Distribution",
    "LabelsSaved",
    "ModelTransfer",
    "OrderOverlap",
    "PairedTests",
    "SeedResults",
    "SeedTransfer",
    "StrategyRanks",
    "Task",
    "Verdict",
    "compare",
    "detectable_gain",
    "evaluate_order",
    "gain_interval",
    "input_distribution",
    "jackknife_pairs",
    "label_distribution",
    "labels_saved",
    "load_task",
    "model_transfer",
    "open_study",
    "order_overlap",
    "power_of_test",
    "rank_strategies",
    "regularization_gain",
    "run_seeds",
    "seed_transfer",
    "seeds_needed",
    "sign_flip_test",
    "worth_it",
]
