"""Modules of one's own side by side: each is trained as `fit` would train it."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from _trained import scores_of, weights_by_name
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import check_scoring
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from skal import ActiveLearner, AnnealingOracle, Random, split
from skal.nets import MLP, ImageCNN, TorchClassifier


class Own(nn.Module):
    """A module of a user: 64 features in, with what a subclass makes of them."""

    def __init__(self, n_classes, hidden=12):
        super().__init__()
        self.inner = nn.Linear(64, hidden)
        self.outer = nn.Linear(hidden, n_classes)

    def forward(self, X):
        # Some tests train in float64.
        return self.outer(self.between(self.inner(X.to(self.inner.weight.dtype))))

    def between(self, hidden):
        return hidden.relu()


class Odd(Own):
    """Matrices of odd sizes, whose stacked products depend on their place."""

    def __init__(self, n_classes):
        super().__init__(n_classes, hidden=33)
        self.middle = nn.Linear(33, 5)
        self.last = nn.Linear(5, 33)
        # With zeros to begin with, the first step does not show it.
        nn.init.zeros_(self.outer.weight)

    def between(self, hidden):
        return self.last(self.middle(hidden.relu()).relu()).relu()


class Moody(Own):
    """Not the same in training."""

    def between(self, hidden):
        return (hidden if self.training else 3 * hidden - 1).relu()


class Shared(Own):
    """One layer used twice, and one weight in two layers."""

    def __init__(self, n_classes):
        super().__init__(n_classes)
        self.twice = nn.Linear(12, 12)
        self.again = self.twice
        self.tied = nn.Linear(12, 12)
        self.tied.weight = self.twice.weight

    def between(self, hidden):
        return self.tied(self.again(self.twice(hidden).relu()).relu()).tanh()


class Frozen(Own):
    """A layer that is not trained, a constant, and a parameter without any use."""

    def __init__(self, n_classes):
        super().__init__(n_classes)
        self.inner.requires_grad_(False)
        self.register_buffer("scale", torch.rand(12))
        self.unused = nn.Parameter(torch.rand(3))

    def between(self, hidden):
        return (hidden * self.scale).relu()


class Listed(Own):
    """Parameters in a list, and layer norm."""

    def __init__(self, n_classes):
        super().__init__(n_classes)
        self.squares = nn.ParameterList(torch.eye(12) for _ in range(2))
        self.norm = nn.LayerNorm(12)

    def between(self, hidden):
        for square in self.squares:
            hidden = (hidden @ square).relu()
        return self.norm(hidden)


class Convolved(nn.Module):
    """A small convolutional network, its kernels in two layouts."""

    def __init__(self, n_classes):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 3, 3), nn.Flatten(),
            nn.Linear(48, n_classes),
        )  # fmt: skip
        self.layers[2].to(memory_format=torch.channels_last)

    def forward(self, X):
        X = X.to(self.layers[0].weight.dtype)
        return self.layers(X.view(-1, 1, 8, 8))


SUITED = [Own, Odd, Moody, Shared, Frozen, Listed, Convolved]
every_module = pytest.mark.parametrize("module", SUITED)


@pytest.fixture(scope="module")
def digits():
    """Rows of three classes under names."""
    X, y = load_digits(return_X_y=True)
    rows = np.random.default_rng(0).permutation(np.flatnonzero(y < 3))[:260]
    return X[rows] / 16, np.array(["zero", "one", "two"])[y[rows]]


def make_net(module, **params):
    defaults = {"lr": 0.01, "batch_size": 10, "max_epochs": 8, "patience": 4}
    if module is ImageCNN:
        return ImageCNN(**{**defaults, "random_state": 3, **params})
    return TorchClassifier(module, **{**defaults, "random_state": 3, **params})


def make_sets(n_sets=7, n_rows=120):
    rng = np.random.default_rng(1)
    return [rng.permutation(n_rows)[:size] for size in rng.integers(3, 45, n_sets)]


def side_by_side(net, digits, **params):
    X, y = digits
    return net.side_by_side(
        X[:120], y[:120], X_val=X[120:200], y_val=y[120:200], classes=y, **params
    )


def fit_each(net, digits, sets):
    X, y = digits
    held_out = {"X_val": X[120:200], "y_val": y[120:200], "classes": y}
    return [clone(net).fit(X[rows], y[rows], **held_out) for rows in sets]


@every_module
def test_parameters_are_those_of_fit(double, module, digits):
    net, sets = make_net(module, max_epochs=4), make_sets()
    many = side_by_side(net, digits, width=3).fit(sets)
    for found, expected in zip(many, fit_each(net, digits, sets), strict=True):
        assert weights_by_name(found).keys() == weights_by_name(expected).keys()
        for name, value in weights_by_name(expected).items():
            np.testing.assert_allclose(weights_by_name(found)[name], value, atol=1e-9)
        np.testing.assert_allclose(found.loss_curve_, expected.loss_curve_)


@pytest.mark.parametrize("module", [*SUITED, MLP, ImageCNN])
def test_a_full_run_is_that_of_fit(module, digits):
    X, _ = digits
    params = {"max_epochs": 20, "patience": 3}
    if module is ImageCNN:
        params = {"max_epochs": 5, "patience": 2, "lr": 1e-3}
    net, sets = make_net(module, **params), make_sets(4)
    many = side_by_side(net, digits, width=3).fit(sets)
    for found, model in zip(many, fit_each(net, digits, sets), strict=True):
        assert found.best_epoch_ == model.best_epoch_
        np.testing.assert_allclose(found.loss_curve_, model.loss_curve_, rtol=1e-3)
        np.testing.assert_allclose(found.validation_scores_, model.validation_scores_)
        assert found.predict(X).tolist() == model.predict(X).tolist()


@pytest.mark.parametrize("module", [*SUITED, MLP, ImageCNN])
def test_neither_place_nor_neighbours_matter(module, digits):
    net, sets = make_net(module, max_epochs=2), make_sets(6)
    expected = [
        weights_by_name(m) for m in side_by_side(net, digits, width=1).fit(sets)
    ]
    order = np.random.default_rng(0).permutation(6)
    for width, chosen in ((4, range(6)), (16, order), (3, [5])):
        many = side_by_side(net, digits, width=width)
        models = many.fit([sets[i] for i in chosen])
        for found, number in zip(models, chosen, strict=True):
            for name, value in weights_by_name(found).items():
                np.testing.assert_array_equal(value, expected[number][name])


def test_what_is_computed_as_one_and_what_in_turn(digits):
    for module, is_stacked in ((Own, True), (MLP, True), (Convolved, False)):
        many = side_by_side(make_net(module), digits)
        assert many.stack.is_stacked == is_stacked
        assert many.width == (16 if is_stacked else 1)
    assert side_by_side(make_net(MLP), digits, width=99).width == 16


def test_minibatches_of_one_row_and_of_more_rows_than_there_are(digits):
    for batch_size in (1, 3, 500):
        net = make_net(Own, batch_size=batch_size, max_epochs=2)
        sets = [*make_sets(2), np.array([5])]
        many = side_by_side(net, digits, width=2).fit(sets)
        for found, model in zip(many, fit_each(net, digits, sets), strict=True):
            for name, value in weights_by_name(model).items():
                np.testing.assert_allclose(
                    weights_by_name(found)[name], value, atol=2e-5
                )


def test_no_more_rows_are_computed_than_there_are(digits):
    assert side_by_side(make_net(MLP, batch_size=9999), digits).stack.n_rows == 120


class Keeps(Own):
    """Keeps a constant, and what it has computed last."""

    constant = None

    def forward(self, X):
        if self.constant is None:
            self.constant = torch.ones(12)
        return super().forward(X)

    def between(self, hidden):
        self.seen = hidden.relu() * self.constant
        return self.seen


def test_a_module_may_keep_what_it_has_computed(digits):
    net, sets = make_net(Keeps, max_epochs=2), make_sets(3)
    many = side_by_side(net, digits)
    assert many.stack.is_stacked
    for found, model in zip(many.fit(sets), fit_each(net, digits, sets), strict=True):
        for name, value in weights_by_name(model).items():
            np.testing.assert_allclose(weights_by_name(found)[name], value, atol=2e-5)


def test_scores_are_those_of_the_fitted_models(digits):
    X, y = digits
    for net in (make_net(Own), make_net(ImageCNN, max_epochs=1)):
        many, sets = side_by_side(net, digits, width=2), make_sets(3)
        models = many.fit(sets)
        for scoring in (None, "f1_weighted", "neg_log_loss"):
            scorer = check_scoring(net, scoring)
            expected = [scorer(model, X[200:], y[200:]) for model in models]
            found = scores_of(many, sets, X[200:], y[200:], scorer)
            np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("kind", ["frame", "images", "bytes"])
def test_what_comes_out_is_what_fit_learned(kind, digits, tmp_path):
    X, y = digits
    net = make_net(MLP, module_params={"hidden": (8, 4)}, max_epochs=2)
    if kind == "frame":
        X = pd.DataFrame(X, columns=[f"pixel {i}" for i in range(64)])
        rows = X.iloc[:30]
    else:
        X = (X * 16).astype(np.uint8 if kind == "bytes" else np.float64)
        X = X.reshape(-1, 8, 8)
        rows, net = X[:30], make_net(ImageCNN, max_epochs=2)
    model = net.side_by_side(X, y).fit([np.arange(30)])[0]
    expected = clone(net).fit(rows, y[:30], classes=y)
    np.testing.assert_allclose(
        model.predict_proba(X), expected.predict_proba(X), rtol=1e-3
    )
    for name, value in vars(expected).items():
        if name.endswith("_") and name not in ("module_", "loss_curve_"):
            assert np.array_equal(getattr(model, name), value), name
    assert vars(model).keys() == vars(expected).keys()
    model.save(tmp_path / "net")
    again = type(net).load(tmp_path / "net")
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


class Branching(Own):
    def between(self, hidden):
        return hidden.relu() if hidden.sum() > 0 else hidden.tanh()


class Normed(Own):
    def __init__(self, n_classes):
        super().__init__(n_classes)
        self.norm = nn.BatchNorm1d(12)

    def between(self, hidden):
        return self.norm(hidden)


class Counting(Own):
    def __init__(self, n_classes):
        super().__init__(n_classes)
        self.register_buffer("seen", torch.zeros(()))

    def between(self, hidden):
        self.seen += 1
        return hidden


class Dependent(Own):
    def between(self, hidden):
        return (hidden - hidden.mean(0)).relu()


class Noisy(Own):
    def between(self, hidden):
        return hidden + torch.rand(()) if self.training else hidden


class Lucky(Own):
    """Draws numbers of which it seldom makes any use."""

    def between(self, hidden):
        return hidden * 2 if torch.rand(()) > 2 else hidden


class Aging(Own):
    age = 0

    def between(self, hidden):
        self.age += 1
        return hidden * self.age


class TwoTypes(Own):
    def __init__(self, n_classes):
        super().__init__(n_classes)
        self.inner.double()

    def between(self, hidden):
        return hidden.float()


UNSUITED = {
    Branching: "forward method that torch.func.vmap cannot take",
    Normed: "changes its buffers in training, as batch norm does",
    Counting: "changes its buffers",
    Dependent: "output of a row from other rows of its minibatch",
    Noisy: "draws random numbers",
    Lucky: "draws random numbers",
    Aging: "keeps state between calls",
    TwoTypes: "not all of one floating-point dtype",
}


@pytest.mark.parametrize("module", UNSUITED)
def test_what_cannot_be_stacked_says_so_and_is_trained_one_by_one(module, digits):
    with pytest.warns(UserWarning, match=UNSUITED[module]) as warned:
        assert side_by_side(make_net(module), digits) is None
    assert len(warned) == 1
    assert str(warned[0].message).startswith(module.__name__)
    assert str(warned[0].message).endswith("or ignore this warning.")


def test_dropout_needs_no_warning(digits):
    for net in (
        make_net(MLP, module_params={"dropout": 0.5}),
        make_net(ImageCNN, dropout=0.5),
    ):
        assert side_by_side(net, digits) is None
    net = make_net(MLP, module_params={"dropout": 0.0})
    assert side_by_side(net, digits) is not None


def test_a_class_with_its_own_fit_is_trained_by_it(digits):
    class Fits(TorchClassifier):
        def fit(self, X, y, **params):
            return super().fit(X, y, **params)

    class Predicts(ImageCNN):
        def predict(self, X):
            return super().predict(X)

    assert side_by_side(Fits(MLP), digits) is None
    assert side_by_side(Predicts(), digits) is None


def test_what_fit_refuses_is_refused(digits):
    with pytest.raises(TypeError, match="module must be a class"):
        side_by_side(make_net(lambda n_classes: Own(n_classes)), digits)
    with pytest.raises(ValueError, match="did you mean 'hidden'"):
        side_by_side(make_net(MLP, module_params={"hiden": 3}), digits)

    class Flat(Own):
        def forward(self, X):
            return super().forward(X)[:, 0]

    with pytest.raises(ValueError, match="one logit per class, shape"):
        side_by_side(make_net(Flat), digits)
    many = side_by_side(make_net(Own, lr=1e30), digits)
    with pytest.raises(ValueError, match=r"training loss is (nan|inf)"):
        many.fit(make_sets(2))


def test_the_global_state_is_left_alone(digits, global_state):
    before = torch.get_rng_state(), global_state(), torch.get_num_threads()
    for module in (Own, Odd, Convolved):
        side_by_side(make_net(module, max_epochs=1), digits).fit(make_sets(2))
    with pytest.warns(UserWarning, match="draws random numbers"):
        side_by_side(make_net(Noisy), digits)
    after = torch.get_rng_state(), global_state(), torch.get_num_threads()
    assert torch.equal(before[0], after[0])
    assert before[1:] == after[1:]


@pytest.fixture(scope="module")
def sets_of_a_run(digits):
    return split(
        *digits, warm_size=5, select_size=20, val_size=60, test_size=30, random_state=0
    )


def search(sets_of_a_run, net, n_jobs=1):
    strategy = AnnealingOracle(n_steps=4, n_greedy=1, n_jobs=n_jobs)
    return ActiveLearner(
        net, strategy, batch_size=3, n_rounds=3, random_state=0
    ).fit(**sets_of_a_run)  # fmt: skip


def test_a_search_is_the_same_one_by_one_and_with_two_jobs(sets_of_a_run, monkeypatch):
    net = make_net(MLP, module_params={"hidden": 8}, max_epochs=4)
    one, two = (search(sets_of_a_run, net, n_jobs) for n_jobs in (1, 2))
    monkeypatch.setattr(TorchClassifier, "_stack_class", None)
    alone = search(sets_of_a_run, net)
    for other in (two, alone):
        np.testing.assert_array_equal(one.order_, other.order_)
        np.testing.assert_array_equal(
            one.strategy_.history_["proposed"], other.strategy_.history_["proposed"]
        )
        np.testing.assert_allclose(one.curve_, other.curve_)
        np.testing.assert_allclose(one.validation_curve_, other.validation_curve_)


def test_a_search_with_images(sets_of_a_run, monkeypatch):
    net = make_net(ImageCNN, max_epochs=1)
    together = search(sets_of_a_run, net)
    monkeypatch.setattr(ImageCNN, "_stack_class", None)
    alone = search(sets_of_a_run, net)
    np.testing.assert_array_equal(together.order_, alone.order_)
    np.testing.assert_allclose(together.curve_, alone.curve_)


def test_a_learner_falls_back_and_says_so_once(sets_of_a_run):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        learner = search(sets_of_a_run, make_net(Dependent, max_epochs=2))
    assert len(warned) == 1
    assert "output of a row from other rows of its minibatch" in str(warned[0].message)
    assert np.isfinite(learner.curve_).all()


def test_a_pipeline_is_trained_as_ever(sets_of_a_run):
    net = make_net(Own, max_epochs=3)
    assert not hasattr(make_pipeline(StandardScaler(), net), "side_by_side")
    learner = ActiveLearner(
        make_pipeline(StandardScaler(), net), Random(), batch_size=5, n_rounds=2,
        random_state=0,
    ).fit(**sets_of_a_run)  # fmt: skip
    assert learner.curve_.shape == (3,)
