"""
A labelling session, and when to stop
=====================================

People label what a strategy asks, and after each batch the session says how good the
model is. The annotator is simulated here: she answers with the true label.
"""

# %%
# A file keeps all events. A quarter of the questions is an audit: rows drawn at random,
# which take the place of a test set.
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from skal import LabelingSession, Margin
from skal.labeling import Stop

X, y = load_digits(return_X_y=True)
X = X / 16
folder = tempfile.TemporaryDirectory()
session = LabelingSession(
    LogisticRegression(),
    Margin(),
    journal=Path(folder.name) / "labels.db",
    audit=0.25,
    retrain_every=20,
    random_state=0,
).add(X[:1000])

# %%
# Each round asks for 20 labels. The estimate comes with its interval.
counts, estimates = [], []
for _ in range(8):
    for question in session.ask(20, by="anna"):
        session.tell(question, int(y[int(question.id)]), by="anna")
    counts.append(session.progress().n_labelled)
    estimates.append(session.estimate())
    print(f"{counts[-1]} labels: {estimates[-1]}")

# %%
# Go on, or stop?
print(session.advice(Stop(target=0.8)))
print(session.forecast(100))

# %%
# The model on rows that nobody labelled, which a real session could not know.
truth = session.model_.score(X[1000:], y[1000:])
scores = [one.score for one in estimates]
below = [one.score - one.low for one in estimates]
above = [one.high - one.score for one in estimates]
figure, ax = plt.subplots(layout="constrained")
ax.errorbar(counts, scores, yerr=[below, above], marker="o", capsize=4, label="audit")
ax.axhline(truth, linestyle="--", color="0.4", label="last model on 797 other rows")
ax.set(xlabel="labels", ylabel="accuracy")
ax.legend(loc="lower right")
session.close()
folder.cleanup()
