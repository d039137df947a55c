import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from skal import (
    IDMR,
    ODMR,
    ActiveLearner,
    AnnealingOracle,
    FixedOrder,
    Longest,
    MaxEntropy,
    Random,
    split,
)
from skal.datasets import make_intents
from skal.strategies import Labelled


def bins_of(X):
    return np.asarray(X).ravel() // 10


ROWS = np.r_[0:8, 10:14, 20:24][:, None]  # bins of 8, 4 and 4 rows


def plain_idmr(order, bins, reference, counts, n):
    """Algorithm 2, one row at a time, with a given order in the place of A."""
    chosen, counts = [], np.array(counts, dtype=float)
    for _ in range(n):
        left = [row for row in order if row not in chosen]
        current = counts / max(1, counts.sum())
        deficit = (current - reference)[np.array([bins[row] for row in left])]
        best_bin = min(set(bins[row] for row in left),
                       key=lambda b: ((current - reference)[b], b))  # fmt: skip
        row = next(row for row in left if bins[row] == best_bin)
        assert (current - reference)[best_bin] == deficit.min()
        chosen.append(row)
        counts[best_bin] += 1
    return chosen


@pytest.mark.parametrize("seed", range(5))
def test_against_algorithm_2_step_by_step(seed):
    order = np.random.default_rng(seed).permutation(16)
    strategy = IDMR(FixedOrder(order), bins=bins_of).fit(ROWS)
    bins = bins_of(ROWS)
    expected = plain_idmr(order.tolist(), bins, [0.5, 0.25, 0.25], [0, 0, 0], 12)
    assert strategy.select(None, ROWS, 12).tolist() == expected


def test_what_is_labelled_counts():
    strategy = IDMR(FixedOrder(range(16)), bins=bins_of).fit(ROWS)
    taken = np.array([0, 1, 2, 8])
    labelled = Labelled(ROWS[taken], taken, taken)
    left = np.setdiff1d(np.arange(16), taken)
    chosen = strategy.select(None, ROWS, 4, candidates=left, labelled=labelled)
    assert chosen[0] == 12  # the third bin has nothing yet
    assert np.bincount(bins_of(ROWS)[np.r_[taken, chosen]]).tolist() == [4, 2, 2]


def test_a_bin_that_is_used_up_is_passed_over():
    strategy = IDMR(FixedOrder(range(16)), bins=bins_of).fit(ROWS)
    chosen = strategy.select(None, ROWS, 3, candidates=[0, 1, 2, 3])
    assert sorted(chosen.tolist()) == [0, 1, 2]


@pytest.mark.parametrize("bins", ["kmeans", "tsne"])
def test_what_is_acquired_is_like_the_data(bins):
    X, y = load_digits(return_X_y=True)
    sets = split(X[:500] / 16, y[:500], warm_size=20, val_size=20, random_state=0)

    def distance(strategy):
        learner = ActiveLearner(
            LogisticRegression(), strategy, batch_size=10, n_rounds=5, random_state=0
        ).fit(**sets)
        matching = IDMR(Random(), bins=bins, random_state=0).fit(sets["X"])
        acquired = matching.bins_[learner.order_]
        shares = np.bincount(acquired, minlength=5) / len(acquired)
        return abs(shares - matching.reference_).sum()

    assert distance(IDMR(MaxEntropy(), bins=bins)) < distance(MaxEntropy())


def test_the_reference_is_warm_start_pool_and_selection_set():
    seen = []

    def by_sign(X):
        seen.append(len(X))
        return X[:, 0] > 0

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 2)), rng.integers(2, size=200)
    learner = ActiveLearner(
        LogisticRegression(), IDMR(Random(), bins=by_sign), batch_size=5, n_rounds=2,
    ).fit(
        X[:100], y[:100], X_warm=X[100:110], y_warm=y[100:110], X_select=X[110:130],
        y_select=y[110:130], X_val=X[130:160], y_val=y[130:160], X_test=X[160:],
        y_test=y[160:],
    )  # fmt: skip
    assert seen == [130]
    share = np.mean(X[:130, 0] > 0)
    assert learner.strategy_.reference_ == pytest.approx([1 - share, share])


def test_sentences_are_sorted_by_length():
    X = ["a b", "c", "d e", "f g h"]
    strategy = IDMR(Longest(), bins="length").fit(X)
    assert strategy.bins_.tolist() == [1, 0, 1, 2]
    tokens = [sentence.split() for sentence in X]
    assert IDMR(Longest(), bins="length").fit(tokens).bins_.tolist() == [1, 0, 1, 2]


@pytest.mark.parametrize("strategy", [Longest(), IDMR(Random(), bins="length")])
def test_rows_without_words_have_no_length(strategy):
    frame = pd.DataFrame({"said": ["a b", "c", "d e"], "by": ["f", "g h", "i"]})
    for rows in (frame, pl.DataFrame(frame.to_dict("list")), ROWS):
        with pytest.raises(ValueError, match=r"counts the words .* one column"):
            strategy.fit(rows)
    for column in (frame["said"], pl.Series(frame["said"]), frame["said"].to_numpy()):
        assert strategy.fit(column).select(None, column, 3).shape == (3,)


def test_longest_labels_the_longest():
    X, _ = make_intents(50, random_state=0)
    words = np.array([len(sentence.split()) for sentence in X])
    chosen = Longest(random_state=0).fit(X).select(None, X, 50)
    assert (np.diff(words[chosen]) <= 0).all()
    other = Longest(random_state=1).fit(X).select(None, X, 50)
    assert words[other].tolist() == words[chosen].tolist()
    assert other.tolist() != chosen.tolist()


@pytest.mark.parametrize("bins", ["kmeans", "tsne"])
def test_images_and_sparse_rows_are_sorted_as_their_numbers(bins):
    X = load_digits().data[:40]
    strategy = IDMR(Random(), bins=bins, random_state=0)
    plain = strategy.fit(X).bins_.tolist()
    for rows in (X.reshape(40, 8, 8), sparse.csr_array(X), sparse.coo_matrix(X)):
        assert strategy.fit(rows).bins_.tolist() == plain


@pytest.mark.parametrize("bins", ["kmeans", "tsne"])
def test_words_are_no_points(bins):
    X, _ = make_intents(40, random_state=0)
    tokens = [sentence.split() for sentence in X]
    for rows in (X, np.array(X), tokens, pd.Series(tokens)):
        with pytest.raises(ValueError, match='sort them by "length"'):
            IDMR(Random(), bins=bins).fit(rows)


def test_needs_are_those_of_the_strategy_that_is_followed():
    assert IDMR(MaxEntropy()).needs == ("predict_proba",)
    assert IDMR(Random()).needs == ()


def test_a_function_of_another_length_is_refused():
    with pytest.raises(ValueError, match="one bin for each of the 16 rows"):
        IDMR(Random(), bins=lambda X: [0, 1]).fit(ROWS)


@pytest.fixture
def unbalanced():
    """Three classes, of which the pool holds many, some and few."""
    rng = np.random.default_rng(0)
    y = rng.choice(3, size=400, p=[0.7, 0.2, 0.1])
    X = rng.normal(size=(400, 2)) + 1.5 * np.eye(3)[y][:, :2]
    names = np.array(["many", "some", "few"])
    return split(X, names[y], warm_size=20, val_size=50, test_size=100, random_state=1)


VARIANTS = [(r, la) for r in ("accessible", "test") for la in ("predicted", "true")]


@pytest.mark.parametrize(("reference", "labels"), VARIANTS)
def test_the_four_variants(unbalanced, reference, labels):
    strategy = ODMR(MaxEntropy(), reference=reference, labels=labels)
    assert strategy.peeks == ((reference, labels) != ("accessible", "predicted"))
    learner = ActiveLearner(
        LogisticRegression(), strategy, batch_size=10, n_rounds=5, random_state=0
    ).fit(**unbalanced)
    source = unbalanced["y_warm" if reference == "accessible" else "y_test"]
    expected = [np.mean(source == name) for name in learner.classes_]
    np.testing.assert_allclose(learner.strategy_.reference_, expected)


def test_accessible_labels_are_those_of_warm_start_and_selection_set(unbalanced):
    """Section 6.5: both are known before the first round."""
    sets = unbalanced | {"y_select": np.array(["few"] * 30 + ["some"] * 10)}
    sets["X_select"] = np.zeros((40, 2))
    learner = ActiveLearner(
        LogisticRegression(), ODMR(Random()), batch_size=10, n_rounds=2, random_state=0
    ).fit(**sets)
    known = np.concatenate([sets["y_warm"], sets["y_select"]])
    expected = [np.mean(known == name) for name in learner.classes_]
    np.testing.assert_allclose(learner.strategy_.reference_, expected)
    # In a later round, labels of the selection set are still not acquired ones.
    acquired = sets["y"][learner.order_]
    assert (acquired == "few").mean() > (sets["y"] == "few").mean()


def test_true_labels_are_matched_to_the_row(unbalanced):
    strategy = ODMR(Random(), reference="test", labels="true")
    learner = ActiveLearner(
        LogisticRegression(), strategy, batch_size=10, n_rounds=8, random_state=0
    ).fit(**unbalanced)
    acquired = unbalanced["y"][learner.order_]
    labelled = np.concatenate([unbalanced["y_warm"], acquired])
    shares = [np.mean(labelled == name) for name in learner.classes_]
    # The warm start may hold too many of a class; no other row is off by more than one.
    np.testing.assert_allclose(shares, learner.strategy_.reference_, atol=0.05)


def test_predicted_labels_are_those_of_the_model(unbalanced):
    class Model:
        def predict(self, X):
            return np.where(np.asarray(X)[:, 0] > 0, "many", "few")

    seen = []

    class Spy(ODMR):
        def _pick(self, estimator, X, n, candidates, labelled, bins, counts):
            seen.append((X[candidates], bins, counts))
            return super()._pick(estimator, X, n, candidates, labelled, bins, counts)

    learner = ActiveLearner(
        LogisticRegression(), Spy(Random()), batch_size=10, n_rounds=2, random_state=0
    ).fit(**unbalanced)
    learner.strategy_.select(Model(), unbalanced["X"], 3)
    X, bins, counts = seen[-1]
    names = learner.classes_[bins]
    np.testing.assert_array_equal(names, Model().predict(X))
    warm = [np.sum(unbalanced["y_warm"] == name) for name in learner.classes_]
    assert counts.tolist() == warm


@pytest.mark.parametrize("labels", ["predicted", "true"])
def test_each_class_gets_the_same_share(unbalanced, labels):
    strategy = ODMR(Random(), reference="uniform", labels=labels)
    assert strategy.peeks == (labels == "true")
    learner = ActiveLearner(
        LogisticRegression(), strategy, batch_size=10, n_rounds=4, random_state=0
    ).fit(**unbalanced)
    np.testing.assert_array_equal(learner.strategy_.reference_, [1 / 3] * 3)
    y = np.concatenate([unbalanced["y_warm"], unbalanced["y"][learner.order_]])
    plain = ActiveLearner(
        LogisticRegression(), Random(), batch_size=10, n_rounds=4, random_state=0
    ).fit(**unbalanced)
    few = np.mean(unbalanced["y"][plain.order_] == "few")
    assert np.mean(y == "few") > few
    if labels == "true":
        assert np.ptp([np.sum(y == name) for name in learner.classes_]) <= 1


def test_the_same_share_without_a_learner():
    X, y = load_digits(return_X_y=True)
    model = LogisticRegression(max_iter=100).fit(X[:100] / 16, y[:100])
    labelled = Labelled(X[:100] / 16, y[:100], np.arange(100))
    strategy = ODMR(Random(), reference="uniform", random_state=0).fit(X / 16)
    left = np.arange(100, 600)
    batch = strategy.select(model, X / 16, 50, candidates=left, labelled=labelled)
    counts = np.bincount(y[:100]) + np.bincount(model.predict(X[batch] / 16))
    assert np.ptp(counts) <= 1


def test_odmr_without_labels_to_match_is_refused(unbalanced):
    learner = ActiveLearner(
        LogisticRegression(), ODMR(Random()), batch_size=10, n_rounds=2
    )
    unbalanced |= {"X_warm": unbalanced["X"][:0], "y_warm": unbalanced["y"][:0]}
    with pytest.raises(ValueError, match="ODMR needs a model in the first round"):
        learner.fit(**unbalanced)
    learner.set_params(strategy__labels="true")
    with pytest.raises(ValueError, match="no labels to match in an empty warm start"):
        learner.fit(**unbalanced)
    with pytest.raises(ValueError, match="use it as the strategy of an ActiveLearner"):
        ODMR(Random(), labels="true").fit(ROWS)


def test_what_is_followed_sees_no_more_than_it_may(unbalanced):
    class Curious(Random):
        def _fit(self, X, y, problem):
            assert y is None
            assert problem.y_pool is None
            assert problem.test_frequencies is None
            super()._fit(X, y, problem)

    for strategy in (
        ODMR(Curious(), reference="test", labels="true"),
        IDMR(Curious()),
        AnnealingOracle(n_steps=2, start=ODMR(Curious(), labels="true")),
        IDMR(ODMR(Curious(), labels="true")),
    ):
        learner = ActiveLearner(
            LogisticRegression(), strategy, batch_size=10, n_rounds=2, random_state=0
        )
        assert learner.fit(**unbalanced).quality_ > 0


def test_a_variant_that_peeks_needs_no_validation_set(unbalanced):
    del unbalanced["X_val"], unbalanced["y_val"]
    learner = ActiveLearner(
        LogisticRegression(),
        ODMR(Random(), reference="test"),
        batch_size=10,
        n_rounds=2,
        val_size=0,
    )
    assert np.isnan(learner.fit(**unbalanced).validation_quality_)
