import pickle

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is an extra")
pytest.importorskip("skorch", reason="skorch is an extra")

import pandas as pd
import torch
from _trained import weights
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from skal import ActiveLearner, AnnealingOracle, MaxEntropy
from skal.nets import MLP, TorchClassifier


class TwoPaths(nn.Module):
    """Takes no input shape, has a parameter without default, and any others."""

    def __init__(self, n_classes, width, **others):
        super().__init__()
        self.left, self.right = nn.Linear(2, width), nn.Linear(2, width)
        self.head = nn.Linear(width, n_classes)

    def forward(self, X):
        return self.head(self.left(X) * self.right(X))


class OneLogit(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.head = nn.Linear(2, 1)

    def forward(self, X):
        return self.head(X)


def make_net(**params):
    defaults = {"module_params": {"hidden": 16}, "lr": 0.02, "max_epochs": 15}
    return TorchClassifier(MLP, **{**defaults, "random_state": 0, **params})


def test_it_learns(blobs):
    X, y = blobs
    model = make_net(max_epochs=40).fit(X, y)
    assert model.score(X, y) > 0.7
    assert len(model.loss_curve_) == model.best_epoch_ == 40
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    assert model.validation_scores_ == []


def test_probabilities_belong_to_the_predictions(blobs):
    X, y = blobs
    model = make_net().fit(X, y)
    probs = model.predict_proba(X)
    assert probs.dtype == np.float64
    np.testing.assert_allclose(probs.sum(axis=1), 1, rtol=1e-14)
    assert (model.classes_[probs.argmax(axis=1)] == model.predict(X)).all()


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_the_same_seed_trains_the_same_weights(blobs, dropout):
    net = make_net(module_params={"hidden": 16, "dropout": dropout})
    first = weights(net.fit(*blobs))
    assert (weights(net.fit(*blobs)) == first).all()
    assert (weights(clone(net).fit(*blobs)) == first).all()
    assert (weights(net.set_params(random_state=1).fit(*blobs)) != first).any()


def test_without_a_seed_every_fit_is_another(blobs):
    net = make_net(random_state=None)
    assert (weights(net.fit(*blobs)) != weights(clone(net).fit(*blobs))).any()


def test_any_number_of_jobs_searches_the_same(blobs):
    oracle = ActiveLearner(
        make_net(max_epochs=3), AnnealingOracle(n_steps=3),
        batch_size=5, n_rounds=2, random_state=0,
    )  # fmt: skip
    one = clone(oracle).fit(*blobs)
    two = clone(oracle).set_params(strategy__n_jobs=2).fit(*blobs)
    assert one.order_.tolist() == two.order_.tolist()
    assert one.curve_.tolist() == two.curve_.tolist()
    assert (weights(one.estimator_) == weights(two.estimator_)).all()


def test_the_best_epoch_is_kept(blobs):
    X, y = blobs
    sets = {"X_val": X[60:], "y_val": y[60:]}
    model = make_net(max_epochs=60, patience=5).fit(X[:60], y[:60], **sets)
    scores, best = model.validation_scores_, model.best_epoch_
    assert best == 1 + np.argmax(scores)
    assert len(scores) == len(model.loss_curve_) == best + 5 < 60
    assert model.score(X[60:], y[60:]) == max(scores)
    # Looking at the validation set changes nothing about training.
    short = make_net(max_epochs=best).fit(X[:60], y[:60])
    assert (weights(short) == weights(model)).all()


def test_training_ends_with_the_epochs_if_the_score_may_still_grow(blobs):
    X, y = blobs
    model = make_net(max_epochs=3).fit(X, y, X_val=X, y_val=y)
    assert len(model.validation_scores_) == 3


def test_scoring_decides_which_epoch_is_best(blobs):
    X, y = blobs
    epochs = iter(range(100))
    net = make_net(scoring=lambda model, X, y: -abs(next(epochs) - 3), patience=4)
    model = net.fit(X, y, X_val=X, y_val=y)
    assert model.best_epoch_ == 4
    assert model.validation_scores_ == [-3, -2, -1, 0, -1, -2, -3, -4]
    by_loss = make_net(scoring="neg_log_loss").fit(X, y, X_val=X, y_val=y)
    assert max(by_loss.validation_scores_) < 0


def test_of_equal_scores_the_first_is_kept(blobs):
    X, y = blobs
    net = make_net(scoring=lambda model, X, y: 0.5, patience=3)
    model = net.fit(X, y, X_val=X, y_val=y)
    assert model.best_epoch_ == 1
    assert len(model.validation_scores_) == 4


def test_a_score_that_is_not_finite_is_refused(blobs):
    X, y = blobs
    net = make_net(scoring=lambda model, X, y: np.nan)
    with pytest.raises(ValueError, match="score is nan in epoch 1: choose a scoring"):
        net.fit(X, y, X_val=X, y_val=y)


def test_the_validation_set_is_whole_and_like_the_rest(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match="X_val and y_val go together"):
        make_net().fit(X, y, X_val=X)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        make_net().fit(X, y, X_val=X, y_val=y[:-1])
    with pytest.raises(ValueError, match="expecting 2 features"):
        make_net().fit(X, y, X_val=X[:, :1], y_val=y)


def test_training_that_diverges_says_so(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match=r"training loss is .* choose a smaller lr"):
        make_net(lr=1e30).fit(X, y)


def test_ctrl_c_is_not_taken_for_the_end_of_training(blobs):
    class Interrupted(MLP):
        def forward(self, X):
            if self.training:
                raise KeyboardInterrupt
            return super().forward(X)

    with pytest.raises(KeyboardInterrupt):
        TorchClassifier(Interrupted).fit(*blobs)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_what_is_not_a_finite_float32_is_refused(blobs, bad):
    X, y = blobs[0].copy(), blobs[1]
    X[3, 1] = bad
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        make_net().fit(X, y)


def test_a_device_that_is_not_there_is_refused_before_training(blobs, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=r"asks for a GPU, .* use device='cpu'"):
        make_net(device="cuda").fit(*blobs)
    with pytest.raises(ValueError, match="not a device that torch knows"):
        make_net(device="abacus").fit(*blobs)


def test_module_parameters_are_searchable(blobs):
    net = make_net(max_epochs=2)
    assert net.get_params()["module__hidden"] == 16
    assert net.get_params()["module__dropout"] == 0.0
    assert "module__hidden" not in net.get_params(deep=False)
    grid = GridSearchCV(net, {"module__hidden": [3, (4, 5)]}, cv=2).fit(*blobs)
    assert list(grid.cv_results_["param_module__hidden"]) == [3, (4, 5)]
    assert net.module_params == {"hidden": 16}
    both = clone(net).set_params(module__dropout=0.5)
    assert both.module_params == {"hidden": 16, "dropout": 0.5}
    one, two = (clone(net).set_params(module__hidden=n).fit(*blobs) for n in (3, 4))
    assert weights(one).size < weights(two).size


def test_a_typo_in_a_module_parameter_is_caught(blobs):
    with pytest.raises(ValueError, match="no parameter 'hiden': did you mean 'hidden'"):
        make_net().set_params(module__hiden=3)
    with pytest.raises(ValueError, match="'zzz': choose among hidden, dropout"):
        make_net(module_params={"zzz": 3}).fit(*blobs)
    with pytest.raises(ValueError, match="n_classes follows from the data"):
        make_net(module_params={"n_classes": 3}).fit(*blobs)
    with pytest.raises(ValueError, match="Invalid parameter 'lrr'"):
        make_net().set_params(lrr=1)


def test_a_module_of_ones_own(blobs):
    assert "module__width" not in TorchClassifier(TwoPaths).get_params()
    params = {"width": 4, "anything": 1}
    net = TorchClassifier(TwoPaths, module_params=params, max_epochs=2).fit(*blobs)
    assert net.predict_proba(blobs[0]).shape == (120, 3)
    assert net.embed(blobs[0]).shape == (120, 4)


def test_a_module_must_return_one_logit_per_class(blobs):
    with pytest.raises(ValueError, match=r"shape \(2, 1\): make it return one logit"):
        TorchClassifier(OneLogit).fit(*blobs)
    with pytest.raises(ValueError, match="Flatten must take n_classes"):
        TorchClassifier(nn.Flatten).fit(*blobs)


def test_rows_may_have_any_shape():
    X, y = np.zeros((20, 3, 4)), np.arange(20) % 2
    model = make_net(max_epochs=1).fit(X, y)
    assert model.input_shape_ == (3, 4)
    with pytest.raises(
        ValueError, match=r"shape \(3, 5\), but the rows passed to fit had"
    ):
        model.predict(np.zeros((20, 3, 5)))


def test_embeddings_are_the_input_of_the_last_layer(blobs):
    model = make_net(module_params={"hidden": (6, 5), "dropout": 0.5}).fit(*blobs)
    linear = [layer for layer in model.module_.layers if isinstance(layer, nn.Linear)]
    hidden = blobs[0]
    for layer in linear[:-1]:
        weight, bias = (p.detach().numpy() for p in layer.parameters())
        hidden = np.maximum(hidden @ weight.T + bias, 0)
    embedded = model.embed(blobs[0])
    np.testing.assert_allclose(embedded, hidden, rtol=1e-4, atol=1e-5)
    assert embedded.dtype == np.float32


def test_embeddings_need_a_linear_layer(blobs):
    model = make_net().fit(*blobs)
    model.module_ = nn.Sequential(nn.Conv1d(1, 1, 1))
    with pytest.raises(ValueError, match=r"has no torch.nn.Linear"):
        model.embed(blobs[0])


def test_predictions_come_in_order_however_rows_are_cut(blobs, monkeypatch):
    X, y = blobs
    model = make_net(module_params={"dropout": 0.5}).fit(X, y)

    def answers():
        samples = model.sample_proba(X, 4, random_state=0)
        return [model.predict_proba(X), model.embed(X), samples]

    whole = answers()
    monkeypatch.setattr(TorchClassifier, "_rows_at_once", 7)
    for first, second in zip(whole, answers(), strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)


def test_pickle_before_and_after_fit(blobs):
    X, y = blobs
    net = pickle.loads(pickle.dumps(make_net()))
    model = net.fit(X, y)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))
    assert not hasattr(clone(model), "module_")


def test_a_data_frame_and_a_pipeline(blobs):
    X, y = pd.DataFrame(blobs[0], columns=["a", "b"]), pd.Series(blobs[1])
    model = make_net(max_epochs=2).fit(X, y)
    assert model.feature_names_in_.tolist() == ["a", "b"]
    pipeline = make_pipeline(StandardScaler(), make_net(max_epochs=2))
    learner = ActiveLearner(pipeline, MaxEntropy(), batch_size=5, n_rounds=2)
    net = learner.fit(*blobs).estimator_[-1]
    assert len(net.validation_scores_) == 2


def test_a_single_class_trains(blobs):
    model = make_net(max_epochs=2).fit(blobs[0], np.full(120, "only"))
    assert (model.predict(blobs[0]) == "only").all()
    assert (model.predict_proba(blobs[0]) == 1).all()
