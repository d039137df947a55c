"""
A strategy of your own
======================

A strategy is a class with one method. This one asks about rows of whose class the model
is unsure. It is checked, combined with others, and compared with what exists.
"""

# %%
# `RankingStrategy` needs a number for each candidate; the highest are labelled first.
# `needs` names the methods of the model that are used, so a model without them is
# refused before anything is trained.
import numpy as np
from sklearn.datasets import load_digits
from sklearn.naive_bayes import GaussianNB

from skal import IDMR, ActiveLearner, Margin, Random, compare
from skal.plotting import GainDisplay
from skal.strategies import RankingStrategy
from skal.utils import take_rows
from skal.utils.estimator_checks import check_strategy


class LowConfidence(RankingStrategy):
    """Label the rows whose most probable class is least probable, to some power."""

    needs = ("predict_proba",)

    def __init__(self, power=1.0, *, random_state=None):
        self.power = power
        self.random_state = random_state

    def _utility(self, estimator, X, candidates):
        probabilities = estimator.predict_proba(take_rows(X, candidates))
        return (1 - probabilities.max(axis=1)) ** self.power


# %%
# `check_strategy` runs it through its contract: no label is read that was not acquired,
# no argument is changed, the same state gives the same choice, and so on.
check_strategy(LowConfidence())

# %%
# It works everywhere: on its own, in a learner, inside other strategies, in a study.
X, y = load_digits(return_X_y=True)
X = X / 16
model = GaussianNB(var_smoothing=0.01)
print(LowConfidence().fit(X).select(model.fit(X[:100], y[:100]), X, 5))
print(ActiveLearner(model, LowConfidence(), random_state=0).fit(X, y).curve_.round(2))

# %%
# Is it better than what exists? Each dot in the picture is a split.
strategies = {
    "random": Random(),
    "margin": Margin(),
    "mine": LowConfidence(),
    "mine, matched": IDMR(LowConfidence()),
}
study = compare(X, y, model, strategies, seeds=5, n_orders=3, batch_size=20, n_rounds=5)
print(study)

# %%
gains = study.against("random").gains[0]
names = [f"{name} against random" for name in strategies if name != "random"]
GainDisplay(dict(zip(names, gains, strict=True))).plot()
print(np.round(gains.mean(axis=1), 4))
