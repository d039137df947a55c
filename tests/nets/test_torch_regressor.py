"""TorchRegressor: any module as a regressor, one by one and side by side."""

import pickle

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is an extra")
pytest.importorskip("skorch", reason="skorch is an extra")

import torch
from _trained import scores_of, weights, weights_by_name
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.metrics import check_scoring, make_scorer, r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from torch import nn

from skal import MaxVariance
from skal.answers._margins import margins_of
from skal.nets import MLP, TorchRegressor
from skal.nets.side_by_side._metrics import metric_of_numbers, r2

X, Y = make_friedman1(300, noise=0.5, random_state=0)
TWO = np.column_stack([Y, 1000 * X[:, 0]])
VAL = {"X_val": X[200:], "y_val": Y[200:]}


class Own(nn.Module):
    """A module of a user, which calls the number of outputs so."""

    def __init__(self, n_outputs, width=12):
        super().__init__()
        self.hidden, self.last = nn.Linear(10, width), nn.Linear(width, n_outputs)

    def forward(self, X):
        return self.last(self.hidden(X.to(self.last.weight.dtype)).tanh())


class Cast(MLP):
    """An MLP that takes rows also if it is in float64."""

    def forward(self, X):
        return super().forward(X.to(self.layers[-1].weight.dtype))


class Flat(Own):
    def forward(self, X):
        return super().forward(X)[:, 0]


def make_net(module=MLP, **params):
    if module in (MLP, Cast):
        params = {"module_params": {"hidden": 16}, **params}
    defaults = {"lr": 0.02, "max_epochs": 15, "random_state": 0}
    return TorchRegressor(module, **{**defaults, **params})


# A minibatch holds as many rows as ever, whatever their weights, so that repeated rows
# make more steps; `test_whole_weights_are_repetitions` takes all rows at once.
MINIBATCHES = {"check_sample_weight_equivalence_on_dense_data": "minibatches"}


@parametrize_with_checks(
    [make_net(max_epochs=40, batch_size=16)],
    expected_failed_checks=lambda net: MINIBATCHES,
)
def test_conventions_of_scikit_learn(estimator, check):
    check(estimator)


def test_it_learns():
    model = make_net(max_epochs=100).fit(X[:200], Y[:200])
    assert model.score(X[200:], Y[200:]) > 0.7
    assert len(model.loss_curve_) == model.best_epoch_ == 100
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    assert model.predict(X).dtype == np.float64


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
def test_the_unit_of_the_targets_does_not_matter(loss):
    net = make_net(loss=loss)
    plain, other = net.fit(X, Y).predict(X), net.fit(X, 1e6 + 1000 * Y).predict(X)
    np.testing.assert_allclose(other, 1e6 + 1000 * plain, rtol=1e-6)


def test_several_outputs():
    model = make_net(max_epochs=100).fit(X, TWO)
    assert model.output_shape_ == (2,)
    assert model.predict(X).shape == (300, 2)
    scores = r2_score(TWO, model.predict(X), multioutput="raw_values")
    assert scores.min() > 0.8  # in spite of their different units
    column = make_net().fit(X, Y[:, None])
    assert column.predict(X).shape == (300, 1)
    expected = make_net().fit(X, Y).predict(X)
    assert (column.predict(X)[:, 0] == expected).all()


def test_losses_are_the_ones_of_their_names():
    bad = Y.copy()
    bad[::10] += 1e4
    errors = {
        loss: np.median(abs(make_net(loss=loss).fit(X, bad).predict(X) - Y))
        for loss in ("squared_error", "absolute_error")
    }
    assert errors["absolute_error"] < errors["squared_error"] / 5
    with pytest.raises(ValueError, match="'loss' parameter"):
        make_net(loss="cubed").fit(X, Y)


def test_constant_targets_are_predicted():
    for value in (0.1, 1e8):
        found = make_net(max_epochs=200).fit(X, np.full(300, value)).predict(X)
        np.testing.assert_allclose(found, value, atol=0.3)
    single = make_net(max_epochs=1).fit(X[:1], [7.0])
    assert np.isfinite(single.predict(X)).all()


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_the_same_seed_trains_the_same_weights(dropout):
    net = make_net(module_params={"hidden": 16, "dropout": dropout}, max_epochs=3)
    first = weights(net.fit(X, Y))
    assert (weights(clone(net).fit(X, Y)) == first).all()
    assert (weights(net.set_params(random_state=1).fit(X, Y)) != first).any()


def test_the_best_epoch_is_kept():
    model = make_net(max_epochs=200, patience=5).fit(X[:40], Y[:40], **VAL)
    scores, best = model.validation_scores_, model.best_epoch_
    assert best == 1 + np.argmax(scores)
    assert len(scores) == best + 5 < 200
    assert model.score(X[200:], Y[200:]) == max(scores)
    by_error = make_net(scoring="neg_mean_absolute_error").fit(X, Y, **VAL)
    assert max(by_error.validation_scores_) < 0


def test_whole_weights_are_repetitions():
    rows = np.repeat(np.arange(20), np.arange(20) % 4)
    net = make_net(batch_size=1000, max_epochs=30)
    repeated = net.fit(X[rows], Y[rows])
    weighted = clone(net).fit(X[:20], Y[:20], sample_weight=np.arange(20) % 4)
    np.testing.assert_allclose(
        weighted.predict(X), repeated.predict(X), rtol=1e-3, atol=1e-3
    )


def test_rows_of_weight_zero_are_left_out():
    weight = np.r_[np.ones(100), np.zeros(200)]
    found = make_net(max_epochs=2).fit(X, Y, sample_weight=weight)
    expected = make_net(max_epochs=2).fit(X[:100], Y[:100])
    np.testing.assert_allclose(weights(found), weights(expected), atol=1e-6)
    with pytest.raises(ValueError, match="at least one non-zero number"):
        make_net().fit(X, Y, sample_weight=np.zeros(300))


def test_dropout_gives_a_standard_deviation():
    params = {"module_params": {"hidden": 16, "dropout": 0.3}}
    model = make_net(**params).fit(X, Y)
    mean, std = model.predict(X, return_std=True)
    assert (mean == model.predict(X)).all()
    assert (std == model.predict(X, return_std=True)[1]).all()
    samples = model.sample_y(X, 20, random_state=0)
    assert samples.shape == (300, 20)
    np.testing.assert_array_equal(samples.std(axis=1), std)
    assert (std > 0).all()
    # A sample is one network, whatever the rows beside a row are.
    np.testing.assert_allclose(
        model.sample_y(X[7:9], 20, random_state=0), samples[7:9], rtol=1e-6
    )
    assert (model.sample_y(X, 30, random_state=0)[:, :20] == samples).all()
    two = make_net(**params).fit(X, TWO)
    assert two.predict(X, return_std=True)[1].shape == (300, 2)
    assert two.sample_y(X, 3).shape == (300, 2, 3)
    with pytest.raises(ValueError, match="n_samples must be at least 1"):
        model.sample_y(X, 0)
    with pytest.raises(ValueError, match=r"no dropout layer .*: set its dropout above"):
        make_net().fit(X, Y).predict(X, return_std=True)


def test_the_variance_of_a_net_chooses_rows():
    net = make_net(module_params={"hidden": 16, "dropout": 0.3})
    model = make_pipeline(StandardScaler(), net).fit(X[:50], Y[:50])
    std = net.predict(model[0].transform(X), return_std=True)[1]
    found = MaxVariance().fit(X).select(model, X, 10)
    assert found.tolist() == np.argsort(-std, kind="stable")[:10].tolist()


def test_modules_of_a_user():
    model = make_net(Own, module_params={"width": 7}).fit(X, TWO)
    assert model.embed(X).shape == (300, 7)
    assert make_net(Own).set_params(module__width=3).fit(X, Y).predict(X).shape == (
        300,
    )
    search = GridSearchCV(make_net(), {"module__hidden": [4, 8]}, cv=2).fit(X, Y)
    assert search.best_params_["module__hidden"] in (4, 8)
    with pytest.raises(
        ValueError, match=r"make it return one number per output, shape"
    ):
        make_net(Flat).fit(X, Y)
    with pytest.raises(
        ValueError, match=r"Flatten must take n_classes, .* or n_outputs"
    ):
        make_net(nn.Flatten).fit(X, Y)
    with pytest.raises(ValueError, match="n_outputs follows from the data: leave"):
        make_net(Own, module_params={"n_outputs": 3}).fit(X, Y)
    with pytest.raises(TypeError, match="module must be a class"):
        make_net(Own(1)).fit(X, Y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.where(X[:, 0] > 0.5, np.nan, Y), "NaN"),
        (np.where(X[:, 0] > 0.5, "a", "b"), "could not convert|numeric|dtype"),
        (Y[:-1], "inconsistent numbers of samples"),
        (np.zeros((300, 2, 2)), "dim"),
    ],
)
def test_targets_that_are_no_numbers_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        make_net().fit(X, y)


def test_files_and_pickles(tmp_path):
    params = {"hidden": 16, "dropout": 0.3}
    for y in (Y, TWO):
        model = make_net(module_params=params).fit(X, y, X_val=X, y_val=y)
        model.save(tmp_path / "net")
        loaded = TorchRegressor.load(tmp_path / "net")
        for other in (loaded, pickle.loads(pickle.dumps(model))):
            assert (other.predict(X) == model.predict(X)).all()
            found = other.predict(X, return_std=True)[1]
            assert (found == model.predict(X, return_std=True)[1]).all()
            assert other.get_params() == model.get_params()
            assert other.validation_scores_ == model.validation_scores_


def side_by_side(net, y=Y, **params):
    return net.side_by_side(X[:200], y[:200], X_val=X[200:], y_val=y[200:], **params)


def make_sets(n_sets=7):
    rng = np.random.default_rng(1)
    return [rng.permutation(200)[:size] for size in rng.integers(3, 60, n_sets)]


def fit_each(net, sets, y=Y):
    held_out = {"X_val": X[200:], "y_val": y[200:]}
    return [clone(net).fit(X[rows], y[rows], **held_out) for rows in sets]


MODULES = pytest.mark.parametrize("module", [MLP, Own])
LOSSES = pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])


@pytest.mark.parametrize("module", [Cast, Own])
@LOSSES
@pytest.mark.parametrize("y", [Y, TWO], ids=["one", "two"])
def test_side_by_side_the_parameters_are_the_ones_of_fit(double, module, loss, y):
    net, sets = make_net(module, loss=loss, max_epochs=4), make_sets()
    many = side_by_side(net, y, width=3).fit(sets)
    for found, expected in zip(many, fit_each(net, sets, y), strict=True):
        for name, value in weights_by_name(expected).items():
            np.testing.assert_allclose(weights_by_name(found)[name], value, atol=1e-9)
        np.testing.assert_allclose(found.loss_curve_, expected.loss_curve_)
        np.testing.assert_array_equal(found.y_mean_, expected.y_mean_)
        np.testing.assert_array_equal(found.y_scale_, expected.y_scale_)
        np.testing.assert_allclose(found.predict(X), expected.predict(X))


@pytest.mark.parametrize("scoring", [None, "neg_mean_absolute_error"])
@pytest.mark.parametrize("y", [Y, TWO], ids=["one", "two"])
def test_side_by_side_a_full_run_is_that_of_fit(scoring, y):
    net = make_net(max_epochs=60, patience=3, scoring=scoring)
    sets = make_sets(4)
    many = side_by_side(net, y, width=3).fit(sets)
    expected = fit_each(net, sets, y)
    assert {len(model.loss_curve_) for model in expected} != {60}  # some stop early
    for found, model in zip(many, expected, strict=True):
        assert found.best_epoch_ == model.best_epoch_
        np.testing.assert_allclose(
            found.validation_scores_, model.validation_scores_, rtol=1e-3, atol=1e-4
        )
        np.testing.assert_allclose(found.predict(X), model.predict(X), rtol=1e-3)


@MODULES
@pytest.mark.parametrize("y", [Y, TWO], ids=["one", "two"])
def test_neither_place_nor_neighbours_matter(module, y):
    net, sets = make_net(module, max_epochs=3), make_sets(9)
    assert side_by_side(net, y).width == 16
    expected = [weights_by_name(m) for m in side_by_side(net, y, width=1).fit(sets)]
    order = np.random.default_rng(0).permutation(9)
    for width, chosen in ((2, range(9)), (5, order), (16, order[:4]), (3, [8])):
        models = side_by_side(net, y, width=width).fit([sets[i] for i in chosen])
        for found, number in zip(models, chosen, strict=True):
            for name, value in weights_by_name(found).items():
                np.testing.assert_array_equal(value, expected[number][name])


@pytest.mark.parametrize(
    "scoring", ["r2", "neg_root_mean_squared_error", "neg_max_error"]
)
def test_scores_side_by_side_are_the_ones_of_the_models(scoring):
    net, sets = make_net(max_epochs=3), make_sets(4)
    scorer = check_scoring(net, scoring)
    many = side_by_side(net, width=3)
    models = many.fit(sets)
    found = scores_of(many, sets, X[200:], Y[200:], scorer)
    expected = [scorer(model, X[200:], Y[200:]) for model in models]
    assert found == expected


def test_margins_side_by_side_are_the_residuals_of_the_models():
    net, sets, sample = make_net(max_epochs=3), make_sets(4), np.arange(10, 60)
    many, scorer = side_by_side(net, width=3), check_scoring(net)
    X_val, y_val = X[200:], Y[200:]
    found = many.judge(sets, X_val, y_val, scorer, sample)
    for model, (_, margins) in zip(many.fit(sets), found, strict=True):
        expected = margins_of(model, X_val[sample], y_val[sample])
        assert margins.tolist() == expected.tolist()
        errors = (model.predict(X_val) - y_val)[sample] / np.std(y_val[sample])
        np.testing.assert_allclose(margins, errors, atol=0.01)


def test_r2_is_the_one_of_scikit_learn():
    rng = np.random.default_rng(0)
    for n in (2, 3, 10, 999, 4000):
        true = rng.normal(size=n) * 10 ** rng.normal() + rng.normal()
        predicted = true + rng.normal(size=n)
        assert r2(true, predicted[:, None]) == r2_score(true, predicted)
    assert r2(np.ones(9), np.zeros((9, 1))) == 0
    both = rng.normal(size=(9, 2)), rng.normal(size=(9, 2))
    assert r2(*both) == r2_score(*both)


def test_scorers_that_are_called_themselves():
    class Shouts(TorchRegressor):
        def score(self, X, y):
            return 0.5

    shouts = Shouts(MLP)
    assert metric_of_numbers(check_scoring(shouts), shouts) is None
    needs_all = make_scorer(r2_score, response_method="decision_function")
    assert metric_of_numbers(needs_all, make_net()) is None
    assert metric_of_numbers(lambda model, X, y: 1.0, make_net()) is None


def test_nets_that_are_trained_one_by_one():
    dropout = make_net(module_params={"dropout": 0.5})
    assert side_by_side(dropout) is None

    class Draws(Own):
        def forward(self, X):
            return super().forward(X + torch.rand_like(X))

    with pytest.warns(UserWarning, match="draws random numbers"):
        assert side_by_side(make_net(Draws)) is None
