"""What a caller has set in torch does not reach a training."""

import numpy as np
import pytest
import torch
from sklearn.base import clone

from skal.datasets import make_intents
from skal.nets import (
    MLP,
    BiLSTMClassifier,
    BiLSTMTagger,
    EmbeddingBagClassifier,
    ImageCNN,
    TextCNNClassifier,
    TorchClassifier,
)


@pytest.fixture(scope="module")
def intents():
    return make_intents(60, random_state=0)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("classifier", [EmbeddingBagClassifier, BiLSTMClassifier])
def test_texts_are_learned_without_the_callers_gradients(intents, classifier, mode):
    X, y = intents
    net = classifier(max_epochs=2, random_state=0)
    expected = clone(net).fit(X, y, X_val=X[:20], y_val=y[:20]).predict_proba(X)
    with mode():
        trained = net.fit(X, y, X_val=X[:20], y_val=y[:20])
        np.testing.assert_array_equal(trained.predict_proba(X), expected)
        assert not torch.is_grad_enabled()
    np.testing.assert_array_equal(trained.predict_proba(X), expected)


ROWS = np.random.default_rng(0).random((40, 1, 8, 8))
SENTENCES = [["from", "boston", str(i % 4)] for i in range(40)]
TAGS = [["O", "B-city", "I-city" if i % 2 else "O"] for i in range(40)]


@pytest.mark.parametrize(
    ("net", "X", "y"),
    [
        (TorchClassifier(MLP, module_params={"dropout": 0.5}), ROWS.reshape(40, 64), 0),
        (ImageCNN(dropout=0.5), ROWS, 0),
        (EmbeddingBagClassifier(dropout=0.5), SENTENCES, 0),
        (TextCNNClassifier(dropout=0.5), SENTENCES, 0),
        (BiLSTMClassifier(dropout=0.5), SENTENCES, 0),
        (BiLSTMClassifier(), SENTENCES, 0),
        (BiLSTMTagger(), SENTENCES, TAGS),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_callers_default_dtype_changes_nothing(net, X, y):
    y = y or np.arange(40) % 2

    def answers():
        model = clone(net).set_params(max_epochs=2, random_state=0)
        model.fit(X, y, X_val=X[:20], y_val=y[:20])
        yield model.loss_curve_
        yield model.predict(X)
        if isinstance(net, TorchClassifier) or getattr(net, "dropout", 0):
            yield model.predict_proba(X)
            yield model.sample_proba(X, 3, random_state=0)

    expected = list(answers())
    try:
        torch.set_default_dtype(torch.float64)
        found = list(answers())
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_nets_side_by_side_in_another_default_dtype(intents, mode):
    X, y = intents
    sets = [np.arange(30), np.arange(10, 50)]
    net = EmbeddingBagClassifier(max_epochs=2, random_state=0)
    expected = [m.predict_proba(X) for m in net.side_by_side(X, y).fit(sets)]
    try:
        torch.set_default_dtype(torch.float64)
        with mode():
            found = [m.predict_proba(X) for m in net.side_by_side(X, y).fit(sets)]
    finally:
        torch.set_default_dtype(torch.float32)
    np.testing.assert_array_equal(found, expected)
