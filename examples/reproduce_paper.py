"""
The paper, from data to tables and figures
==========================================

One command runs a task of Zhou et al. (AISTATS 2021) and writes its tables and figures
to a folder: `report.html`, a page that needs no network; `curves.csv` and further raw
tables; `figures/`; and `summary.json`. All runs are kept in the folder: if the command
is killed, calling it again resumes the study.

    python examples/reproduce_paper.py --task ic --budget laptop --out runs/ic --jobs 2

If `SKAL_DATA_HOME` is set, the data are read from there and not downloaded. The budget
`smoke` takes half a minute and checks that everything runs; `laptop` has the sizes of
Table 1 and takes about an hour for `ic`; `paper` searches as long as the paper did.
"""

import argparse
import os
from pathlib import Path

# One thread per training: more are slower, and would compete with other jobs for cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import matplotlib as mpl
from reproduction import report, studies
from reproduction.plan import BUDGETS, NAMES, load, make_plan

from skal.utils.progress import ProgressBar

mpl.use("agg")


def read_arguments(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--task", choices=NAMES, required=True)
    parser.add_argument("--budget", choices=BUDGETS, default="laptop")
    parser.add_argument("--out", type=Path, required=True, help="a folder")
    parser.add_argument("--models", nargs="+", help="such as lstm cnn aoe for ic")
    parser.add_argument("--seeds", type=int, help="how many")
    parser.add_argument("--trainings", type=int, help="of each search")
    parser.add_argument("--orders", type=int, help="random orders for each seed")
    parser.add_argument("--jobs", type=int, default=1, help="runs side by side")
    parser.add_argument("--device", default="cpu", help="such as cuda")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    return parser.parse_args(arguments)


def main(arguments=None):
    args = read_arguments(arguments)
    plan = make_plan(
        args.task,
        args.budget,
        models=args.models,
        device=args.device,
        seeds=args.seeds,
        trainings=args.trainings,
        n_orders=args.orders,
    )
    study = args.out / "study"
    study.mkdir(parents=True, exist_ok=True)
    found = studies.run(
        plan,
        load(plan),
        study,
        n_jobs=args.jobs,
        bar=None if args.quiet else ProgressBar,
    )
    path = report.write(found, args.out, study=study)
    print(f"Wrote {path}")


if __name__ == "__main__":
    main()
