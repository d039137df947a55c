import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from skal import ActiveLearner, Margin, Problem, compare, run_seeds, split
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


@pytest.mark.parametrize("seed", range(5))
def test_stratified_sets_have_the_proportions_of_y(seed):
    rng = np.random.default_rng(seed)
    y = rng.choice(["a", "b", "c", "d"], 400, p=[0.6, 0.25, 0.1, 0.05])
    sizes = {"test": 100, "val": 0.25, "select": 40, "warm": 40}
    rows = carve(400, sizes, seed, y=y, stratify=True)
    assert sorted(np.concatenate(list(rows.values()))) == list(range(400))
    for part in rows.values():
        for name in "abcd":
            expected = len(part) * (y == name).mean()
            assert abs((y[part] == name).sum() - expected) < 2
    other = carve(400, sizes, seed + 1, y=y, stratify=True)
    assert rows["test"].tolist() != other["test"].tolist()


def test_rows_of_equal_labels_are_spread_over_the_sets():
    rng = np.random.default_rng(0)
    labels = (rng.random((400, 2)) < [0.5, 0.1]).astype(int)
    names = np.array([["no", "yes"], ["low", "high"]], dtype=object)
    for y in (labels, names[[0, 1], labels]):
        sets = split(np.eye(400), y, warm_size=40, stratify=True, random_state=0)
        for part in (sets["y_test"], sets["y_warm"], sets["y"]):
            for row in ([0, 0], [0, 1], [1, 0], [1, 1]):
                equal = (np.array(row) if y is labels else names[[0, 1], row])[None]
                n, expected = ((rows == equal).all(axis=1) for rows in (part, y))
                assert abs(n.sum() - len(part) * expected.mean()) < 2
    with pytest.raises(ValueError, match="stratify chooses rows by class, and y holds"):
        split(np.eye(40), rng.random((40, 2)), warm_size=4, stratify=True)


def test_a_class_of_one_row_can_be_in_any_set():
    y = np.r_[np.zeros(99, int), 1]
    sizes = {"test": 30, "val": 30, "warm": 10}
    found = {
        name
        for seed in range(60)
        for name, part in carve(100, sizes, seed, y=y, stratify=True).items()
        if 99 in part
    }
    assert found == {"test", "val", "warm", "pool"}


@pytest.mark.parametrize("stratify", [False, True])
def test_a_warm_start_has_enough_rows_of_each_class(stratify):
    y = np.repeat([0, 1, 2], [80, 30, 10])
    params = {"y": y, "stratify": stratify}
    for seed in range(10):
        rows = carve(120, {"test": 20, "warm": 12}, seed, warm_per_class=3, **params)
        counts = np.bincount(y[rows["warm"]], minlength=3)
        assert counts.sum() == 12
        assert counts.min() >= 3
        # The held-out sets are those of a split without this.
        plain = carve(120, {"test": 20, "warm": 12}, seed, **params)
        assert rows["test"].tolist() == plain["test"].tolist()


def test_the_default_warm_start_is_large_enough_for_its_classes(blobs):
    X, y = blobs
    learner = ActiveLearner(
        LogisticRegression(), Margin(), batch_size=2, n_rounds=2, warm_per_class=5,
        random_state=0,
    )  # fmt: skip
    assert learner.fit(X, y).n_warm_ == 15
    assert learner.set_params(warm_per_class=0).fit(X, y).n_warm_ == 4


def test_what_warm_per_class_needs(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match="warm_size=8 is too small for 3 rows of each"):
        split(X, y, warm_size=8, warm_per_class=3, random_state=0)
    rare = np.r_[np.zeros(119, int), 1]
    with pytest.raises(ValueError, match="rows of class 1 are left outside of the"):
        split(X, rare, warm_size=9, warm_per_class=3, random_state=0)
    tags = [["A", "B"]] * 120
    for choice in ({"warm_per_class": 1}, {"stratify": True}):
        with pytest.raises(ValueError, match="holds lists of tags"):
            split([["x", "y"]] * 120, tags, warm_size=9, random_state=0, **choice)


@pytest.mark.parametrize("kind", [np.asarray, list, lambda g: [f"g{i}" for i in g]])
def test_groups_are_never_split(kind):
    groups = np.random.default_rng(0).integers(0, 30, 300)
    sizes = {"test": 60, "val": 0.2, "select": 30, "warm": 20}
    for seed in range(10):
        rows = carve(300, sizes, seed, groups=kind(groups))
        train = np.r_[rows["warm"], rows["pool"]]
        sides = [train, rows["test"], rows["val"], rows["select"]]
        assert sum(len(set(groups[side])) for side in sides) == len(set(groups))
        assert sorted(np.concatenate(list(rows.values()))) == list(range(300))
        assert len(rows["warm"]) == 20
        assert abs(len(rows["test"]) - 60) <= 10
    # The warm start is drawn from all the rows to train on, not group by group.
    assert len(set(groups[rows["warm"]])) > 8


def test_groups_of_one_row_are_cut_as_rows_are():
    rows = carve(100, {"test": 25, "val": 10, "warm": 5}, 3)
    again = carve(100, {"test": 25, "val": 10, "warm": 5}, 3, groups=np.arange(100))
    assert all(rows[name].tolist() == again[name].tolist() for name in rows)


def test_groups_in_every_door(blobs):
    X, y = blobs
    groups = np.arange(120) // 4
    learner = ActiveLearner(
        LogisticRegression(), Margin(), batch_size=4, n_rounds=2, random_state=0
    )
    sizes = {"warm_size": 8, "val_size": 0.25, "test_size": 0.25}
    sets = split(X, y, **sizes, groups=groups, random_state=0)
    expected = clone(learner).fit(**sets).curve_
    by_fit = clone(learner).fit(X, y, groups=groups)
    np.testing.assert_array_equal(by_fit.curve_, expected)
    (by_seeds,) = run_seeds(learner, X, y, seeds=[0], groups=groups).curves
    np.testing.assert_array_equal(by_seeds, expected)
    problem = Problem.from_data(
        X, y, LogisticRegression(), batch_size=4, n_rounds=2, groups=groups,
        random_state=0,
    )  # fmt: skip
    np.testing.assert_array_equal(problem.X_test, sets["X_test"])
    with pytest.warns(UserWarning, match="is too small to test"):
        study = compare(
            X, y, LogisticRegression(), {"margin": Margin()}, seeds=[0], batch_size=4,
            n_rounds=2, groups=groups,
        )  # fmt: skip
    np.testing.assert_array_equal(study.curves[0, 0, 0], expected)


def test_bad_groups_are_refused(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match="one value per row of X, 120, got 119"):
        split(X, y, warm_size=9, groups=np.arange(119))
    with pytest.raises(ValueError, match="leave no row for the pool"):
        split(X, y, warm_size=9, groups=np.arange(120) // 60)
    with pytest.raises(ValueError, match="stratify=True does not work with groups"):
        split(X, y, warm_size=9, groups=np.arange(120), stratify=True)
