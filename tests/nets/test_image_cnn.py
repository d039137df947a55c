import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is an extra")
pytest.importorskip("skorch", reason="skorch is an extra")

import torch
from sklearn.datasets import load_digits
from torch import nn

from skal import ActiveLearner, MaxEntropy
from skal.nets import ImageCNN
from skal.nets._image_cnn import ConvNet, guess_image_shape


@pytest.fixture(scope="module")
def images():
    digits = load_digits()
    return digits.images[:300] / 16, digits.target[:300]


class Recording(ImageCNN):
    """Keeps what it was shown."""

    def fit(self, X, y, *, X_val=None, y_val=None, classes=None):
        self.seen_ = (X_val, y_val, classes)
        return super().fit(X, y, X_val=X_val, y_val=y_val, classes=classes)


def make_net(**params):
    return ImageCNN(**{"max_epochs": 2, "random_state": 0, **params})


def test_it_learns_digits(images):
    X, y = images
    model = make_net(max_epochs=15).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.85


def test_the_network_is_the_one_of_the_paper():
    net = ConvNet(n_classes=10, input_shape=(1, 28, 28))
    shapes = [tuple(p.shape) for p in net.parameters() if p.ndim > 1]
    assert shapes == [(32, 1, 5, 5), (64, 32, 5, 5), (128, 1024), (10, 128)]
    X = torch.rand(3, 1, 28, 28)
    conv1, conv2 = (m for m in net.modules() if isinstance(m, nn.Conv2d))
    fc1, fc2 = (m for m in net.modules() if isinstance(m, nn.Linear))
    pool = nn.functional.max_pool2d
    h = pool(conv2(pool(conv1(X), 2).relu()), 2).relu().flatten(1)
    torch.testing.assert_close(net(X), fc2(fc1(h).relu()))


def test_channels_and_the_last_layers_inputs_are_dropped():
    net = ConvNet(n_classes=10, input_shape=(1, 28, 28), dropout=0.3)
    layers = [*net.convolutions, *net.head]
    dropped = [i for i, layer in enumerate(layers) if hasattr(layer, "p")]
    kinds = [type(layers[i]) for i in dropped]
    assert kinds == [nn.Dropout2d, nn.Dropout2d, nn.Dropout]
    assert {layers[i].p for i in dropped} == {0.3}
    assert [type(layers[i - 1]) for i in dropped[:2]] == [nn.Conv2d, nn.Conv2d]
    assert layers[dropped[2] + 1] is layers[-1]


def test_dropout_leaves_the_first_weights_as_they_are():
    nets = []
    for dropout in (0.0, 0.5):
        torch.manual_seed(0)
        nets.append(ConvNet(n_classes=3, input_shape=(1, 8, 8), dropout=dropout))
    plain, dropping = (net.state_dict() for net in nets)
    assert all(torch.equal(plain[name], dropping[name]) for name in plain)


@pytest.mark.parametrize("side", [4, 5, 9, 15, 16, 17, 28])
def test_any_size_from_4_by_4(side):
    net = ConvNet(n_classes=2, input_shape=(1, side, side))
    assert net(torch.zeros(2, 1, side, side)).shape == (2, 2)


def test_all_layouts_train_the_same(images):
    X, y = images
    layouts = [X, X[:, None], X.reshape(300, 64), X.tolist()]
    models = [make_net().fit(layout, y) for layout in layouts]
    expected = models[0].predict_proba(X)
    for model in models:
        assert model.n_features_in_ == 64
        assert model.input_shape_ == (1, 8, 8)
        for layout in layouts:
            np.testing.assert_array_equal(model.predict_proba(layout), expected)


def test_bytes_are_scaled_and_nothing_else(images):
    X, y = (images[0] * 255).astype(np.uint8), images[1]
    by_hand = X.astype(np.float32) / 255
    one, two = make_net().fit(X, y), make_net().fit(by_hand, y)
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(by_hand))
    np.testing.assert_array_equal(
        one.predict_proba(X.reshape(300, -1)), one.predict_proba(X)
    )
    assert (one.predict_proba(X.astype(float)) != one.predict_proba(X)).any()


def test_several_channels_and_oblong_images():
    X, y = np.random.default_rng(0).random((20, 3, 6, 9)), np.arange(20) % 2
    model = make_net().fit(X, y)
    assert model.input_shape_ == (3, 6, 9)
    flat = make_net(image_shape=(3, 6, 9)).fit(X.reshape(20, -1), y)
    np.testing.assert_array_equal(flat.predict_proba(X), model.predict_proba(X))
    assert make_net(image_shape=(6, 9)).fit(X[:, 0], y).input_shape_ == (1, 6, 9)


def test_images_of_another_size_are_refused(images):
    X, y = images
    model = make_net(max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match=r"have shape \(1, 4, 16\), but \(1, 8, 8\)"):
        model.predict(X.reshape(300, 4, 16))
    with pytest.raises(ValueError, match="expecting 64 features"):
        model.predict(X.reshape(300, 64)[:, :49])
    with pytest.raises(ValueError, match=r"have shape \(1, 8, 8\), but \(1, 4, 16\)"):
        make_net(image_shape=(4, 16)).fit(X, y)
    with pytest.raises(ValueError, match="has 81 values: make them agree"):
        make_net(image_shape=(9, 9)).fit(X.reshape(300, 64), y)


def test_what_is_no_image_is_refused():
    y = np.arange(20) % 2
    with pytest.raises(ValueError, match="put the channels first"):
        make_net().fit(np.zeros((20, 8, 8, 3)), y)
    with pytest.raises(ValueError, match="put the channels first"):
        make_net().fit(np.zeros((20, 1, 1, 8, 8)), y)
    with pytest.raises(ValueError, match=r"3072 features are not square images: set"):
        make_net().fit(np.zeros((20, 3072)), y)
    with pytest.raises(ValueError, match="contains NaN"):
        make_net().fit(np.full((20, 8, 8), np.nan), y)
    with pytest.raises(ValueError, match="too large for dtype"):
        make_net().fit(np.full((20, 8, 8), 1e300), y)
    assert guess_image_shape(784) == (1, 28, 28)
    assert guess_image_shape(9) == (1, 1, 9)


def test_posterior_samples_have_one_mask_for_all_images(images):
    X, y = images
    model = make_net(dropout=0.5).fit(X, y)
    same = np.repeat(X[:1], 5, axis=0)
    samples = model.sample_proba(same, 6, random_state=0)
    np.testing.assert_allclose(samples, samples[:1].repeat(5, 0), rtol=1e-5)
    assert np.ptp(samples[0, :, 0]) > 0
    with pytest.raises(ValueError, match="no dropout layer that drops anything"):
        make_net(max_epochs=1).fit(X, y).sample_proba(X)


def test_a_learner_hands_over_selection_set_and_classes(images):
    X, y = images
    learner = ActiveLearner(
        Recording(max_epochs=3), MaxEntropy(), batch_size=10, n_rounds=3,
        random_state=0,
    ).fit(X, y)  # fmt: skip
    X_val, y_val, classes = learner.estimator_.seen_
    assert X_val.shape == (30, 8, 8)
    assert y_val.shape == (30,)
    assert classes.tolist() == list(range(10)) == learner.estimator_.classes_.tolist()
    assert len(learner.estimator_.validation_scores_) == 3
    assert np.isfinite(learner.curve_).all()
    assert learner.predict(X).shape == (300,)


def test_refits_are_the_same_bit_for_bit(images):
    X, y = images
    first, second = (make_net(dropout=0.5).fit(X, y).module_ for _ in range(2))
    for one, two in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, two)
