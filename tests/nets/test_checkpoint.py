import json

import pytest

pytest.importorskip("torch", reason="torch is an extra")
pytest.importorskip("skorch", reason="skorch is an extra")
pytest.importorskip("transformers", reason="transformers is an extra")

import tempfile

import huggingface_hub
import torch
import transformers
from _trained import weights
from safetensors.torch import load_file, save_file

from skal.nets import TransformerClassifier
from skal.nets.transformer import _checkpoint
from skal.nets.transformer._checkpoint import tokenizer_from_files, tokenizer_to_files


def make_net(checkpoint, **params):
    defaults = {"lr": 1e-3, "max_epochs": 1, "random_state": 0}
    return TransformerClassifier(checkpoint, **{**defaults, **params})


def test_half_precision_is_trained_in_single(copy, intents):
    path = copy / "model.safetensors"
    halves = {name: value.half() for name, value in load_file(path).items()}
    save_file(halves, path, metadata={"format": "pt"})
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"dtype": "float16"}))
    model = make_net(copy).fit(*intents)
    assert {value.dtype for value in model.module_.parameters()} == {torch.float32}


def test_a_checkpoint_without_a_pooler(make_checkpoint, intents, tmp_path):
    path = make_checkpoint(tmp_path, "bert") / "model.safetensors"
    values = {n: v for n, v in load_file(path).items() if "pooler" not in n}
    assert len(values) < len(load_file(path))
    save_file(values, path, metadata={"format": "pt"})
    assert make_net(tmp_path).fit(*intents).predict(intents[0]).shape == (80,)


def test_a_head_is_kept_where_it_has_as_many_classes(tiny, intents, tmp_path):
    X, y = intents
    with torch.random.fork_rng(), _checkpoint.quiet():
        classifier = transformers.AutoModelForSequenceClassification
        tuned = classifier.from_pretrained(tiny, num_labels=4)
        tuned.save_pretrained(tmp_path)
    transformers.AutoTokenizer.from_pretrained(tiny).save_pretrained(tmp_path)
    net = make_net(tmp_path, lr=1e-30)
    head = net.fit(X, y).module_.model.classifier.out_proj.weight
    assert torch.equal(head, tuned.classifier.out_proj.weight)
    assert net.fit(X, y == "show").predict_proba(X).shape == (80, 2)


def test_the_names_in_a_file_lead_nowhere_else(tiny, intents, tmp_path, monkeypatch):
    model = make_net(tiny).fit(*intents)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    files = tokenizer_to_files(model._tokenizer)
    files |= {"../evil.txt": b"", str(tmp_path / "evil.txt"): b""}
    tokenizer = tokenizer_from_files(files, model.config_)
    assert tokenizer("set an alarm") == model._tokenizer("set an alarm")
    assert list(tmp_path.iterdir()) == []


def remove(*names):
    return lambda folder: [(folder / name).unlink() for name in names]


def write(name, content):
    return lambda folder: (folder / name).write_text(content)


def describe(**changes):
    def change(folder):
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


def cut_weights(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


TOKENIZER = ("tokenizer.json", "tokenizer_config.json")
DAMAGES = {
    "no config": (remove("config.json"), r"config.json of .* cannot be read"),
    "half a config": (write("config.json", "{"), r"config.json of .* cannot be read"),
    "unknown": (describe(model_type="x"), r"config.json of .* cannot be read"),
    "code": (
        describe(model_type="x", auto_map={"AutoConfig": "x.X"}),
        r"config.json of .* cannot be read",
    ),
    "of images": (
        describe(model_type="vit"),
        "type 'vit', for which .* choose another",
    ),
    "no tokenizer": (remove(*TOKENIZER), "has no tokenizer .* save the model's own"),
    "half a tokenizer": (write(TOKENIZER[0], "{"), "tokenizer of .* cannot be read"),
    "no weights": (remove("model.safetensors"), "weights of .* cannot be read"),
    "half the weights": (cut_weights, "weights of .* cannot be read"),
    "other shape": (
        describe(intermediate_size=8),
        r"another roberta.*\.dense\.bias: d",
    ),
    "more layers": (
        describe(num_hidden_layers=3),
        r"another roberta\.encoder\.layer\.2",
    ),
    "few tokens": (describe(vocab_size=300), "its model knows 300 tokens: give"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_refused(damage, copy, intents):
    make_net(copy, max_epochs=1).fit(*intents)
    change, message = DAMAGES[damage]
    change(copy)
    with pytest.raises(ValueError, match=message) as error:
        make_net(copy).fit(*intents)
    assert str(copy) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_folder_that_is_not_there_is_refused(intents, tmp_path):
    with pytest.raises(OSError, match=r"There is no folder .*nothing': give one"):
        make_net(tmp_path / "nothing").fit(*intents)


class Hub:
    """Stands for the Hugging Face Hub, and for the cache of what was downloaded."""

    files = ("config.json", "model.safetensors", "rust_model.ot", "onnx/model.onnx")

    def __init__(self, cached=None, downloaded=None):
        self.cached, self.downloaded, self.asked = cached, downloaded, []

    def model_info(self, name, timeout):
        assert timeout <= 10
        self.asked.append(name)
        if self.downloaded is None:
            raise ConnectionError("no\nnetwork")
        siblings = [{"rfilename": name} for name in self.files]
        return huggingface_hub.ModelInfo(id=name, siblings=siblings)

    def snapshot_download(self, name, local_files_only=False, allow_patterns=None):
        if not local_files_only:
            assert allow_patterns == ["config.json", "model.safetensors"]
            return str(self.downloaded)
        if self.cached is None:
            raise huggingface_hub.errors.LocalEntryNotFoundError(name)
        return str(self.cached)


@pytest.fixture
def hub(monkeypatch):
    def install(**facts):
        hub = Hub(**facts)
        for name in ("model_info", "snapshot_download"):
            monkeypatch.setattr(huggingface_hub, name, getattr(hub, name))
        return hub

    return install


def test_a_checkpoint_that_cannot_be_downloaded(hub, intents):
    message = (
        r"'roberta-base' is not a folder here, .* \(ConnectionError: no network\): "
        "give a folder .* or run `hf download roberta-base` once"
    )
    asked = hub().asked
    with pytest.raises(OSError, match=message):
        TransformerClassifier().fit(*intents)
    assert asked == ["roberta-base"]


def test_a_checkpoint_is_downloaded_once(hub, tiny, intents, tmp_path):
    first = hub(downloaded=tiny)
    model = make_net("someone/tiny").fit(*intents)
    then = hub(cached=tiny)
    again = make_net("someone/tiny").fit(*intents)
    assert (weights(model) == weights(again)).all()
    assert (first.asked, then.asked) == (["someone/tiny"], [])
    # A download that broke off is taken up again.
    part = hub(cached=tmp_path, downloaded=tiny)
    make_net("someone/tiny").fit(*intents)
    assert part.asked == ["someone/tiny"]
