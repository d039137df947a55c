import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is an extra")
pytest.importorskip("skorch", reason="skorch is an extra")
pytest.importorskip("transformers", reason="transformers is an extra")

import torch

from skal.nets import TransformerClassifier


@pytest.fixture(scope="module")
def model(tiny, intents):
    """One that is fitted; tests leave it as it is."""
    return make_net(tiny, dropout=0.5).fit(*intents)


def make_net(checkpoint, **params):
    defaults = {"lr": 1e-3, "max_epochs": 2, "random_state": 0}
    return TransformerClassifier(checkpoint, **{**defaults, **params})


def test_padding_that_all_rows_share_is_left_out(model, intents):
    X = model._check_rows([*intents[0][:5], " ".join(intents[0][:4])], reset=False)
    seen = []
    hook = model.module_.model.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(kwargs["input_ids"].shape[1]),
        with_kwargs=True,
    )
    model._outputs(X[:5])
    model._outputs(X)
    hook.remove()
    assert seen == [(X[:5] >= 0).sum(axis=1).max(), X.shape[1]]
    assert seen[0] < seen[1]


def test_a_list_of_words_is_the_text_that_they_make(model, intents):
    words = [sentence.split() for sentence in intents[0]]
    probs = model.predict_proba(intents[0])
    np.testing.assert_array_equal(model.predict_proba(words), probs)
    mixed = [np.array(words[0]), *intents[0][1:]]
    np.testing.assert_array_equal(model.predict_proba(mixed), probs)


def test_sentences_that_are_too_long_are_cut(tiny, intents):
    X, y = intents
    long = [" ".join([sentence] * 30) for sentence in X]
    net = make_net(tiny, max_epochs=1)
    with pytest.warns(UserWarning, match=r"more than 62 tokens .* set max_length=62"):
        model = net.fit(long, y)
    assert model.input_shape_ == (model.model_max_length_,) == (62,)
    with pytest.warns(UserWarning, match="are cut off"):
        probs = model.predict_proba([long[0] + " and more"])
    model.set_params(max_length=62)  # and now without a warning
    np.testing.assert_array_equal(model.predict_proba([long[0]]), probs)
    short = make_net(tiny, max_length=5).fit(X, y)
    assert short.input_shape_ == (5,)
    assert short._check_rows(long[:1], reset=False)[0, [0, -1]].tolist() == [0, 2]


@pytest.mark.parametrize(
    ("max_length", "message"),
    [
        (2, "no room besides the 2 tokens that the tokenizer adds .* choose 3 or more"),
        (63, "max_length=63 is more than the 62 tokens .* choose at most 62"),
        (0, "The 'max_length' parameter of TransformerClassifier must be"),
    ],
)
def test_lengths_that_cannot_be(max_length, message, tiny, intents, model, tmp_path):
    with pytest.raises(ValueError, match=message):
        make_net(tiny, max_length=max_length).fit(*intents)
    if max_length:
        model.save(tmp_path / "net")
        with pytest.raises(ValueError, match=message):
            TransformerClassifier.load(tmp_path / "net", max_length=max_length)


def test_without_transformers_it_is_said_how_to_install_it():
    script = """
import importlib.abc, sys
class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in ("transformers", "huggingface_hub", "tokenizers"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
from skal.nets import TransformerClassifier
try:
    TransformerClassifier().fit(["a", "b"], [0, 1])
except ImportError as error:
    print(error)
"""
    shown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    assert "install it with pip install 'skal-learn[text]'" in shown


def test_empty_sentences(model):
    probs = model.predict_proba(["", [], " ", "a"])
    assert np.isfinite(probs).all()
    np.testing.assert_allclose(probs[1], probs[0], atol=1e-6)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (np.zeros((2, 3)), TypeError, "Row 0 of X must be a sentence, got array"),
        (["a", np.nan], TypeError, "Row 1 of X must be a sentence, got nan"),
        ("ab", TypeError, "X is a str: pass a list of sentences"),
        ([], ValueError, "X holds no sentences"),
        (["a"], ValueError, "inconsistent numbers of samples"),
    ],
)
def test_what_are_no_sentences_is_refused(X, error, message, tiny, model):
    with pytest.raises(error, match=message):
        make_net(tiny).fit(X, [0, 1])
    if message.startswith(("Row", "X")):
        with pytest.raises(error, match=message):
            model.predict(X)


def test_parameters_are_checked(tiny, monkeypatch):
    X, y = ["a", "b"], [0, 1]
    for params in ({"checkpoint": 3}, {"dropout": 1.0}, {"lr": 0}):
        with pytest.raises(ValueError, match="parameter of TransformerClassifier must"):
            make_net(**{"checkpoint": tiny, **params}).fit(X, y)
    with pytest.raises(ValueError, match="requires y to be passed"):
        make_net(tiny).fit(X, None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="asks for a GPU"):
        make_net(tiny, device="cuda").fit(X, y)
