"""
Which rows to label first
=========================

Nothing is labelled yet, so there is no model to ask. `Herding` and `TypiClust` choose
rows that stand for the rest of the pool, and `Then` goes on with a model afterwards.
"""

# %%
# With `warm_size=0` the first batch is chosen from nothing. Strategies that need a
# model are refused there, unless `Then` puts another one before them.
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skal import ActiveLearner, Herding, Margin, Random, Then, TypiClust
from skal.plotting import PerformanceCurveDisplay

X, y = load_digits(return_X_y=True)
X, y = X[:1200] / 16, y[:1200]


def learn(strategy, seed=0):
    model = make_pipeline(StandardScaler(with_std=False), LogisticRegression())
    learner = ActiveLearner(
        model, strategy, warm_size=0, batch_size=10, n_rounds=8, random_state=seed
    )
    return learner.fit(X, y)


runs = {
    "herding": learn(Herding()),
    "TypiClust": learn(TypiClust()),
    "herding, then margin": learn(Then(Herding(), Margin(), n_first=40)),
    "random": [learn(Random(random_state=seed)) for seed in range(5)],
}

# %%
# How many of the ten digits are among the first ten rows? A class without a label
# cannot be predicted.
for name, run in runs.items():
    first = np.atleast_1d(run)[0].order_[:10]
    print(f"{name:21} {len(np.unique(y[first]))} classes in the first batch")

# %%
# The curves begin with the first round, since there is no model before it.
PerformanceCurveDisplay.from_estimators(runs, baseline="random")
