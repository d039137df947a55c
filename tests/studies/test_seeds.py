import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs
from sklearn.naive_bayes import GaussianNB

from skal import ActiveLearner, Margin, Random, run_seeds, split
from skal.studies._tables import lay_out


@pytest.fixture
def learner():
    return ActiveLearner(GaussianNB(), Margin(), batch_size=5, n_rounds=4)


def test_mean_spread_and_table(learner, blobs):
    results = run_seeds(learner, *blobs, seeds=[3, 1, 7])
    assert results.seeds == (3, 1, 7)
    assert results.curves.shape == (3, 5)
    qualities = results.curves[:, 1:].mean(axis=1)
    np.testing.assert_allclose(results.qualities, qualities)
    assert results.mean == pytest.approx(np.mean(qualities))
    assert results.spread == pytest.approx(np.std(qualities, ddof=1))
    table = pd.DataFrame(results.table())
    assert table["seed"].tolist() == [3, 1, 7]
    assert table.columns.tolist() == [
        "seed",
        "quality",
        "validation_quality",
        "final_score",
        "n_trainings",
    ]
    assert [one.random_state for one in results.learners] == [3, 1, 7]


def test_the_table_reads_well(learner, blobs):
    lines = str(run_seeds(learner, *blobs, seeds=2)).split("\n")
    assert lines[0].split() == [
        *("seed", "quality", "validation", "quality", "final", "score"),
        *("n", "trainings"),
    ]
    assert len({len(line) for line in lines[:3]}) == 1
    assert lines[-1].startswith("mean 0.")


def test_one_seed_has_no_spread(learner, blobs):
    assert np.isnan(run_seeds(learner, *blobs, seeds=1).spread)


def test_given_sets_are_the_same_for_all_seeds(learner, blobs):
    sets = split(*blobs, warm_size=10, random_state=0)
    results = run_seeds(learner, **sets, seeds=3)
    # GaussianNB and Margin have no randomness of their own.
    assert len({tuple(curve) for curve in results.curves}) == 1


def test_a_learner_without_validation_has_no_such_column(learner, blobs):
    results = run_seeds(learner.set_params(val_size=0), *blobs, seeds=2)
    assert "validation_quality" not in results.table()
    assert "validation" not in str(results)


@pytest.mark.parametrize("seeds", [[], 0, [1, 1]])
def test_no_seeds_and_repeated_ones_are_refused(learner, blobs, seeds):
    with pytest.raises(ValueError, match="distinct and at least one"):
        run_seeds(learner, *blobs, seeds=seeds)


def test_the_learner_itself_is_left_alone(learner, blobs):
    run_seeds(learner, *blobs, seeds=2)
    assert learner.random_state is None
    assert not hasattr(learner, "curve_")


def test_one_seed_prints_no_deviation():
    X, y = make_blobs(60, random_state=0)
    learner = ActiveLearner(GaussianNB(), Random(), batch_size=2, n_rounds=2)
    found = run_seeds(learner, X, y, seeds=1)
    assert str(found).endswith(f"\nmean {found.mean:.4f}")


def test_a_pvalue_is_not_printed_as_zero():
    text = lay_out({"p": [1e-9, 4e-5, 6e-5, 0.0, -1e-9]})
    assert text.split() == ["p", "<0.0001", "<0.0001", "0.0001", "0.0000", "0.0000"]
