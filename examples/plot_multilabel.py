"""
How good could active learning be with several labels per row?
==============================================================

Each row has any of three labels, and a classifier is trained for each label.
Strategies turn the uncertainties of the labels into one number per row, by their mean
or maximum. A search finds how much better an order of labelling there is.
"""

# %%
# In `y`, the labels of a row are 0 and 1. The pool has 300 rows, the warm start two
# rows with each label, at least, and each of five rounds labels ten rows.
from pathlib import Path

import numpy as np
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier

from skal import ActiveLearner, AnnealingOracle, Margin, Random, split
from skal.plotting import PerformanceCurveDisplay

X, y = make_multilabel_classification(
    920, n_classes=3, n_labels=2, length=30, random_state=0
)
X = X / X.max()
sets = split(
    X, y, warm_size=20, val_size=300, test_size=300, warm_per_class=2, random_state=0
)
model = MultiOutputClassifier(LogisticRegression(C=100))


def learn(strategy):
    """Return a run that is scored by the mean F1 of the labels."""
    return ActiveLearner(
        model, strategy, batch_size=10, n_rounds=5, scoring="f1_macro", random_state=0
    ).fit(**sets)


# %%
# The oracle has access to the labels of the pool, and trains 150 times. The baseline is
# the mean of five random orders.
runs = {
    "oracle": learn(AnnealingOracle(max_trainings=150)),
    "margin, mean": learn(Margin(over_labels="mean")),
    "margin, max": learn(Margin(over_labels="max")),
    "random": [learn(Random(random_state=seed)) for seed in range(5)],
}

# %%
# Quality is the mean F1 over the five rounds.
for name, run in runs.items():
    quality = np.mean([learner.quality_ for learner in np.atleast_1d(run)])
    print(f"{name:14} quality {quality:.3f}")

# %%
# Plot the performance curves.
folder = Path("demo")
folder.mkdir(exist_ok=True)
path = folder / "multilabel_curves.png"
display = PerformanceCurveDisplay.from_estimators(runs, baseline="random")
display.figure_.savefig(path, dpi=150)
print(f"Saved {path}")
