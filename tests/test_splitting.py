import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from skal import ActiveLearner, Margin, split
from skal.splitting import carve


def test_carve_cuts_disjoint_sets_that_cover_all_rows():
    rows = carve(100, {"test": 0.25, "val": 10, "warm": 0}, seed=0)
    assert {name: len(part) for name, part in rows.items()} == {
        "test": 25,
        "val": 10,
        "warm": 0,
        "pool": 65,
    }
    together = np.concatenate(list(rows.values()))
    assert sorted(together.tolist()) == list(range(100))
    other = carve(100, {"test": 0.25, "val": 10, "warm": 0}, seed=1)
    assert rows["test"].tolist() != other["test"].tolist()


def test_carving_is_not_stratified(blobs):
    X, y = blobs
    counts = {
        tuple(
            np.bincount(
                split(X, y, warm_size=12, random_state=s)["y_warm"], minlength=3
            )
        )
        for s in range(20)
    }
    assert len(counts) > 5


def test_split_gives_what_the_learner_would_carve(blobs):
    X, y = blobs
    sizes = {"warm_size": 10, "val_size": 30, "test_size": 0.25}
    params = {"batch_size": 5, "n_rounds": 3, "random_state": 0}
    inside = ActiveLearner(LogisticRegression(), Margin(), **params, **sizes).fit(X, y)
    sets = split(X, y, **sizes, random_state=0)
    given = ActiveLearner(LogisticRegression(), Margin(), **params).fit(**sets)
    assert inside.curve_.tolist() == given.curve_.tolist()
    np.testing.assert_array_equal(X[inside.order_], sets["X"][given.order_])


@pytest.mark.parametrize("kind", [float, np.float32, np.float64])
def test_a_fraction_of_any_kind_is_a_fraction(blobs, kind):
    sets = split(*blobs, warm_size=10, test_size=kind(0.25), val_size=kind(0))
    assert len(sets["X_test"]) == 30
    assert "X_val" not in sets


@pytest.mark.parametrize(
    "sizes", [{"val_size": -5}, {"test_size": -0.5}, {"select_size": 1.5}]
)
def test_sizes_out_of_range_are_refused(blobs, sizes):
    with pytest.raises(ValueError, match=f"'{next(iter(sizes))}' parameter of split"):
        split(*blobs, **{"warm_size": 10} | sizes)


@pytest.mark.parametrize("make", [sparse.coo_matrix, sparse.coo_array])
def test_any_sparse_format_is_split(blobs, make):
    X, y = blobs
    sets = split(make(X), y, warm_size=10, random_state=0)
    dense = split(X, y, warm_size=10, random_state=0)
    np.testing.assert_array_equal(sets["X_test"].toarray(), dense["X_test"])


def test_rows_and_labels_of_different_numbers_are_not_split(blobs):
    X, y = blobs
    for rows, labels in ((X[:100], y), (X, y[:100])):
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            split(rows, labels, warm_size=10)
    with pytest.raises(ValueError, match="y is None: give a label for each row"):
        split(X, None, warm_size=10)


def test_a_seed_that_is_none_is_refused(blobs):
    with pytest.raises(ValueError, match="'random_state' parameter of split"):
        split(*blobs, warm_size=10, random_state="a")


def test_too_few_rows_are_refused():
    with pytest.raises(ValueError, match="leave no row for the pool"):
        split(np.ones((10, 2)), [0, 1] * 5, val_size=3, test_size=3, warm_size=4)
