"""Tags in entities, token entropies and fluctuation, against plain sums."""

import pickle

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skal import ActiveLearner, Fluctuation, Longest, Stochastic, TagCount, TokenEntropy
from skal.strategies import Labelled

TAGS = np.array(["B-PER", "I-PER", "O"])


class Tagger:
    """Gives each token, a number in words, the probabilities of its row in a table."""

    def __init__(self, probs, tags=TAGS):
        self.probs, self.classes_ = probs, tags

    def predict_token_log_proba(self, X):
        with np.errstate(divide="ignore"):
            return [np.log(self.probs[self._tokens(row)]) for row in X]

    def predict(self, X):
        tags = self.classes_.tolist()
        rows = [self.probs[self._tokens(row)].argmax(axis=1) for row in X]
        return [[tags[i] for i in row] for row in rows]

    def _tokens(self, row):
        return np.array([int(token) for token in row], dtype=int)


def make(seed, n_sentences=25):
    """Return a tagger, and sentences of 0 to 8 tokens."""
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet([0.3, 0.3, 1.0], size=200)
    probs[0] = 0, 0, 1
    tokens = rng.integers(0, 200, 500).astype(str)
    sentences = [tokens[i * 9 : i * 9 + rng.integers(0, 9)] for i in range(n_sentences)]
    return Tagger(probs), [row.tolist() for row in sentences]


def follow(strategy, tagger, X, value, labelled=None):
    """Check that a strategy ranks all sentences by a value, and ties by its seed."""
    chosen = strategy.select(tagger, X, len(X), labelled=labelled)
    assert sorted(chosen) == list(range(len(X)))
    assert (np.diff(np.asarray(value)[chosen]) <= 1e-12).all()


@pytest.mark.parametrize("seed", range(4))
def test_tag_count_against_a_plain_count(seed):
    tagger, X = make(seed)
    value = [sum(tag != "O" for tag in row) for row in tagger.predict(X)]
    follow(TagCount(random_state=seed).fit(X), tagger, X, value)
    other = [sum(tag != "B-PER" for tag in row) for row in tagger.predict(X)]
    follow(TagCount(outside="B-PER").fit(X), tagger, X, other)
    by_number = Tagger(tagger.probs, np.arange(3))
    follow(TagCount(outside=2).fit(X), by_number, X, value)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["total", "mean", "positive"])
def test_token_entropy_against_plain_sums(seed, kind):
    tagger, X = make(seed)
    value = []
    for row in X:
        total, n_tokens = 0.0, max(1, len(row))
        for token in row:
            p = tagger.probs[int(token)]
            is_inside = TAGS[p.argmax()] != "O"
            if kind != "positive" or is_inside:
                total -= sum(q * np.log(q) for q in p if q > 0)
        value.append(total / n_tokens if kind == "mean" else total)
    follow(TokenEntropy(kind).fit(X), tagger, X, value)


def test_sentences_without_tokens_have_no_entropy():
    tagger, _ = make(0)
    for kind in ("total", "mean", "positive"):
        strategy = TokenEntropy(kind).fit([[], []])
        assert set(strategy.select(tagger, [[], []], 2)) == {0, 1}


def test_ties_are_broken_by_the_seed():
    tagger, _ = make(0)
    X = [["0"]] * 30
    for strategy in (TagCount(), TokenEntropy(), TokenEntropy("positive")):
        batches = [
            tuple(strategy.set_params(random_state=s).fit(X).select(tagger, X, 5))
            for s in (0, 0, 1)
        ]
        assert batches[0] == batches[1] != batches[2]


# Fluctuation


def after(n):
    """Return n labelled rows."""
    return Labelled([["0"]] * n, [["O"]] * n, np.full(n, -1))


def uncertainty(tagger, X, aggregate=max):
    """Return the uncertainty of each sentence, one token at a time."""
    tokens = [[1 - tagger.probs[int(token)].max() for token in row] for row in X]
    return np.array([aggregate(row) if row else 0.0 for row in tokens])


@pytest.mark.parametrize(
    ("name", "aggregate"), [("max", max), ("mean", np.mean), ("sum", sum)]
)
@pytest.mark.parametrize("weight", [0, 0.5, 1])
def test_fluctuation_against_the_definition(name, aggregate, weight):
    _, X = make(0)
    strategy = Fluctuation(weight=weight, aggregate=name).fit(X)
    history = []
    for i in range(5):
        tagger, _ = make(i + 10)
        history.append(uncertainty(tagger, X, aggregate))
        value = weight * history[-1] + (1 - weight) * np.var(history[-3:], axis=0)
        for _ in range(2):
            follow(strategy, tagger, X, value, after(10 * i))
        follow(pickle.loads(pickle.dumps(strategy)), tagger, X, value, after(10 * i))


def test_fluctuation_forgets_rounds_after_this_one():
    tagger, X = make(0)
    others = [make(seed)[0] for seed in (1, 2)]
    strategy = Fluctuation(weight=0, random_state=0).fit(X)
    first = strategy.select(tagger, X, 5, labelled=after(10)).tolist()
    for n, other in zip((15, 20), others, strict=True):
        strategy.select(other, X, 5, labelled=after(n))
    assert strategy.select(tagger, X, 5, labelled=after(10)).tolist() == first


def test_fluctuation_of_rows_that_were_asked_at_times():
    tagger, X = make(0)
    other, _ = make(1)
    strategy = Fluctuation(weight=0).fit(X)
    even, rest = np.arange(0, 25, 2), np.arange(1, 25, 2)
    strategy.select(tagger, X, 3, candidates=even, labelled=after(5))
    chosen = strategy.select(other, X, 25, labelled=after(10))
    history = [uncertainty(t, X) for t in (tagger, other)]
    value = np.var(history, axis=0)
    value[rest] = 0  # known of one round only
    assert (np.diff(value[chosen]) <= 1e-12).all()
    # Two parts of a round are the same as all of it.
    parts = Fluctuation(weight=0, random_state=0).fit(X)
    for rows in (even, rest):
        parts.select(tagger, X, 3, candidates=rows, labelled=after(5))
    whole = Fluctuation(weight=0, random_state=0).fit(X)
    whole.select(tagger, X, 3, labelled=after(5))
    by_parts = parts.select(other, X, 9, labelled=after(10))
    assert by_parts.tolist() == whole.select(other, X, 9, labelled=after(10)).tolist()


def test_fluctuation_starts_anew_with_each_fit():
    tagger, X = make(0)
    other, _ = make(1)
    strategy = Fluctuation(weight=0.1, random_state=0).fit(X)
    fresh = strategy.select(other, X, 9, labelled=after(10)).tolist()
    strategy.fit(X).select(tagger, X, 9, labelled=after(5))
    assert strategy.select(other, X, 9, labelled=after(10)).tolist() != fresh
    strategy.fit(X)
    assert strategy.select(other, X, 9, labelled=after(10)).tolist() == fresh


def test_fluctuation_asks_for_the_labelled_rows():
    tagger, X = make(0)
    with pytest.raises(ValueError, match="labelled must hold the rows labelled so far"):
        Fluctuation().fit(X).select(tagger, X, 1)
    assert Stochastic(Fluctuation()).needs_labelled
    assert not Stochastic(Longest()).needs_labelled


# Bad input


def test_an_unknown_outside_tag_is_refused():
    tagger, X = make(0)
    for strategy in (TagCount(outside="-"), TokenEntropy("positive", outside=0)):
        with pytest.raises(ValueError, match=r"outside of T.* must be .*: name one of"):
            strategy.fit(X).select(tagger, X, 1)
    TokenEntropy("total", outside="-").fit(X).select(tagger, X, 1)


def test_labels_of_rows_are_refused_before_training(blobs):
    for strategy in (TagCount(), TokenEntropy("positive")):
        learner = ActiveLearner(Untrained(), strategy, batch_size=5)
        with pytest.raises(ValueError, match="looks at the tags of tokens, but"):
            learner.fit(*blobs)


class Untrained(LogisticRegression):
    """A classifier that must not be trained."""

    def fit(self, X, y):
        raise AssertionError("trained")

    def predict_token_log_proba(self, X):
        raise AssertionError("asked")


def test_one_label_per_sentence_is_no_list_of_tags():
    class Classifier:
        def predict(self, X):
            return np.array(["O"] * len(X))

    with pytest.raises(ValueError, match=r"must return a list of tags .* a tagger"):
        TagCount().fit([["a"], ["b"]]).select(Classifier(), [["a"], ["b"]], 1)


def test_numbers_that_are_missing_are_named():
    tagger, X = make(0)
    tagger.probs[int(X[1][0]) if X[1] else 5] = np.nan
    X = [*X, ["5"]] if not X[1] else X
    for strategy in (TokenEntropy(), Fluctuation()):
        with pytest.raises(ValueError, match=r"no value for .* Tagger returns NaN"):
            strategy.fit(X).select(tagger, X, 3, labelled=after(4))
