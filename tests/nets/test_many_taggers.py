"""Taggers side by side: each is what `fit` would make it, whatever stands beside it."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is an extra")
pytest.importorskip("skorch", reason="skorch is an extra")

import torch
from _trained import scores_of, weights_by_name
from sklearn.base import clone
from sklearn.metrics import check_scoring

from skal import ActiveLearner, AnnealingOracle, split
from skal.datasets import make_tagged_sentences
from skal.inputs._tags import TagScorer, flatten
from skal.nets import BiLSTMTagger
from skal.nets.side_by_side._metrics import accuracy, metric_of, weighted_f1
from skal.nets.side_by_side._ops import Affine
from skal.nets.text._stacked_lstm import pack, sigmoid
from skal.nets.text._tagger_stack import mean_loss, turn


@pytest.fixture(scope="module")
def questions():
    """The first 80 to train on, the next 30 to choose the epoch by."""
    return make_tagged_sentences(140, random_state=0)


@pytest.fixture(scope="module")
def vectors(questions):
    """Vectors for half of the words."""
    words = sorted({word for sentence in questions[0] for word in sentence})
    rng = np.random.default_rng(0)
    return {word: rng.normal(size=5) for word in words[::2]}


def make_net(vectors=None, **params):
    defaults = {
        **{"vectors": vectors, "embedding_dim": 5, "lr": 0.01, "batch_size": 7},
        **{"max_epochs": 4, "patience": 3, "random_state": 3},
    }
    return BiLSTMTagger(**{**defaults, **params})


def make_sets(n_sets=5):
    rng = np.random.default_rng(1)
    sizes = rng.integers(5, 32, n_sets)
    return [rng.permutation(80)[:size] for size in sizes]


def held_out(questions):
    X, y = questions
    return {"X_val": X[80:110], "y_val": y[80:110], "classes": sorted({*flatten(y)})}


def side_by_side(net, questions, **params):
    X, y = questions
    return net.side_by_side(X[:80], y[:80], **held_out(questions), **params)


def fit_one(net, questions, rows, **params):
    X, y = ([part[row] for row in rows] for part in questions)
    return clone(net).fit(X, y, **(held_out(questions) | params))


def assert_same(found, expected):
    """The same to the last bit."""
    assert found.loss_curve_ == expected.loss_curve_
    assert found.validation_scores_ == expected.validation_scores_
    assert found.words_ == expected.words_
    for name, value in weights_by_name(expected).items():
        np.testing.assert_array_equal(weights_by_name(found)[name], value)


@pytest.mark.parametrize("has_vectors", [True, False])
def test_parameters_are_those_of_fit(double, has_vectors, questions, vectors):
    net, sets = make_net(vectors if has_vectors else None), make_sets(4)
    many = side_by_side(net, questions, width=3).fit(sets)
    for found, rows in zip(many, sets, strict=True):
        expected = fit_one(net, questions, rows)
        assert found.words_ == expected.words_
        assert found.input_shape_ == expected.input_shape_
        assert found.classes_.tolist() == expected.classes_.tolist()
        assert weights_by_name(found).keys() == weights_by_name(expected).keys()
        for name, value in weights_by_name(expected).items():
            np.testing.assert_allclose(weights_by_name(found)[name], value, atol=1e-9)
        np.testing.assert_allclose(found.loss_curve_, expected.loss_curve_)
        np.testing.assert_allclose(
            found.validation_scores_, expected.validation_scores_, rtol=1e-12
        )


@pytest.mark.parametrize("scoring", ["f1_weighted", None])
def test_a_full_run_is_that_of_fit(scoring, questions, vectors):
    net = make_net(vectors, max_epochs=25, lr=0.03, patience=4, scoring=scoring)
    sets = make_sets(3)
    many = side_by_side(net, questions, width=2).fit(sets)
    alone = [fit_one(net, questions, rows) for rows in sets]
    assert {len(model.loss_curve_) for model in alone} != {25}  # some stop early
    for found, expected in zip(many, alone, strict=True):
        assert found.best_epoch_ == expected.best_epoch_
        np.testing.assert_allclose(found.loss_curve_, expected.loss_curve_, rtol=1e-3)
        np.testing.assert_allclose(
            found.validation_scores_, expected.validation_scores_
        )
        assert found.predict(questions[0]) == expected.predict(questions[0])


@pytest.mark.parametrize("dimension", [2, 5, 8])
def test_neither_place_nor_neighbours_matter(dimension, questions):
    net, sets = make_net(embedding_dim=dimension, max_epochs=2), make_sets(6)
    expected = side_by_side(net, questions, width=1).fit(sets)
    order = np.random.default_rng(0).permutation(6)
    for width, chosen in ((4, range(6)), (16, order), (3, [5])):
        many = side_by_side(net, questions, width=width)
        found = many.fit([sets[number] for number in chosen])
        for model, number in zip(found, chosen, strict=True):
            assert_same(model, expected[number])


def test_long_minibatches_are_summed_alike(questions):
    """A gradient that is summed over many rows at once, in packed order, would differ
    by how many of padding the neighbours bring in between."""
    net, sets = make_net(batch_size=32, max_epochs=2), make_sets(4)
    sets = [np.arange(60), *sets]
    alone = side_by_side(net, questions, width=1).fit(sets[:1])[0]
    for found in side_by_side(net, questions, width=5).fit([*sets, sets[0]])[::5]:
        assert_same(found, alone)


def test_the_same_sets_again_and_another_seed(questions):
    sets = make_sets(3)
    many = side_by_side(make_net(), questions, width=2)
    first, again = many.fit(sets), many.fit(sets)
    other = side_by_side(make_net(random_state=4), questions, width=2).fit(sets)
    for a, b, c in zip(first, again, other, strict=True):
        assert_same(a, b)
        assert not all(
            np.array_equal(weights_by_name(a)[k], weights_by_name(c)[k])
            for k in weights_by_name(a)
        )


def test_empty_sentences_are_left_out(double, questions):
    X, y = (list(part) for part in questions)
    for row in (0, 3, 17, 85):
        X[row], y[row] = [], []
    with_empty, net = (X, y), make_net()
    sets = [np.array([3, 5, 0, 18, 60, 2]), np.array([79, 17, 4, 16, 1])]
    many = side_by_side(net, with_empty, width=2)
    for found, rows in zip(many.fit(sets), sets, strict=True):
        expected = fit_one(net, with_empty, rows)
        assert found.words_ == expected.words_
        np.testing.assert_allclose(found.loss_curve_, expected.loss_curve_)
        np.testing.assert_allclose(
            found.validation_scores_, expected.validation_scores_, rtol=1e-12
        )
        for name, value in weights_by_name(expected).items():
            np.testing.assert_allclose(weights_by_name(found)[name], value, atol=1e-9)
    message = "X holds no tokens: pass at least one non-empty sentence."
    with pytest.raises(ValueError, match=message):
        many.fit([np.array([0, 17])])
    with pytest.raises(ValueError, match=message):
        fit_one(net, with_empty, [0, 17])


def test_without_a_validation_set_all_epochs_are_trained(questions):
    X, y = questions
    net, sets = make_net(), make_sets(2)
    many = net.side_by_side(X[:80], y[:80], width=2)
    for model, rows in zip(many.fit(sets), sets, strict=True):
        assert (len(model.loss_curve_), model.best_epoch_) == (4, 4)
        own = {"X_val": None, "y_val": None, "classes": many.model.classes_}
        expected = fit_one(net, questions, rows, **own)
        np.testing.assert_allclose(model.loss_curve_, expected.loss_curve_, rtol=1e-4)


@pytest.mark.parametrize("scoring", ["f1_weighted", None])
def test_scores_are_those_of_the_fitted_models(scoring, questions):
    X, y = questions[0][110:], questions[1][110:]
    net, sets = make_net(max_epochs=10, lr=0.03), make_sets(3)
    many = side_by_side(net, questions, width=2)
    scorer = check_scoring(net, scoring)
    scorer = TagScorer(scorer) if scoring else scorer
    expected = [scorer(model, X, y) for model in many.fit(sets)]
    assert len(set(expected)) > 1
    assert scores_of(many, sets, X, y, scorer) == expected
    many_own = scores_of(many, sets, X, y, lambda model, X, y: len(model.predict(X)))
    assert many_own == [30] * 3


def test_what_is_answered_is_what_is_predicted(questions, monkeypatch):
    X, y = (list(part) for part in questions)
    X[100], y[100] = [], []
    monkeypatch.setattr("skal.nets.text._tagger_stack.DECODED_AT_ONCE", 16)
    many = side_by_side(make_net(max_epochs=12, lr=0.03), questions, width=2)
    inputs, true = many.model._encode_inputs(X[70:], y[70:])
    assert len(inputs.packed) == 5
    assert many.model.classes_[true].tolist() == flatten(y[70:]).tolist()
    many.engine.score = None
    answered = many._run(
        make_sets(2),
        lambda stack, place, _: (
            stack.answer(place, inputs),
            flatten(many._model(place).predict(X[70:])),
        ),
    )
    for codes, tags in answered:
        assert len(set(codes)) > 3
        assert many.model.classes_[codes].tolist() == tags.tolist()


def test_a_tag_that_is_no_class_is_a_miss(questions):
    X, y = questions
    strange = [["unheard of" for _ in y[80]], *y[81:110]]
    net, rows = make_net(scoring="f1_weighted"), make_sets(1)[0]
    many = net.side_by_side(X[:80], y[:80], X_val=X[80:110], y_val=strange)
    found = many.fit([rows])[0]
    classes = many.model.classes_
    expected = fit_one(net, questions, rows, y_val=strange, classes=classes)
    np.testing.assert_allclose(found.validation_scores_, expected.validation_scores_)


def test_as_many_tags_as_tokens_are_asked_for(questions):
    X, y = questions
    with pytest.raises(ValueError, match="has 1 tags in row 0"):
        make_net().side_by_side(X, y, X_val=[["main", "street"]], y_val=[["O"]])
    with pytest.raises(ValueError, match="X holds no tokens"):
        make_net().side_by_side(X, y, X_val=[[]], y_val=[[]])
    with pytest.raises(ValueError, match="X_val and y_val go together"):
        make_net().side_by_side(X, y, X_val=X)


def test_only_known_scorers_are_replaced():
    net = BiLSTMTagger()
    assert metric_of(check_scoring(net, None), net) is accuracy
    assert metric_of(TagScorer(check_scoring(net, "accuracy")), net) is accuracy
    assert metric_of(TagScorer(check_scoring(net, "f1_weighted")), net) is weighted_f1
    assert metric_of(TagScorer(check_scoring(net, "f1_macro")), net) is None
    # One of scikit-learn's by itself refuses lists of tags, and has to say so.
    assert metric_of(check_scoring(net, "f1_weighted"), net) is None

    class Own(BiLSTMTagger):
        def score(self, X, y):
            return 0.5

    assert metric_of(check_scoring(Own(), None), Own()) is None


def test_a_search_is_that_of_trainings_one_by_one(questions, monkeypatch):
    X, y = questions
    sets = split(
        X, y, warm_size=8, select_size=20, val_size=40, test_size=30, random_state=0
    )

    def search():
        learner = ActiveLearner(
            make_net(max_epochs=3, lr=0.03),
            AnnealingOracle(n_steps=4, n_greedy=1),
            batch_size=4,
            n_rounds=2,
            scoring="f1_weighted",
            random_state=0,
        )
        return learner.fit(**sets)

    together = search()
    monkeypatch.setattr(BiLSTMTagger, "_stack_class", None)
    alone = search()
    np.testing.assert_array_equal(together.order_, alone.order_)
    np.testing.assert_allclose(together.curve_, alone.curve_)
    found, expected = (
        learner.strategy_.history_["proposed"] for learner in (together, alone)
    )
    np.testing.assert_allclose(found, expected)


def test_a_sentence_turned_round():
    packing = pack(np.array([[3, 1], [2, 2]]))
    rows = turn(packing)
    assert packing.counts == [4, 4, 4]
    # Sentence 0 of the first model has rows 0, 4 and 8; its second sentence has row 1.
    assert rows[0, [0, 4, 8, 1]].tolist() == [8, 4, 0, 1]
    assert rows[1, [0, 4, 1, 5]].tolist() == [4, 0, 5, 1]
    for is_word, row in zip(packing.is_word, rows, strict=True):
        assert sorted(row[is_word]) == np.flatnonzero(is_word).tolist()


def test_a_linear_map_by_steps_is_a_linear_map(double):
    torch.manual_seed(0)
    counts = [4, 4, 4]
    rows, matrix, bias = (
        torch.randn(2, *shape, requires_grad=True) for shape in ((12, 3), (5, 3), (5,))
    )
    found = Affine.apply(rows, matrix, bias, counts)
    expected = rows @ matrix.mT + bias.unsqueeze(1)
    torch.testing.assert_close(found, expected)
    goal = torch.randn_like(found)
    of = [rows, matrix, bias]
    for a, b in zip(
        torch.autograd.grad((found * goal).sum(), of),
        torch.autograd.grad((expected * goal).sum(), of),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("shape", [(1, 4, 5), (3, 4, 5), (2, 8, 50), (16, 28, 200)])
def test_a_sigmoid_has_the_same_bits_in_any_place(shape):
    values = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    found = sigmoid(values.clone())
    torch.testing.assert_close(found, values.sigmoid())
    for place in range(len(values)):
        alone = sigmoid(values[place].clone())
        assert torch.equal(found[place], alone)


def test_the_loss_is_the_mean_over_tokens(double):
    torch.manual_seed(0)
    logits, codes = torch.randn(2, 12, 4), torch.randint(4, (2, 12))
    is_word = torch.rand(2, 12) < 0.6
    weights = is_word / is_word.sum(dim=1, keepdim=True)
    found = mean_loss(logits, codes, weights)
    for place in range(2):
        expected = torch.nn.functional.cross_entropy(
            logits[place, is_word[place]], codes[place, is_word[place]]
        )
        torch.testing.assert_close(found[place], expected)
