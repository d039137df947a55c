"""What a caller has set in torch does not reach a training."""

import numpy as np
import pytest
import torch
from sklearn.base import clone

from skal.datasets import make_intents
from skal.nets import BiLSTMClassifier, EmbeddingBagClassifier


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
