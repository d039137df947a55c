import shutil
from pathlib import Path

import pytest

from skal.datasets import make_intents

SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 64,
    "pad_token_id": 1,
}
# Architectures whose configs call all this differently.
OF_OTHER_NAMES = ("gpt2", "xlnet")


@pytest.fixture
def double(monkeypatch):
    """All modules in float64, so that two ways of computing agree to many digits."""
    torch = pytest.importorskip("torch", reason="torch is an extra")
    monkeypatch.setattr("skal.nets._training.DTYPE", torch.float64)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(scope="session")
def make_checkpoint():
    """A function that writes a small checkpoint of transformers into a folder."""
    torch = pytest.importorskip("torch", reason="torch is an extra")
    transformers = pytest.importorskip(
        "transformers", reason="transformers is an extra"
    )
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

    from skal.nets.transformer._checkpoint import quiet

    def make_checkpoint(folder, kind="roberta", **config):
        """Write a checkpoint of random weights, with a tokenizer that fits intents."""
        words = Tokenizer(models.BPE())
        words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        special = ["<s>", "<pad>", "</s>", "<unk>"]
        trainer = trainers.BpeTrainer(
            vocab_size=400, special_tokens=special, show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        )  # fmt: skip
        words.train_from_iterator(make_intents(400, random_state=0)[0], trainer)
        names = {"eos_token": "</s>"}
        if kind != "gpt2":
            words.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
            names |= {"bos_token": "<s>", "pad_token": "<pad>", "unk_token": "<unk>"}
            names |= {"cls_token": "<s>", "sep_token": "</s>"}
        tokenizer = transformers.PreTrainedTokenizerFast(
            tokenizer_object=words, **names
        )
        described = transformers.AutoConfig.for_model(
            kind, vocab_size=len(tokenizer), bos_token_id=0, eos_token_id=2,
            **(config if kind in OF_OTHER_NAMES else SMALL | config),
        )  # fmt: skip
        with torch.random.fork_rng(), quiet():
            torch.manual_seed(0)
            transformers.AutoModel.from_config(described).save_pretrained(folder)
            tokenizer.save_pretrained(folder)
        return folder

    return make_checkpoint


@pytest.fixture(scope="session")
def intents():
    return make_intents(80, random_state=0)


@pytest.fixture(scope="session")
def tiny(make_checkpoint, tmp_path_factory):
    """A folder with a RoBERTa of random weights; tests leave it as it is."""
    return make_checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def copy(tiny, tmp_path):
    """One that a test may change."""
    return Path(shutil.copytree(tiny, tmp_path / "copy"))
