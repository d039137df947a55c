import pickle

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is an extra")
pytest.importorskip("skorch", reason="skorch is an extra")

import pandas as pd
import torch
from _trained import weights
from sklearn.base import clone
from sklearn.metrics import f1_score, make_scorer
from sklearn.utils import Bunch
from torch import nn

from skal.datasets import fetch_glove, fetch_mit_restaurant, make_tagged_sentences
from skal.inputs._tags import flatten
from skal.nets import BiLSTMTagger


@pytest.fixture(scope="module")
def questions():
    return make_tagged_sentences(150, random_state=0)


@pytest.fixture(scope="module")
def model(questions):
    """Trained for long enough to predict several tags."""
    return make_net(max_epochs=6).fit(*questions)


@pytest.fixture
def vectors():
    rng = np.random.default_rng(0)
    return {w: rng.normal(scale=3, size=7) for w in ("soup", "street", "rooster")}


def make_net(**params):
    defaults = {"embedding_dim": 8, "lr": 0.02, "max_epochs": 2, "random_state": 0}
    return BiLSTMTagger(**{**defaults, **params})


def test_what_is_trained_on():
    net = make_net()
    X = np.array([[5, 6, 7], [8, 0, 0]])
    pairs, codes = net._encode_labels(X, [["b", "a", "b"], ["c"]], ["a", "b", "c", "d"])
    assert net.classes_.tolist() == ["a", "b", "c", "d"]
    assert codes.tolist() == [[1, 0, 1], [2, -100, -100]]
    assert pairs.tolist() == [[[5, 6, 7], [4, 1, 0]], [[8, 0, 0], [4, 4, 4]]]


def test_the_loss_is_the_mean_over_tokens(questions):
    """Not over sentences, of which some are short, nor over padding."""
    X, y = (rows[:20] for rows in questions)
    net = make_net(lr=1e-12, batch_size=20, max_epochs=1).fit(X, y)
    assert len(set(map(len, X))) > 3
    codes = {tag: code for code, tag in enumerate(net.classes_)}
    losses = []
    for words, tags in zip(net._check_rows(X, reset=False), y, strict=True):
        true = torch.tensor([codes[tag] for tag in tags])
        before = torch.tensor([len(codes), *true[:-1]])
        rows = torch.stack([torch.tensor(words[: len(tags)]), before])[None]
        logits = net.module_(rows)[0].T
        losses += nn.functional.cross_entropy(logits, true, reduction="none").tolist()
    assert net.loss_curve_[0] == pytest.approx(np.mean(losses), rel=1e-5)


def test_it_learns_tags(questions):
    X, y = make_tagged_sentences(300, random_state=1)
    model = make_net(embedding_dim=50, max_epochs=15).fit(*questions)
    _, counts = np.unique(flatten(y), return_counts=True)
    assert counts.max() / counts.sum() < 0.4
    assert model.score(X, y) > 0.85
    assert model.loss_curve_[-1] < model.loss_curve_[0] / 5


def test_the_tag_before_is_made_use_of():
    """Where the word alone does not tell: tags take turns, from a first at random."""
    rng = np.random.default_rng(0)
    X = [["first" if b else "second", *["word"] * 6] for b in rng.integers(2, size=80)]
    y = [["ab"[(row[0] == "first") ^ (t % 2)] for t in range(7)] for row in X]
    model = make_net(max_epochs=30).fit(X, y)
    assert model.score(X, y) == 1


def test_what_is_predicted(model, questions):
    X, y = questions
    log_probs, tags = model.predict_token_log_proba(X), model.predict(X)
    assert [len(row) for row in tags] == [len(row) for row in X]
    assert {type(tag) for row in tags for tag in row} == {str}
    assert len({tag for row in tags for tag in row}) > 5
    for row, words in zip(log_probs, X, strict=True):
        assert row.shape == (len(words), len(model.classes_))
        assert row.dtype == np.float64
    np.testing.assert_allclose(np.exp(np.concatenate(log_probs)).sum(1), 1, rtol=1e-12)
    best = model.classes_[np.concatenate(log_probs).argmax(axis=1)]
    assert best.tolist() == flatten(tags).tolist()
    assert model.score(X, y) == np.mean(flatten(tags) == flatten(y))
    assert not hasattr(model, "predict_proba")
    assert not hasattr(model, "sample_proba")


def test_embeddings_are_means_of_the_encoder(model, questions):
    embedded = model.embed(questions[0])
    assert embedded.shape == (150, 16)
    assert embedded.dtype == np.float32
    words = torch.from_numpy(model._check_rows(questions[0][5:6], reset=False))
    expected = model.module_.encode(words)[0].mean(dim=0).detach().numpy()
    np.testing.assert_allclose(embedded[5], expected, atol=1e-6)


def test_one_sentence_alone_is_as_in_a_batch(model, questions, monkeypatch):
    X = [*questions[0], [word for row in questions[0][:6] for word in row]]
    whole, embedded = model.predict_token_log_proba(X), model.embed(X)
    for row in (0, 7, 150):
        alone = model.predict_token_log_proba([X[row]])[0]
        np.testing.assert_allclose(alone, whole[row], atol=2e-6)
        np.testing.assert_allclose(model.embed([X[row]])[0], embedded[row], atol=1e-6)
    monkeypatch.setattr("skal.nets.text._tagger.ROWS_AT_ONCE", 7)
    cut = model.predict_token_log_proba(X)
    np.testing.assert_allclose(np.concatenate(cut), np.concatenate(whole), atol=2e-6)
    np.testing.assert_allclose(model.embed(X), embedded, atol=1e-6)


def test_the_seed_decides(questions, vectors):
    net = make_net(dropout=0.5, vectors=vectors)
    first = weights(net.fit(*questions))
    assert (weights(clone(net).fit(*questions)) == first).all()
    assert (weights(net.set_params(random_state=1).fit(*questions)) != first).any()
    state = np.random.RandomState(0)
    net.set_params(random_state=state)
    assert (weights(net.fit(*questions)) != weights(net.fit(*questions))).any()


def test_global_generators_are_left_alone(questions, vectors, global_state, tmp_path):
    torch_state, numpy_state = torch.get_rng_state(), global_state()
    n_threads = torch.get_num_threads()
    model = make_net(dropout=0.5, vectors=vectors).fit(*questions)
    model.predict_token_log_proba(questions[0])
    model.embed(questions[0])
    model.save(tmp_path / "net")
    BiLSTMTagger.load(tmp_path / "net")
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert global_state() == numpy_state
    assert torch.get_num_threads() == n_threads


def test_an_empty_sentence_changes_nothing(model, questions):
    X, y = questions
    rows = [[], *X[:70], [], *X[70:], []]
    tags = [[], *y[:70], [], *y[70:], []]
    again = make_net(max_epochs=6).fit(rows, tags)
    assert (weights(again) == weights(model)).all()
    found = again.predict(rows)
    assert found[0] == found[71] == found[-1] == []
    assert [row for row in found if row] == model.predict(X)
    assert again.predict([[], []]) == [[], []]
    assert again.predict_token_log_proba(rows)[0].shape == (0, len(again.classes_))
    assert np.isfinite(again.embed(rows)).all()
    assert again.score(rows, tags) == model.score(X, y)
    with_empty, without = (
        make_net().fit(X, y, X_val=X_val, y_val=y_val).validation_scores_
        for X_val, y_val in [(rows, tags), (X, y)]
    )
    assert with_empty == without


def test_words_that_no_vector_has(questions, vectors):
    X, y = questions
    model = make_net(vectors=vectors).fit(X, y)
    assert set(model.words_) == {"rooster", *(word for row in X for word in row)}
    assert model.embedding_dim_ == 7
    row = 2 + model.words_.index("rooster")
    kept = model.module_.embedding.weight.detach().numpy()[row]
    np.testing.assert_array_equal(kept, vectors["rooster"].astype(np.float32))
    one, two, three = model.predict_token_log_proba([["zzz"], ["YYY"], ["rooster"]])
    np.testing.assert_allclose(one, two, atol=1e-6)
    assert not np.allclose(one, three)
    bunch = Bunch(words=list(vectors), vectors=np.array(list(vectors.values())))
    assert (weights(make_net(vectors=bunch).fit(X, y)) == weights(model)).all()


def test_tokens_are_words_in_lower_case_and_nothing_else(model):
    given = model.predict_token_log_proba([["FIND", "Thai", "soup"]])
    np.testing.assert_array_equal(
        given[0], model.predict_token_log_proba([("find", "thai", "soup")])[0]
    )
    assert [len(row) for row in model.predict([["new york", "don't"]])] == [2]


def test_containers(model, questions):
    X, y = questions
    column = np.empty(len(y), dtype=object)
    column[:] = y
    sets = [
        ([tuple(row) for row in X], tuple(tuple(row) for row in y)),
        ([np.array(row) for row in X], [np.array(row) for row in y]),
        (pd.Series(X), pd.Series(y)),
        (X, column),
    ]
    for rows, tags in sets:
        again = make_net(max_epochs=6).fit(rows, tags)
        assert (weights(again) == weights(model)).all()
        assert again.predict(rows[:3]) == model.predict(X[:3])
        assert again.score(rows, tags) == model.score(X, y)


@pytest.mark.parametrize("kind", [int, bool, np.int8])
def test_labels_of_any_kind(kind, questions):
    X, names = questions
    y = [[kind(tag == "O") for tag in row] for row in names]
    model = make_net(max_epochs=4).fit(X, y, X_val=X, y_val=y)
    assert model.classes_.tolist() == [0, 1]
    assert {type(tag) for row in model.predict(X) for tag in row} == {
        bool if kind is bool else int
    }
    assert model.score(X, y) > 0.8


def test_a_fixed_list_of_tags(questions):
    X, y = questions
    given = [*reversed(sorted(set(flatten(y)))), "B-Other"]
    model = make_net().fit(X, y, classes=given)
    assert model.classes_.tolist() == sorted(given)
    column = model.classes_.tolist().index("B-Other")
    log_probs = np.concatenate(model.predict_token_log_proba(X))
    assert log_probs.shape[1] == len(given)
    assert np.exp(log_probs[:, column]).mean() < 0.1
    with pytest.raises(ValueError, match="label 'B-Cuisine', which is not in classes"):
        make_net().fit(X, y, classes=["B-Other"])


def test_a_single_tag(questions):
    model = make_net().fit([["a", "b"], ["c"]], [["O", "O"], ["O"]])
    assert model.predict([["a"]]) == [["O"]]
    assert model.predict_token_log_proba([["a"]])[0].tolist() == [[0.0]]


def test_the_best_epoch_is_kept(questions):
    X, y = questions
    sets = {"X_val": X[30:], "y_val": y[30:]}
    net = make_net(max_epochs=60, patience=4, scoring="f1_weighted")
    model = net.fit(X[:30], y[:30], **sets)
    scores, best = model.validation_scores_, model.best_epoch_
    assert best == 1 + np.argmax(scores)
    assert len(scores) == len(model.loss_curve_) == best + 4 < 60
    by_hand = f1_score(
        flatten(y[30:]), flatten(model.predict(X[30:])), average="weighted"
    )
    assert max(scores) == pytest.approx(by_hand, rel=1e-12)
    assert by_hand != model.score(X[30:], y[30:])
    # Looking at the validation set changes nothing about training.
    short = make_net(max_epochs=best).fit(X[:30], y[:30])
    assert (weights(short) == weights(model)).all()


def test_what_an_epoch_is_judged_by(questions):
    X, y = questions
    sets = {"X_val": X, "y_val": y}
    model = make_net().fit(X, y, **sets)
    assert model.score(X, y) == max(model.validation_scores_)
    seen = []

    def own(model, X, y):
        seen.append((X, y))
        return 0.5

    assert make_net(scoring=own).fit(X, y, **sets).best_epoch_ == 1
    assert seen == [(X, y)] * 2
    for scoring in ("neg_log_loss", "roc_auc_ovr"):
        with pytest.raises(ValueError, match=r"needs more than predicted tags: choose"):
            make_net(scoring=scoring).fit(X, y, **sets)
    scorer = make_scorer(lambda true, found: -len(true))
    assert make_net(scoring=scorer).fit(X, y, **sets).validation_scores_ == [-150] * 2


@pytest.mark.parametrize("with_vectors", [False, True])
def test_round_trip(with_vectors, questions, vectors, tmp_path):
    X, y = questions
    params = {"vectors": vectors} if with_vectors else {}
    model = make_net(dropout=0.5, **params).fit(X, y, X_val=X, y_val=y)
    model.save(tmp_path / "net")
    loaded = BiLSTMTagger.load(tmp_path / "net")
    for rows in (X, [["a", "rooster"], [], ["zzz"]]):
        expected = model.predict_token_log_proba(rows)
        for one, two in zip(
            loaded.predict_token_log_proba(rows), expected, strict=True
        ):
            np.testing.assert_array_equal(one, two)
        assert loaded.predict(rows) == model.predict(rows)
    fitted = {name for name in vars(model) if name.endswith("_")}
    for name in fitted - {"module_"}:
        np.testing.assert_array_equal(getattr(loaded, name), getattr(model, name))
    # What was loaded has all it needs to be trained again.
    again = clone(loaded).fit(X, y, X_val=X, y_val=y)
    assert (weights(again) == weights(model)).all()


def test_a_damaged_file_is_refused(model, tmp_path):
    path = tmp_path / "net"
    model.save(path)
    content = bytearray(path.read_bytes())
    for where in (20, len(content) // 2, -1):
        damaged = content.copy()
        damaged[where] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"or it is damaged .*: save the net"):
            BiLSTMTagger.load(path)


def test_pickle_and_clone(questions, vectors):
    X, y = questions
    net = pickle.loads(pickle.dumps(make_net(vectors=vectors)))
    model = net.fit(X, y)
    copy = pickle.loads(pickle.dumps(model))
    assert copy.predict(X) == model.predict(X)
    assert (weights(copy) == weights(model)).all()
    assert not hasattr(clone(model), "module_")


def test_mit_restaurant(data_home):
    X, y = fetch_mit_restaurant(return_X_y=True, data_home=data_home)
    glove = fetch_glove(data_home=data_home, download_if_missing=False)
    rows = np.random.default_rng(0).permutation(len(X))[:1200]
    X, y = [X[i] for i in rows], [y[i] for i in rows]
    net = make_net(vectors=glove, lr=3e-3, max_epochs=12, batch_size=25)
    model = net.fit(X[:200], y[:200], classes=np.unique(flatten(y)))
    tags, counts = np.unique(flatten(y[200:]), return_counts=True)
    assert tags[counts.argmax()] == "O"
    majority = counts.max() / counts.sum()
    assert model.score(X[200:], y[200:]) > majority + 0.08
    entities = [tag for row in model.predict(X[200:]) for tag in row if tag != "O"]
    assert len(set(entities)) > 4
