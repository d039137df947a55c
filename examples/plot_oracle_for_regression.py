"""
How good could active learning be for regression?
=================================================

A search looks for the labelling order with which a Gaussian process predicts Friedman's
function best on a validation set. The table then shows how far strategies for
regression get on test data.
"""

# %%
# The problem has a pool of 300 rows, a warm start of 16, and eight rounds of eight
# labels each. The kernel of the Gaussian process is fixed, so that it is trained fast.
from pathlib import Path

import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.preprocessing import StandardScaler

from skal import (
    LCMD,
    ActiveLearner,
    AnnealingOracle,
    GreedySampling,
    MaxVariance,
    Random,
    optimism,
    split,
)
from skal.plotting import PerformanceCurveDisplay

X, y = make_friedman1(916, noise=1.0, random_state=0)
X = StandardScaler().fit_transform(X)
sets = split(X, y, warm_size=16, val_size=300, test_size=300, random_state=0)


def learn(strategy):
    kernel = RBF(3.0) + WhiteKernel(0.1)
    model = GaussianProcessRegressor(kernel, optimizer=None, normalize_y=True)
    learner = ActiveLearner(model, strategy, batch_size=8, n_rounds=8, random_state=0)
    return learner.fit(**sets)


# %%
# The oracle has access to the numbers of the pool, and trains 600 times.
runs = {"oracle": learn(AnnealingOracle(max_trainings=600))}

# %%
# The strategies do not: they look at the inputs (LCMD, greedy sampling), at predictions
# (greedy sampling in both spaces), or at the variance of the predictions.
runs["LCMD"] = learn(LCMD())
runs["greedy sampling, x"] = learn(GreedySampling("x"))
runs["greedy sampling, xy"] = learn(GreedySampling("xy"))
runs["max-variance"] = learn(MaxVariance())
runs["random"] = [learn(Random(random_state=seed)) for seed in range(20)]

# %%
# Quality is the mean R2 over the eight rounds.
test, val = (
    {
        name: np.mean([getattr(learner, attribute) for learner in np.atleast_1d(run)])
        for name, run in runs.items()
    }
    for attribute in ("quality_", "validation_quality_")
)
print("strategy               test quality   on validation")
for name in sorted(test, key=test.get, reverse=True):
    print(f"{name:<20} {test[name]:>14.4f} {val[name]:>15.4f}")

# %%
# The oracle searched on the validation set, so part of its gain there is luck.
luck = optimism(val["oracle"], test["oracle"], val["random"], test["random"])
print(
    f"\nOver random orders the oracle gains {val['oracle'] - val['random']:.4f} on "
    f"validation, where it searched,\nand {test['oracle'] - test['random']:.4f} on "
    f"test: {luck:.4f} is luck that does not carry over to other data."
)

# %%
# Plot the performance curves.
folder = Path("demo")
folder.mkdir(exist_ok=True)
display = PerformanceCurveDisplay.from_estimators(runs, baseline="random")
path = folder / "regression_curves.png"
display.figure_.savefig(path, dpi=150)
print(f"Saved {path}")
