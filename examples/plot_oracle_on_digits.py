"""
How good could active learning be on digits?
============================================

A search looks for the labelling order with the highest quality of logistic regression
on a validation set. The table then shows, on test data, which share of the gap between
random orders and this order each strategy closes.
"""

# %%
# The problem has a pool of 800 digits, a warm start of 40 labelled digits, and eight
# rounds of twenty labels each. The data sets are drawn by one seeded shuffle.
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skal import (
    ActiveLearner,
    AnnealingOracle,
    Margin,
    MaxEntropy,
    Random,
    optimism,
    split,
)
from skal.plotting import PerformanceCurveDisplay, SearchDisplay
from skal.utils.progress import ProgressBar

X, y = load_digits(return_X_y=True)
sets = split(X, y, warm_size=40, val_size=478, test_size=479, random_state=0)


def learn(strategy, *callbacks):
    model = make_pipeline(StandardScaler(), LogisticRegression())
    learner = ActiveLearner(model, strategy, batch_size=20, n_rounds=8, random_state=0)
    return learner.set_callbacks(*callbacks).fit(**sets)


# %%
# The oracle has access to the labels of the pool, and trains 1,000 times.
runs = {"oracle": learn(AnnealingOracle(max_trainings=1000), ProgressBar())}

# %%
# The other strategies do not. The baseline is the mean of 20 random orders.
runs["max-entropy"] = learn(MaxEntropy())
runs["margin"] = learn(Margin())
runs["random"] = [learn(Random(random_state=seed)) for seed in range(20)]

# %%
# Quality is the mean accuracy over the eight rounds.
test, val = (
    {
        name: np.mean([getattr(learner, attribute) for learner in np.atleast_1d(run)])
        for name, run in runs.items()
    }
    for attribute in ("quality_", "validation_quality_")
)
gap = test["oracle"] - test["random"]

print("strategy      test quality   share of the gap closed   on validation")
for name in sorted(test, key=test.get, reverse=True):
    share = (test[name] - test["random"]) / gap
    print(f"{name:<12} {test[name]:>13.4f} {share:>25.0%} {val[name]:>15.4f}")

# %%
# The oracle searched on the validation set. How much of its gain there is luck? One of
# the two sets may be harder than the other, so we compare gains over random orders
# instead of qualities.
luck = optimism(val["oracle"], test["oracle"], val["random"], test["random"])
print(
    f"\nOver random orders the oracle gains {val['oracle'] - val['random']:.4f} on "
    f"validation, where it searched,\nand {gap:.4f} on test: {luck:.4f} is luck that "
    "does not carry over to other data."
)

# %%
# Plot the performance curves, and the progress of the search.
folder = Path("demo")
folder.mkdir(exist_ok=True)
others = {name: run for name, run in runs.items() if name != "oracle"}
for display, name in (
    (PerformanceCurveDisplay.from_estimators(runs, baseline="random"), "curves"),
    (SearchDisplay.from_estimator(runs["oracle"], references=others), "search"),
):
    path = folder / f"digits_{name}.png"
    display.figure_.savefig(path, dpi=150)
    print(f"Saved {path}")
