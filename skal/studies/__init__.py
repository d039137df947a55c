"""Studies: what takes more than one run, and the paper's tasks to run them on."""

from skal.studies._seeds import SeedResults, run_seeds
from skal.studies._tasks import Task, load_task
from skal.studies._transfer import evaluate_order

__all__ = ["SeedResults", "Task", "evaluate_order", "load_task", "run_seeds"]
