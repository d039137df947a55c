"""Traps, by number: each is what went wrong in some code around skorch and torch."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is an extra")
pytest.importorskip("skorch", reason="skorch is an extra")

import torch
from _trained import weights
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from skorch import NeuralNet
from torch import nn

from skal import ActiveLearner, Random
from skal.nets import MLP, ImageCNN, TorchClassifier

NETS = [
    TorchClassifier(
        MLP, module_params={"hidden": 16}, lr=0.05, max_epochs=12, batch_size=16
    ),
    ImageCNN(lr=0.006, max_epochs=6),
]


class Normed(nn.Module):
    """Batch norm and dropout: both do otherwise in training than in prediction."""

    def __init__(self, n_classes, dropout=0.5):
        super().__init__()
        self.norm, self.drop = nn.BatchNorm1d(2), nn.Dropout(dropout)
        self.hidden, self.head = nn.Linear(2, 8), nn.Linear(8, n_classes)

    def forward(self, X):
        return self.head(self.drop(self.hidden(self.norm(X)).relu()))


def make_net(module=MLP, **params):
    return TorchClassifier(
        module, **{"max_epochs": 5, "lr": 0.02, "random_state": 0, **params}
    )


# A minibatch holds as many rows as ever, whatever their weights, so that repeated rows
# make more steps; `test_whole_weights_are_repetitions` takes all rows at once. Nor are
# the 30 columns of this check an image.
MINIBATCHES = {"check_sample_weight_equivalence_on_dense_data": "minibatches"}


@parametrize_with_checks(NETS, expected_failed_checks=lambda net: MINIBATCHES)
def test_trap_1_scikit_learn_outside(estimator, check):
    check(estimator)


def test_trap_1_skorch_inside():
    assert not any(isinstance(net, NeuralNet) for net in NETS)


def test_trap_2_only_dropout_is_random_in_posterior_samples(blobs):
    X, y = blobs
    model = make_net(Normed, batch_size=40).fit(X, y)
    before = weights(model)
    samples = model.sample_proba(X, 5, random_state=0)
    assert (weights(model) == before).all()  # the statistics of batch norm among them
    assert not any(m.training for m in model.module_.modules())
    assert all(p.grad is None for p in model.module_.parameters())
    order = np.random.default_rng(0).permutation(len(X))
    shuffled = model.sample_proba(X[order], 5, random_state=0)
    np.testing.assert_allclose(shuffled, samples[order], rtol=1e-5, atol=1e-6)
    assert samples.std(axis=1).max() > 0.01


@pytest.mark.parametrize("n_rows", [8, 9, 10])
def test_batch_norm_takes_any_number_of_labelled_rows(blobs, n_rows):
    X, y = blobs
    model = make_net(Normed, batch_size=4).fit(X[:n_rows], y[:n_rows])
    n_steps = model.module_.norm.num_batches_tracked.item()
    assert n_steps == 5 * {8: 2, 9: 2, 10: 3}[n_rows]


def test_a_single_row_left_is_a_minibatch_where_there_is_no_batch_norm(blobs):
    seen = []

    class Watched(MLP):
        def forward(self, X):
            if self.training:
                seen.append(len(X))
            return super().forward(X)

    X, y = blobs
    make_net(Watched, batch_size=4, max_epochs=1).fit(X[:9], y[:9])
    assert seen[-3:] == [4, 4, 1]


def test_trap_3_a_module_that_is_built_already_is_refused(blobs):
    built = MLP(n_classes=3, input_shape=(2,))
    with pytest.raises(TypeError, match=r"module must be a class, .* pass MLP itself"):
        make_net(built).fit(*blobs)
    with pytest.raises(TypeError, match="module must be a class"):
        make_net(dict).fit(*blobs)


def test_trap_3_a_second_fit_starts_anew(blobs):
    net = make_net()
    first = net.fit(*blobs).module_
    assert net.fit(*blobs).module_ is not first


def test_trap_4_global_generators_are_left_alone_and_do_not_matter(
    blobs, global_state, tmp_path
):
    def everything():
        model = make_net(module_params={"dropout": 0.5}).fit(*blobs)
        model.predict_proba(blobs[0])
        model.sample_proba(blobs[0], 2)
        model.embed(blobs[0])
        model.save(tmp_path / "net")
        TorchClassifier.load(tmp_path / "net")
        return weights(model)

    results = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        torch_state, numpy_state = torch.get_rng_state(), global_state()
        n_threads = torch.get_num_threads()
        results.append(everything())
        assert torch.equal(torch.get_rng_state(), torch_state)
        assert global_state() == numpy_state
        assert torch.get_num_threads() == n_threads
    assert (results[0] == results[1]).all()


def test_trap_5_threads_do_as_one(blobs):
    def fit(seed):
        params = {"dropout": 0.5}
        return weights(make_net(module_params=params, random_state=seed).fit(*blobs))

    alone = [fit(seed) for seed in range(6)]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(fit, range(6)))
    for first, second in zip(alone, together, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int32", "uint8", "bool"])
def test_trap_6_numbers_of_any_kind(blobs, dtype):
    X = (StandardScaler().fit_transform(blobs[0]) * 3 + 9).astype(dtype)
    assert make_net().fit(X, blobs[1]).predict_proba(X).shape == (120, 3)


@pytest.mark.parametrize(
    "kind", ["int8", "float32", str, object, bool], ids=lambda kind: str(kind)
)
def test_trap_6_labels_of_any_kind(blobs, kind):
    X, codes = blobs
    y = np.array(["a", "b", "c"], object)[codes] if kind is object else codes
    y = y.astype(kind)
    model = make_net(max_epochs=30).fit(X, y)
    assert model.classes_.dtype == y.dtype == model.predict(X).dtype
    assert model.score(X, y) > 0.6


def test_trap_7_every_label_is_trained_on(blobs, monkeypatch):
    X, y = blobs
    assert make_net().fit(X[:2], y[:2]).predict(X[:2]).shape == (2,)
    seen = []

    class Seeing(MLP):
        def forward(self, X):
            if self.training:
                seen.append(X[:, 0].tolist())
            return super().forward(X)

    make_net(Seeing, max_epochs=2, batch_size=50).fit(X, y)
    assert [len(batch) for batch in seen] == [50, 50, 20] * 2
    epochs = [np.concatenate(batches).tolist() for batches in (seen[:3], seen[3:])]
    assert sorted(epochs[0]) == sorted(X[:, 0].astype(np.float32).tolist())
    assert sorted(epochs[0]) == sorted(epochs[1])
    assert epochs[0] != epochs[1]


def test_trap_8_a_class_that_is_absent_has_a_column_of_its_own(blobs):
    X, y = blobs
    two = y != 1
    model = make_net(max_epochs=30).fit(X[two], y[two], classes=[2, 0, 1])
    assert model.classes_.tolist() == [0, 1, 2]
    probs = model.predict_proba(X)
    assert probs.shape == (120, 3)
    assert probs[:, 1].mean() < 0.1
    with pytest.raises(ValueError, match="label 2, which is not in classes"):
        make_net().fit(X, y, classes=[0, 1])


def test_trap_8_the_learner_fixes_the_class_list(blobs):
    X, y = blobs
    by_class = np.argsort(y, kind="stable")
    sets = {"X_warm": X[by_class[:4]], "y_warm": y[by_class[:4]]}
    rest = by_class[4:]
    learner = ActiveLearner(make_net(), Random(), batch_size=2, n_rounds=1)
    model = learner.fit(X[rest], y[rest], **sets).estimator_
    assert isinstance(model, TorchClassifier)
    assert model.classes_.tolist() == [0, 1, 2]
