import pickle

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is an extra")
pytest.importorskip("skorch", reason="skorch is an extra")

import pandas as pd
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.utils import Bunch

from skal import ActiveLearner, MaxEntropy
from skal.datasets import fetch_glove, fetch_topv2, make_intents
from skal.nets import Vocabulary, embedding_matrix
from skal.nets.text._vectors import word_vectors
from skal.nets.text._vocabulary import tokenize

VECTORS = {"a": [1.0, 2.0], "b": [3.0, 4.0]}


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Set an ALARM", ["set", "an", "alarm"]),
        ("  two\tlines\n", ["two", "lines"]),
        ("stop, now!", ["stop", ",", "now", "!"]),
        ("well... what?!!", ["well", "...", "what", "?", "!!"]),
        ("don't can't n't", ["do", "n't", "ca", "n't", "n't"]),
        ("it's I'm we’ll", ["it", "'s", "i", "'m", "we", "'ll"]),  # noqa: RUF001
        ("'sleep' o'clock", ["'", "sleep", "'", "o'clock"]),
        ("7:30am 7am 1,000.5", ["7:30", "am", "7am", "1,000.5"]),
        ("at 6 a.m. p.m.", ["at", "6", "a.m.", "p.m."]),
        ("the end.", ["the", "end", "."]),
        ("naïve Ärger 東京", ["naïve", "ärger", "東京"]),
        ("e-mail a_b", ["e", "-", "mail", "a_b"]),
        ("", []),
        (" \n", []),
    ],
)
def test_a_text_is_cut_as_those_of_glove_were(sentence, expected):
    assert tokenize(sentence) == expected


def test_numbers_by_hand():
    X = ["b a", ["c", "b"], "a b b"]
    vocabulary = Vocabulary().fit(X)
    assert vocabulary.words_ == ["a", "b", "c"]
    numbers = vocabulary.transform(["a c", ["d"], "c b a z", ""])
    expected = [[2, 4, 0, 0], [1, 0, 0, 0], [4, 3, 2, 1], [1, 0, 0, 0]]
    assert numbers.tolist() == expected
    assert numbers.dtype == np.int64
    assert Vocabulary().fit_transform(X).tolist() == [[3, 2, 0], [4, 3, 0], [2, 3, 3]]


def test_the_order_of_the_rows_does_not_matter():
    X, _ = make_intents(50, random_state=0)
    words = Vocabulary().fit(X).words_
    assert words == Vocabulary().fit(X[::-1]).words_ == sorted(set(words))


def test_case():
    X = ["The the", ["THE"]]
    assert Vocabulary().fit(X).words_ == ["the"]
    assert Vocabulary(lowercase=False).fit(X).words_ == ["THE", "The", "the"]
    assert Vocabulary(lowercase=False).fit(["the"]).transform(["The"]).tolist() == [[1]]


def test_rare_words_are_unknown():
    vocabulary = Vocabulary(min_count=2).fit(["a a b", "c b"])
    assert vocabulary.words_ == ["a", "b"]
    assert vocabulary.transform(["a b c"]).tolist() == [[2, 3, 1]]
    assert Vocabulary(min_count=9).fit(["a"]).transform(["a"]).tolist() == [[1]]


def test_a_width_that_is_given_is_kept():
    vocabulary = Vocabulary(max_length=2).fit(["a b c"])
    assert vocabulary.transform(["a b c", "c", ""]).tolist() == [[2, 3], [4, 0], [1, 0]]
    assert vocabulary.transform(["a"]).tolist() == [[2, 0]]


@pytest.mark.parametrize(
    "X",
    [
        ("a b", "c"),
        np.array(["a b", "c"]),
        np.array(["a b", "c"], dtype=object),
        pd.Series(["a b", "c"]),
        [["a", "b"], ("c",)],
        [np.array(["a", "b"]), "c"],
    ],
    ids=lambda X: type(X).__name__,
)
def test_sentences_of_any_kind(X):
    assert Vocabulary().fit_transform(X).tolist() == [[2, 3], [4, 0]]


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ("a text", "X is a str: pass a list of sentences"),
        (pd.DataFrame({"text": ["a"]}), "X is a DataFrame: .* one column of"),
        ({"a": 1}, "X is a dict"),
        (3, "X is a int"),
        (np.array("a"), "X is a ndarray"),
        (
            ["a", None],
            "Row 1 of X must be a sentence, got None: pass each row as a str or",
        ),
        (np.zeros((2, 3)), "Row 0 of X must be a sentence, got array"),
        ([["a", 2]], r"Row 0 of X must be a sentence, got \['a', 2\]"),
        ([b"a"], "Row 0 of X must be a sentence, got b'a'"),
        (sparse.eye_array(2, format="csr"), "Row 0 of X must be a sentence, got <"),
    ],
)
def test_what_is_no_sentence_is_refused(X, message):
    for method in (Vocabulary().fit, Vocabulary().fit(["a"]).transform):
        with pytest.raises(TypeError, match=message):
            method(X)


def test_no_sentences_are_refused():
    with pytest.raises(ValueError, match="X holds no sentences: pass at least one"):
        Vocabulary().fit([])


def test_parameters_are_checked():
    for params in ({"min_count": 0}, {"max_length": 0}, {"lowercase": "no"}):
        with pytest.raises(ValueError, match="parameter of Vocabulary must be"):
            Vocabulary(**params).fit(["a"])


def test_clone_and_pickle():
    vocabulary = Vocabulary(min_count=2).fit(["a a b"])
    copy = pickle.loads(pickle.dumps(vocabulary))
    assert copy.transform(["a b"]).tolist() == [[2, 1]]
    assert not hasattr(clone(vocabulary), "words_")


def test_it_composes_in_a_pipeline():
    X, y = make_intents(200, random_state=0)
    one_hot = OneHotEncoder(handle_unknown="ignore")
    steps = Vocabulary(max_length=8), one_hot, LogisticRegression()
    model = make_pipeline(*steps).fit(X[:150], y[:150])
    assert model.score(X[150:], y[150:]) > 0.6
    learner = ActiveLearner(
        make_pipeline(*steps), MaxEntropy(), batch_size=5, n_rounds=2, random_state=0
    )
    assert np.isfinite(learner.fit(X, y).curve_).all()


def test_its_width_may_vary_where_the_next_step_lets_it():
    def count_words(numbers):
        return (numbers > 0).sum(axis=1, keepdims=True)

    pipeline = make_pipeline(Vocabulary(), FunctionTransformer(count_words))
    assert pipeline.fit_transform(["a b", "c"]).tolist() == [[2], [1]]
    assert pipeline.transform(["a b c d"]).tolist() == [[4]]


def test_vectors_by_hand():
    matrix = embedding_matrix(["b", "new", "a"], VECTORS, random_state=0)
    assert matrix.dtype == np.float32
    assert matrix.shape == (5, 2)
    assert matrix[[0, 2, 4]].tolist() == [[0, 0], [3, 4], [1, 2]]
    assert (matrix[[1, 3]] != 0).all()
    assert (matrix[1] != matrix[3]).all()


def test_a_bunch_is_as_good_as_a_mapping():
    bunch = Bunch(words=["a", "b"], vectors=np.array([[1, 2], [3, 4]]), DESCR="")
    words = ["b", "new", "a"]
    np.testing.assert_array_equal(
        embedding_matrix(words, bunch, random_state=0),
        embedding_matrix(words, VECTORS, random_state=0),
    )


def test_new_vectors_have_the_scale_of_the_given_ones():
    rng = np.random.default_rng(0)
    vectors = {f"w{i}": rng.normal(scale=7, size=20) for i in range(200)}
    matrix = embedding_matrix([f"new{i}" for i in range(500)], vectors, random_state=0)
    assert abs(matrix[1:].std() / 7 - 1) < 0.05
    assert abs(matrix[1:].mean()) < 0.3


def test_half_a_surrogate_pair_is_a_word_as_any_other():
    words = ["a", "\ud83d", "\ud83e"]
    matrix = embedding_matrix(words, {"a": np.ones(3)}, random_state=0)
    assert not np.array_equal(matrix[-1], matrix[-2])
    assert np.isfinite(matrix).all()


def test_the_seed_decides_about_new_vectors(global_state):
    before = global_state()
    first, again, other = (
        embedding_matrix(["a", "new"], VECTORS, random_state=seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first[[1, 3]] != other[[1, 3]]).all()
    assert (first[2] == other[2]).all()
    assert global_state() == before


def test_no_words_have_a_row_for_padding_and_one_for_the_unknown():
    assert embedding_matrix([], VECTORS).shape == (2, 2)


def test_a_new_words_vector_does_not_depend_on_the_others():
    for vectors in (VECTORS, None):
        few = embedding_matrix(["new"], vectors, dimension=2, random_state=0)
        many = embedding_matrix(["a", "new", "z"], vectors, dimension=2, random_state=0)
        np.testing.assert_array_equal(few[[0, 1, 2]], many[[0, 1, 3]])
        assert not np.array_equal(many[1], many[3])
        assert not np.array_equal(many[3], many[4])


def test_without_vectors_all_are_standard_normal():
    words = [f"new{i}" for i in range(300)]
    matrix = embedding_matrix(words, None, dimension=20, random_state=0)
    assert matrix.shape == (302, 20)
    assert abs(matrix[1:].mean()) < 0.05
    assert abs(matrix[1:].std() - 1) < 0.05


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ({}, "vectors holds no words: pass at least one"),
        (
            {"a": [1, 2], "b": [1]},
            r"'b' has shape \(1,\), but 'a' has \(2,\): give",
        ),
        ({"a": 1.0}, r"'a' has shape \(\)"),
        ({"a": []}, r"'a' has shape \(0,\)"),
        ({"a": [1, 2], "b": [1, np.nan]}, "vector of 'b' has a value that is not fin"),
        ({"a": [1e300, 2]}, "vector of 'a' has a value that is not finite in float32"),
        (Bunch(words=["a"], vectors=np.ones((2, 3))), "has 1 words and 2 vectors"),
    ],
)
def test_strange_vectors_are_refused(vectors, message):
    with pytest.raises(ValueError, match=message):
        word_vectors(vectors)


def test_words_are_text():
    with pytest.raises(TypeError, match="vectors must be str, got 3: use a str"):
        word_vectors({"a": [1.0], 3: [1.0]})


def test_nearly_all_words_of_topv2_have_a_vector(data_home):
    X, _ = fetch_topv2(return_X_y=True, data_home=data_home)
    tokens = [token for sentence in X for token in tokenize(sentence)]
    glove = fetch_glove(data_home=data_home, download_if_missing=False)
    known = set(glove.words)
    assert np.mean([token in known for token in tokens]) > 0.99
