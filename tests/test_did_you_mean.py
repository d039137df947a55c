"""Mistyped names are refused with the name that was probably meant."""

import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from skal import (
    ActiveLearner,
    AnnealingOracle,
    LabelingSession,
    Margin,
    NoisyLabels,
    Problem,
    Random,
    compare,
    load_task,
    order_overlap,
    split,
)
from skal._choices import check_choice, suggest

X, y = load_iris(return_X_y=True)


SIZES = {"batch_size": 2, "n_rounds": 2}


def fit(strategy=None, estimator=None, **params):
    strategy, estimator = strategy or Margin(), estimator or GaussianNB()
    return ActiveLearner(estimator, strategy, **SIZES, **params).fit(X, y)


def pose(**params):
    sets = split(X, y, warm_size=10, random_state=0)
    return Problem.from_sets(sets, GaussianNB(), **SIZES, **params)


CASES = {
    "scoring of a learner": (lambda: fit(scoring="acuracy"), "accuracy"),
    "scoring of a problem": (lambda: pose(scoring="f1_wieghted"), "f1_weighted"),
    "a parameter of an oracle": (
        lambda: fit(AnnealingOracle(proposal="guidet")),
        "guided",
    ),
    "a parameter of the estimator": (
        lambda: fit(estimator=LogisticRegression(solver="lbfg")),
        "lbfgs",
    ),
    "an argument of a function": (lambda: order_overlap(None, between="seed"), "seeds"),
    "a parameter of noise": (
        lambda: fit(noise=NoisyLabels(0.1, kind="clas")),
        "class",
    ),
    "a strategy of a study": (
        lambda: compare(pose(), {"random": Random()}, baseline="randm"),
        "random",
    ),
    "a size": (
        lambda: compare(X, y, GaussianNB(), {"m": Margin()}, batchsize=3),
        "batch_size",
    ),
    "a task": (lambda: load_task("object_clasification"), "object_classification"),
    "a rule of a session": (
        lambda: LabelingSession(GaussianNB(), Margin(), journal="j", resolve="majorty"),
        "majority",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_name_that_was_meant(case):
    call, meant = CASES[case]
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    assert str(caught.value).endswith(f" Did you mean {meant!r}?")


def test_nothing_is_suggested_for_a_name_that_resembles_none():
    assert suggest("xyz", ["accuracy", "f1"]) == ""
    assert suggest(3, ["accuracy"]) == ""
    assert suggest("Max-Entropy", ["max-entropy"]) == " Did you mean 'max-entropy'?"
    with pytest.raises(ValueError, match=r"kind must be one of 'a', 'b', got 7\.$"):
        check_choice(7, "kind", ["a", "b"])
