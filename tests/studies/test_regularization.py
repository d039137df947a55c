import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from skal import (
    IDMR,
    ODMR,
    Margin,
    MaxEntropy,
    compare,
    regularization_gain,
)

# One split for all seeds, and estimators that draw nothing: fine for small tests.
pytestmark = pytest.mark.filterwarnings("ignore:Seeds do not differ")


def test_each_wrapped_strategy_is_compared_with_its_base(comparison):
    gain = regularization_gain(comparison)
    assert gain.strategies == ("idmr-margin",)
    assert gain.references.tolist() == [["margin"], ["margin"]]
    expected = comparison.qualities[:, 2] - comparison.qualities[:, 1]
    np.testing.assert_array_equal(gain.gains[:, 0], expected)
    table = gain.table()
    relative = expected.mean(axis=1) / comparison.qualities[:, 1].mean(axis=1)
    np.testing.assert_allclose(table["relative_gain"], relative)


def test_bases_are_found_by_what_they_are(make_problem):
    strategies = {
        "i": IDMR(MaxEntropy(), n_bins=2),
        "o": ODMR(Margin()),
        "own": IDMR(MaxEntropy(random_state=3)),
        "e": MaxEntropy(),
        "m": Margin(),
    }
    comparison = compare(make_problem(GaussianNB()), strategies)
    gain = regularization_gain(comparison)
    assert gain.strategies == ("i", "o")
    assert gain.references.tolist() == [["e", "m"]]
    chosen = regularization_gain(comparison, {"own": "e", "i": "m"})
    assert chosen.references.tolist() == [["e", "m"]]
    np.testing.assert_array_equal(
        chosen.gains[0, 1], comparison.of("i")[0] - comparison.of("m")[0]
    )


def test_what_has_no_base_is_refused(make_problem):
    comparison = compare(make_problem(GaussianNB()), {"m": Margin(), "e": MaxEntropy()})
    with pytest.raises(ValueError, match="no strategy together with its base: add"):
        regularization_gain(comparison)
    with pytest.raises(ValueError, match="Unknown strategy 'i': choose one of m, e"):
        regularization_gain(comparison, {"i": "m"})
