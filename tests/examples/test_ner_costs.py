"""Named entities by tokens: short runs, and the page made of the long ones."""

from pathlib import Path

import ner_costs
import ner_costs_page as page
import numpy as np
import pytest
from linear_tagger import LinearTagger
from lines import read

from skal import ActiveLearner, MinConfidence, PerCost, Random, xi_quality
from skal.datasets import make_tagged_sentences
from skal.inputs._tags import all_labels

DOCS = Path(page.__file__).parents[1] / "docs"


@pytest.fixture
def sets():
    X, y = make_tagged_sentences(110, random_state=0)
    ends = {"": 50, "_warm": 60, "_val": 85, "_test": 110}
    starts = [0, *ends.values()]
    return {
        letter + name: data[start:end]
        for (name, end), start in zip(ends.items(), starts, strict=False)
        for letter, data in (("X", X), ("y", y))
    }


@pytest.fixture
def tagger(sets):
    words = sorted({word.lower() for tokens in sets["X"] for word in tokens})
    vectors = np.random.default_rng(0).standard_normal((len(words), 8))
    return LinearTagger({"words": words, "vectors": vectors})


@pytest.fixture
def small(monkeypatch):
    """Make the study small."""
    monkeypatch.setattr(ner_costs, "SIZES", {"tokens": 25, "sentences": 4})
    monkeypatch.setattr(ner_costs, "N_ROUNDS", 2)
    monkeypatch.setattr(ner_costs, "N_RANDOM", 2)
    monkeypatch.setattr(ner_costs, "MAX_TRAININGS", 12)
    monkeypatch.setattr(ner_costs, "STRATEGIES", {"plain": MinConfidence()})
    monkeypatch.setattr(
        ner_costs, "PER_TOKEN", {"per": PerCost(MinConfidence(), cost="tokens")}
    )


def test_the_tagger_sees_a_token_and_its_neighbours(sets, tagger):
    X, y = sets["X"], sets["y"]
    model = tagger.fit(X, y)
    known = dict(zip(tagger.vectors["words"], tagger.vectors["vectors"], strict=True))
    rows = model._rows([*X, ["unheard", *X[0]]])
    sentence = [None, *X[3], None]
    start = sum(map(len, X[:3]))
    for i in range(len(X[3])):
        words = [word and known[word.lower()] for word in sentence[i : i + 3]]
        expected = [np.zeros(8) if one is None else one for one in words]
        assert rows[start + i].tolist() == np.concatenate(expected).tolist()
    assert not rows[sum(map(len, X))][:16].any()
    proba = model.predict_token_log_proba(X)
    assert [len(one) for one in proba] == [len(tokens) for tokens in X]
    best = [model.classes_[one.argmax(axis=1)].tolist() for one in proba]
    assert model.predict(X) == best
    assert np.mean(all_labels(best) == all_labels(y)) > 0.7


def test_runs_are_those_of_learners_and_are_resumed(sets, tagger, small, tmp_path):
    out = tmp_path / "runs.csv"
    for unit in ("tokens", "sentences"):
        ner_costs.run(sets, tagger, unit, 1, out, tmp_path)
    lines = out.read_text().splitlines()
    for unit in ("tokens", "sentences"):
        ner_costs.run(sets, tagger, unit, 1, out, tmp_path)
    assert out.read_text().splitlines() == lines
    rows = {(row["unit"], row["strategy"], row["order"]): row for row in read(out)}
    assert len(rows) == 10
    assert ("tokens", ner_costs.REPLAY, "0") in rows
    learner = ActiveLearner(
        *(tagger, Random(random_state=1)),
        **{"batch_size": 25, "n_rounds": 2, "cost": "tokens", "random_state": 1},
        scoring="f1_weighted",
    ).fit(**sets)
    row = rows["tokens", "random", "1"]
    np.testing.assert_allclose(
        np.array(row["curve"].split(), float), learner.curve_, atol=1e-6
    )
    assert [float(n) for n in row["tokens"].split()] == learner.spent_.tolist()
    assert all(int(n) <= 50 for n in rows["tokens", "per", "0"]["tokens"].split())


def test_shares_of_the_gap_are_those_of_the_means():
    own, random, oracle = {0: 0.7, 1: 0.8}, {0: 0.6, 1: 0.6}, {0: 0.8, 1: 1.0, 2: 9.0}
    assert page.share(own, random, oracle) == "50%"


def test_the_page_is_made_of_the_runs(tmp_path):
    copy = tmp_path / "page.md"
    copy.write_text((DOCS / "ner_costs.md").read_text())
    page.write(copy, DOCS / "runs/ner_costs.csv")
    assert copy.read_text() == (DOCS / "ner_costs.md").read_text()
    found = page.gather(read(DOCS / "runs/ner_costs.csv"), "tokens")
    for runs in found.values():
        for curve, _, tokens, _ in runs.values():
            assert len(curve) == 11
            assert (tokens <= 231 * np.arange(11)).all()
            assert 0.5 < xi_quality(curve) < 1
