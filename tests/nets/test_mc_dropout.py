from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is an extra")
pytest.importorskip("skorch", reason="skorch is an extra")

import torch
from scipy.special import softmax
from torch import nn

from skal.nets import MLP, TorchClassifier
from skal.nets._mc_dropout import dropout_layers, fixed_masks, mask_shape


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 4)), np.arange(60) % 3
    params = {"hidden": 12, "dropout": 0.4}
    return TorchClassifier(
        MLP, module_params=params, lr=0.05, max_epochs=30, random_state=0
    ).fit(X, y)


@pytest.fixture
def X():
    return np.random.default_rng(1).normal(size=(30, 4))


def test_one_mask_for_all_rows(model, X):
    same = np.repeat(X[:1], 20, axis=0)
    samples = model.sample_proba(same, 10, random_state=0)
    np.testing.assert_allclose(samples, samples[:1].repeat(20, 0), rtol=1e-6)
    assert np.ptp(samples[0, :, 0]) > 0.01


def test_other_threads_see_the_module_as_it_is(model, X):
    expected = model.predict_proba(X)
    with fixed_masks(model.module_, 0, 0), ThreadPoolExecutor(1) as pool:
        assert (model.predict_proba(X) != expected).any()
        found = pool.submit(model.predict_proba, X).result()
    np.testing.assert_array_equal(found, expected)


def test_samples_from_many_threads_are_those_of_one(model, X):
    expected = [model.sample_proba(X, 20, random_state=seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda seed: model.sample_proba(X, 20, seed), range(8))
    np.testing.assert_array_equal(list(found), expected)


def test_a_sample_is_what_one_mask_leaves(model, X):
    """Brute force: find the mask on ones, and apply it by hand."""
    first, drop, last = (model.module_.layers[i] for i in (1, 3, 4))
    w1, b1, w2, b2 = (
        p.detach().numpy() for p in (*first.parameters(), *last.parameters())
    )
    samples = model.sample_proba(X, 4, random_state=5)
    for t in range(4):
        with fixed_masks(model.module_, 5, t):
            mask = drop(torch.ones(1, 12)).numpy()
        assert set(np.unique(mask)) <= {0, np.float32(1 / 0.6)}
        hidden = np.maximum(X @ w1.T + b1, 0) * mask
        by_hand = softmax(hidden @ w2.T + b2, axis=1)
        np.testing.assert_allclose(samples[:, t], by_hand, rtol=1e-4, atol=1e-6)


def test_samples_are_probabilities_of_the_right_shape(model, X):
    samples = model.sample_proba(X, 7, random_state=0)
    assert samples.shape == (30, 7, 3)
    assert samples.dtype == np.float64
    np.testing.assert_allclose(samples.sum(axis=2), 1, rtol=1e-14)


def test_the_seed_decides(model, X):
    first = model.sample_proba(X, 5, random_state=0)
    np.testing.assert_array_equal(first, model.sample_proba(X, 5, random_state=0))
    assert (first != model.sample_proba(X, 5, random_state=1)).any()
    assert (model.sample_proba(X, 5) != model.sample_proba(X, 5)).any()


def test_few_samples_are_the_first_of_many(model, X):
    few, many = (model.sample_proba(X, n, random_state=0) for n in (3, 8))
    np.testing.assert_array_equal(few, many[:, :3])


def test_predictions_drop_nothing(model, X):
    before = model.predict_proba(X)
    model.sample_proba(X, 3, random_state=0)
    np.testing.assert_array_equal(model.predict_proba(X), before)


def test_at_least_one_sample(model, X):
    with pytest.raises(ValueError, match="n_samples must be at least 1, got 0"):
        model.sample_proba(X, 0)


def test_a_module_without_dropout_is_refused(X):
    net = TorchClassifier(MLP, max_epochs=1).fit(X, np.arange(30) % 2)
    with pytest.raises(ValueError, match="MLP has no dropout layer that drops"):
        net.sample_proba(X)
    assert not net.module_.layers[1]._forward_hooks


def test_dropout_that_keeps_no_mask_is_refused():
    with pytest.raises(ValueError, match=r"AlphaDropout cannot be sampled .* use"):
        dropout_layers(nn.Sequential(nn.AlphaDropout(0.5)))


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (nn.Dropout(), (5, 3), (1, 3)),
        (nn.Dropout(), (5, 3, 4, 4), (1, 3, 4, 4)),
        (nn.Dropout1d(), (5, 3, 9), (1, 3, 1)),
        (nn.Dropout2d(), (5, 3, 4, 4), (1, 3, 1, 1)),
    ],
)
def test_a_mask_is_for_units_or_for_channels(layer, shape, expected):
    assert mask_shape(layer, torch.zeros(shape)) == expected


@pytest.mark.parametrize("p", [0.2, 1.0])
def test_masks_keep_and_scale_as_training_does(p):
    layer = nn.Dropout(p).eval()
    with fixed_masks(layer, 0, 0):
        dropped = layer(torch.ones(2, 5000))
    assert torch.equal(dropped[0], dropped[1])
    values = set(np.unique(dropped.numpy()))
    assert values == ({0, np.float32(1 / 0.8)} if p < 1 else {0})
    assert abs((dropped[0] == 0).float().mean() - p) < 0.03


def test_layers_have_masks_of_their_own():
    module = nn.Sequential(nn.Dropout(), nn.Dropout()).eval()
    with fixed_masks(module, 0, 0):
        first, second = module[0](torch.ones(1, 50)), module[1](torch.ones(1, 50))
    assert not torch.equal(first, second)
    assert torch.equal(module(torch.ones(1, 50)), torch.ones(1, 50))
