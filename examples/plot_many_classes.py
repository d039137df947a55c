"""
How good could active learning be with many classes?
====================================================

With 60 classes of very different sizes, a batch of 40 labels cannot hold all of them. A
search looks for the best order of labelling, and a table shows how close the labelled
rows come to the proportions of the classes.
"""

# %%
# Each class is a cloud of points in 20 dimensions; the largest has 20 times as many
# rows as the smallest. The pool has 1,200 rows, the warm start two rows of each class,
# and each of six rounds labels 40 rows.
from pathlib import Path

import numpy as np
from sklearn.naive_bayes import GaussianNB

from skal import (
    IDMR,
    AnnealingOracle,
    Margin,
    MaxEntropy,
    Problem,
    Random,
    TypiClust,
    compare,
    label_distribution,
    split,
)
from skal.plotting import PerformanceCurveDisplay

N_CLASSES, N_POOL, N_HELD_OUT = 60, 1200, 1500
rng = np.random.default_rng(0)
shares = np.geomspace(1, 20, N_CLASSES)
n = 2 * N_CLASSES + N_POOL + 2 * N_HELD_OUT
y = np.repeat(np.arange(N_CLASSES), np.ceil(n * shares / shares.sum()).astype(int))
centers = rng.normal(scale=1.2, size=(N_CLASSES, 20))
X = centers[y] + rng.normal(size=(len(y), 20))

sets = split(
    X,
    y,
    warm_size=2 * N_CLASSES,
    warm_per_class=2,
    stratify=True,
    val_size=N_HELD_OUT,
    test_size=N_HELD_OUT,
    random_state=0,
)
# Few rows of a class say little about its variance: let all classes have about one.
model = GaussianNB(var_smoothing=1.0)
problem = Problem.from_sets(sets, model, batch_size=40, n_rounds=6)

# %%
# The oracle has access to the labels of the pool, and trains 300 times. The baseline is
# the mean of ten random orders. One seed is enough for a picture, but not for a test of
# differences, and `compare` warns of that.
found = compare(
    problem,
    {
        "random": Random(),
        "oracle": AnnealingOracle(max_trainings=300),
        "margin": Margin(),
        "IDMR, margin": IDMR(Margin(), n_bins=20),
        "max-entropy": MaxEntropy(),
        "TypiClust": TypiClust(),
    },
    seeds=[0],
    n_orders=10,
)
print(found)

# %%
# Plot the performance curves.
folder = Path("demo")
folder.mkdir(exist_ok=True)
path = folder / "many_classes_curves.png"
display = PerformanceCurveDisplay.from_study(found)
display.figure_.savefig(path, dpi=150)
print(f"Saved {path}")

# %%
# Half of the sum of differences between the shares of classes among the labelled rows
# and among all rows: 0 means the same proportions.
labels = label_distribution(found, reference="all")
print("\nDistance of labels from all labels after each round")
for name, distances in zip(labels.strategies, labels.distances[0, :, 0], strict=True):
    print(f"{name:14}", " ".join(f"{distance:.3f}" for distance in distances))
