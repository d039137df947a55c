import json
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is an extra")
pytest.importorskip("skorch", reason="skorch is an extra")

import pandas as pd
import torch
from safetensors.torch import save_file
from torch import nn

from skal.nets import MLP, ImageCNN, TorchClassifier, _saving


class Linear(nn.Module):
    def __init__(self, n_classes, input_shape):
        super().__init__()
        self.head = nn.Linear(*input_shape, n_classes)

    def forward(self, X):
        return self.head(X)


def make_net(module=MLP, **params):
    return TorchClassifier(module, **{"max_epochs": 2, "random_state": 0, **params})


def fitted_nets(blobs, digits):
    X, y = blobs
    frame = pd.DataFrame(X, columns=["a", "b"])
    names = np.array(["x", "y", "z"], object)[y]
    params = {"hidden": (4, 5), "dropout": 0.5}
    sets = {"X_val": X, "y_val": y}
    return [
        (make_net(module_params=params).fit(X, y, **sets, classes=range(5)), X),
        (make_net(lr=np.float32(0.5), batch_size=np.int64(9)).fit(frame, names), frame),
        (ImageCNN(dropout=0.5, max_epochs=1).fit(digits[0][:99], digits[1][:99]),
         digits[0]),
    ]  # fmt: skip


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.safetensors"


def test_round_trip(blobs, digits, path):
    for model, X in fitted_nets(blobs, digits):
        model.save(path)
        loaded = type(model).load(path)
        np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
        np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
        assert loaded.get_params() == model.get_params()
        fitted = {name for name in vars(model) if name.endswith("_")}
        assert fitted <= set(vars(loaded))
        for name in fitted - {"module_"}:
            np.testing.assert_array_equal(getattr(loaded, name), getattr(model, name))


def test_the_same_net_gives_the_same_bytes(blobs, path, tmp_path):
    make_net().fit(*blobs).save(path)
    make_net().fit(*blobs).save(tmp_path / "again")
    assert path.read_bytes() == (tmp_path / "again").read_bytes()


def test_a_module_of_ones_own_must_be_given(blobs, path):
    model = make_net(Linear).fit(*blobs)
    model.save(path)
    with pytest.raises(ValueError, match=r"Linear, .* load\(path, module=Linear\)"):
        TorchClassifier.load(path)
    loaded = TorchClassifier.load(path, module=Linear)
    np.testing.assert_array_equal(loaded.predict(blobs[0]), model.predict(blobs[0]))
    with pytest.raises(ValueError, match="do not fit MLP: load it with"):
        TorchClassifier.load(path, module=MLP)


def test_what_is_loaded_can_be_fitted_again(blobs, path):
    model = make_net().fit(*blobs)
    model.save(path)
    again = TorchClassifier.load(path, max_epochs=1).fit(*blobs)
    assert len(again.loss_curve_) == 1


def test_a_file_of_another_class_is_refused(blobs, path):
    make_net().fit(*blobs).save(path)
    with pytest.raises(ValueError, match=r"TorchClassifier, not a ImageCNN: read it"):
        ImageCNN.load(path)


@pytest.mark.parametrize("where", [0, 20, 100, 300, -1])
def test_a_damaged_file_is_refused(blobs, path, where):
    make_net().fit(*blobs).save(path)
    content = bytearray(path.read_bytes())
    content[where] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"or it is damaged .*: save the net again"):
        TorchClassifier.load(path)


def test_a_file_that_is_cut_short_or_of_another_kind_is_refused(blobs, path):
    make_net().fit(*blobs).save(path)
    whole = path.read_bytes()
    for content in (b"", whole[:50], whole[:-10], b"something else entirely"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="was not written by the save"):
            TorchClassifier.load(path)
    save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(ValueError, match="was not written by the save"):
        TorchClassifier.load(path)
    with pytest.raises(FileNotFoundError):
        TorchClassifier.load(path.with_name("missing"))


def test_what_json_cannot_hold_is_refused_and_nothing_is_written(blobs, path):
    model = make_net(scoring=lambda model, X, y: 0.0).fit(*blobs)
    with pytest.raises(TypeError, match="scoring is a function, which a file without"):
        model.save(path)
    assert list(path.parent.iterdir()) == []


def test_a_write_that_fails_leaves_the_old_file(blobs, path, monkeypatch):
    model = make_net().fit(*blobs)
    model.save(path)
    before = path.read_bytes()

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        model.set_params(lr=0.5).save(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_weights_that_are_tied_are_written_twice(path):
    weight = torch.ones(3)
    _saving.write(path, {"a": weight, "b": weight, "c": torch.tensor(3)}, {})
    tensors, facts = _saving.read(path)
    assert facts == {}
    assert torch.equal(tensors["a"], tensors["b"])
    assert tensors["c"] == 3


@pytest.mark.parametrize(
    "value", [None, True, 1, 0.5, "é", [1, (2, [3])], (), {"a": {"b": (1,)}}, {}]
)
def test_facts_come_back_as_they_were(path, value):
    _saving.write(path, {}, {"value": value})
    assert _saving.read(path)[1] == {"value": value}


@pytest.mark.parametrize("missing", ["torch", "skorch", "safetensors"])
def test_without_torch_it_is_said_how_to_install_it(missing):
    script = f"""
import importlib.abc, sys
class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] == {missing!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
import skal
try:
    import skal.nets
except ImportError as error:
    print(error)
"""
    shown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    assert "pip install 'skal-learn[nets]'" in shown


def test_importing_skal_does_not_import_torch():
    script = "import skal, sys, json; print(json.dumps('torch' in sys.modules))"
    shown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    assert json.loads(shown) is False
