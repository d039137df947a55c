"""
When rows cost different amounts
================================

Labels are paid for: a long sentence takes an annotator longer than a short one. With a
`cost`, a round spends an amount in place of labelling a number of rows, and the curves
of all strategies are over the same spending. Here the cost of a digit grows with its
ink, which is made up, so that a strategy's taste for dear rows can be seen.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from skal import ActiveLearner, AnnealingOracle, Margin, PerCost, Random
from skal.plotting import PerformanceCurveDisplay

X, y = load_digits(return_X_y=True)
X, y = X[:800] / 16, y[:800]


def ink(X):
    """Return a price between 1 and 10 for each digit."""
    darkness = X.mean(axis=1)
    return 1 + 9 * (darkness - darkness.min()) / (darkness.max() - darkness.min())


# %%
# A round spends 100. `PerCost` divides the utility of a row by its cost, and the oracle
# looks for the best order under the same budget.
strategies = {
    "random": Random(),
    "margin": Margin(),
    "margin per cost": PerCost(Margin()),
    "oracle": AnnealingOracle(max_trainings=400),
}
learners = {
    name: ActiveLearner(
        LogisticRegression(max_iter=200),
        strategy,
        cost=ink,
        batch_size=100,
        n_rounds=6,
        warm_size=20,
        random_state=0,
    ).fit(X, y)
    for name, strategy in strategies.items()
}

# %%
# The same amount buys different numbers of rows. A search of so few trainings finds an
# order that is about as good as that of `PerCost`.
for name, learner in learners.items():
    print(f"{name:16} {learner.quality_:.3f}  {len(learner.order_)} rows")

# %%
# The horizontal axis is the amount that may be spent.
PerformanceCurveDisplay.from_estimators(learners, baseline="random")
plt.show()
