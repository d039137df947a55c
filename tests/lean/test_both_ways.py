"""The comparison that all tests of lean forms rely on finds each difference."""

import warnings

import numpy as np
import pytest
from _both_ways import agree, differences, unlike
from sklearn.naive_bayes import GaussianNB

from skal.lean._naive_bayes import LeanGaussianNB

X = np.random.default_rng(0).normal(size=(20, 3))
Y = np.arange(20) % 2


def spoiled(method, change):
    """Return a form whose method does what `change` makes of its result."""

    class Spoiled(LeanGaussianNB):
        pass

    def wrong(self, *args):
        return change(getattr(LeanGaussianNB, method)(self, *args), *args)

    setattr(Spoiled, method, wrong)
    return Spoiled()


def warn(*args):
    warnings.warn("of nothing", stacklevel=1)


@pytest.mark.parametrize(
    "form",
    [
        spoiled("fit", lambda _, model, *args: model.__dict__.pop("epsilon_")),
        spoiled("fit", lambda _, model, *args: model.theta_.__setitem__(0, 9.0)),
        spoiled("fit", lambda _, model, X, *args: X.__setitem__(0, 9.0)),
        spoiled("fit", warn),
        spoiled("answer", lambda answer, *args: answer[::-1]),
        spoiled("answer", lambda answer, *args: answer.astype(np.float32)),
        spoiled("answer", lambda answer, model, seen, _: seen.fill(0) or answer),
    ],
)
def test_a_difference_is_found(form):
    assert differences(LeanGaussianNB(), GaussianNB(), X.copy(), Y, X) == []
    assert differences(form, GaussianNB(), X.copy(), Y, X) != []


def test_values_are_compared_to_the_bit():
    a, b = np.array([1.0, np.nan]), np.array([np.nextafter(1.0, 2), np.nan])
    assert unlike({"a": [a]}, {"a": [a.copy()]}) == []
    assert unlike({"a": [a]}, {"a": [b]}) == [".a[0]"]
    assert unlike(1, 1.0) != []
    assert agree(a, b, 1e-6)
    assert not agree(a, b, 0)
