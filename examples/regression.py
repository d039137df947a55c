"""
Oracles and strategies for regression
=====================================

Runs oracles, strategies and random orders on three regression tasks: the diabetes data
of scikit-learn, Friedman's first function, and houses generated after the model of
California's. A seed draws the split of the first, and new rows of the others. Each run
adds a line to `docs/runs/regression.csv`; runs that are already there are skipped, and
the cheapest come first. `regression_page.py` makes tables of them.

    python examples/regression.py --methods random strategies
    python examples/regression.py --methods uniform guided
    python examples/regression.py --tasks friedman1 --methods "long uniform"
    python examples/regression.py --tasks friedman1 --methods "long guided"
    pip install --no-deps bmdal-reg==3.0.2 dill
    python examples/regression.py --methods bmdal_reg
    python examples/regression_page.py docs/regression.md

On one core, a thousand trainings take two to five seconds.
"""

import argparse
from itertools import product
from pathlib import Path
from time import process_time

import numpy as np
from lines import append, read
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.linear_model import BayesianRidge
from sklearn.preprocessing import StandardScaler

from skal import (
    LCMD,
    ActiveLearner,
    AnnealingOracle,
    GreedySampling,
    Herding,
    MaxVariance,
    Random,
    Then,
    TypiClust,
)
from skal.strategies import EmbeddingStrategy

BATCH_SIZE, N_ROUNDS, N_WARM = 8, 8, 16
# Trainings of the uniform search. The published one has 25,000 steps and 5,000 greedy
# ones, about 120,000 trainings here; this one cools in as many steps as this allows.
BUDGET = 2000
# Trainings of the guided search.
GUIDED = 600
# Trainings of longer searches: the uniform one is nearly flat by then.
LONG_BUDGET, LONG_GUIDED = 20_000, 2000
N_RANDOM = 20
# Numbers of trainings after which the best quality of a search is written down.
MARKS = [round(50 * 1.15**i) for i in range(27)]
COLUMNS = ["task", "seed", "method", "trainings", "seconds", "validation", "test"]
COLUMNS += ["last", "order", *(f"after {n}" for n in MARKS)]


def diabetes(seed):
    """Return the rows and numbers of a task, and a regressor."""
    return *load_diabetes(return_X_y=True), BayesianRidge()


def friedman(seed):
    """Return rows of Friedman's function, of which 5 of 10 columns matter."""
    X, y = make_friedman1(800, noise=1.0, random_state=seed)
    return X, y, gaussian_process(3.0)


def houses(seed, n=800):
    """Return generated blocks of houses: places, incomes, ages, rooms and prices.

    As in California, most blocks are in a few towns, income and size are skewed, prices
    depend on the place and the income together, and the highest are cut off.
    """
    rng = np.random.default_rng(seed)
    towns = np.array([[0.0, 0.0], [3.0, -1.0], [1.0, 4.0], [6.0, 3.0]])
    dear = np.array([1.2, 0.6, 0.3, 0.0])
    town = rng.choice(4, n, p=[0.4, 0.3, 0.2, 0.1])
    place = towns[town] + rng.normal(scale=[0.5], size=(n, 2))
    income = rng.lognormal(1.2, 0.45, n)
    age = rng.uniform(1, 52, n)
    rooms = 2.5 + 0.6 * income + rng.lognormal(0, 0.6, n)
    people = rng.lognormal(1.0, 0.3, n)
    near = np.exp(-((place - towns[town]) ** 2).sum(axis=1))
    price = 0.4 * income * (1 + dear[town] * near) + 0.006 * age - 0.1 * people
    price = price * rng.lognormal(0, 0.15, n)
    X = np.column_stack([place, income, age, rooms, people, rng.lognormal(7, 0.7, n)])
    return X, np.minimum(price, 5.0), gaussian_process(3.0)


def gaussian_process(length):
    """Return a Gaussian process that is trained fast, since its kernel is fixed."""
    kernel = RBF(length) + WhiteKernel(0.1)
    return GaussianProcessRegressor(kernel, optimizer=None, normalize_y=True)


TASKS = {
    "diabetes": diabetes,
    "diabetes, more validation": diabetes,
    "friedman1": friedman,
    "houses": houses,
}
# Shares of the rows for validation and test.
SHARES = {"diabetes, more validation": (0.4, 0.3)}
USUAL_SHARES = 0.25, 0.3


class Published(EmbeddingStrategy):
    """LCMD of `bmdal_reg`, the package of the paper, on the same embeddings."""

    needs_labelled = True

    def __init__(self, *, embedding=None, random_state=None):
        self.embedding = embedding
        self.random_state = random_state

    def _select(self, estimator, X, n, candidates, labelled):
        import torch

        np.inf = np.inf  # a name that numpy 2 has dropped
        from bmdal_reg.bmdal.feature_data import TensorFeatureData
        from bmdal_reg.bmdal.feature_maps import IdentityFeatureMap
        from bmdal_reg.bmdal.features import Features
        from bmdal_reg.bmdal.selection import LargestClusterMaxDistSelectionMethod

        def features(rows):
            table = torch.from_numpy(np.asarray(rows, dtype=np.float64))
            named = IdentityFeatureMap(n_features=table.shape[1])
            return Features(named, TensorFeatureData(table))

        pool = features(self._embed(estimator, X, candidates))
        known = features(self._embed_labelled(estimator, labelled))
        method = LargestClusterMaxDistSelectionMethod(pool, known, verbosity=0)
        return candidates[method.select(n).numpy()]


STRATEGIES = {
    "greedy sampling, x": GreedySampling(),
    "greedy sampling, y": GreedySampling("y"),
    "greedy sampling, xy": GreedySampling("xy"),
    "max-variance": MaxVariance(),
    "lcmd": LCMD(),
    "herding": Herding(),
    "typiclust": TypiClust(),
    "herding, then greedy xy": Then(Herding(), GreedySampling("xy"), n_first=40),
}


def uniform(budget):
    """Return the published search, shortened: a step retrains half of the rounds."""
    n_steps = int(budget / (N_ROUNDS * 0.5 * 1.2))  # one in six steps is greedy
    return AnnealingOracle(n_steps=n_steps, proposal="uniform", max_trainings=budget)


ORACLES = {"uniform": uniform(BUDGET), "guided": AnnealingOracle(max_trainings=GUIDED)}
LONG = {
    "long uniform": uniform(LONG_BUDGET),
    "long guided": AnnealingOracle(max_trainings=LONG_GUIDED),
}
OTHERS = {"bmdal_reg": Published()}
GROUPS = {
    "random": ["random"],
    "strategies": list(STRATEGIES),
    **{name: [name] for name in (*OTHERS, *ORACLES, *LONG)},
}


def learner_of(task, seed, strategy):
    """Return the fitted learner of one run; columns have variance 1."""
    X, y, model = TASKS[task](seed)
    val_size, test_size = SHARES.get(task, USUAL_SHARES)
    learner = ActiveLearner(
        model,
        strategy,
        batch_size=BATCH_SIZE,
        n_rounds=N_ROUNDS,
        warm_size=N_WARM,
        val_size=val_size,
        test_size=test_size,
        random_state=seed,
    )
    return learner.fit(StandardScaler().fit_transform(X), y)


def run(task, seed, method):
    """Return the line of one run, or of the mean of random orders."""
    begin = process_time()
    if method == "random":
        orders = [Random(random_state=i) for i in range(N_RANDOM)]
        runs = [learner_of(task, seed, one) for one in orders]
    else:
        known = STRATEGIES | OTHERS | ORACLES | LONG
        runs = [learner_of(task, seed, known[method])]
    seconds = round(process_time() - begin, 1)
    names = ("n_trainings_", "validation_quality_", "quality_")
    means = [np.mean([getattr(one, name) for one in runs]) for name in names]
    last = np.mean([one.curve_[-1] for one in runs])
    order = "" if method == "random" else " ".join(map(str, runs[0].order_))
    values = [f"{value:.5f}" for value in (*means[1:], last)]
    return [task, seed, method, int(means[0]), seconds, *values, order, *marks(runs[0])]


def marks(learner):
    """Return the best quality of a search after each of `MARKS` trainings."""
    history = getattr(learner.strategy_, "history_", None)
    if history is None:
        return [""] * len(MARKS)
    steps = np.searchsorted(history["n_trainings"], MARKS, side="right") - 1
    return [f"{history['best'][step]:.5f}" if step >= 0 else "" for step in steps]


def work(args):
    path = args.out / "regression.csv"
    done = {tuple(row[c] for c in COLUMNS[:3]) for row in read(path)}
    methods = [name for group in args.methods for name in GROUPS[group]]
    for cell in product(args.seeds, methods, args.tasks):
        seed, method, task = cell
        if (task, str(seed), method) not in done:
            row = run(task, seed, method)
            append(path, COLUMNS, row)
            print(*row[:8], flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    usual = [name for name in GROUPS if name not in LONG]
    parser.add_argument("--methods", nargs="+", choices=GROUPS, default=usual)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--out", type=Path, default=Path("docs/runs"))
    work(parser.parse_args())


if __name__ == "__main__":
    main()
