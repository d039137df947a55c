"""Print a table of which classifiers work with which strategies, as Markdown.

A small pool, in which one of three classes is not labelled at the start and turns up
late, is labelled with every classifier of scikit-learn, and with those of other
libraries that are installed:

    python tools/classifiers.py > table.md

Each cell says "works", or gives the number of the sentence that the run ended with;
the sentences follow.
"""

import warnings
from importlib import import_module

import numpy as np
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.discovery import all_estimators

from skal import BALD, IDMR, ActiveLearner, AnnealingOracle, Margin, Random

STRATEGIES = {
    "Random": Random(),
    "Margin": Margin(),
    "BALD": BALD(),
    "IDMR": IDMR(Random(), n_bins=2),
    "oracle": AnnealingOracle(n_steps=5),
}
# What a classifier cannot be made without.
REQUIRED = {
    "estimator": LogisticRegression(),
    "estimators": [
        ("linear", LogisticRegression()),
        ("tree", DecisionTreeClassifier()),
    ],
}
# Parameters that make a training fast, or possible on a handful of rows.
SMALL = {
    "n_estimators": 3,
    "max_iter": 40,
    "cv": 2,
    "n_neighbors": 2,
    "n_restarts_optimizer": 0,
    "radius": 30.0,
    "verbose": 0,
    "n_jobs": 1,
    "Cs": 2,
    "verbosity": 0,
    "min_child_samples": 1,
}
# Those of one classifier only.
OWN = {
    "LGBMClassifier": {"verbose": -1, "verbosity": None},
    "CatBoostClassifier": {
        "iterations": 3,
        "thread_count": 1,
        "allow_writing_files": False,
        "verbose": 0,
    },
    "LabelPropagation": {"max_iter": 200},
    "LabelSpreading": {"max_iter": 200},
}
ELSEWHERE = {
    "xgboost": ("XGBClassifier", "XGBRFClassifier"),
    "lightgbm": ("LGBMClassifier",),
    "catboost": ("CatBoostClassifier",),
    "imblearn.ensemble": ("BalancedRandomForestClassifier", "EasyEnsembleClassifier"),
}


def classifiers():
    """Return all classifiers by name: of scikit-learn and of what else is installed."""
    kinds = dict(all_estimators("classifier"))
    for module, names in ELSEWHERE.items():
        try:
            kinds |= {name: getattr(import_module(module), name) for name in names}
        except ImportError:
            continue
    return {name: small(kind) for name, kind in kinds.items()}


def small(kind):
    """Return a classifier of a class, with parameters for a handful of rows."""
    names = getattr(kind, "_parameter_constraints", {})
    required = {name: value for name, value in REQUIRED.items() if name in names}
    model = kind(**required)
    known = model.get_params()
    wanted = {name: value for name, value in SMALL.items() if name in known}
    return model.set_params(**wanted | OWN.get(kind.__name__, {}))


def data():
    """Return a pool, its labels and a warm start without the third class.

    Whole numbers from 0 to 9, since some classifiers take counts or categories.
    """
    X, y = make_blobs([50, 40, 20], n_features=3, cluster_std=2, random_state=0)
    X = np.clip(X - X.min(axis=0), 0, 19).round() // 2
    warm = np.concatenate([np.flatnonzero(y == 0)[:6], np.flatnonzero(y == 1)[:6]])
    rest = np.setdiff1d(np.arange(len(y)), warm)
    return {"X": X[rest], "y": y[rest], "X_warm": X[warm], "y_warm": y[warm]}


def outcome(classifier, strategy):
    """Return "works", or the error that a short run ends with, and its notes."""
    learner = ActiveLearner(
        classifier, strategy, batch_size=6, n_rounds=2, random_state=0
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            learner.fit(**data())
            learner.predict(data()["X"])
    except Exception as error:
        return "\n".join([f"{type(error).__name__}: {error}", *_notes(error)])
    return "works"


def _notes(error):
    """Return the notes of an error: in which round it was, and what was labelled."""
    return getattr(error, "__notes__", [])


def main():
    """Print the table, and the sentences that it refers to by number."""
    print("| classifier |", " | ".join(STRATEGIES), "|")
    print("| --- |" + " --- |" * len(STRATEGIES))
    sentences = {"works": 0}
    for name, classifier in classifiers().items():
        cells = []
        for strategy in STRATEGIES.values():
            found = outcome(classifier, strategy).partition("\n")[0]
            found = found.replace(name, "<classifier>")
            number = sentences.setdefault(found, len(sentences))
            cells.append(found if found == "works" else f"[{number}]")
        print(f"| {name} |", " | ".join(cells), "|", flush=True)
    for sentence, number in list(sentences.items())[1:]:
        print(f"\n[{number}] {sentence}")


if __name__ == "__main__":
    main()
