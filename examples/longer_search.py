"""
What a longer search finds
==========================

skal searches for the best order of the paper's images, with a net of the same kind and
the first seed. The search stops after 25 steps, goes on from its journal until 50, and
so on. At each stop, the best order so far is scored on validation and test.

    python examples/longer_search.py --journal FOLDER
    python examples/published_orders_page.py docs/published_orders.md

Each stop adds a line to a file; stops that are already in the file are skipped. The
journal also keeps a search that is killed. If `SKAL_DATA_HOME` is set, the data are
read from there and not downloaded. On one core, 25 steps take about half an hour.
"""

import argparse
from functools import partial
from pathlib import Path

from lines import work
from published_orders import COLUMNS, ORACLE, Cell, search
from reproduction.plan import NAMES

from skal import load_task

OUT = Path("docs/runs/longer_search.csv")
# Numbers of steps: between two stops, and of the whole search.
EVERY, LONGEST = 25, 125


class Stop:
    """A callback that ends a search after a number of steps."""

    def __init__(self, n_steps):
        self.n_steps = n_steps

    def setup(self, estimator, context):
        """Do nothing."""

    teardown = on_fit_task_begin = setup

    def on_fit_task_end(self, estimator, context, *, metadata):
        """Return whether the step that has ended is the last; the search ends, too."""
        return metadata is not None and metadata["step"] >= self.n_steps


def stop(n_steps, *fields, task, folder):
    """Return the line of the search that is stopped after a number of steps."""
    most = LONGEST * task.problem.n_rounds
    return [n_steps, *search(task, Cell(*fields), most, folder, [Stop(n_steps)])]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--journal", type=Path, required=True, help="a folder")
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    args.journal.mkdir(parents=True, exist_ok=True)
    task = load_task(NAMES["oc"], split="published")
    stops = range(EVERY, LONGEST + 1, EVERY)
    cells = [(n_steps, *Cell("oc", ORACLE, "cnn", 0, "cnn", 0)) for n_steps in stops]
    run = partial(stop, task=task, folder=args.journal)
    work(args.out, ["steps", *COLUMNS], cells, run)


if __name__ == "__main__":
    main()
