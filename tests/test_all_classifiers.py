"""Every classifier with all families of strategies, while a class turns up late.

Each run works, or ends in one sentence: one of skal's if a strategy or the data needs
something that the classifier lacks, or the classifier's own if it cannot be trained on
a few rows.
"""

import importlib.util
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.naive_bayes import CategoricalNB
from sklearn.utils import get_tags

from skal.answers._methods import has_method
from skal.answers._posterior import has_posterior

PATH = Path(__file__).parents[1] / "tools/classifiers.py"
spec = importlib.util.spec_from_file_location("classifiers", PATH)
table = importlib.util.module_from_spec(spec)
spec.loader.exec_module(table)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # deprecated classifiers
    CLASSIFIERS = table.classifiers()

# Sentences of classifiers that cannot be trained on some sets of a few rows.
OWN = {
    "CalibratedClassifierCV": "provided less than 2 examples for at least one class",
    "CategoricalNB": "a category that no labelled row has: set `min_categories`",
    "FixedThresholdClassifier": "Only binary classification is supported",
    "TunedThresholdClassifierCV": "Only binary classification is supported",
    "NuSVC": "specified nu is infeasible",
    "QuadraticDiscriminantAnalysis": "covariance",
}


def refusal(classifier, strategy):
    """Return what skal must refuse before anything is trained, or None."""
    if not get_tags(classifier).target_tags.single_output:
        return "must take one label per row"
    if strategy == "BALD" and not has_posterior(classifier):
        return "BALD needs posterior samples"
    late = not hasattr(classifier, "predict")  # a stack has methods only once fitted
    scored = ("predict_proba", "decision_function")
    if strategy == "Margin" and not (
        late or any(has_method(classifier, name) for name in scored)
    ):
        return "Margin needs class probabilities or decision values"
    return None


@pytest.mark.parametrize("strategy", table.STRATEGIES)
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_it_works_or_says_why_not(name, strategy):
    classifier = CLASSIFIERS[name]
    found = table.outcome(classifier, table.STRATEGIES[strategy])
    expected = refusal(classifier, strategy)
    if expected is None:
        assert found == "works" or OWN.get(name, "works") in found
        assert found == "works" or re.search(r"[Ii]n round \d[.,]", found)
    else:
        assert expected in found


def test_a_class_turns_up_late():
    sets = table.data()
    assert set(sets["y"]) - set(sets["y_warm"]) == {2}


def test_categories_that_are_announced():
    classifier = CategoricalNB(min_categories=10)
    for strategy in ("Random", "Margin", "IDMR", "oracle"):
        assert table.outcome(classifier, table.STRATEGIES[strategy]) == "works"


def test_a_net_of_the_users_own():
    torch = pytest.importorskip("torch")
    skorch = pytest.importorskip("skorch")

    class Net(skorch.NeuralNetClassifier):
        def fit(self, X, y, **params):
            return super().fit(np.asarray(X, dtype=np.float32), y, **params)

        def predict_proba(self, X):
            return super().predict_proba(np.asarray(X, dtype=np.float32))

    net = Net(
        torch.nn.Linear,
        module__in_features=3,
        module__out_features=3,
        criterion=torch.nn.CrossEntropyLoss,
        train_split=None,
        max_epochs=2,
        verbose=0,
    )
    for strategy in ("Random", "Margin", "IDMR", "oracle"):
        assert table.outcome(net, table.STRATEGIES[strategy]) == "works"
    net.set_params(module__out_features=5)  # more than there are classes
    found = table.outcome(net, table.STRATEGIES["Margin"])
    assert "Net gives 5 columns, and its `classes_` name 2 of the 3 classes" in found
    assert "NeuralNetClassifier(classes=[0, 1, 2])" in found
