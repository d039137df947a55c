"""Modules that cannot be trained, and files that hold no net: one sentence each."""

import json

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is an extra")
pytest.importorskip("skorch", reason="skorch is an extra")

import torch
from safetensors.torch import save
from sklearn.datasets import make_blobs
from torch import nn

from skal.nets import MLP, EmbeddingBagClassifier, ImageCNN, TorchClassifier, _saving

X, Y = make_blobs(40, centers=3, n_features=4, random_state=0)


class Small(nn.Module):
    """A sound module, which the ones below break in one way each."""

    def __init__(self, n_classes):
        super().__init__()
        self.head = nn.Linear(4, n_classes)

    def forward(self, X):
        return self.head(X)


def returns(change):
    class Returns(Small):
        def forward(self, X):
            return change(super().forward(X))

    return Returns


class Wide(Small):
    def __init__(self, n_classes):
        super().__init__(n_classes)
        self.head = nn.Linear(5, n_classes)


class NeedsWidth(Small):
    def __init__(self, n_classes, width):
        super().__init__(n_classes)


class Empty(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.n = n_classes

    def forward(self, X):
        return X[:, : self.n]


class Frozen(Small):
    def __init__(self, n_classes):
        super().__init__(n_classes)
        self.requires_grad_(False)


class Normed(Small):
    def __init__(self, n_classes):
        super().__init__(n_classes)
        self.norm = nn.BatchNorm1d(4)

    def forward(self, X):
        return self.head(self.norm(X))


ODD = {
    "a tuple": (returns(lambda z: (z, z)), "Returns returns tuple: make its forward"),
    "a dict": (returns(lambda z: {"logits": z}), "Returns returns dict: make its"),
    "None": (returns(lambda z: None), "Returns returns NoneType: make its forward"),
    "an array": (returns(lambda z: z.numpy()), "Returns returns ndarray: make its"),
    "a list": (returns(list), "Returns returns list: make its forward method return"),
    "other columns": (Wide, r"Wide fails on 2 rows of shape \(4,\) \(mat1 and mat2"),
    "too many dimensions": (returns(lambda z: z[..., 9, 9]), "Returns fails on 2 rows"),
    "no default": (NeedsWidth, "NeedsWidth needs the parameter 'width', which has no"),
    "no parameters": (Empty, "Empty has nothing to train: give it a layer"),
    "frozen": (Frozen, "Frozen has nothing to train"),
    "detached": (returns(lambda z: z.detach()), "Returns has nothing to train"),
}


@pytest.mark.parametrize("odd", ODD)
def test_a_module_that_cannot_be_trained_gets_one_sentence(odd):
    module, message = ODD[odd]
    with pytest.raises(ValueError, match=message):
        TorchClassifier(module, max_epochs=1).fit(X, Y)


# A detached module is not stacked, since its gradients are missing; `fit` then tells.
@pytest.mark.parametrize("odd", [name for name in ODD if name != "detached"])
def test_it_gets_the_same_sentence_side_by_side(odd):
    module, message = ODD[odd]
    with pytest.raises(ValueError, match=message):
        TorchClassifier(module, max_epochs=1).side_by_side(X, Y)


def test_a_missing_parameter_can_be_given_or_set_later():
    net = TorchClassifier(NeedsWidth, module_params={"width": 3}, max_epochs=1)
    assert net.fit(X, Y).score(X, Y) >= 0
    net = TorchClassifier(NeedsWidth, max_epochs=1).set_params(module__width=2)
    assert net.fit(X, Y).score(X, Y) >= 0


@pytest.mark.parametrize(("n_rows", "batch_size"), [(40, 1), (1, 32)])
def test_batch_norm_names_the_batch_size(n_rows, batch_size):
    net = TorchClassifier(Normed, max_epochs=1, batch_size=batch_size)
    with pytest.raises(ValueError, match="Normed needs minibatches of at least 2 rows"):
        net.fit(X[:n_rows], Y[:n_rows], classes=range(3))


def test_batch_norm_of_images_takes_single_rows():
    class Image(nn.Module):
        def __init__(self, n_classes):
            super().__init__()
            self.norm, self.head = nn.BatchNorm2d(1), nn.Linear(4, n_classes)

        def forward(self, X):
            return self.head(self.norm(X[:, None]).flatten(1))

    net = TorchClassifier(Image, max_epochs=1, batch_size=1)
    assert net.fit(X.reshape(-1, 2, 2), Y).loss_curve_[0] > 0


class Noisy(Small):
    """Draws random numbers, also in evaluation mode."""

    def forward(self, X):
        return super().forward(X + torch.rand_like(X))


def test_a_module_that_draws_leaves_the_global_state_alone():
    net = TorchClassifier(Noisy, max_epochs=2, random_state=0).fit(X, Y)
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first = net.predict_proba(X)
    assert torch.equal(state, torch.get_rng_state())
    torch.manual_seed(6)
    assert (net.predict_proba(X) == first).all()


def test_a_saved_module_that_draws_still_does_so_alone(tmp_path):
    net = TorchClassifier(Noisy, max_epochs=1, random_state=0).fit(X, Y)
    net.save(tmp_path / "net")
    again = TorchClassifier.load(tmp_path / "net", module=Noisy)
    torch.manual_seed(1)
    assert (again.predict_proba(X) == net.predict_proba(X)).all()


class Lazy(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.head = nn.LazyLinear(n_classes)

    def forward(self, X):
        return self.head(X)


@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature:UserWarning")
@pytest.mark.parametrize("module", [Small, MLP, Lazy])
def test_other_modules_do_not_wait_for_the_lock(module):
    assert not hasattr(TorchClassifier(module, max_epochs=1).fit(X, Y), "_draws_")


@pytest.mark.parametrize("device", ["meta", "hpu", "xpu"])
def test_a_device_that_holds_no_numbers_is_named(device):
    with pytest.raises(ValueError, match=rf"device='{device}' (cannot be used|is not)"):
        TorchClassifier(MLP, device=device).fit(X, Y)


@pytest.mark.parametrize("hidden", [-1, 0, (10, -2), "wide", 2.5, None, (3, None)])
def test_a_width_below_1_is_named(hidden):
    net = TorchClassifier(MLP, module_params={"hidden": hidden}, max_epochs=1)
    with pytest.raises(ValueError, match="hidden must be a positive int or a tuple"):
        net.fit(X, Y)


@pytest.mark.parametrize("hidden", [(), [3], np.int64(4), (5, np.int32(2))])
def test_other_widths_are_taken(hidden):
    net = TorchClassifier(MLP, module_params={"hidden": hidden}, max_epochs=1)
    assert net.fit(X, Y).score(X, Y) >= 0


def forge(path, change, net=None):
    """Write a file with a right checksum, and facts that were changed."""
    net = net or TorchClassifier(MLP, max_epochs=1).fit(X, Y)
    net.save(path)
    tensors, facts = _saving.read(path)
    facts = change(facts)
    text = facts if isinstance(facts, str) else json.dumps(_saving._encode(facts, ""))
    header = json.dumps({"facts": text, "sha256": _saving._digest(text, tensors)})
    path.write_bytes(save(tensors, metadata={"skal": header}))


def without(name):
    return lambda facts: {k: v for k, v in facts.items() if k != name}


def fitted(**values):
    return lambda facts: facts | {"fitted": facts["fitted"] | values}


def params(**values):
    return lambda facts: facts | {"params": facts["params"] | values}


FORGED = {
    "no class": without("class"),
    "no params": without("params"),
    "no fitted": without("fitted"),
    "a list": lambda facts: [1, 2],
    "a number": lambda facts: 3,
    "null": lambda facts: None,
    "params in a list": lambda facts: facts | {"params": ["lr"]},
    "a method": fitted(predict=3),
    "a private name": fitted(_check_rows=3),
    "a dunder": fitted(__class__=3),
    "module_ without classes": lambda facts: facts | {"fitted": {"input_shape_": 3}},
    "classes of no length": fitted(classes_=3),
    "an odd shape": fitted(input_shape_="wide"),
    "an unknown parameter": params(colour="red"),
    "params without module": lambda facts: facts | {"params": {"lr": 1.0}},
    "an odd parameter": params(max_epochs="many"),
    "a huge layer": params(module_params={"hidden": 10**12}),
    "a huge shape": fitted(input_shape_=(10**12,)),
    "deep": lambda facts: "[" * 100_000 + "]" * 100_000,
    "deep in dicts": lambda facts: '{"dict": ' * 20_000 + "1" + "}" * 20_000,
    "no JSON": lambda facts: "{",
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_file_is_refused_by_one_sentence(tmp_path, name):
    forge(tmp_path / "net", FORGED[name])
    with pytest.raises(ValueError, match=r"damaged|do not fit|must be|parameter") as e:
        TorchClassifier.load(tmp_path / "net")
    assert "\n" not in str(e.value)


def test_a_file_that_was_not_changed_is_read(tmp_path):
    forge(tmp_path / "net", lambda facts: facts)
    assert TorchClassifier.load(tmp_path / "net").score(X, Y) >= 0


def test_other_nets_check_their_sizes_too(tmp_path):
    rows, y = ["a b", "c d", "e"], [0, 1, 0]
    bag = EmbeddingBagClassifier(embedding_dim=3, max_epochs=1).fit(rows, y)
    forge(tmp_path / "bag", fitted(embedding_dim_=10**12), bag)
    with pytest.raises(ValueError, match="do not fit"):
        EmbeddingBagClassifier.load(tmp_path / "bag")
    image = ImageCNN(max_epochs=1).fit(np.abs(X).repeat(4, axis=1), Y)
    forge(tmp_path / "image", fitted(input_shape_=(1, 10**6, 10**6)), image)
    with pytest.raises(ValueError, match="do not fit"):
        ImageCNN.load(tmp_path / "image")


def test_a_misspelt_parameter_of_load_is_named(tmp_path):
    TorchClassifier(MLP, max_epochs=1).fit(X, Y).save(tmp_path / "net")
    with pytest.raises(ValueError, match="has no parameter 'devise': choose among"):
        TorchClassifier.load(tmp_path / "net", devise="cpu")
