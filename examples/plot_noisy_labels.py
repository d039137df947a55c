"""
How good could active learning be if annotators are wrong?
==========================================================

The annotators of digits mistake a fifth of them, mostly those that are hard to tell
from another digit. A search looks for the labelling order that is best all the same,
and we count the wrong labels that it asks for. This takes about ten seconds.
"""

# %%
# `NoisyLabels` changes the labels of what is trained on: of the warm start and the
# pool. Validation, where the oracle searches, and test keep the true labels.
from pathlib import Path

from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skal import ActiveLearner, AnnealingOracle, Margin, NoisyLabels, Random, split
from skal.plotting import PerformanceCurveDisplay

X, y = load_digits(return_X_y=True)
sets = split(X, y, warm_size=40, val_size=478, test_size=479, random_state=0)


def learn(strategy, noise):
    model = make_pipeline(StandardScaler(), LogisticRegression())
    learner = ActiveLearner(
        model, strategy, batch_size=20, n_rounds=8, noise=noise, random_state=0
    )
    return learner.fit(**sets)


# %%
# All strategies ask the same annotators: the same seed gives the same mistakes.
noise = NoisyLabels(0.2, "boundary")
runs = {
    "oracle": learn(AnnealingOracle(max_trainings=300), noise),
    "margin": learn(Margin(), noise),
    "random": [learn(Random(random_state=seed), noise) for seed in range(5)],
}

# %%
# Quality is the mean accuracy over the eight rounds on true test labels.
print("strategy   test quality   wrong labels")
for name in ("oracle", "margin"):
    run = runs[name]
    print(f"{name:<9} {run.quality_:>13.4f} {run.mislabelled_.mean():>14.1%}")
quality = sum(run.quality_ for run in runs["random"]) / 5
wrong = sum(run.mislabelled_.mean() for run in runs["random"]) / 5
print(f"random    {quality:>13.4f} {wrong:>14.1%}")

# %%
# Plot the performance curves.
folder = Path("demo")
folder.mkdir(exist_ok=True)
display = PerformanceCurveDisplay.from_estimators(runs, baseline="random")
path = folder / "noisy_labels_curves.png"
display.figure_.savefig(path, dpi=150)
print(f"Saved {path}")
