import pickle

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is an extra")
pytest.importorskip("skorch", reason="skorch is an extra")

import pandas as pd
import torch
from _trained import weights
from sklearn.base import clone
from sklearn.utils import Bunch
from torch import nn

from skal import BALD, IDMR, ActiveLearner, AnnealingOracle, MaxEntropy
from skal.datasets import fetch_glove, fetch_topv2, make_intents
from skal.nets import (
    BiLSTMClassifier,
    EmbeddingBagClassifier,
    TextCNNClassifier,
)

CLASSIFIERS = [BiLSTMClassifier, EmbeddingBagClassifier, TextCNNClassifier]

every_classifier = pytest.mark.parametrize("classifier", CLASSIFIERS)


@pytest.fixture(scope="module")
def intents():
    return make_intents(400, random_state=0)


@pytest.fixture
def vectors():
    rng = np.random.default_rng(0)
    return {w: rng.normal(scale=3, size=7) for w in ("alarm", "timer", "rooster")}


def make_net(classifier, **params):
    defaults = {"embedding_dim": 8, "lr": 0.01, "max_epochs": 2, "random_state": 0}
    return classifier(**{**defaults, **params})


@every_classifier
def test_it_learns_intents(classifier, intents):
    X, y = make_intents(300, random_state=1)
    net = make_net(classifier, embedding_dim=50, max_epochs=15)
    model = net.fit(*intents)
    assert model.score(X, y) > 0.8
    assert model.loss_curve_[-1] < model.loss_curve_[0]


@every_classifier
def test_one_sentence_alone_is_as_in_a_batch(classifier, intents):
    X, y = intents
    model = make_net(classifier, dropout=0.5).fit(X, y)
    rows = [0, 7, 8]
    alone = np.concatenate([model.predict_proba([X[i]]) for i in rows])
    np.testing.assert_allclose(alone, model.predict_proba(X)[rows], rtol=1e-5)
    long = [*X, " ".join(X[:20])]
    samples = model.sample_proba(long, 3, random_state=0)[:-1]
    few = [model.sample_proba([X[i]], 3, random_state=0)[0] for i in rows]
    np.testing.assert_allclose(few, samples[rows], rtol=1e-5)
    np.testing.assert_allclose(model.embed(long)[:-1], model.embed(X), atol=1e-5)


@every_classifier
def test_the_seed_decides(classifier, intents, vectors):
    net = make_net(classifier, dropout=0.5, vectors=vectors)
    first = weights(net.fit(*intents))
    assert (weights(clone(net).fit(*intents)) == first).all()
    assert (weights(net.set_params(random_state=1).fit(*intents)) != first).any()
    state = np.random.RandomState(0)
    net.set_params(random_state=state)
    assert (weights(net.fit(*intents)) != weights(net.fit(*intents))).any()


@every_classifier
def test_global_generators_are_left_alone(
    classifier, intents, vectors, global_state, tmp_path
):
    torch_state, numpy_state = torch.get_rng_state(), global_state()
    model = make_net(classifier, dropout=0.5, vectors=vectors).fit(*intents)
    model.sample_proba(intents[0], 2)
    model.save(tmp_path / "net")
    classifier.load(tmp_path / "net")
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert global_state() == numpy_state


def test_any_number_of_jobs_searches_the_same(intents):
    X, y = (rows[:120] for rows in intents)
    oracle = ActiveLearner(
        make_net(BiLSTMClassifier), AnnealingOracle(n_steps=2),
        batch_size=5, n_rounds=2, random_state=0,
    )  # fmt: skip
    one = clone(oracle).fit(X, y)
    two = clone(oracle).set_params(strategy__n_jobs=2).fit(X, y)
    assert one.order_.tolist() == two.order_.tolist()
    assert one.curve_.tolist() == two.curve_.tolist()
    assert (weights(one.estimator_) == weights(two.estimator_)).all()


@every_classifier
@pytest.mark.parametrize(
    "strategy",
    [MaxEntropy(), BALD(n_samples=4), IDMR(MaxEntropy(), bins="length")],
    ids=lambda strategy: type(strategy).__name__,
)
@pytest.mark.parametrize("tokens", [False, True])
def test_a_learner_takes_sentences(classifier, strategy, tokens, intents):
    X, y = intents[0][:150], intents[1][:150]
    X = [sentence.split() for sentence in X] if tokens else X
    learner = ActiveLearner(
        make_net(classifier, dropout=0.5), strategy,
        batch_size=5, n_rounds=2, random_state=0,
    ).fit(X, y)  # fmt: skip
    assert np.isfinite(learner.curve_).all()
    assert len(set(learner.order_.tolist())) == 10
    assert isinstance(learner.estimator_, classifier)
    assert len(learner.estimator_.validation_scores_) == 2
    assert learner.predict(X).shape == (150,)


def test_empty_sentences_do_not_stop_a_run(intents):
    X, y = intents[0][:100], intents[1][:100]
    X = ["" if row % 5 == 0 else sentence for row, sentence in enumerate(X)]
    learner = ActiveLearner(
        make_net(BiLSTMClassifier), MaxEntropy(),
        batch_size=15, n_rounds=2, random_state=0,
    )  # fmt: skip
    assert np.isfinite(learner.fit(X, y).curve_).all()


@every_classifier
def test_sentences_that_say_nothing(classifier, intents):
    model = make_net(classifier).fit(["", *intents[0]], ["create", *intents[1]])
    probs = model.predict_proba(["", "zzz", [], ["zzz"], " ", "zzz yyy"])
    assert np.isfinite(probs).all()
    np.testing.assert_allclose(probs[:5], probs[:1].repeat(5, 0), rtol=1e-5)
    silent = make_net(classifier).fit(["", ""], [0, 1])
    assert silent.words_ == []
    assert np.isfinite(silent.predict_proba(["anything"])).all()


def test_without_vectors_the_words_are_those_of_x():
    model = make_net(EmbeddingBagClassifier).fit(["b A", ["c", "b"]], [0, 1])
    assert model.words_ == ["a", "b", "c"]
    assert model.embedding_dim_ == 8
    assert model.module_.embedding.weight.shape == (5, 8)


@every_classifier
def test_words_with_a_vector_are_known_though_never_seen(classifier, vectors):
    X, y = ["set an alarm", "stop"], [0, 1]
    model = make_net(classifier, vectors=vectors).fit(X, y)
    assert model.words_ == ["alarm", "an", "rooster", "set", "stop", "timer"]
    assert model.embedding_dim_ == 7
    rows = model.module_.embedding.weight.detach().numpy()
    np.testing.assert_array_equal(rows[4], vectors["rooster"].astype(np.float32))
    assert np.abs(rows[2] - vectors["alarm"]).max() > 1e-3  # it is trained further
    one, two, three = model.predict_proba(["a timer", "a rooster", "a zebra"])
    assert not np.allclose(one, two)
    assert not np.allclose(two, three)


def test_a_bunch_trains_as_a_mapping_does(intents, vectors):
    bunch = Bunch(words=list(vectors), vectors=np.array(list(vectors.values())))
    first, second = (
        make_net(EmbeddingBagClassifier, vectors=given).fit(*intents)
        for given in (vectors, bunch)
    )
    assert (weights(first) == weights(second)).all()


@pytest.mark.parametrize(
    "kind", ["int8", "float32", str, object, bool], ids=lambda kind: str(kind)
)
def test_labels_of_any_kind(intents, kind):
    X, names = intents
    y = names.astype(object) if kind is object else (names == "show").astype(kind)
    model = make_net(EmbeddingBagClassifier).fit(X, y)
    assert model.classes_.dtype == y.dtype == model.predict(X).dtype


@every_classifier
def test_validation_set_and_class_list(classifier, intents):
    X, y = intents
    sets = {"X_val": X[60:], "y_val": y[60:], "classes": [*np.unique(y), "other"]}
    model = make_net(classifier, max_epochs=9, patience=2).fit(X[:60], y[:60], **sets)
    assert "other" in model.classes_
    assert model.predict_proba(X).shape == (400, 5)
    assert model.best_epoch_ == 1 + np.argmax(model.validation_scores_)
    assert model.score(X[60:], y[60:]) == max(model.validation_scores_)


@every_classifier
def test_embeddings_are_the_input_of_the_last_layer(classifier, intents):
    model = make_net(classifier).fit(*intents)
    last = [m for m in model.module_.modules() if isinstance(m, nn.Linear)][-1]
    with torch.inference_mode():
        logits = last(torch.from_numpy(model.embed(intents[0]))).double()
    probs = logits.softmax(dim=1).numpy()
    np.testing.assert_allclose(model.predict_proba(intents[0]), probs, atol=1e-6)


@every_classifier
def test_posterior_samples(classifier, intents):
    X, y = intents
    samples = (
        make_net(classifier, dropout=0.5)
        .fit(X, y)
        .sample_proba([X[0]] * 4, 6, random_state=0)
    )
    assert samples.shape == (4, 6, 4)
    np.testing.assert_allclose(samples, samples[:1].repeat(4, 0), rtol=1e-5)
    assert np.ptp(samples[0, :, 0]) > 0
    with pytest.raises(ValueError, match="no dropout layer that drops anything"):
        make_net(classifier, max_epochs=1).fit(X, y).sample_proba(X)


@every_classifier
@pytest.mark.parametrize("with_vectors", [False, True])
def test_round_trip(classifier, with_vectors, intents, vectors, tmp_path):
    X, y = intents
    params = {"vectors": vectors} if with_vectors else {}
    model = make_net(classifier, dropout=0.5, **params).fit(X, y)
    model.save(tmp_path / "net")
    loaded = classifier.load(tmp_path / "net")
    unseen = ["a rooster", "zzz", ""]
    for rows in (X, unseen):
        probs = model.predict_proba(rows)
        np.testing.assert_array_equal(loaded.predict_proba(rows), probs)
    for name in ("words_", "embedding_dim_", "input_shape_", "loss_curve_"):
        assert getattr(loaded, name) == getattr(model, name)
    params, expected = loaded.get_params(), model.get_params()
    assert (params.pop("vectors") is None) == (expected.pop("vectors") is None)
    assert params == expected
    # What was loaded has all it needs to be trained again.
    assert (weights(clone(loaded).fit(X, y)) == weights(model)).all()


def test_vectors_can_be_replaced_when_a_file_is_read(intents, vectors, tmp_path):
    model = make_net(EmbeddingBagClassifier, vectors=vectors).fit(*intents)
    model.save(tmp_path / "net")
    loaded = EmbeddingBagClassifier.load(tmp_path / "net", vectors=None)
    assert loaded.vectors is None
    assert loaded.predict(intents[0]).tolist() == model.predict(intents[0]).tolist()


@every_classifier
def test_pickle_and_clone(classifier, intents, vectors):
    X, y = intents
    net = pickle.loads(pickle.dumps(make_net(classifier, vectors=vectors)))
    model = net.fit(X, y)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))
    assert not hasattr(clone(model), "module_")


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (np.zeros((2, 3)), TypeError, "Row 0 of X must be a sentence, got array"),
        (["a", np.nan], TypeError, "Row 1 of X must be a sentence, got nan"),
        ("ab", TypeError, "X is a str: pass a list of sentences"),
        (pd.DataFrame({"text": ["a", "b"]}), TypeError, "X is a DataFrame"),
        ([], ValueError, "X holds no sentences"),
        (["a"], ValueError, "inconsistent numbers of samples"),
    ],
)
def test_what_are_no_sentences_is_refused(X, error, message):
    net = make_net(EmbeddingBagClassifier)
    with pytest.raises(error, match=message):
        net.fit(X, [0, 1])
    net.fit(["a", "b"], [0, 1])
    if len(X):
        with pytest.raises(error, match=message):
            net.fit(["a", "b"], [0, 1], X_val=X, y_val=[0, 1])
    if message.startswith(("Row", "X")):
        with pytest.raises(error, match=message):
            net.predict(X)


def test_parameters_are_checked(monkeypatch):
    X, y = ["a", "b"], [0, 1]
    with pytest.raises(ValueError, match="give each word a vector, all of one length"):
        BiLSTMClassifier(vectors={"a": [1], "b": [1, 2]}).fit(X, y)
    for params in ({"vectors": "glove"}, {"dropout": 1.0}, {"embedding_dim": 0}):
        with pytest.raises(ValueError, match="parameter of BiLSTMClassifier must be"):
            BiLSTMClassifier(**params).fit(X, y)
    with pytest.raises(ValueError, match="requires y to be passed"):
        BiLSTMClassifier().fit(X, None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="asks for a GPU"):
        BiLSTMClassifier(device="cuda").fit(X, y)


@every_classifier
def test_glove_helps_where_labels_are_few(classifier, data_home):
    X, y = fetch_topv2(return_X_y=True, data_home=data_home)
    glove = fetch_glove(data_home=data_home, download_if_missing=False)
    rows = np.random.default_rng(0).permutation(len(X))
    X, y = [X[i] for i in rows], np.asarray(y)[rows]
    params = {"embedding_dim": 50, "lr": 3e-3, "max_epochs": 30}
    with_glove, without = (
        np.mean(
            [
                make_net(classifier, vectors=vectors, random_state=seed, **params)
                .fit(X[:100], y[:100])
                .score(X[1000:2000], y[1000:2000])
                for seed in range(2)
            ]
        )
        for vectors in (glove, None)
    )
    assert with_glove > without


def test_the_number_of_threads_that_torch_was_given_does_not_matter():
    X, y = make_intents(60, random_state=0)
    before, found = torch.get_num_threads(), []
    try:
        for n_threads in (1, 2, 3):
            torch.set_num_threads(n_threads)
            net = BiLSTMClassifier(max_epochs=3, random_state=0).fit(X, y)
            values = [v.numpy().ravel() for v in net.module_.state_dict().values()]
            found.append(np.concatenate(values))
            assert torch.get_num_threads() == n_threads
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
