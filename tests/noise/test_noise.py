"""Annotators who are wrong: which labels they give."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skal import NoisyLabels

KINDS = ("uniform", "class", "boundary")


@pytest.fixture(scope="module")
def many():
    X, codes = make_blobs([100, 250, 50], centers=None, cluster_std=3.0, random_state=0)
    return X, np.array(["a", "b", "c"])[codes]


def draws(X, y, n, **params):
    """Return the labels of `n` annotators, shape (n, n_rows)."""
    return np.array(
        [NoisyLabels(**params, random_state=i).corrupt(X, y) for i in range(n)]
    )


@pytest.mark.parametrize("rate", [0.1, 0.4])
@pytest.mark.parametrize("kind", ["uniform", "class"])
def test_the_share_of_wrong_labels_is_the_rate_in_expectation(many, kind, rate):
    X, y = many
    n = 400
    is_wrong = draws(X, y, n, rate=rate, kind=kind) != y
    # Five standard errors of a mean of independent draws; with a matrix that is drawn
    # anew each time, the variance within a draw is at most this large.
    error = np.sqrt(rate * (1 - rate) / is_wrong.size)
    assert abs(is_wrong.mean() - rate) < 5 * error


def test_at_the_boundary_the_share_is_the_rate_in_expectation(many):
    X, y = many
    cheap = GaussianNB()
    is_wrong = draws(X, y, 60, rate=0.3, kind="boundary", estimator=cheap) != y
    assert abs(is_wrong.mean() - 0.3) < 5 * np.sqrt(0.3 * 0.7 / is_wrong.size)


def test_uniform_noise_gives_each_other_class_alike(many):
    X, y = many
    found = draws(X, y, 400, rate=0.3, kind="uniform")
    for true in "abc":
        of_class = found[:, y == true]
        for label in set("abc") - {true}:
            share = (of_class == label).mean()
            assert abs(share - 0.15) < 5 * np.sqrt(0.15 * 0.85 / of_class.size)


def test_a_given_confusion_matrix_is_followed(many):
    X, y = many
    # The diagonal does not count; class c is never mistaken.
    confusion = np.array([[9, 3, 1], [2, 0, 0], [0, 0, 1]])
    found = draws(X, y, 300, rate=0.2, kind="class", confusion=confusion)
    # Expected mistakes: 4 s of 100 rows and 2 s of 250 rows are 0.2 of 400 rows.
    s = 0.2 * 400 / (4 * 100 + 2 * 250)
    expected = {"ab": 3 * s, "ac": s, "ba": 2 * s, "bc": 0, "ca": 0, "cb": 0}
    for (true, label), share in expected.items():
        of_class = found[:, y == true] == label
        error = np.sqrt(share * (1 - share) / of_class.size)
        assert abs(of_class.mean() - share) <= 5 * error, (true, label)


def test_a_drawn_matrix_differs_between_seeds_and_classes(many):
    X, y = many
    found = draws(X, y, 4, rate=0.4, kind="class")
    shares = [
        [(labels[y == true] != true).mean() for true in "abc"] for labels in found
    ]
    assert np.ptp(shares, axis=0).min() > 0.1
    assert np.ptp(shares, axis=1).min() > 0.1


def test_boundary_noise_hits_difficult_rows_with_the_class_beside_them(many):
    X, y = many
    noise = NoisyLabels(0.2, "boundary", random_state=0)
    found = noise.corrupt(X, y)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    probs = model.predict_proba(X)
    columns = np.searchsorted(model.classes_, y)
    of_truth = probs[np.arange(400), columns]
    hardest = of_truth < np.median(of_truth)
    wrong = found != y
    # Of squares of ranks, seven eighths belong to the upper half.
    assert (wrong & hardest).sum() > 0.75 * wrong.sum()
    probs[np.arange(400), columns] = -1
    others = model.classes_[probs.argmax(axis=1)]
    assert (found == others)[wrong].mean() > 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_labels(many, kind, global_state):
    X, y = many
    before, kept = global_state(), (X.copy(), y.copy())
    noise = NoisyLabels(0.3, kind, random_state=3)
    first = noise.corrupt(X, y)
    np.testing.assert_array_equal(clone(noise).corrupt(X, y), first)
    assert (NoisyLabels(0.3, kind, random_state=4).corrupt(X, y) != first).any()
    assert global_state() == before
    np.testing.assert_array_equal(X, kept[0])
    np.testing.assert_array_equal(y, kept[1])


def test_more_rows_leave_the_labels_of_the_first_as_they_are(many):
    X, y = many
    noise = NoisyLabels(0.3, random_state=0)
    part = noise.corrupt(X[:150], y[:150], classes=["a", "b", "c"])
    np.testing.assert_array_equal(noise.corrupt(X, y)[:150], part)


def test_a_higher_rate_keeps_the_mistakes_of_a_lower_one(many):
    X, y = many
    low, high = (NoisyLabels(r, random_state=0).corrupt(X, y) for r in (0.1, 0.3))
    np.testing.assert_array_equal(high[low != y], low[low != y])


def test_without_noise_labels_are_true(many):
    X, y = many
    for kind in KINDS:
        found = NoisyLabels(0, kind).corrupt(X, y)
        np.testing.assert_array_equal(found, y)
        assert found is not y


@pytest.mark.parametrize("kind", ["uniform", "class"])
def test_each_token_gets_a_tag_of_its_own(kind):
    rows = [["x"] * n for n in (3, 1, 0, 5)] * 100
    y = [[f"t{(i + j) % 3}" for j in range(len(row))] for i, row in enumerate(rows)]
    found = NoisyLabels(0.3, kind, random_state=0).corrupt(rows, y)
    assert [len(tags) for tags in found] == [len(tags) for tags in y]
    pairs = [
        pair for a, b in zip(found, y, strict=True) for pair in zip(a, b, strict=1)
    ]
    assert {type(tag) for tag, _ in pairs} == {str}
    assert abs(np.mean([a != b for a, b in pairs]) - 0.3) < 0.1


def test_a_tree_that_is_always_sure_leaves_ties(many):
    X, y = many
    tree = DecisionTreeClassifier()
    found = NoisyLabels(0.2, "boundary", estimator=tree, random_state=0).corrupt(X, y)
    assert 0.1 < (found != y).mean() < 0.3


def test_rare_classes_may_be_missing_in_a_fold(many):
    X, y = many
    y = np.r_[["z"], y[1:]]
    noise = NoisyLabels(0.2, "boundary", estimator=GaussianNB(), random_state=0)
    assert set(noise.corrupt(X, y)) <= set("abcz")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"rate": 1.0}, "The 'rate' parameter of NoisyLabels must be a float"),
        ({"rate": -0.1}, "The 'rate' parameter of NoisyLabels must be a float"),
        ({"kind": "pairs"}, "The 'kind' parameter of NoisyLabels must be a str"),
        ({"kind": "class", "confusion": np.eye(2)}, r"shape \(3, 3\), a row and a col"),
        ({"kind": "class", "confusion": -np.eye(3)}, "smallest entry -1"),
        ({"kind": "class", "confusion": np.eye(3)}, "only 0 of 400 rows have a class"),
    ],
)
def test_wrong_parameters_get_one_sentence(many, params, message):
    with pytest.raises(ValueError, match=message):
        NoisyLabels(**params).corrupt(*many)


def test_labels_that_cannot_be_changed_get_one_sentence(many):
    X, _ = many
    noise = NoisyLabels(0.2)
    with pytest.raises(ValueError, match="y has only 'a': give rows of at least two"):
        noise.corrupt(X, np.full(400, "a"))
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        noise.corrupt(X, X[:, 0])
    with pytest.raises(ValueError, match="must have one label per row, got shape"):
        noise.corrupt(X, np.ones((400, 2), int))
    with pytest.raises(ValueError, match="rows with tags have several: choose kind='u"):
        NoisyLabels(0.2, "boundary").corrupt([["a"], ["b"]], [["x"], ["y"]])
    with pytest.raises(ValueError, match="each class has a single row: give more"):
        NoisyLabels(0.2, "boundary").corrupt(X[:3], ["a", "b", "c"])
    with pytest.raises(ValueError, match="not a table of numbers without gaps: give"):
        NoisyLabels(0.2, "boundary").corrupt(["one", "two"] * 3, [0, 1] * 3)
