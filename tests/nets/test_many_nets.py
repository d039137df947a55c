"""Trainings side by side: each is what `fit` would do, whatever stands beside it."""

import numpy as np
import pytest
import torch
from _trained import scores_of, weights_by_name
from sklearn.base import clone
from sklearn.metrics import accuracy_score, check_scoring, f1_score, make_scorer

from skal import ActiveLearner, AnnealingOracle, Random, split
from skal.datasets import make_intents
from skal.nets import BiLSTMClassifier, EmbeddingBagClassifier, TextCNNClassifier
from skal.nets.side_by_side._engine import Orders, padded
from skal.nets.side_by_side._metrics import accuracy, metric_of, weighted_f1
from skal.nets.text._stacked_lstm import pack, scan

CLASSIFIERS = [EmbeddingBagClassifier, TextCNNClassifier, BiLSTMClassifier]
every_classifier = pytest.mark.parametrize("classifier", CLASSIFIERS)


@pytest.fixture(scope="module")
def intents():
    return make_intents(160, random_state=0)


@pytest.fixture(scope="module")
def vectors(intents):
    """Vectors for half of the words."""
    words = sorted({word for text in intents[0] for word in text.split()})
    rng = np.random.default_rng(0)
    return {word: rng.normal(size=6) for word in words[::2]}


def make_net(classifier, vectors=None, **params):
    defaults = {
        **{"vectors": vectors, "embedding_dim": 6, "lr": 0.01, "batch_size": 8},
        **{"max_epochs": 12, "patience": 4, "random_state": 3},
    }
    return classifier(**{**defaults, **params})


def make_sets(n_sets=7, n_rows=100):
    rng = np.random.default_rng(1)
    sizes = rng.integers(5, 45, n_sets)
    return [rng.permutation(n_rows)[:size] for size in sizes]


def side_by_side(net, intents, **params):
    X, y = intents
    return net.side_by_side(
        X[:100], y[:100], X_val=X[100:130], y_val=y[100:130], classes=y, **params
    )


def fit_each(net, intents, sets):
    X, y = intents
    return [
        clone(net).fit(
            [X[row] for row in rows],
            np.asarray(y)[rows],
            X_val=X[100:130],
            y_val=y[100:130],
            classes=y,
        )
        for rows in sets
    ]


@every_classifier
@pytest.mark.parametrize("has_vectors", [True, False])
def test_parameters_are_those_of_fit(double, classifier, has_vectors, intents, vectors):
    net = make_net(classifier, vectors if has_vectors else None, max_epochs=4)
    sets = make_sets()
    many = side_by_side(net, intents, width=3).fit(sets)
    for found, expected in zip(many, fit_each(net, intents, sets), strict=True):
        assert found.words_ == expected.words_
        assert found.input_shape_ == expected.input_shape_
        assert weights_by_name(found).keys() == weights_by_name(expected).keys()
        for name, value in weights_by_name(expected).items():
            np.testing.assert_allclose(weights_by_name(found)[name], value, atol=1e-9)
        np.testing.assert_allclose(found.loss_curve_, expected.loss_curve_)


@every_classifier
def test_a_full_run_is_that_of_fit(classifier, intents, vectors):
    net = make_net(classifier, vectors, max_epochs=40, scoring="f1_weighted")
    sets, (X, _) = make_sets(), intents
    many = side_by_side(net, intents, width=4).fit(sets)
    expected = fit_each(net, intents, sets)
    assert {len(model.loss_curve_) for model in expected} != {40}  # some stop early
    for found, model in zip(many, expected, strict=True):
        assert found.best_epoch_ == model.best_epoch_
        np.testing.assert_allclose(found.loss_curve_, model.loss_curve_, rtol=1e-3)
        np.testing.assert_allclose(found.validation_scores_, model.validation_scores_)
        assert found.predict(X).tolist() == model.predict(X).tolist()


@every_classifier
def test_neither_place_nor_neighbours_matter(classifier, intents, vectors):
    net, sets = make_net(classifier, vectors, max_epochs=3), make_sets(6)
    expected = [
        weights_by_name(m) for m in side_by_side(net, intents, width=1).fit(sets)
    ]
    order = np.random.default_rng(0).permutation(6)
    for width, chosen in ((4, range(6)), (16, order), (3, [5])):
        many = side_by_side(net, intents, width=width)
        for found, number in zip(
            many.fit([sets[i] for i in chosen]), chosen, strict=True
        ):
            for name, value in weights_by_name(found).items():
                np.testing.assert_array_equal(value, expected[number][name])


@every_classifier
@pytest.mark.parametrize(("dimension", "n_classes"), [(3, 2), (5, 3), (7, 5)])
def test_odd_sizes_do_not_matter(classifier, dimension, n_classes, intents):
    X, y = intents[0], np.arange(160) % n_classes
    net, sets = make_net(classifier, embedding_dim=dimension, max_epochs=3), make_sets()
    one, five = (net.side_by_side(X, y, width=width).fit(sets) for width in (1, 5))
    for expected, found in zip(one, five, strict=True):
        for name, value in weights_by_name(found).items():
            np.testing.assert_array_equal(value, weights_by_name(expected)[name])


def test_products_with_vectors_are_left_to_fit(intents):
    X, y = intents
    for params in ({"embedding_dim": 1}, {"vectors": {"a": [1.0]}}):
        assert make_net(EmbeddingBagClassifier, **params).side_by_side(X, y) is None
    assert make_net(EmbeddingBagClassifier).side_by_side(X, ["one"] * 160) is None


@every_classifier
def test_the_same_sets_again_and_another_seed(classifier, intents, vectors):
    sets = make_sets(3)
    many = side_by_side(make_net(classifier, vectors), intents, width=2)
    first, again = many.fit(sets), many.fit(sets)
    other = side_by_side(
        make_net(classifier, vectors, random_state=4), intents, width=2
    ).fit(sets)
    for a, b, c in zip(first, again, other, strict=True):
        assert all(
            np.array_equal(weights_by_name(a)[k], weights_by_name(b)[k])
            for k in weights_by_name(a)
        )
        assert not all(
            np.array_equal(weights_by_name(a)[k], weights_by_name(c)[k])
            for k in weights_by_name(a)
        )


def test_without_a_validation_set_all_epochs_are_trained(intents):
    X, y = intents
    net, sets = make_net(EmbeddingBagClassifier), make_sets(3)
    many = net.side_by_side(X, y, width=2)
    for model, rows in zip(many.fit(sets), sets, strict=True):
        assert (len(model.loss_curve_), model.best_epoch_) == (12, 12)
        expected = clone(net).fit([X[i] for i in rows], y[rows], classes=y)
        assert model.predict(X).tolist() == expected.predict(X).tolist()


@every_classifier
def test_words_that_a_model_does_not_know_are_the_one_that_empty_sentences_train(
    double, classifier, intents
):
    X = ["" if row % 4 == 0 else text for row, text in enumerate(intents[0][:100])]
    y = np.array(["silent" if text == "" else "spoken" for text in X])
    X[99] = "zebra"  # which is not among what is trained on
    many = make_net(classifier, max_epochs=4).side_by_side(X, y)
    sets, strange = [np.arange(40)], (["zebra"], ["silent"])
    (model,) = many.fit(sets)
    ((_, (margin,)),) = many.judge(sets, *strange, lambda *_: 0.0, np.array([0]))
    silent, spoken = np.log(model.predict_proba(["zebra"])[0])
    assert margin == pytest.approx(silent - spoken, rel=1e-3)


@every_classifier
def test_words_in_upper_case_are_no_words(classifier, intents):
    """Sentences are read in lower case; what a vector is there for, is known."""
    X, y = intents
    vectors = {"Zebra": np.ones(6), "Lion": np.zeros(6), "set": -np.ones(6)}
    net = make_net(classifier, vectors, max_epochs=1)
    model = net.fit(X[:9], y[:9], classes=y)
    assert "zebra" not in model.words_
    texts = [*X[:9], "zebra lion"]
    (found,) = net.side_by_side(texts, [*y[:9], y[0]], classes=y).fit([np.arange(9)])
    assert found.words_ == model.words_


def test_validation_labels_in_a_column(intents):
    X, y = intents
    net = make_net(EmbeddingBagClassifier, max_epochs=3)
    (found,), (model,) = (
        net.side_by_side(X, y, X_val=X, y_val=labels).fit([np.arange(50)])
        for labels in (y[:, None], y)
    )
    assert found.validation_scores_ == model.validation_scores_


@every_classifier
def test_scores_are_those_of_the_fitted_models(classifier, intents, vectors):
    X, y = intents
    net, sets = make_net(classifier, vectors), make_sets(5)
    many = side_by_side(net, intents, width=2)
    models = many.fit(sets)
    for scorer in (
        check_scoring(net, None),
        check_scoring(net, "f1_weighted"),
        check_scoring(net, "neg_log_loss"),
        lambda model, X, y: float(model.predict_proba(X)[:, 0].sum()),
    ):
        expected = [scorer(model, X[130:], y[130:]) for model in models]
        found = scores_of(many, sets, X[130:], y[130:], scorer)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_label_that_is_no_class_is_a_miss(intents):
    X, y = intents
    net = make_net(EmbeddingBagClassifier, scoring="f1_weighted")
    strange = np.array(["unheard of", *y[1:30]])
    many = net.side_by_side(X[:100], y[:100], X_val=X[:30], y_val=strange)
    found = many.fit(make_sets(1, 100))[0]
    rows = make_sets(1, 100)[0]
    expected = clone(net).fit(
        [X[i] for i in rows], y[rows], X_val=X[:30], y_val=strange, classes=y[:100]
    )
    np.testing.assert_allclose(found.validation_scores_, expected.validation_scores_)


@pytest.mark.parametrize("given", ["X_val", "y_val"])
def test_half_a_validation_set_is_refused_as_by_fit(given, intents):
    X, y = intents
    half = {given: {"X_val": X, "y_val": y}[given]}
    net = make_net(EmbeddingBagClassifier)
    for train in (net.fit, net.side_by_side):
        with pytest.raises(ValueError, match="go together and one of them is missing"):
            train(X, y, **half)


def test_a_validation_set_of_two_lengths_is_refused_as_by_fit(intents):
    X, y = intents
    net = make_net(EmbeddingBagClassifier)
    for train in (net.fit, net.side_by_side):
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            train(X, y, X_val=X, y_val=y[:1])


def test_what_comes_out_is_an_estimator_like_any_other(intents, vectors, tmp_path):
    X, _ = intents
    net = make_net(TextCNNClassifier, vectors)
    model = side_by_side(net, intents).fit(make_sets(1))[0]
    assert model.predict_proba(X).shape == (160, len(model.classes_))
    assert model.embed(X).shape == (160, 50)
    model.save(tmp_path / "net")
    again = TextCNNClassifier.load(tmp_path / "net")
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert clone(model).get_params()["random_state"] == 3


def test_with_dropout_nets_are_trained_one_by_one(intents):
    assert side_by_side(make_net(EmbeddingBagClassifier, dropout=0.5), intents) is None


def test_a_training_that_diverges_says_so(intents):
    many = side_by_side(make_net(EmbeddingBagClassifier, lr=1e30), intents)
    with pytest.raises(ValueError, match=r"training loss is (nan|inf)"):
        many.fit(make_sets(2))


def test_the_global_state_is_left_alone(intents, global_state):
    before = torch.get_rng_state(), global_state(), torch.get_num_threads()
    side_by_side(make_net(EmbeddingBagClassifier), intents).fit(make_sets(2))
    after = torch.get_rng_state(), global_state(), torch.get_num_threads()
    assert torch.equal(before[0], after[0])
    assert before[1:] == after[1:]


@pytest.fixture(scope="module")
def sets_of_a_run(intents):
    X, y = intents
    return split(
        X, y, warm_size=8, select_size=20, val_size=40, test_size=30, random_state=0
    )


@pytest.mark.parametrize("classifier", [EmbeddingBagClassifier, BiLSTMClassifier])
def test_a_search_is_the_same_with_two_jobs(classifier, sets_of_a_run, vectors):
    learners = [
        ActiveLearner(
            make_net(classifier, vectors, max_epochs=3),
            AnnealingOracle(n_steps=4, n_greedy=1, n_jobs=n_jobs),
            batch_size=4,
            n_rounds=3,
            random_state=0,
        ).fit(**sets_of_a_run)
        for n_jobs in (1, 2)
    ]
    for name in ("order_", "curve_", "validation_curve_"):
        np.testing.assert_array_equal(*(getattr(one, name) for one in learners))
    history = [one.strategy_.history_["proposed"] for one in learners]
    np.testing.assert_array_equal(*history)
    one = learners[0]
    assert one.strategy_.quality_ == pytest.approx(one.validation_quality_)


def test_a_learner_trains_side_by_side_what_it_would_train_alone(
    sets_of_a_run, monkeypatch
):
    def run():
        net = make_net(EmbeddingBagClassifier, max_epochs=8)
        learner = ActiveLearner(net, Random(), batch_size=4, n_rounds=3, random_state=0)
        return learner.fit(**sets_of_a_run)

    together = run()
    monkeypatch.setattr(EmbeddingBagClassifier, "_stack_class", None)
    alone = run()
    np.testing.assert_allclose(together.curve_, alone.curve_)
    np.testing.assert_array_equal(together.order_, alone.order_)


def test_weighted_f1_is_scikit_learns_to_the_last_digit():
    rng = np.random.default_rng(0)
    for _ in range(300):
        n_classes, n_rows = rng.integers(1, 20), rng.integers(1, 200)
        true = rng.integers(0, n_classes, n_rows)
        guess = rng.integers(0, n_classes, n_rows)
        predicted = np.where(rng.random(n_rows) < 0.6, true, guess)
        expected = f1_score(true, predicted, average="weighted", zero_division=0)
        assert weighted_f1(true, predicted) == expected
        assert accuracy(true, predicted) == accuracy_score(true, predicted)


def test_only_known_scorers_are_replaced():
    net = EmbeddingBagClassifier()
    assert metric_of(check_scoring(net, None), net) is accuracy
    assert metric_of(check_scoring(net, "accuracy"), net) is accuracy
    assert metric_of(check_scoring(net, "f1_weighted"), net) is weighted_f1
    for scorer in (
        check_scoring(net, "f1_macro"),
        check_scoring(net, "neg_log_loss"),
        make_scorer(accuracy_score, greater_is_better=False),
        make_scorer(accuracy_score, normalize=False),
        make_scorer(f1_score, average="weighted", labels=[0]),
        lambda model, X, y: 0.0,
    ):
        assert metric_of(scorer, net) is None

    class Own(EmbeddingBagClassifier):
        def score(self, X, y):
            return 0.5

    assert metric_of(check_scoring(Own(), None), Own()) is None


def test_orders_are_those_that_fit_draws():
    orders = Orders(7)
    long, short = orders.for_length(9), orders.for_length(4)
    for n, order in ((9, long), (4, short)):
        torch.manual_seed(7)
        for epoch in range(3):
            expected = torch.randperm(n).numpy()
            np.testing.assert_array_equal(order(epoch), expected)


def test_minibatches_side_by_side():
    rows, shares = padded([np.array([4, 2]), np.array([1])], 3)
    assert rows.tolist() == [[4, 2, 0], [1, 0, 0]]
    assert shares.tolist() == [[0.5, 0.5, 0], [1, 0, 0]]


def test_the_scan_is_torchs_lstm(double):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    lengths = np.sort(rng.integers(1, 9, (3, 5)), axis=1)[:, ::-1]
    layers = [torch.nn.LSTM(4, 6, batch_first=True) for _ in range(3)]
    names = [name for name, _ in layers[0].named_parameters()]
    stacked = {
        f"lstm.{name}": torch.stack([layer.get_parameter(name) for layer in layers])
        .detach()
        .requires_grad_()
        for name in names
    }
    packing = pack(lengths)
    X = torch.randn(3, 5, 8, 4)
    rows = X[:, packing.sentences, packing.steps].requires_grad_()
    states = scan(stacked, "lstm", rows, packing.counts)
    goal = torch.randn_like(states) * torch.tensor(packing.is_word)[..., None]
    (states * goal).sum().backward()
    for place, layer in enumerate(layers):
        total = 0
        for sentence, length in enumerate(lengths[place]):
            own = packing.is_word[place] & (packing.sentences == sentence)
            expected = layer(X[place, sentence, :length][None])[0][0]
            torch.testing.assert_close(states[place, own], expected)
            total = total + (expected * goal[place, own]).sum()
        total.backward()
        for name in names:
            torch.testing.assert_close(
                stacked[f"lstm.{name}"].grad[place], layer.get_parameter(name).grad
            )
