"""
The optimal labelling order of Fashion-MNIST
============================================

Object classification with the sizes of Table 1 of Zhou et al. (AISTATS 2021), with a
scikit-learn Pipeline instead of their network: a pool of 2,000 images, a warm start of
50 labelled images, and twelve rounds of 25 labels. This takes a few minutes.
"""

# %%
# The data are shuffled once, without stratification, and split into disjoint sets. (The
# selection set in Table 1 is only needed for estimators with early stopping.)
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skal import (
    ActiveLearner,
    AnnealingOracle,
    Margin,
    MaxEntropy,
    Random,
    optimism,
    split,
)
from skal.datasets import fetch_fashion_mnist
from skal.plotting import PerformanceCurveDisplay, SearchDisplay
from skal.utils.progress import ProgressBar

X, y = fetch_fashion_mnist(return_X_y=True)
rows = np.random.default_rng(0).permutation(len(X))[: 2000 + 50 + 4000 + 4000]
sets = split(
    X[rows], y[rows], warm_size=50, val_size=4000, test_size=4000, random_state=0
)


def learn(strategy, *callbacks):
    model = make_pipeline(MinMaxScaler(), PCA(30), LogisticRegression(max_iter=1000))
    learner = ActiveLearner(model, strategy, batch_size=25, n_rounds=12, random_state=0)
    return learner.set_callbacks(*callbacks).fit(**sets)


# %%
# Run the search, and the strategies that do not have access to the labels.
oracle = AnnealingOracle(n_steps=400, n_jobs=2)
runs = {"oracle": learn(oracle, ProgressBar())}

runs["max-entropy"] = learn(MaxEntropy())
runs["margin"] = learn(Margin())
runs["random"] = [learn(Random(random_state=seed)) for seed in range(10)]

# %%
# Print mean accuracies over rounds, and the share of the gap to the oracle on test.
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

luck = optimism(val["oracle"], test["oracle"], val["random"], test["random"])
print(f"\nLuck in the oracle's gain over random orders on validation: {luck:.4f}.")

# %%
# Plot the performance curves, and the progress of the search.
folder = Path("demo")
folder.mkdir(exist_ok=True)
others = {name: run for name, run in runs.items() if name != "oracle"}
for display, name in (
    (PerformanceCurveDisplay.from_estimators(runs, baseline="random"), "curves"),
    (SearchDisplay.from_estimator(runs["oracle"], references=others), "search"),
):
    path = folder / f"fashion_mnist_{name}.png"
    display.figure_.savefig(path, dpi=150)
    print(f"Saved {path}")
