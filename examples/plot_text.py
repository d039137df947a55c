"""
Texts, two models, and whether an order suits both
==================================================

An oracle's order was found with one model. Is it good for another one? A linear model
and a forest each follow the best order of the other.
"""

# %%
# The sentences are made from templates, with an intent for each. A Pipeline turns them
# into counts of words, so that each training sees words of labelled sentences only.
import matplotlib.pyplot as plt
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline

from skal import (
    AnnealingOracle,
    Margin,
    Problem,
    Random,
    compare,
    model_transfer,
    order_overlap,
    split,
)
from skal.datasets import make_intents
from skal.plotting import PerformanceCurveDisplay, TransferDisplay

X, y = make_intents(700, random_state=0)
sets = split(X, y, warm_size=20, val_size=200, test_size=300, random_state=0)
estimators = {
    "linear": make_pipeline(TfidfVectorizer(), SGDClassifier(loss="log_loss")),
    "forest": make_pipeline(TfidfVectorizer(), ExtraTreesClassifier(5)),
}
problem = Problem.from_sets(sets, estimators["linear"], batch_size=10, n_rounds=3)

# %%
# All runs share these sets, and a seed changes the training and the search alone. So
# the p-values are about the luck of the seed, and say nothing about other sentences.
strategies = {
    "random": Random(),
    "margin": Margin(),
    "oracle": AnnealingOracle(max_trainings=30),
}
study = compare(problem, strategies, estimators=estimators, n_orders=3)
print(study)

# %%
# The order of each model, followed by the other one.
transfer = model_transfer(study, strategies=["margin", "oracle"])
print(transfer)

# %%
# The orders of two models share more rows than chance would give, but not most of them.
print(order_overlap(study, strategies=["margin", "oracle"]))

# %%
# Rows of the picture are the models that an order was found with, columns those that
# follow it.
TransferDisplay.from_study(transfer)
PerformanceCurveDisplay.from_study(study, estimator="linear")
plt.show()
