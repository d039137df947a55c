"""
A search that is interrupted, and goes on
=========================================

A long search should survive Ctrl-C, a full disk and a power cut. With a journal, the
same call goes on where it stopped, and gives the result of a search that was never
interrupted.
"""

# %%
# The journal is one SQLite file on a local disk.
import tempfile
from pathlib import Path

from sklearn.datasets import load_digits
from sklearn.naive_bayes import GaussianNB

from skal import ActiveLearner, AnnealingOracle
from skal.oracle import read_journal
from skal.plotting import SearchDisplay

X, y = load_digits(return_X_y=True)
X = X / 16


def search(max_trainings, journal=None):
    """Return a learner that follows the best order of a search."""
    oracle = AnnealingOracle(
        n_steps=60, start="random", max_trainings=max_trainings, journal=journal
    )
    learner = ActiveLearner(
        GaussianNB(var_smoothing=0.01),
        oracle,
        batch_size=20,
        n_rounds=6,
        random_state=0,
    )
    return learner.fit(X, y)


# %%
# Ctrl-C ends a search, and the learner follows the best order so far. Here a limit on
# the trainings stands for it.
folder = tempfile.TemporaryDirectory()
journal = Path(folder.name) / "search.db"
first = search(120, journal)
print(f"after {first.strategy_.n_trainings_} trainings: {first.quality_:.4f}")

# %%
# The same search with a higher limit reads the journal, and trains only on sets that
# are not in it. The order is the one of a search without interruption.
resumed = search(300, journal)
whole = search(300)
print(f"after {resumed.strategy_.n_trainings_} trainings: {resumed.quality_:.4f}")
print("the same order:", (resumed.order_ == whole.order_).all())

# %%
# The steps can be read while a search is running, from any process.
steps = read_journal(journal)
print(sorted(steps))

# %%
# The quality of the best order against the number of trainings: a curve that still
# rises asks for a longer search.
SearchDisplay.from_estimator(resumed)
folder.cleanup()
