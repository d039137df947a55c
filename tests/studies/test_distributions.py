from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline

from skal import (
    IDMR,
    CoreSet,
    Longest,
    Margin,
    Problem,
    Random,
    compare,
    input_distribution,
    label_distribution,
    model_transfer,
    split,
)
from skal.studies._spec import Splits

# One split for all seeds, and estimators that draw nothing: fine for small tests.
pytestmark = pytest.mark.filterwarnings("ignore:Seeds do not differ")


def halves(X):
    return (X[:, 0] > 0).astype(int)


def test_frequencies_by_hand(comparison):
    problem = comparison.problem
    found = input_distribution(comparison, halves)
    assert found.bins == ("0", "1")
    whole = np.concatenate([halves(problem.X_pool), halves(problem.X_warm)])
    np.testing.assert_allclose(found.reference, [1 - whole.mean(), whole.mean()])
    assert found.frequencies.shape == (2, 5, 5, 4, 2)
    order = comparison.orders["bayes", "entropy", 2][0]
    for k in range(4):
        rows = np.concatenate([problem.X_warm, problem.X_pool[order[: 4 * k]]])
        share = halves(rows).mean()
        np.testing.assert_allclose(found.frequencies[1, 3, 2, k], [1 - share, share])
        # With two bins, the total variation is the gap in either.
        expected = abs(share - whole.mean())
        assert found.distances[1, 3, 2, k] == pytest.approx(expected)
    np.testing.assert_allclose(found.frequencies.sum(axis=-1), 1)


def test_the_baseline_is_the_mean_of_its_orders(comparison):
    found = label_distribution(comparison)
    y = np.concatenate([comparison.problem.y_warm, comparison.problem.y_pool])
    reference = np.bincount(comparison.problem.y_test) / 150
    np.testing.assert_allclose(found.reference, reference)
    shares = [
        np.bincount(y[np.r_[:10, 10 + order[:8]]], minlength=3) / 18
        for order in comparison.orders["tree", "random", 4]
    ]
    np.testing.assert_allclose(found.frequencies[0, 0, 4, 2], np.mean(shares, axis=0))
    distances = [np.abs(share - reference).sum() / 2 for share in shares]
    assert found.distances[0, 0, 4, 2] == pytest.approx(np.mean(distances))


def test_orders_of_a_pool_that_was_carved(blobs):
    X, y = blobs
    problem = Problem.from_data(
        X, y, GaussianNB(), batch_size=4, n_rounds=3, warm_size=10, random_state=0
    )
    comparison = compare(problem, {"random": Random()}, n_orders=2)
    orders = comparison.orders["GaussianNB", "random", 1]
    assert orders.max() >= problem.n_pool
    # Orders are rows of X
    labels = [np.r_[problem.y_warm, y[order]] for order in orders]
    shares = [np.bincount(found, minlength=3) / len(found) for found in labels]
    found = label_distribution(comparison)
    np.testing.assert_allclose(found.frequencies[0, 0, 1, -1], np.mean(shares, axis=0))


def test_all_that_is_not_held_out_is_a_reference(comparison):
    found = label_distribution(comparison, reference="all", strategies=["margin"])
    problem = comparison.problem
    y = np.concatenate([problem.y_warm, problem.y_pool])
    np.testing.assert_allclose(found.reference, np.bincount(y) / len(y))
    assert found.strategies == ("margin",)
    assert found.frequencies.shape == (2, 1, 5, 4, 3)


def test_it_is_the_reference_that_idmr_matches(blobs):
    def bins(X):
        return np.digitize(X[:, 0], [-3, 0, 3])

    sets = split(*blobs, warm_size=10, val_size=20, select_size=15, random_state=0)
    problem = Problem.from_sets(sets, GaussianNB(), batch_size=4, n_rounds=5)
    strategies = {"random": Random(), "idmr": IDMR(Random(), bins=bins)}
    found = input_distribution(compare(problem, strategies), bins)
    idmr = IDMR(Random(), bins=bins).fit(
        problem.X_pool, problem=problem.for_selection()
    )
    np.testing.assert_allclose(found.reference, idmr.reference_)
    last = found.distances[0, :, :, -1].mean(axis=1)
    assert last[1] < last[0] / 2


def test_quantiles_of_a_number(comparison):
    problem = comparison.problem
    values = np.concatenate([problem.X_pool, problem.X_warm])[:, 1]
    as_function = input_distribution(comparison, lambda X: X[:, 1], n_bins=4)
    as_array = input_distribution(comparison, values, n_bins=4)
    assert as_function.bins == as_array.bins
    np.testing.assert_array_equal(as_function.frequencies, as_array.frequencies)
    # 70 values into four bins.
    assert np.ptp(as_array.reference) <= 1.01 / 70
    assert as_array.bins[0].startswith(f"{values.min():.3g} to ")
    assert len(input_distribution(comparison, lambda X: X[:, 1]).bins) == 10


def test_equal_numbers_stay_in_one_bin(comparison):
    lengths = np.repeat([4, 5, 6, 7], [40, 10, 10, 10])
    found = input_distribution(comparison, lengths, n_bins=3)
    # A third of the values are at most 4, two thirds at most 5.
    assert found.bins == ("4", "5", "6-7")
    np.testing.assert_allclose(found.reference, [4 / 7, 1 / 7, 2 / 7])
    assert input_distribution(comparison, lengths, n_bins=2).bins == ("4", "5-7")
    assert input_distribution(comparison, lengths).bins == ("4", "5", "6", "7")


def test_the_names_of_bins_tell_them_apart(comparison):
    def names(values):
        return input_distribution(comparison, np.resize(values, 70), n_bins=2).bins

    assert names([1999.0, 2000.0, 2001.0, 2002.0]) == ("1999 to 2000", "2001 to 2002")
    assert names([12344, 12345, 12346, 12347]) == ("12344-12345", "12346-12347")
    assert names([1e8, 1e8 + 1]) == ("100000000 to 100000000", "100000001 to 100000001")


@pytest.mark.parametrize("feature", ["tsne", lambda X: X])
def test_points_in_the_plane_are_clustered(comparison, feature):
    found = input_distribution(comparison, feature, n_bins=3, strategies=["margin"])
    assert found.bins == ("0", "1", "2")
    assert {name: len(part) for name, part in found.points.items()} == {
        "pool": 60,
        "warm": 10,
    }
    if callable(feature):
        np.testing.assert_array_equal(found.points["pool"], comparison.problem.X_pool)
    again = input_distribution(comparison, feature, n_bins=3, strategies=["margin"])
    np.testing.assert_array_equal(found.frequencies, again.frequencies)
    test = input_distribution(comparison, feature, reference="test")
    assert len(test.points["test"]) == 150
    assert len(test.bins) == 5


def test_the_state_of_numpy_is_left_alone(comparison, global_state):
    before = global_state()
    input_distribution(comparison, "tsne", strategies=["margin"])
    assert global_state() == before


def sentences(n, seed):
    rng = np.random.default_rng(seed)
    words = ["alarm", "set", "at", "eight", "delete", "it", "now", "wake", "me", "up"]
    X = [" ".join(rng.choice(words, size=1 + i % 6)) + f" {i}" for i in range(n)]
    return X, np.array(["delete" if "delete" in row else "set" for row in X])


def test_lengths_of_sentences_and_labels_that_are_texts():
    sets = split(*sentences(90, 0), warm_size=6, val_size=0, random_state=0)
    model = make_pipeline(CountVectorizer(), MultinomialNB())
    problem = Problem.from_sets(sets, model, batch_size=4, n_rounds=3)
    with pytest.warns(UserWarning, match="margin with Pipeline ends at chance"):
        found = compare(problem, {"longest": Longest(), "margin": Margin()})
    inputs = input_distribution(found)
    assert inputs.bins == ("2", "3", "4", "5", "6", "7")
    assert inputs.frequencies[0, 0, 0, 3, 5] > inputs.frequencies[0, 1, 0, 3, 5]
    assert inputs.distances[0, 0, 0, 3] > inputs.distances[0, 1, 0, 3]
    labels = label_distribution(found, group=str.upper)
    assert labels.bins == ("DELETE", "SET")
    assert "longest" in str(labels)


class FirstTag(ClassifierMixin, BaseEstimator):
    """Tags every word with the first tag that it saw."""

    def fit(self, X, y):
        self.classes_ = np.unique(np.concatenate(y))
        return self

    def predict(self, X):
        return [[self.classes_[0]] * len(row) for row in X]


def test_tags_are_counted_word_by_word():
    rng = np.random.default_rng(0)
    X = [[f"w{i}", *rng.choice(["a", "b"], size=i % 3)] for i in range(60)]
    y = [[str(rng.choice(["O", "B-x", "I-x", "B-y"])) for _ in row] for row in X]
    sets = split(X, y, warm_size=4, val_size=0, random_state=0)
    problem = Problem.from_sets(
        sets, FirstTag(), batch_size=3, n_rounds=2, scoring="f1_weighted"
    )
    with pytest.warns(UserWarning, match="longest with FirstTag ends at chance"):
        comparison = compare(problem, {"longest": Longest()})
    found = label_distribution(comparison, group=lambda tag: tag.split("-")[-1])
    assert sorted(found.bins) == ["O", "x", "y"]
    order = comparison.orders["FirstTag", "longest", 0][0]
    rows = [*problem.y_warm, *(problem.y_pool[i] for i in order)]
    tags = [tag.split("-")[-1] for row in rows for tag in row]
    expected = [tags.count(name) / len(tags) for name in found.bins]
    np.testing.assert_allclose(found.frequencies[0, 0, 0, 2], expected)


def test_an_empty_warm_start_has_no_distribution(blobs):
    sets = split(*blobs, warm_size=0, random_state=0)
    problem = Problem.from_sets(sets, GaussianNB(), batch_size=4, n_rounds=2)
    found = label_distribution(compare(problem, {"random": Random()}, n_orders=2))
    assert np.isnan(found.frequencies[..., 0, :]).all()
    assert np.isfinite(found.distances[..., 1:]).all()


def test_the_table_is_tidy(comparison):
    found = label_distribution(comparison)
    table = pd.DataFrame(found.table())
    keys = ["estimator", "strategy", "seed", "round", "bin"]
    row = table.set_index(keys).loc["bayes", "oracle", 2, 3, "1"]
    assert row["frequency"] == found.frequencies[1, 4, 2, 3, 1]
    assert row["distance"] == found.distances[1, 4, 2, 3]
    assert row["reference"] == found.reference[1]
    assert row["n_labelled"] == 22
    assert len(table) == 2 * 5 * 5 * 4 * 3
    assert "22 labelled" in str(found)


@pytest.mark.parametrize(
    ("feature", "params", "message"),
    [
        ("length", {}, "these rows are not sentences: give"),
        (
            [1, 2, 3],
            {},
            r"each of 70 rows \(60 of pool, 10 of warm\), got shape \(3,\)",
        ),
        (lambda X: np.zeros((len(X), 3)), {}, r"got shape \(70, 3\)"),
        (
            [np.nan] * 70,
            {},
            "must give finite values, got NaN or infinity: give a number",
        ),
        (halves, {"n_bins": 0}, "'n_bins' parameter"),
        (halves, {"reference": "validation"}, "'reference' parameter"),
        ("colour", {}, "'feature' parameter"),
        (halves, {"strategies": ["bald"]}, "Unknown strategy 'bald'"),
    ],
)
def test_bad_input_is_refused(comparison, feature, params, message):
    with pytest.raises(ValueError, match=message):
        input_distribution(comparison, feature, **params)


def test_a_selection_set_is_not_needed(comparison):
    whole = input_distribution(comparison, halves)
    some = replace(comparison.problem, X_select=np.full((70, 2), 9.0))
    with_selection = input_distribution(
        replace(comparison, splits=Splits(some, 0)), halves
    )
    share = (1 + whole.reference[1]) / 2
    assert with_selection.reference[1] == pytest.approx(share)


class TestNumbers:
    @pytest.fixture
    def study(self, blobs):
        X, y = blobs
        sets = split(X, y + X[:, 0], warm_size=10, random_state=0)
        problem = Problem.from_sets(sets, Ridge(), batch_size=4, n_rounds=3)
        models = {"ridge": Ridge(), "neighbours": KNeighborsRegressor(3)}
        strategies = {"random": Random(), "core": CoreSet()}
        return compare(problem, strategies, estimators=models, n_orders=2)

    def test_bins_have_the_same_number_of_rows_or_the_same_width(self, study):
        problem = study.problem
        y = np.concatenate([problem.y_warm, problem.y_pool])
        found = label_distribution(study, n_bins=3, reference="all")
        np.testing.assert_allclose(found.reference, 1 / 3, atol=0.02)
        found = label_distribution(study, n_bins=4, bins="widths", reference="all")
        ends = np.linspace(y.min(), y.max(), 5)
        np.testing.assert_allclose(found.reference, np.histogram(y, ends)[0] / len(y))
        order = study.orders["ridge", "core", 1][0]
        some = np.concatenate([problem.y_warm, problem.y_pool[order[:8]]])
        expected = np.histogram(some, ends)[0] / len(some)
        np.testing.assert_allclose(found.frequencies[0, 1, 1, 2], expected)

    def test_a_group_names_the_bins(self, study):
        found = label_distribution(study, group=lambda v: "low" if v < 0 else "high")
        assert set(found.bins) == {"low", "high"}
        test = study.problem.y_test
        expected = {"low": np.mean(test < 0), "high": np.mean(test >= 0)}
        for name, share in zip(found.bins, found.reference, strict=True):
            assert share == pytest.approx(expected[name])
        with pytest.raises(ValueError, match="n_bins=3 is for numbers"):
            label_distribution(study, group=str, n_bins=3)

    def test_they_are_drawn(self, study):
        pytest.importorskip("matplotlib", reason="an extra").use("agg")
        from skal.plotting import DistributionDisplay, EmbeddingDisplay

        display = DistributionDisplay.from_study(
            label_distribution(study, n_bins=4), estimator="ridge"
        )
        assert len(display.layers_["core"]) == 4
        inputs = input_distribution(study, lambda X: X)
        display = EmbeddingDisplay.from_study(inputs, study, estimator="ridge")
        assert len(display.names) == 5

    def test_a_transfer_replays_the_orders(self, study):
        found = model_transfer(study, strategies=["core"])
        own = study.curves[0, 1]
        np.testing.assert_allclose(found.curves[0, 0, 0], own)


def test_bins_of_classes_are_refused(comparison):
    with pytest.raises(ValueError, match="n_bins=3 is for numbers"):
        label_distribution(comparison, n_bins=3)
