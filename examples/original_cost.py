"""
How much cheaper is a training than with the code of the paper's authors?
=========================================================================

Trains the original nets and skal's on the same rows, in turns in one process with one
thread, with the settings of the paper: at most 100 epochs, patience 20, and a score on
4,000 rows of validation, as in each training of a search. CPU time is measured.

    git clone https://github.com/YilunZhou/optimal-active-learning
    pip install nltk
    python examples/original_cost.py trainings optimal-active-learning
    python examples/original_cost.py searches
    python examples/original_cost_page.py

The original code runs unchanged, on the CPU. It is given the data of skal's tasks: its
file of sentences and vectors holds those of this task alone, which it reads again for
each training, and sentences are not searched for several sentences before they are
split into words. Both make it faster than it was. `searches` measures the first steps
of skal's own searches, which train sets of all sizes. Each measurement adds a line to a
file, and a second run resumes where the first ended. `original_cost_page.py` prints
tables of the results.

If `SKAL_DATA_HOME` is set, the data are read from there and not downloaded.
"""

import argparse
import contextlib
import importlib
import pickle
import sys
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from types import ModuleType
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
import torch
from lines import append, read
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from skal import AnnealingOracle, load_task
from skal.inputs._containers import take
from skal.inputs._joining import concat

OUT = Path("docs/runs/original_cost.csv")
COLUMNS = [
    *["task", "model", "n_rows", "repetition", "way", "sets", "width"],
    *["cpu_seconds", "score", "epochs"],
]


class Case(NamedTuple):
    """A net and a number of labelled rows.

    In each repetition, both sides train the next `n_alone` sets one by one, and skal
    trains the first sets side by side: `n_together` of them.
    """

    task: str
    model: str
    n_rows: int
    n_alone: int
    n_together: tuple[int, ...]


CASES = [
    Case("intent_classification", "aoe", 200, 4, (8, 16, 32)),
    Case("intent_classification", "aoe", 120, 2, (32,)),
    Case("intent_classification", "lstm", 200, 4, (8, 16)),
    Case("intent_classification", "lstm", 120, 2, (16,)),
    Case("object_classification", "cnn", 200, 1, (2,)),
]
# Searches of skal to measure: net, proposals, steps. A guided step trains about as many
# sets as there are rounds, a uniform one less than half of that.
SEARCHES = [("aoe", "guided", 60), ("aoe", "uniform", 100), ("lstm", "uniform", 25)]
N_REPETITIONS, N_SETS = 3, 32
MAX_EPOCHS, PATIENCE, SEED = 100, 20, 0


class Bench:
    """The sets of a case, which both sides train, and skal's side."""

    def __init__(self, case, data_home=None):
        self.case, self.task = case, load_task(case.task, data_home=data_home)
        self.problem = problem = self.task.problem
        self.net = clone(self.task.estimators[case.model]).set_params(
            max_epochs=MAX_EPOCHS, patience=PATIENCE, random_state=SEED
        )
        self.X = concat(problem.X_warm, problem.X_pool)
        self.y = concat(problem.y_warm, problem.y_pool)
        self.run = {
            "X_val": problem.X_select,
            "y_val": problem.y_select,
            "classes": problem.classes,
        }
        n_warm, rng = len(problem.X_warm), np.random.default_rng(SEED)
        self.sets = [
            np.r_[:n_warm, n_warm + rng.permutation(problem.n_pool)][: case.n_rows]
            for _ in range(N_SETS)
        ]

    def labelled(self, number):
        """Return the rows and labels of a set."""
        rows = self.sets[number]
        return take(self.X, rows), take(self.y, rows)

    def alone(self, number):
        """Train one set by `fit`. Return the score, and the number of epochs."""
        X, y = self.labelled(number)
        fitted = clone(self.net).fit(X, y, **self.run)
        score = self.problem.scorer(fitted, self.problem.X_val, self.problem.y_val)
        return score, len(fitted.loss_curve_)

    def together(self, n_sets):
        """Return a function that trains the first sets side by side, and the width."""
        many = self.net.side_by_side(self.X, self.y, **self.run)
        judged = self.problem.X_val, self.problem.y_val, self.problem.scorer

        def train():
            scores = many.judge(self.sets[:n_sets], *judged)
            return np.mean([score for score, _ in scores]), None

        return train, min(many.width, n_sets)


def original(bench, checkout):
    """Return a function that trains a set by the original code, as its server does."""
    if bench.case.task == "object_classification":
        return original_images(bench, checkout)
    return original_sentences(bench, checkout)


def original_sentences(bench, checkout):
    """Return the function for intents. It reads its data in the current folder."""
    from nltk.tokenize import NLTKWordTokenizer

    # What its module imports but these nets do not use, and the splitting into
    # sentences, which needs a download.
    stand_ins = {
        "nltk": {"word_tokenize": NLTKWordTokenizer().tokenize},
        "transformers": {"RobertaTokenizer": None},
        "roberta_model_store": {"roberta_get_model": None},
    }
    trainer = imported(checkout / "intent_classification", stand_ins)
    problem = bench.problem

    def pairs(X, y):
        codes = np.searchsorted(problem.classes, y).tolist()
        return list(zip([text.lower() for text in X], codes, strict=True))

    select = pairs(problem.X_select, problem.y_select)
    validation = pairs(problem.X_val, problem.y_val)
    write_sentences(bench, Path("data/TOP.pkl"))

    def train(number):
        rows = pairs(*bench.labelled(number))
        net = trainer.get_trainer(bench.case.model, SEED, "alarm", "cpu")
        net.train(rows, select, problem.batch_size, MAX_EPOCHS, PATIENCE)
        return net.evaluate_f1(net.best_model, validation)

    return counted(trainer.Trainer, "evaluate_f1", train)


def write_sentences(bench, path):
    """Write the file from which the original code reads vectors and class names."""
    vectors = bench.net.vectors
    names = list(bench.problem.classes)
    both_ways = dict(enumerate(names)) | {name: i for i, name in enumerate(names)}
    content = {
        "GLOVE_EMBEDDING": dict(zip(vectors["words"], vectors["vectors"], strict=True)),
        "alarm": {"intent_label_mapping": both_ways},
    }
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(pickle.dumps(content))


def original_images(bench, checkout):
    """Return the function for images, which are given as numbers from 0 to 1."""
    dropout = ModuleType("consistent_mc_dropout")
    dropout.BayesianModule = torch.nn.Module
    stand_ins = {"batchbald_redux": {"consistent_mc_dropout": dropout}}
    trainer = imported(checkout / "object_classification", stand_ins)
    problem = bench.problem

    def tensors(X, y):
        images = np.reshape(X / np.float32(255), (-1, 1, 28, 28))
        codes = np.searchsorted(problem.classes, y)
        return torch.tensor(images), torch.tensor(codes)

    select = tensors(problem.X_select, problem.y_select)
    validation = tensors(problem.X_val, problem.y_val)

    def train(number):
        rows = tensors(*bench.labelled(number))
        net = trainer.get_trainer(SEED, "cpu", mcdropout=False)
        net.train(rows, select, problem.batch_size, MAX_EPOCHS, PATIENCE)
        return net.evaluate_acc(net.best_model, *validation)

    return counted(trainer.Trainer, "evaluate_acc", train)


def imported(folder, stand_ins):
    """Import `trainer.py` from a folder, with stand-ins for other modules."""
    if not (folder / "trainer.py").exists():
        raise SystemExit(f"{folder} has no trainer.py: pass a checkout of the code.")
    modules = {name: ModuleType(name) for name in stand_ins}
    for name, content in stand_ins.items():
        vars(modules[name]).update(content)
    with (
        patch.dict(sys.modules, modules),
        patch.object(sys, "path", [str(folder), *sys.path]),
    ):
        return importlib.import_module("trainer")


def counted(trainer, name, train):
    """Let a training return its epochs, too: it is scored once after each."""
    calls = []
    evaluate = getattr(trainer, name)

    def counting(*args):
        calls.append(None)
        return evaluate(*args)

    setattr(trainer, name, staticmethod(counting))

    def train_and_count(number):
        calls.clear()
        score = train(number)
        return score, len(calls) - 1

    return train_and_count


def measurements(bench, train, repetition):
    """Yield what to measure in one repetition: way, sets, width and function."""
    n_alone = bench.case.n_alone
    for number in range(n_alone * repetition, n_alone * (repetition + 1)):
        yield "original", str(number), 1, partial(train, number)
        yield "fit", str(number), 1, partial(bench.alone, number)
    for n_sets in bench.case.n_together:
        together, width = bench.together(n_sets)
        yield "side by side", f"0-{n_sets - 1}", width, together


def run(checkout, path, models, data_home):
    """Measure all cases, one repetition after the other."""
    done = {tuple(row[column] for column in COLUMNS[:6]) for row in read(path)}
    cases = [case for case in CASES if case.model in models]
    for repetition, case in product(range(N_REPETITIONS), cases):
        bench = Bench(case, data_home)
        train = original(bench, checkout)
        for way, sets, width, one in measurements(bench, train, repetition):
            key = *case[:3], repetition, way, sets
            if tuple(map(str, key)) in done:
                continue
            begin = process_time()
            score, epochs = one()
            seconds = (process_time() - begin) / size(sets)
            row = [*key, width, f"{seconds:.4f}", f"{score:.4f}", epochs]
            append(path, COLUMNS, row)
            print(*row, flush=True)


def size(sets):
    """Return the number of sets, given as "3" or "0-15"."""
    first, _, last = sets.partition("-")
    return int(last or first) - int(first) + 1


def search(path, models, data_home):
    """Measure the CPU time of a training within skal's own searches."""
    done = {(row["model"], row["way"]) for row in read(path)}
    for model, proposal, n_steps in SEARCHES:
        way = f"{proposal} search"
        if model not in models or (model, way) in done:
            continue
        bench = Bench(Case("intent_classification", model, 0, 0, ()), data_home)
        problem = replace(bench.problem, estimator=bench.net)
        # The published schedule, cut short.
        gamma = 0.1 if proposal == "uniform" else "auto"
        oracle = AnnealingOracle(
            n_steps=n_steps,
            n_greedy=0,
            gamma=gamma,
            proposal=proposal,
            random_state=SEED,
        )
        begin = process_time()
        oracle.fit(problem.X_pool, problem=problem)
        n, seconds = oracle.n_trainings_, process_time() - begin
        width = bench.net.side_by_side(bench.X, bench.y, **bench.run).width
        values = f"{seconds / n:.4f}", f"{oracle.quality_:.4f}", ""
        key = bench.case.task, model, "60-200", 0, way, f"0-{n - 1}", width
        append(path, COLUMNS, [*key, *values])
        print(*key, *values, flush=True)


@contextlib.contextmanager
def one_thread_in_a_folder():
    """Use one thread, and a temporary folder as the current one."""
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder, contextlib.chdir(folder), threadpool_limits(1):
        yield


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    commands = parser.add_subparsers(required=True, dest="command")
    trainings = commands.add_parser("trainings")
    trainings.add_argument("checkout", type=Path)
    models = sorted({case.model for case in CASES})
    for command in (trainings, commands.add_parser("searches")):
        command.add_argument("--models", nargs="+", choices=models, default=models)
        command.add_argument("--data-home")
        command.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    path, rest = args.out.resolve(), (args.models, args.data_home)
    checkout = getattr(args, "checkout", Path()).resolve()
    with one_thread_in_a_folder():
        if args.command == "trainings":
            run(checkout, path, *rest)
        else:
            search(path, *rest)


if __name__ == "__main__":
    main()
