"""Studies of problems with several labels or numbers per row."""

import numpy as np
import pytest
from sklearn.datasets import make_multilabel_classification
from sklearn.multioutput import MultiOutputClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skal import (
    Margin,
    Problem,
    Random,
    compare,
    input_distribution,
    label_distribution,
    seed_transfer,
    split,
)
from skal.plotting import DistributionDisplay, EmbeddingDisplay

X, Y = make_multilabel_classification(150, n_classes=3, n_labels=2, random_state=0)


def compared(y, model, strategies):
    sets = split(X, y, warm_size=12, random_state=0)
    problem = Problem.from_sets(sets, model, batch_size=4, n_rounds=2)
    return sets, compare(problem, strategies, n_orders=2)


@pytest.fixture(scope="module")
def of_labels():
    strategies = {"random": Random(), "margin": Margin(over_labels="mean")}
    return compared(Y, DecisionTreeClassifier(max_features=2), strategies)


def test_shares_of_labels_against_a_count(of_labels):
    sets, comparison = of_labels
    found = label_distribution(comparison)
    assert found.bins == ("0", "1", "2")
    reference = sets["y_test"].sum(axis=0)
    np.testing.assert_allclose(found.reference, reference / reference.sum())
    order = comparison.orders["DecisionTreeClassifier", "margin", 0][0]
    counts = sets["y_warm"].sum(axis=0) + sets["y"][order[:4]].sum(axis=0)
    np.testing.assert_allclose(found.frequencies[0, 1, 0, 1], counts / counts.sum())
    grouped = label_distribution(
        comparison, group=lambda j: "first" if j == 0 else "other"
    )
    assert grouped.bins == ("first", "other")
    np.testing.assert_allclose(grouped.frequencies[..., 0], found.frequencies[..., 0])


def test_transfers_and_plots(of_labels):
    _, comparison = of_labels
    assert np.isfinite(seed_transfer(comparison).table()["score"]).all()
    display = DistributionDisplay.from_study(label_distribution(comparison))
    assert display.figure_ is not None
    inputs = input_distribution(comparison, lambda rows: rows[:, :2])
    with pytest.raises(ValueError, match="each row has several labels, which have no"):
        EmbeddingDisplay.from_study(inputs, comparison)


def test_shares_of_the_classes_of_each_column():
    kinds = np.array(["high", "low"])[(X[:, :2] > X[:, :2].mean(axis=0)).astype(int)]
    model = MultiOutputClassifier(DecisionTreeClassifier())
    sets, comparison = compared(kinds, model, {"random": Random()})
    found = label_distribution(comparison)
    names = "column 0: high", "column 0: low", "column 1: high", "column 1: low"
    assert found.bins == names
    y = sets["y_test"]
    counts = [(y[:, j] == kind).sum() for j in (0, 1) for kind in ("high", "low")]
    np.testing.assert_allclose(found.reference, np.array(counts) / (2 * len(y)))
    n_high = (sets["y_warm"][:, 0] == "high").sum()  # of 12 rows, with two labels each
    assert found.frequencies[0, 0, 0, 0, 0] == pytest.approx(n_high / 24)


@pytest.mark.filterwarnings("ignore:random with DecisionTreeRegressor ends at chance")
def test_shares_of_the_bins_of_each_column_of_numbers():
    numbers = np.random.default_rng(0).exponential([1, 100], size=(len(X), 2))
    model = DecisionTreeRegressor(max_features=2)
    _, comparison = compared(numbers, model, {"random": Random()})
    found = label_distribution(comparison, n_bins=3, reference="all")
    assert len(found.bins) == 6
    assert found.bins[0].startswith("column 0: ")
    # Quantiles of each column; half of the counts are of either one
    np.testing.assert_allclose(found.reference, 1 / 6, atol=0.02)
