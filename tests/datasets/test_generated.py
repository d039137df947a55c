import os
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import chain

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skal.datasets import make_intents, make_tagged_sentences

MAKERS = [make_intents, make_tagged_sentences]


def as_lists(made):
    return [list(part) for part in made]


def test_another_process_makes_the_same():
    code = (
        "from skal.datasets import make_intents, make_tagged_sentences\n"
        "for make in (make_intents, make_tagged_sentences):\n"
        "    print([list(part) for part in make(random_state=1)])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        capture_output=True,
        check=True,
        text=True,
    )
    made = [repr(as_lists(make(random_state=1))) for make in MAKERS]
    assert result.stdout.splitlines() == made


@pytest.mark.parametrize("make", MAKERS)
class TestBoth:
    def test_the_seed_decides(self, make):
        first = as_lists(make(50, random_state=3))
        assert first == as_lists(make(50, random_state=3))
        assert first != as_lists(make(50, random_state=4))
        assert as_lists(make(50)) != as_lists(make(50))

    def test_a_generator_is_asked_for_its_seed(self, make):
        rng = np.random.RandomState(0)
        first, second = (
            as_lists(make(random_state=rng)),
            as_lists(make(random_state=rng)),
        )
        assert first != second
        assert first == as_lists(make(random_state=np.random.RandomState(0)))

    def test_the_global_state_stays_as_it_was(self, make, global_state):
        before = global_state()
        make(random_state=0)
        make()
        assert global_state() == before

    @pytest.mark.parametrize("n_samples", [1, 2, 57])
    def test_as_many_as_asked(self, make, n_samples):
        X, y = make(n_samples, random_state=0)
        assert len(X) == len(y) == n_samples

    @pytest.mark.parametrize(
        "wrong", [{"n_samples": 0}, {"n_samples": 2.5}, {"random_state": "seed"}]
    )
    def test_parameters_are_checked(self, make, wrong):
        with pytest.raises(ValueError, match=f"'{next(iter(wrong))}' parameter"):
            make(**wrong)

    def test_lengths_vary_and_sentences_too(self, make):
        X, _ = make(2000, random_state=0)
        words = [tuple(x.split()) if isinstance(x, str) else tuple(x) for x in X]
        lengths = Counter(map(len, words))
        assert set(range(1, 11)) <= set(lengths) <= set(range(1, 13))
        assert max(lengths.values()) < 500
        assert len(set(words)) > 900
        assert all(word == word.lower().strip() for word in chain.from_iterable(words))


class TestIntents:
    @pytest.mark.parametrize("n_classes", range(2, 9))
    def test_each_class_occurs_and_the_first_is_the_largest(self, n_classes):
        _, y = make_intents(1000, n_classes=n_classes, random_state=0)
        counts = Counter(y.tolist())
        assert len(counts) == n_classes
        assert counts.most_common(1)[0][0] == "create"
        assert len(set(make_intents(n_classes, n_classes=n_classes)[1])) == n_classes

    def test_fewer_samples_than_classes(self):
        X, y = make_intents(2, n_classes=4, random_state=0)
        assert len(X) == len(set(y)) == 2

    def test_classes_come_in_any_order(self):
        orders = {tuple(make_intents(4, random_state=seed)[1]) for seed in range(20)}
        assert len(orders) > 5

    def test_types(self):
        X, y = make_intents(random_state=0)
        assert {type(x) for x in X} == {str}
        assert isinstance(y, np.ndarray)
        assert y.dtype.kind == "U"

    @pytest.mark.parametrize("n_classes", [1, 9])
    def test_the_number_of_classes_is_checked(self, n_classes):
        with pytest.raises(ValueError, match="'n_classes' parameter"):
            make_intents(n_classes=n_classes)

    @pytest.mark.parametrize("n_classes", [2, 4, 8])
    def test_it_can_be_learnt_but_not_at_once(self, n_classes):
        X, y = make_intents(3000, n_classes=n_classes, random_state=0)
        model = make_pipeline(CountVectorizer(), LogisticRegression())
        few = model.fit(X[:40], y[:40]).score(X[2000:], y[2000:])
        many = model.fit(X[:2000], y[:2000]).score(X[2000:], y[2000:])
        share = Counter(y[2000:].tolist()).most_common(1)[0][1] / 1000
        assert many < 0.98
        assert many > few + 0.08
        assert many > share + 0.15

    def test_classes_share_words_and_sentences(self):
        X, y = make_intents(2000, n_classes=2, random_state=0)
        create, cancel = (
            {x for x, label in zip(X, y, strict=True) if label == name}
            for name in ("create", "cancel")
        )
        assert create & cancel
        words = [set(" ".join(sentences).split()) for sentences in (create, cancel)]
        assert len(words[0] & words[1]) > 0.7 * len(words[0])


class TestTaggedSentences:
    @pytest.fixture
    def made(self):
        return make_tagged_sentences(2000, random_state=0)

    def test_a_tag_for_each_token(self, made):
        X, y = made
        assert [len(tokens) for tokens in X] == [len(tags) for tags in y]
        assert {type(word) for word in chain(*X, *y)} == {str}

    def test_an_entity_goes_on_only_after_it_began(self, made):
        for tags in made[1]:
            for before, tag in zip(["O", *tags], tags, strict=False):
                if tag.startswith("I-"):
                    assert before[2:] == tag[2:]

    def test_each_tag_occurs(self, made):
        kinds = ["Cuisine", "Dish", "Hours", "Location", "Name", "Price"]
        expected = {"O", *(f"{bi}-{kind}" for bi in "BI" for kind in kinds)}
        counts = Counter(chain.from_iterable(made[1]))
        assert set(counts) == expected
        assert counts.most_common(1)[0][0] == "O"
        assert min(counts.values()) > 100

    def test_a_word_alone_does_not_tell_its_tag(self, made):
        tags_of = defaultdict(Counter)
        for tokens, tags in zip(*made, strict=True):
            for token, tag in zip(tokens, tags, strict=True):
                tags_of[token][tag] += 1
        # The best that a model can do which sees each word by itself.
        best = sum(max(tags.values()) for tags in tags_of.values())
        total = sum(tags.total() for tags in tags_of.values())
        assert 0.75 < best / total < 0.9
        assert len(tags_of["five"]) >= 4
