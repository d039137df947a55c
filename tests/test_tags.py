"""Tag sequences, through the whole of a run."""

import pickle
from collections import Counter, defaultdict

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import f1_score

from skal import (
    IDMR,
    ODMR,
    ActiveLearner,
    AnnealingOracle,
    FixedOrder,
    Fluctuation,
    LeastConfidence,
    Longest,
    MinConfidence,
    Random,
    Stochastic,
    TagCount,
    TokenEntropy,
    split,
)
from skal.datasets import make_tagged_sentences
from skal.inputs._tags import all_labels, flatten, is_tags
from skal.strategies._sequences import log_confidence


class WordTagger(ClassifierMixin, BaseEstimator):
    """Gives each word the tag it had most often, and says how often that was."""

    def fit(self, X, y, *, classes=None):
        self.classes_ = np.unique(flatten(y)) if classes is None else classes
        self.counts_ = defaultdict(Counter)
        for words, tags in zip(X, y, strict=True):
            for word, tag in zip(words, tags, strict=True):
                self.counts_[word][tag] += 1
        return self

    def predict_token_log_proba(self, X):
        return [np.array([self._word(w) for w in words]) for words in map(list, X)]

    def _word(self, word):
        counts = np.array([self.counts_[word][tag] for tag in self.classes_])
        return np.log((counts + 0.1) / (counts + 0.1).sum())

    def predict(self, X):
        return [
            [self.classes_[row.argmax()].item() for row in rows]
            for rows in self.predict_token_log_proba(X)
        ]

    def score(self, X, y):
        return float(np.mean(flatten(self.predict(X)) == flatten(y)))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


@pytest.fixture(scope="module")
def sentences():
    return make_tagged_sentences(120, random_state=0)


def make_learner(strategy, **params):
    params = {
        "batch_size": 5,
        "n_rounds": 3,
        "warm_size": 5,
        "random_state": 0,
    } | params
    return ActiveLearner(WordTagger(), strategy, **params)


def tagger_of(sentences):
    X, y = sentences
    return WordTagger().fit(X[:20], y[:20])


@pytest.mark.parametrize(
    "strategy",
    [
        Random(),
        Longest(),
        MinConfidence(),
        MinConfidence(normalize=True),
        IDMR(MinConfidence(), bins="length"),
        Stochastic(MinConfidence()),
        TagCount(),
        TokenEntropy(),
        TokenEntropy("mean"),
        TokenEntropy("positive"),
        Fluctuation(),
        Fluctuation(aggregate="mean"),
        Stochastic(Fluctuation()),
        IDMR(Fluctuation(), bins="length"),
        AnnealingOracle(n_steps=10),
        AnnealingOracle(n_steps=10, n_jobs=2),
    ],
    ids=str,
)
def test_every_strategy_for_taggers(sentences, strategy):
    learner = make_learner(strategy, scoring="f1_weighted").fit(*sentences)
    assert len(set(learner.order_.tolist())) == 15
    assert learner.classes_.tolist() == np.unique(flatten(sentences[1])).tolist()
    assert 0 < learner.quality_ < 1
    assert not hasattr(learner, "n_features_in_")
    assert learner.predict(sentences[0][:2]) == learner.estimator_.predict(
        sentences[0][:2]
    )
    again = pickle.loads(pickle.dumps(learner))
    assert again.score(*sentences) == learner.score(*sentences)


def test_the_score_is_that_of_the_tags(sentences):
    X, y = sentences
    sets = split(X, y, warm_size=5, val_size=30, test_size=30, random_state=0)
    learner = make_learner(Random(), scoring="f1_weighted").fit(**sets)
    predicted = flatten(learner.predict(sets["X_test"]))
    truth = flatten(sets["y_test"])
    expected = f1_score(truth, predicted, average="weighted")
    assert learner.curve_[-1] == pytest.approx(expected)
    own = make_learner(Random()).fit(**sets)
    assert own.curve_[-1] == pytest.approx(np.mean(truth == predicted))
    callable_ = make_learner(Random(), scoring=lambda m, X, y: float(len(y[0])))
    assert callable_.fit(**sets).quality_ == len(sets["y_test"][0])


def test_without_a_score_of_its_own_a_tagger_has_the_accuracy_of_tags(sentences):
    class Plain(WordTagger):
        score = ClassifierMixin.score

    X, y = sentences
    sets = split(X, y, warm_size=5, val_size=30, test_size=30, random_state=0)
    own, plain = (
        ActiveLearner(model, Random(), batch_size=5, n_rounds=2, random_state=0)
        for model in (WordTagger(), Plain())
    )
    np.testing.assert_allclose(plain.fit(**sets).curve_, own.fit(**sets).curve_)
    held_out = sets["X_test"], sets["y_test"]
    assert plain.score(*held_out) == pytest.approx(own.score(*held_out))


def test_tags_come_in_any_container(sentences):
    X, y = sentences
    expected = make_learner(MinConfidence()).fit(X, y).curve_
    column = np.empty(len(y), dtype=object)
    column[:] = [np.array(row) for row in y]
    for given in (column, tuple(map(tuple, y))):
        learner = make_learner(MinConfidence()).fit(X, given)
        np.testing.assert_array_equal(learner.curve_, expected)


def test_an_order_of_sentences_can_be_replayed(sentences):
    learner = make_learner(MinConfidence()).fit(*sentences)
    again = make_learner(FixedOrder(learner.order_)).fit(*sentences)
    np.testing.assert_array_equal(again.curve_, learner.curve_)


def test_numbers_are_tags_too(sentences):
    X, y = sentences
    names = {tag: i for i, tag in enumerate(np.unique(flatten(y)).tolist())}
    numbers = [[names[tag] for tag in row] for row in y]
    expected = make_learner(Longest()).fit(X, y)
    learner = make_learner(Longest()).fit(X, numbers)
    np.testing.assert_array_equal(learner.curve_, expected.curve_)
    assert learner.classes_.dtype.kind == "i"


def test_tags_of_another_length_are_refused(sentences):
    X, y = sentences
    y = [*y[:7], y[7] + ["O"], *y[8:]]
    with pytest.raises(ValueError, match=r"y has \d+ tags in row 7, .* one tag for"):
        make_learner(Random()).fit(X, y)
    with pytest.raises(ValueError, match=r"y_test has \d+ tags in row 7"):
        make_learner(Random()).fit(X[40:], y[40:], X_test=X[:30], y_test=y[:30])


def test_a_missing_tag_is_refused(sentences):
    X, y = sentences
    y = [*y[:3], [None] * len(y[3]), *y[4:]]
    with pytest.raises(ValueError, match=r"y has missing labels .* row 3"):
        make_learner(Random()).fit(X, y)


def test_several_labels_of_a_row_without_tokens_are_refused(blobs):
    X, y = blobs
    with pytest.raises(
        ValueError, match="several labels per row, but the rows of X are"
    ):
        make_learner(Random()).fit(X, [[label] * (1 + label % 2) for label in y])
    with pytest.raises(TypeError, match=r"take several classes per row, .* takes one"):
        make_learner(Random()).fit(X, [[label, 0] for label in y])


def test_tags_and_plain_labels_do_not_mix(sentences):
    X, y = sentences
    plain = [row[0] for row in y[:30]]
    with pytest.raises(ValueError, match="one label per row and others a list of tags"):
        make_learner(Random()).fit(X[30:], y[30:], X_test=X[:30], y_test=plain)


def test_what_is_not_for_taggers_says_so(sentences):
    with pytest.raises(TypeError, match="LeastConfidence needs class probabilities"):
        make_learner(LeastConfidence()).fit(*sentences)
    with pytest.raises(ValueError, match="ODMR sorts rows by their class"):
        make_learner(ODMR(Longest())).fit(*sentences)
    with pytest.raises(ValueError, match=r"outside of TagCount must .* got 'none'"):
        make_learner(TagCount(outside="none")).fit(*sentences)
    with pytest.raises(ValueError, match="a row with tags has several: leave `strata`"):
        make_learner(Stochastic(Longest(), strata="class")).fit(*sentences)


def test_min_confidence_says_what_it_needs(blobs):
    learner = ActiveLearner(LeastConfidence(), MinConfidence())
    with pytest.raises(TypeError, match=r"tags of each token.*choose a tagger"):
        MinConfidence().fit(blobs[0]).select(learner, blobs[0], 1)


def test_log_confidence_by_hand():
    half, sure = np.log([0.5, 0.5]), np.log([0.25, 0.75])
    log_probs = [np.array([half, sure]), np.array([sure]), np.empty((0, 2))]
    sums = [np.log(0.5 * 0.75), np.log(0.75), 0.0]
    np.testing.assert_allclose(log_confidence(log_probs), sums)
    means = [sums[0] / 2, sums[1], 0.0]
    np.testing.assert_allclose(log_confidence(log_probs, normalize=True), means)


def test_min_confidence_takes_the_least_confident(sentences):
    X, _ = sentences
    tagger = tagger_of(sentences)
    for normalize in (False, True):
        confidence = log_confidence(tagger.predict_token_log_proba(X), normalize)
        strategy = MinConfidence(normalize=normalize, random_state=0).fit(X)
        chosen = strategy.select(tagger, X, 6)
        left = np.delete(confidence, chosen)
        assert confidence[chosen].max() <= left.min()
        assert (np.diff(confidence[chosen]) >= 0).all()


def test_the_sum_prefers_longer_sentences_than_the_mean(sentences):
    X, _ = sentences
    tagger = tagger_of(sentences)
    mean_length = [
        np.mean([len(X[i]) for i in strategy.fit(X).select(tagger, X, 20)])
        for strategy in (MinConfidence(), MinConfidence(normalize=True))
    ]
    assert mean_length[0] > mean_length[1]


def test_what_counts_as_tags():
    assert is_tags([["O"], ["B", "O"]])
    assert is_tags([[], ["O"]])
    assert not is_tags(["O", "B"])
    assert not is_tags(np.array([[1, 0], [0, 1]]))
    assert not is_tags(np.array([["O"], ["B"]], dtype=object))
    assert not is_tags([])
    assert not is_tags(None)
    assert all_labels([["O"], ["B", "O"]]).tolist() == ["O", "B", "O"]
    assert all_labels(np.array([1, 2])).tolist() == [1, 2]
