"""Labels at the door: known, of one type, and of the same kind in all sets."""

import numpy as np
import pandas as pd
import pytest
from sklearn.naive_bayes import GaussianNB

from skal import ActiveLearner, Random

X = np.random.default_rng(0).random((90, 2))
Y = np.arange(90) % 3


class NeverTrained(GaussianNB):
    def fit(self, X, y):
        raise AssertionError("trained before the labels were checked")


def fit(model, y, **given):
    learner = ActiveLearner(
        model, Random(), batch_size=5, n_rounds=2, warm_size=12, random_state=0
    )
    return learner.fit(X, y, **given)


@pytest.mark.parametrize(
    "y",
    [
        np.ma.masked_array(Y, np.arange(90) == 47),
        np.ma.masked_array(Y.astype(object), np.arange(90) == 47),
        np.where(np.arange(90) == 47, np.datetime64("NaT"), np.datetime64("2020", "D")),
        pd.Series(Y, dtype="Int64").where(np.arange(90) != 47),
        np.where(np.arange(90) == 47, np.inf, Y),
        [None if i == 47 else "a" for i in range(90)],
    ],
)
def test_missing_labels_are_refused_by_their_row(y):
    with pytest.raises(ValueError, match=r"y has missing labels .* 1 rows, .* row 47"):
        fit(NeverTrained(), y)


def test_a_mask_that_hides_nothing_is_no_mask():
    found = fit(GaussianNB(), np.ma.masked_array(Y))
    np.testing.assert_array_equal(found.curve_, fit(GaussianNB(), Y).curve_)


@pytest.mark.parametrize("order", [1, -1])
def test_labels_of_different_types_are_refused(order):
    y = np.array([1, "a", 2.5], dtype=object)[::order][Y]
    with pytest.raises(ValueError, match="y has labels of different types, such as"):
        fit(NeverTrained(), y)


@pytest.mark.parametrize("name", ["warm", "val", "test"])
def test_dates_in_one_set_and_numbers_in_another_are_refused(name):
    dates = np.datetime64("2020-01-01") + Y
    given = {f"X_{name}": X[:30] + 5, f"y_{name}": Y[:30]}
    with pytest.raises(ValueError, match="labels of some sets are dates"):
        fit(NeverTrained(), dates, **given)
    assert fit(GaussianNB(), dates).classes_.dtype.kind == "M"


@pytest.mark.parametrize("dtypes", [("uint64", "int64"), ("int8", "uint64")])
def test_unsigned_labels_of_a_warm_start_do_not_become_floats(dtypes):
    expected = fit(GaussianNB(), Y, X_warm=X[:9] + 5, y_warm=Y[:9])
    found = fit(
        GaussianNB(),
        Y.astype(dtypes[0]),
        X_warm=X[:9] + 5,
        y_warm=Y[:9].astype(dtypes[1]),
    )
    np.testing.assert_array_equal(found.curve_, expected.curve_)
    assert found.predict(X).dtype.kind in "iu"
