"""Comparisons in which each seed splits the data anew, and their tests."""

import pickle
import random
import warnings
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_digits, make_blobs
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skal import (
    BALD,
    ActiveLearner,
    AnnealingOracle,
    FixedOrder,
    Margin,
    MaxEntropy,
    Problem,
    Random,
    compare,
    evaluate_order,
    input_distribution,
    label_distribution,
    model_transfer,
    order_overlap,
    seed_transfer,
    split,
)
from skal.datasets import make_tagged_sentences
from skal.studies.running._chance import chance_score
from skal.studies.running._repeats import training_draws


class GlobalNoise(GaussianNB):
    """Draws from numpy's global generator."""

    def fit(self, X, y):
        return super().fit(X + np.random.normal(size=X.shape), y)  # noqa: NPY002


class Unwatchable(GaussianNB):
    """Takes nothing but an int."""

    def __init__(self, random_state=None):
        super().__init__()
        self.random_state = random_state

    def fit(self, X, y):
        random.Random(int(self.random_state)).random()
        return super().fit(X, y)


# One split for all seeds, and estimators that draw nothing: fine for small tests.
pytestmark = pytest.mark.filterwarnings("ignore:Seeds do not differ")
SIZES = {"batch_size": 4, "n_rounds": 3, "warm_size": 10}
STRATEGIES = {"random": Random(), "margin": Margin(), "entropy": MaxEntropy()}


@pytest.fixture(scope="module")
def data():
    return make_blobs(150, centers=3, cluster_std=3.0, random_state=3)


@pytest.fixture(scope="module")
def varied(data):
    """Three strategies on five splits, with two estimators."""
    estimators = {"bayes": GaussianNB(), "tree": DecisionTreeClassifier()}
    return compare(*data, estimators, STRATEGIES, n_orders=3, **SIZES)


def test_a_cell_is_what_a_learner_does_with_the_whole_data(data, varied):
    for i, (name, estimator) in enumerate(varied.estimators.items()):
        for j, (strategy, one) in enumerate(varied.strategies.items()):
            learner = ActiveLearner(estimator, one, **SIZES, random_state=3).fit(*data)
            order = varied.orders[name, strategy, 3][0]
            np.testing.assert_array_equal(order, learner.order_)
            if strategy != "random":
                np.testing.assert_array_equal(varied.curves[i, j, 3], learner.curve_)


def test_splits_differ_by_seed_and_two_jobs_make_no_difference(data, varied):
    assert all(deviation > 0 for deviation in varied.qualities.std(axis=2).ravel())
    again = compare(*data, varied.estimators, STRATEGIES, n_orders=3, n_jobs=2, **SIZES)
    np.testing.assert_array_equal(again.curves, varied.curves)
    np.testing.assert_array_equal(again.baseline_curves, varied.baseline_curves)


def test_a_function_of_the_seed_poses_the_problems(data, varied):
    pose = partial(Problem.from_data, *data, GaussianNB(), **SIZES)
    made = compare(
        lambda seed: pose(random_state=seed),
        STRATEGIES,
        estimators=varied.estimators,
        n_orders=3,
    )
    np.testing.assert_array_equal(made.curves, varied.curves)

    def unequal(seed):
        return pose(random_state=seed, test_size=30 + seed)

    with pytest.raises(ValueError, match="same number of rows in the pool, got 72 and"):
        compare(unequal, STRATEGIES)
    with pytest.raises(ValueError, match="must return a Problem, got 3"):
        compare(lambda seed: 3, STRATEGIES)


def test_a_comparison_can_be_pickled(data, varied, make_problem):
    fixed = compare(make_problem(), {"margin": Margin()})
    for found in (varied, fixed):
        again = pickle.loads(pickle.dumps(found))
        np.testing.assert_array_equal(again.curves, found.curves)
        first, second = (one.splits.problem_of(3) for one in (again, found))
        np.testing.assert_array_equal(first.X_pool, second.X_pool)


def nadeau_bengio(differences, n_test, n_train):
    """Return p by the formula of the paper, section 3."""
    n = len(differences)
    variance = (1 / n + n_test / n_train) * np.var(differences, ddof=1)
    t = np.mean(differences) / np.sqrt(variance)
    return 2 * stats.t.sf(abs(t), n - 1)


def test_the_p_value_is_that_of_the_corrected_resampled_t_test(varied):
    tests = varied.against()
    # A quarter of 150 rows is test: 38, and 112 others.
    for i, j in np.ndindex(2, 2):
        expected = nadeau_bengio(tests.gains[i, j], 38, 112)
        assert tests.t_pvalues[i, j] == pytest.approx(expected)
    # Where all share a split, the test is the plain one.
    plain = replace(tests, overlap=0.0)
    first = stats.ttest_rel(tests.qualities[0, 0], tests.reference_qualities[0, 0])
    assert plain.t_pvalues[0, 0] == pytest.approx(first.pvalue)
    assert (plain.t_pvalues <= tests.t_pvalues).all()


def test_wilcoxon_is_not_asked_about_splits_that_overlap(varied):
    assert np.isnan(varied.against().wilcoxon_pvalues).all()
    assert "Wilcoxon" not in str(varied) + str(varied.against())


@pytest.mark.parametrize("n_seeds", [5, 6])
def test_wilcoxon_is_printed_where_it_can_be_below_a_twentieth(make_problem, n_seeds):
    strategies = {"random": Random(), "margin": Margin()}
    tree = DecisionTreeClassifier(max_depth=2)
    found = compare(make_problem(tree), strategies, seeds=n_seeds, n_orders=2)
    assert ("Wilcoxon" in str(found.against())) == (n_seeds == 6)


def test_the_table_says_what_its_p_values_are_about(varied, comparison):
    assert "over splits, corrected for their overlap (Nadeau and Bengio" in str(varied)
    assert "over training seeds on this split. It says nothing" in str(comparison)
    for found in (varied, comparison):
        # Another table of the same study says the same about the same pair.
        assert str(found).split("p: ")[1][:40] in str(found.against())


def test_one_pair_has_one_p_value_in_all_tables(comparison):
    tests = comparison.against()
    p = comparison.oracle_gains().t_pvalues[0, 0]
    assert p == tests.t_pvalues[0, tests.strategies.index("oracle")]
    shown = [
        line.split()
        for line in str(comparison).split("\n")
        if line.startswith(("oracle ", "tree "))
    ]
    header = str(comparison).split("\n")[1].split()
    (row,) = [cells for cells in shown if cells[0] == "oracle"][:1]
    assert header[:6] == ["strategy", "quality", "sd", "over", "random", "p"]
    (other,) = [c for c in shown if c[:2] == ["tree", "random"]]
    assert row[4] == other[3] == f"{p:.4f}" or p < 0.00005


def test_entropy_wins_nothing_on_digits_and_margin_does():
    X, y = load_digits(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    found = compare(
        *(X, y, model, STRATEGIES),
        seeds=20,
        n_orders=1,
        batch_size=20,
        n_rounds=8,
        val_size=478,
        test_size=479,
    )
    tests = found.against()
    margin, entropy = tests.gains[0]
    assert margin.mean() > 0.02
    assert (margin > 0).sum() >= 18
    assert tests.t_holm[0, 0] < 0.05
    assert abs(entropy.mean()) < 0.01
    assert tests.t_pvalues[0, 1] > 0.3


class Counting(GaussianNB):
    """Counts its trainings."""

    n_fits = 0

    def fit(self, X, y):
        type(self).n_fits += 1
        return super().fit(X, y)


def test_seeds_that_repeat_one_run_are_trained_once(make_problem):
    problem, strategies = make_problem(Counting()), {"margin": Margin()}
    alone = ActiveLearner(
        Counting(), Margin(), batch_size=4, n_rounds=3, random_state=0, select_size=0
    ).fit(**problem.sets)
    Counting.n_fits = 0
    with pytest.warns(UserWarning, match="Seeds do not differ for margin with Count"):
        found = compare(problem, strategies, seeds=7)
    # K + 1, and one to find out that training draws no random numbers.
    assert Counting.n_fits == 3 + 1 + 1
    assert found.repeats("margin").all()
    np.testing.assert_array_equal(found.curves[0, 0], [alone.curve_] * 7)
    assert "margin with Counting: all 7 seeds gave the same run" in str(found)
    with pytest.warns(UserWarning, match="Seeds do not differ"):
        again = compare(problem, strategies, seeds=7, n_jobs=2)
    np.testing.assert_array_equal(again.curves, found.curves)


def test_a_folder_that_grows_has_the_same_table(make_problem, tmp_path):
    strategies = {"random": Random(), "margin": Margin()}
    with pytest.warns(UserWarning, match="Seeds do not differ for margin"):
        compare(make_problem(GaussianNB()), strategies, path=tmp_path)
    with pytest.warns(UserWarning, match="Seeds do not differ for margin"):
        grown = compare(make_problem(GaussianNB()), strategies, seeds=7, path=tmp_path)
    with pytest.warns(UserWarning, match="Seeds do not differ for margin"):
        whole = compare(make_problem(GaussianNB()), strategies, seeds=7)
    np.testing.assert_array_equal(grown.curves, whole.curves)


def test_ties_that_seeds_break_otherwise_are_trained(make_problem):
    # Three neighbours give few different margins: which row is next is up to the seed.
    problem = make_problem(KNeighborsClassifier(3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = compare(problem, {"margin": Margin()})
    orders = {
        tuple(order[0]) for order in map(np.ndarray.tolist, found.orders.values())
    }
    assert len({tuple(order[0].tolist()) for order in found.orders.values()}) > 1
    assert len(orders) > 1
    for seed in found.seeds:
        learner = ActiveLearner(
            KNeighborsClassifier(3), Margin(), batch_size=4, n_rounds=3,
            random_state=seed,
        ).fit(**problem.sets)  # fmt: skip
        order = found.orders["KNeighborsClassifier", "margin", seed][0]
        np.testing.assert_array_equal(order, learner.order_)


def test_the_baseline_has_a_curve_for_each_order(varied):
    assert varied.baseline_curves.shape == (2, 5, 3, 4)
    np.testing.assert_allclose(varied.baseline_curves.mean(axis=2), varied.curves[:, 0])
    assert varied.single_curves("random").shape == (2, 15, 4)
    assert varied.single_curves("margin").shape == (2, 5, 4)
    single = varied.single_curves("random").std(axis=1)
    assert (single.mean(axis=1) > varied.curves[:, 0].std(axis=1).mean(axis=1)).all()


def test_optimism_is_a_difference_of_gains(varied, comparison):
    validation, test = comparison.validation_qualities, comparison.qualities
    expected = (validation - validation[:, :1]) - (test - test[:, :1])
    np.testing.assert_allclose(comparison.optimism(), expected)
    assert (comparison.optimism()[:, 0] == 0).all()
    assert (comparison.optimism()[:, 4].mean(axis=1) > 0).all()
    assert "optimism: gain over random on validation, minus that on test" in str(varied)


def test_an_oracles_order_is_followed_under_other_seeds(make_problem):
    tree = DecisionTreeClassifier(max_features=1)
    problem = make_problem(tree)
    strategies = {"random": Random(), "oracle": AnnealingOracle(n_steps=30)}
    found = compare(problem, strategies)
    key = "DecisionTreeClassifier", "oracle", 2
    curves = found.other_seeds[key]
    assert curves.shape == (5, 4)
    assert len({tuple(curve) for curve in curves.tolist()}) > 1
    assert set(found.other_seeds) == {(*key[:2], seed) for seed in found.seeds}
    # Each is what `evaluate_order` gives under such a seed.
    learner = ActiveLearner(clone(tree), Random(), batch_size=4, n_rounds=3)
    order = found.orders[key][0]
    many = evaluate_order(order, learner, **problem.sets, seeds=100)
    quality = found.other_seed_qualities("oracle")[0, 2]
    assert quality == pytest.approx(curves[:, 1:].mean())
    assert abs(quality - many.mean) < 4 * many.spread / np.sqrt(5)
    tests = found.oracle_gains(other_seeds=True)
    assert tests.strategies == ("oracle, other seeds",)
    low = found.of("random")[0]
    gains = found.other_seed_qualities("oracle")[0] - low
    np.testing.assert_allclose(tests.gains[0, 0], gains)
    assert "gain (other seeds)" in str(found)
    assert f"{gains.mean():.4f}" in str(found)


@pytest.mark.filterwarnings("ignore:Seeds do not differ")
def test_other_seeds_are_left_out_where_training_draws_nothing(make_problem):
    strategies = {"random": Random(), "oracle": AnnealingOracle(n_steps=5)}
    found = compare(make_problem(GaussianNB()), strategies)
    assert not found.other_seeds
    assert "other seeds" not in str(found)
    with pytest.raises(
        ValueError, match="were not replayed under other training seeds"
    ):
        found.oracle_gains(other_seeds=True)


def test_a_model_at_chance_is_named(make_problem):
    # Always the most frequent class of the labelled rows.
    stump = {"stump": DecisionTreeClassifier(min_samples_leaf=1000)}
    forest = {"stump": RandomForestClassifier(3, min_samples_leaf=1000)}
    with pytest.warns(UserWarning, match=r"margin with stump ends at chance: its last"):
        compare(make_problem(), {"margin": Margin()}, estimators=stump)
    tree = {"stump": RandomForestClassifier(3)}
    with pytest.warns(UserWarning, match="Its model is the posterior estimator") as w:
        found = compare(
            *(make_problem(), {"margin": Margin(), "bald": BALD()}),
            estimators=tree,
            posterior_estimators=forest,
        )
    assert len(w) == 1
    assert "bald with stump: trained and scored with its posterior estimator" in (
        str(found)
    )


def test_nobody_is_at_chance_where_the_scorer_cannot_tell(make_problem):
    def by_leaves(model, X, y):
        return -float(model.get_n_leaves())

    compare(make_problem(scoring=by_leaves), {"random": Random()}, n_orders=1)


def test_the_score_of_chance(make_problem):
    problem = make_problem()
    counts = np.bincount(np.concatenate([problem.y_warm, problem.y_pool]))
    assert chance_score(problem) == np.mean(problem.y_test == counts.argmax())


class FirstTag(ClassifierMixin, BaseEstimator):
    """Gives each token the first tag it has seen."""

    def fit(self, X, y):
        self.tag_ = y[0][0]
        return self

    def predict(self, X):
        return [[self.tag_] * len(row) for row in X]


def test_the_score_of_chance_of_a_tagger():
    sentences, tags = make_tagged_sentences(60, random_state=0)
    sets = split(sentences, tags, warm_size=5, random_state=0)
    problem = Problem.from_sets(
        sets, FirstTag(), batch_size=4, n_rounds=2, scoring="accuracy"
    )
    flat = [tag for row in sets["y"] + sets["y_warm"] for tag in row]
    most = max(set(flat), key=flat.count)
    flat = [tag for row in sets["y_test"] for tag in row]
    assert chance_score(problem) == pytest.approx(flat.count(most) / len(flat))


@pytest.mark.parametrize(
    ("estimator", "draws"),
    [
        (LogisticRegression(), False),
        (LogisticRegression(solver="saga", max_iter=10), True),
        (make_pipeline(StandardScaler(), GaussianNB()), False),
        (DecisionTreeClassifier(), True),
        (OneVsRestClassifier(SGDClassifier()), True),
        (OneVsRestClassifier(LogisticRegression()), False),
        (BaggingClassifier(GaussianNB(), n_estimators=2, n_jobs=2), True),
        (GlobalNoise(), True),
        (Unwatchable(), True),
    ],
)
def test_whether_training_draws_random_numbers(make_problem, estimator, draws):
    assert training_draws(make_problem(), estimator) == draws


def test_one_pool_is_needed_where_orders_meet(varied):
    for study in (seed_transfer, order_overlap, label_distribution):
        with pytest.raises(ValueError, match="one pool for all seeds"):
            study(varied)
    with pytest.raises(ValueError, match="one pool for all seeds"):
        input_distribution(varied, "length")


def test_model_transfer_follows_each_order_on_its_own_split(data, varied):
    found = model_transfer(varied, strategies=["margin"])
    problem = Problem.from_data(*data, GaussianNB(), **SIZES, random_state=2)
    order = problem.positions(varied.orders["tree", "margin", 2][0])
    learner = ActiveLearner(
        GaussianNB(), FixedOrder(order), batch_size=4, n_rounds=3, random_state=2
    ).fit(**problem.sets)
    np.testing.assert_array_equal(found.curves[0, 1, 0, 2], learner.curve_)
    assert found.against_baseline().overlap == varied.splits.overlap


class NeverTrained(GaussianNB):
    def fit(self, X, y):
        raise AssertionError("trained before the input was checked")


@pytest.mark.parametrize(
    ("args", "params", "error", "message"),
    [
        (
            (NeverTrained(), STRATEGIES),
            {"val_sise": 3},
            TypeError,
            "argument 'val_sise'",
        ),
        (
            (NeverTrained(), STRATEGIES),
            {"test_size": 1.5},
            ValueError,
            "test_size must",
        ),
        (
            (NeverTrained(), STRATEGIES),
            {"batch_size": 0},
            ValueError,
            "batch_size == 0",
        ),
        (
            (NeverTrained(), {"a": FixedOrder([1])}),
            {},
            ValueError,
            "needs one pool for all seeds",
        ),
        ((NeverTrained(), None), {}, ValueError, "strategies must be a dict"),
        ((3, STRATEGIES), {}, ValueError, r"estimator\['int'\] must be"),
        (
            (NeverTrained(), STRATEGIES),
            {"test_size": 0},
            ValueError,
            "needs a test set",
        ),
    ],
)
def test_bad_input_is_met_before_anything_is_trained(
    data, args, params, error, message
):
    with pytest.raises(error, match=message):
        compare(*data, *args, **{"n_rounds": 3, **params})


def test_what_a_problem_determines_is_refused(make_problem):
    problem = make_problem(NeverTrained())
    with pytest.raises(ValueError, match="batch_size is part of a problem"):
        compare(problem, STRATEGIES, batch_size=3)
    with pytest.raises(ValueError, match="estimator is part of a problem"):
        compare(problem, STRATEGIES, GaussianNB())


def test_from_data_carves_as_a_learner_does(data):
    problem = Problem.from_data(*data, GaussianNB(), **SIZES, random_state=7)
    learner = ActiveLearner(GaussianNB(), Random(), **SIZES, random_state=7)
    assert set(learner.fit(*data).order_) <= set(problem.pool_rows)
    sets = split(*data, warm_size=10, random_state=7)
    np.testing.assert_array_equal(problem.X_test, sets["X_test"])
    np.testing.assert_array_equal(problem.X_warm, sets["X_warm"])
    with pytest.raises(ValueError, match="warm_size must be a number of rows, or a"):
        Problem.from_data(*data, GaussianNB(), warm_size=-1)
