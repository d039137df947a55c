import io
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from rich.console import Console
from scipy import stats
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skal import (
    BALD,
    IDMR,
    ODMR,
    ActiveLearner,
    AnnealingOracle,
    FixedOrder,
    Longest,
    Margin,
    MaxEntropy,
    Problem,
    Random,
    compare,
    split,
    xi_quality,
)
from skal.studies import PairedTests, Task
from skal.utils.progress import ProgressBar

# One split for all seeds, and estimators that draw nothing: fine for small tests.
pytestmark = pytest.mark.filterwarnings("ignore:Seeds do not differ")


def learn(problem, strategy, estimator, seed):
    learner = ActiveLearner(
        estimator,
        strategy,
        batch_size=problem.batch_size,
        n_rounds=problem.n_rounds,
        random_state=seed,
        select_size=0,
    )
    return learner.fit(**problem.sets)


def test_each_cell_is_a_run_of_a_learner(comparison):
    for i, (estimator, model) in enumerate(comparison.estimators.items()):
        for j, (strategy, one) in enumerate(comparison.strategies.items()):
            run = learn(comparison.problem, one, model, 2)
            orders = comparison.orders[estimator, strategy, 2]
            np.testing.assert_array_equal(orders[0], run.order_)
            if strategy != "random":
                np.testing.assert_array_equal(comparison.curves[i, j, 2], run.curve_)
                validation = comparison.validation_curves[i, j, 2]
                np.testing.assert_array_equal(validation, run.validation_curve_)
                assert len(orders) == 1


def test_the_baseline_is_the_mean_of_its_orders(comparison):
    orders = comparison.orders["tree", "random", 1]
    assert orders.shape == (3, 12)
    assert len({tuple(order) for order in orders.tolist()}) == 3
    tree = comparison.estimators["tree"]
    curves = [
        learn(comparison.problem, FixedOrder(order), tree, 1).curve_ for order in orders
    ]
    np.testing.assert_allclose(comparison.curves[0, 0, 1], np.mean(curves, axis=0))


def test_a_seeded_baseline_has_the_same_orders_under_each_seed(make_problem):
    found = compare(make_problem(), {"random": Random(random_state=7)}, n_orders=2)
    first, second = (
        found.orders["DecisionTreeClassifier", "random", s] for s in (0, 1)
    )
    np.testing.assert_array_equal(first, second)
    assert first[0].tolist() != first[1].tolist()


def test_shapes_names_and_qualities(comparison):
    assert comparison.curves.shape == (2, 5, 5, 4)
    assert (comparison.baseline, comparison.oracle) == ("random", "oracle")
    assert comparison.heuristics == ("margin", "idmr-margin", "entropy")
    assert comparison.n_labelled.tolist() == [10, 14, 18, 22]
    curve = comparison.curves[1, 3, 4]
    assert comparison.qualities[1, 3, 4] == pytest.approx(xi_quality(curve))
    warm = replace(comparison, include_warm_start=True)
    expected = xi_quality(curve, include_warm_start=True)
    assert warm.qualities[1, 3, 4] == pytest.approx(expected)
    assert warm.qualities[1, 3, 4] != comparison.qualities[1, 3, 4]
    np.testing.assert_array_equal(comparison.of("entropy"), comparison.qualities[:, 3])


def test_the_oracle_is_the_best_where_it_searched(comparison):
    validation = comparison.validation_qualities.mean(axis=2)
    assert (validation.argmax(axis=1) == 4).all()
    assert (validation[:, 4] > comparison.qualities[:, 4].mean(axis=1)).all()


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_the_table_is_tidy(comparison, frame):
    table = frame(comparison.table())
    assert table.shape == (2 * 5 * 5 * 4, 7)
    assert list(table.columns) == [
        *("estimator", "strategy", "seed", "round", "n_labelled", "score"),
        "validation_score",
    ]
    table = pd.DataFrame(comparison.table()).set_index(list(table.columns[:4]))
    row = table.loc["bayes", "entropy", 3, 2]
    assert row["score"] == comparison.curves[1, 3, 3, 2]
    assert row["validation_score"] == comparison.validation_curves[1, 3, 3, 2]
    assert row["n_labelled"] == 18


def test_tests_against_the_baseline(comparison):
    tests = comparison.against()
    assert tests.strategies == ("margin", "idmr-margin", "entropy", "oracle")
    low = comparison.qualities[:, 0]
    for i, j in np.ndindex(2, 4):
        expected = stats.ttest_rel(comparison.qualities[i, j + 1], low[i]).pvalue
        # With "bayes" nothing but a search or k-means draws random numbers.
        if i == 1 and tests.strategies[j] in ("margin", "entropy"):
            expected = np.nan
        assert tests.t_pvalues[i, j] == pytest.approx(expected, nan_ok=True)
        gain = comparison.qualities[i, j + 1] - low[i]
        np.testing.assert_allclose(tests.gains[i, j], gain)
    # With five strategies the smallest of four p-values counts four times.
    smallest = np.nanargmin(tests.t_pvalues, axis=1)
    for i, j, n_tests in zip(range(2), smallest, (4, 2), strict=True):
        corrected = min(1, n_tests * tests.t_pvalues[i, j])
        assert tests.t_holm[i, j] == pytest.approx(corrected)
    tested = ~np.isnan(tests.t_pvalues)
    assert (tests.wilcoxon_holm >= tests.wilcoxon_pvalues)[tested].all()
    against_margin = comparison.against("margin")
    assert against_margin.strategies == ("random", "idmr-margin", "entropy", "oracle")
    assert len(pd.DataFrame(tests.table())) == 8


def test_the_relative_gain_has_the_sign_of_the_gain():
    # Scores such as "neg_log_loss" are negative; of nothing, nothing is a share.
    low = np.array([-2.0, 0.5, 0.0]).reshape(1, 3, 1)
    references = np.full((1, 3), "low")
    tests = PairedTests(("e",), ("a", "b", "c"), references, (0,), low + 0.5, low)
    np.testing.assert_allclose(tests.table()["relative_gain"], [0.25, 1, np.nan])


def test_the_oracle_against_random_and_the_best_heuristic(comparison):
    gains = comparison.oracle_gains()
    means = comparison.qualities[:, 1:4].mean(axis=2)
    best = [comparison.heuristics[i] for i in means.argmax(axis=1)]
    assert gains.references.tolist() == [["random", best[0]], ["random", best[1]]]
    expected = comparison.qualities[:, 4].mean(axis=1) - means.max(axis=1)
    np.testing.assert_allclose(gains.gains[:, 1].mean(axis=1), expected)
    assert str(gains).count("oracle") == 4


def test_the_gap_closed_and_the_wins(comparison):
    closed = comparison.gap_closed()
    assert closed.shape == (2, 5, 5)
    open_ = comparison.qualities[:, 4] > comparison.qualities[:, 0]
    np.testing.assert_array_equal(closed[:, 4] == 1, open_)
    np.testing.assert_array_equal(np.isnan(closed[:, 1]), ~open_)
    wins = comparison.wins()
    expected = (comparison.qualities[0, 4] > comparison.qualities[0, 0]).sum()
    assert wins[0, 4, 0] == expected
    assert (wins + wins.swapaxes(1, 2) <= 5).all()


def test_it_prints_the_best_first(comparison):
    text = str(comparison)
    tree = text.split("\n\n")[0].split("\n")
    shown = [line.split()[0] for line in tree[2:]]
    means = dict(
        zip(comparison.strategies, comparison.qualities[0].mean(axis=1), strict=True)
    )
    assert shown == sorted(means, key=means.get, reverse=True)
    assert tree[0] == "tree"
    assert "gap closed" in tree[1]
    assert "Means over 5 seeds on one split" in text
    assert "The oracle\n" in text


def test_two_jobs_do_not_change_it(comparison):
    again = compare(
        comparison.problem,
        comparison.strategies,
        estimators=comparison.estimators,
        n_orders=3,
        n_jobs=2,
    )
    for name, column in comparison.table().items():
        np.testing.assert_array_equal(again.table()[name], column)
    for key, orders in comparison.orders.items():
        np.testing.assert_array_equal(again.orders[key], orders)


def test_the_given_objects_are_left_alone(make_problem, tmp_path):
    strategies = {"random": Random(), "oracle": AnnealingOracle(n_steps=3)}
    compare(make_problem(), strategies, n_orders=2, path=tmp_path)
    assert strategies["random"].random_state is None
    assert strategies["oracle"].journal is None
    assert not hasattr(strategies["oracle"], "order_")


def test_a_problem_without_validation_and_without_a_baseline(blobs):
    sets = split(*blobs, warm_size=10, val_size=0, random_state=0)
    problem = Problem.from_sets(sets, GaussianNB(), batch_size=4, n_rounds=2)
    found = compare(problem, {"margin": Margin(), "entropy": MaxEntropy()})
    assert np.isnan(found.validation_curves).all()
    assert (found.baseline, found.oracle) == (None, None)
    assert "validation" not in str(found)
    for call in (found.against, found.gap_closed):
        with pytest.raises(ValueError, match="no baseline among margin, entropy"):
            call()
    with pytest.raises(ValueError, match="no oracle among margin, entropy"):
        found.oracle_gains()


def test_seeds_that_repeat_each_other_have_no_pvalues(make_problem):
    # Neither GaussianNB nor these strategies have randomness of their own.
    found = compare(
        make_problem(GaussianNB()), {"margin": Margin(), "entropy": MaxEntropy()}
    )
    tests = found.against("margin")
    assert np.ptp(tests.gains) == 0
    assert np.isnan(tests.t_pvalues).all()
    assert np.isnan(tests.wilcoxon_holm).all()


def test_a_pool_that_runs_out(blobs):
    sets = split(*blobs, warm_size=10, val_size=45, test_size=55, random_state=0)
    with pytest.warns(UserWarning, match="stopping early, after 3 rounds"):
        problem = Problem.from_sets(sets, GaussianNB(), batch_size=4, n_rounds=5)
    found = compare(problem, {"margin": Margin()})
    assert found.n_labelled.tolist() == [10, 14, 18, 20]
    assert found.orders["GaussianNB", "margin", 0].shape == (1, 10)


def test_weights_of_rows_reach_the_trainings(blobs):
    sets = split(*blobs, warm_size=10, random_state=0)
    problem = Problem.from_sets(sets, GaussianNB(), batch_size=4, n_rounds=2)
    n = 10 + problem.n_pool
    weights = {"sample_weight": np.random.default_rng(0).random(n) ** 4}
    plain, weighted = (
        compare(one, {"margin": Margin()})
        for one in (problem, replace(problem, fit_params=weights))
    )
    assert plain.curves[0, 0, 0].tolist() != weighted.curves[0, 0, 0].tolist()


class Sampled(RandomForestClassifier):
    """A forest whose members stand for dropout."""

    def __init__(self, n_estimators=2, dropout=0.0, random_state=None):
        super().__init__(n_estimators, random_state=random_state)
        self.dropout = dropout

    def fit(self, X, y):
        seen.append(self.dropout)
        return super().fit(X, y)


seen: list = []


def test_a_task_gives_dropout_where_the_posterior_is_sampled(make_problem):
    estimators = {"forest": Sampled(), "tree": DecisionTreeClassifier()}
    strategies = {"random": Random(), "margin": Margin(), "bald": BALD()}
    task = Task("toy", make_problem(Sampled()), "accuracy", estimators, strategies)
    one = {"forest": task.estimators["forest"]}
    seen.clear()
    compare(task, {"margin": Margin()}, estimators=one)
    assert set(seen) == {0.0}
    seen.clear()
    found = compare(task, {"bald": BALD()}, estimators=one)
    assert set(seen) == {0.5}
    assert found.posterior_estimators["forest"].dropout == 0.5
    seen.clear()
    compare(task, {"bald": BALD()}, estimators={"forest": clone(one["forest"])})
    assert set(seen) == {0.0}, "an estimator of the user's own was given dropout"


def test_a_task_brings_its_strategies_and_estimators(make_problem):
    strategies = {"random": Random(), "bald": BALD()}
    task = Task("toy", make_problem(), "accuracy", {"forest": Sampled()}, strategies)
    found = compare(task, n_orders=1)
    assert list(found.strategies) == ["random", "bald"]
    assert list(found.estimators) == ["forest"]


def test_fewer_than_five_seeds_give_a_warning(make_problem):
    with pytest.warns(UserWarning, match="over 4 seeds is too small to test"):
        found = compare(make_problem(GaussianNB()), {"margin": Margin()}, seeds=4)
    assert "4 seeds are too few" in str(found)
    with pytest.warns(UserWarning, match="too small"):
        found = compare(
            make_problem(), {"margin": Margin(), "random": Random()}, seeds=[3]
        )
    assert np.isnan(found.against().t_pvalues).all()
    assert "sd" not in str(found)


def test_the_bar_counts_cells(make_problem, monkeypatch, tmp_path):
    for n_done in (0, 10):
        text = io.StringIO()
        console = Console(file=text, width=80)
        monkeypatch.setattr("rich.progress.get_console", lambda: console)  # noqa: B023
        strategies = {"margin": Margin(), "entropy": MaxEntropy()}
        compare(
            make_problem(),
            strategies,
            callbacks=[ProgressBar()],
            path=tmp_path,
        )
        shown = text.getvalue()
        assert "Study: cells" in shown
        assert "10/10" in shown
        assert ("Classifier entropy 4" in shown) == (n_done == 0)


class NeverTrained(GaussianNB):
    def fit(self, X, y):
        raise AssertionError("trained before the input was checked")


@pytest.mark.parametrize(
    ("strategies", "params", "message"),
    [
        ({}, {}, "strategies must be a dict with at least one entry, got {}"),
        ([Random()], {}, "strategies must be a dict"),
        ({1: Random()}, {}, "must have strings as keys, got 1"),
        ({"random": Random}, {}, r"strategies\['random'\] must be an object impl"),
        ({"a": Random()}, {"estimators": {"b": 3}}, r"estimators\['b'\] must be"),
        (
            {"a": BALD()},
            {"posterior_estimators": [GaussianNB()]},
            "posterior_estimators must be a dict",
        ),
        (
            {"a": BALD()},
            {"posterior_estimators": {"GausianNB": GaussianNB()}},
            "Unknown estimator 'GausianNB': choose one of NeverTrained",
        ),
        ({"a": Random()}, {"baseline": "b"}, "Unknown strategy 'b': choose one of a"),
        ({"a": Random()}, {"oracle": "b"}, "Unknown strategy 'b': choose one of a"),
        ({"a": Random()}, {"seeds": []}, "distinct and at least one"),
        (
            {"a": Random()},
            {"seeds": 2.0},
            "an integer or an iterable of integers, got 2.0",
        ),
        ({"a": Random()}, {"seeds": [0.5]}, "non-negative integers, got 0.5"),
        ({"a": Random()}, {"seeds": [-1]}, "non-negative integers, got -1"),
        ({"a": Random()}, {"n_orders": 0}, "n_orders == 0, must be >= 1"),
        ({"a": AnnealingOracle(n_steps=-1)}, {}, "'n_steps' parameter"),
        ({"a": FixedOrder([1, 2])}, {}, "The order of 'a' has 2 rows, and 3 rounds"),
        ({"o": AnnealingOracle(), "a": Longest()}, {}, "Longest counts the words"),
        ({"a": IDMR(Random(), bins="length")}, {}, "counts the words of each row"),
    ],
)
def test_bad_input_is_met_before_anything_is_trained(
    make_problem, strategies, params, message
):
    with pytest.raises(ValueError, match=message):
        compare(make_problem(NeverTrained()), strategies, **params)


def test_an_estimator_that_cannot_is_refused(make_problem):
    estimators = {"a": NeverTrained(), "b": LinearSVC()}
    with pytest.raises(TypeError, match="MaxEntropy needs class probabilities"):
        compare(make_problem(), {"e": MaxEntropy()}, estimators=estimators)


def test_sets_that_are_missing_are_refused(blobs):
    def pose(**sizes):
        sets = split(*blobs, random_state=0, **sizes)
        return Problem.from_sets(sets, NeverTrained(), batch_size=4, n_rounds=2)

    oracle = {"o": AnnealingOracle()}
    with pytest.raises(ValueError, match="AnnealingOracle needs a validation set to"):
        compare(pose(warm_size=10, val_size=0), oracle)
    with pytest.raises(ValueError, match="needs a test set"):
        compare(pose(warm_size=10, test_size=0), oracle)
    with pytest.raises(ValueError, match="averages from k = 0, but the warm start is"):
        compare(pose(warm_size=0), {"r": Random()}, include_warm_start=True)
    empty = replace(pose(warm_size=0), estimator=GaussianNB())
    found = compare(empty, {"r": Random()}, n_orders=1)
    with pytest.raises(ValueError, match="averages from k = 0, but the warm start is"):
        replace(found, include_warm_start=True)
    with pytest.raises(ValueError, match="problem must be a Problem"):
        compare("iris", oracle)


def test_strategies_that_peek_are_no_heuristics(make_problem):
    strategies = {"margin": Margin(), "peeks": ODMR(Margin(), labels="true")}
    found = compare(make_problem(GaussianNB()), strategies)
    assert found.heuristics == ("margin",)


def test_what_was_not_compared_is_named(comparison):
    with pytest.raises(ValueError, match="Unknown strategy 'nope': choose one of"):
        comparison.of("nope")
    with pytest.raises(ValueError, match="Unknown strategy 'nope': choose one of"):
        comparison.test_pairs([("nope", "margin")])
    with pytest.raises(ValueError, match="pairs must not be empty: give at least one"):
        comparison.test_pairs([])
