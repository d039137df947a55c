"""Orders that are followed again: seed transfer and model transfer."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB

from skal import (
    BALD,
    ActiveLearner,
    FixedOrder,
    Margin,
    MaxEntropy,
    Random,
    compare,
    evaluate_order,
    model_transfer,
    seed_transfer,
)
from skal.studies import SeedTransfer, jackknife_pairs
from skal.studies.running import _cells

# One split for all seeds, and estimators that draw nothing: fine for small tests.
pytestmark = pytest.mark.filterwarnings("ignore:Seeds do not differ")

NAMES = ("margin", "idmr-margin", "entropy", "oracle")


@pytest.fixture(scope="module")
def seeds(comparison):
    return seed_transfer(comparison)


@pytest.fixture(scope="module")
def models(comparison):
    return model_transfer(comparison)


def transfer_of(comparison, strategies, qualities):
    """Return a study whose scores are the same in every round."""
    curves = np.repeat(qualities[..., None], 2, axis=-1)
    return SeedTransfer(comparison, strategies, curves, curves)


def replayed(problem, order, estimator, seed):
    learner = ActiveLearner(
        estimator,
        FixedOrder(order),
        batch_size=problem.batch_size,
        n_rounds=problem.n_rounds,
        random_state=seed,
    )
    return learner.fit(**problem.sets)


def test_seed_transfer_is_a_replay_under_each_seed(comparison, seeds):
    assert seeds.strategies == NAMES
    assert seeds.curves.shape == (2, 4, 5, 5, 4)
    order = comparison.orders["tree", "oracle", 3][0]
    learner = replayed(comparison.problem, order, comparison.estimators["tree"], 0)
    results = evaluate_order(order, learner, **comparison.problem.sets, seeds=5)
    np.testing.assert_array_equal(seeds.curves[0, 3, 3], results.curves)
    validation = [one.validation_curve_ for one in results.learners]
    np.testing.assert_array_equal(seeds.validation_curves[0, 3, 3], validation)


def test_the_diagonal_is_the_comparison_itself(comparison, seeds, models):
    own = comparison.qualities[:, 1:]
    np.testing.assert_array_equal(seeds.own_qualities, own)
    diagonal = np.diagonal(
        models.qualities, axis1=1, axis2=2
    )  # (strategy, seed, model)
    np.testing.assert_array_equal(np.moveaxis(diagonal, -1, 0), own)
    assert (np.diagonal(seeds.gaps, axis1=2, axis2=3) == 0).all()


def test_gaps_are_to_the_targets_own_order(comparison, seeds):
    gap = seeds.qualities[0, 3, 1, 4] - comparison.qualities[0, 4, 4]
    assert seeds.gaps[0, 3, 1, 4] == pytest.approx(gap)
    others = [seeds.qualities[0, 3, source, 4] for source in range(4)]
    assert seeds.foreign_qualities[0, 3, 4] == pytest.approx(np.mean(others))
    low = seeds.against_baseline().reference_qualities
    np.testing.assert_array_equal(low[:, 2], comparison.qualities[:, 0])


def test_seeds_are_tested_by_pseudo_values(comparison, seeds):
    own, low = comparison.qualities[0, 4], comparison.qualities[0, 0]
    expected = jackknife_pairs(seeds.qualities[0, 3])
    for tests, reference in (
        (seeds.against_own(), own),
        (seeds.against_baseline(), low),
    ):
        np.testing.assert_allclose(tests.qualities[0, 3], expected, rtol=1e-12)
        p = stats.ttest_rel(expected, reference).pvalue
        assert tests.t_pvalues[0, 3] == pytest.approx(p)
        gain = (seeds.foreign_qualities[0, 3] - reference).mean()
        assert tests.gains[0, 3].mean() == pytest.approx(gain)


def test_two_seeds_are_one_pair_and_give_no_pvalue(comparison):
    few = replace(comparison, seeds=(0, 1), curves=comparison.curves[:, :, :2])
    few = transfer_of(few, NAMES, np.random.default_rng(0).random((2, 4, 2, 2)))
    tests = few.against_baseline()
    gains = few.foreign_qualities - few.baseline_qualities[:, None]
    np.testing.assert_allclose(tests.gains.mean(axis=2), gains.mean(axis=2))
    assert np.isnan(tests.t_pvalues).all()


def test_orders_that_are_as_good_as_the_baselines_are_rarely_called_better(seeds):
    """By target, more than a third of them was: all targets share the sources."""
    rng = np.random.default_rng(0)
    n_seeds, n_trials = len(seeds.comparison.seeds), 1000
    shape = (2, 1, n_seeds)
    n_rejected = 0
    for _ in range(n_trials):
        of_order = rng.normal(0, 1, (2, 1, n_seeds, 1))
        of_seed = rng.normal(0, 0.3, (2, 1, n_seeds, n_seeds))
        study = transfer_of(seeds.comparison, ("oracle",), of_order + of_seed)
        tests = study._test("random", rng.normal(0, 1, shape))
        n_rejected += (tests.t_pvalues < 0.05).sum()
    assert n_rejected / (2 * n_trials) < 0.07


def test_an_oracles_order_is_best_under_its_own_seed(seeds):
    assert seeds.against_own().gains[0, 3].mean() < 0


def test_model_transfer_is_a_replay_with_each_estimator(comparison, models):
    assert models.curves.shape == (4, 2, 2, 5, 4)
    for source, target in (("tree", "bayes"), ("bayes", "tree")):
        order = comparison.orders[source, "entropy", 2][0]
        run = replayed(comparison.problem, order, comparison.estimators[target], 2)
        place = (
            2,
            *(list(comparison.estimators).index(name) for name in (source, target)),
            2,
        )
        np.testing.assert_array_equal(models.curves[place], run.curve_)


def test_model_transfer_against_random(comparison, models):
    low = comparison.qualities[:, 0]
    gain = models.qualities[3, 0, 1, 2] - low[1, 2]
    assert models.over_baseline[3, 0, 1, 2] == pytest.approx(gain)
    tests = models.against_baseline()
    assert tests.estimators == ("tree", "bayes")
    row = tests.strategies.index("oracle, tree order")
    np.testing.assert_allclose(tests.gains[1, row], models.over_baseline[3, 0, 1])


def test_nothing_is_searched_again(comparison, monkeypatch):
    def learner_of(problem, estimator, strategy, seed):
        assert type(strategy) is FixedOrder
        followed.append(strategy)
        return original(problem, estimator, strategy, seed)

    original, followed = _cells.learner_of, []
    monkeypatch.setattr("skal.studies.running._replays.learner_of", learner_of)
    seed_transfer(comparison, strategies=["oracle"])
    assert len(followed) == 2 * 5 * 4  # all but the diagonal


@pytest.mark.parametrize("study", [seed_transfer, model_transfer])
def test_two_jobs_do_not_change_it(comparison, study):
    one, two = (
        study(comparison, strategies=["margin"], n_jobs=n_jobs) for n_jobs in (1, 2)
    )
    np.testing.assert_array_equal(one.curves, two.curves)


def test_the_tables_are_tidy(comparison, seeds, models):
    table = pd.DataFrame(seeds.table())
    keys = ["estimator", "strategy", "source_seed", "seed", "round"]
    assert len(table) == 2 * 4 * 5 * 5 * 4
    row = table.set_index(keys).loc["bayes", "entropy", 1, 4, 3]
    assert row["score"] == seeds.curves[1, 2, 1, 4, 3]
    assert row["n_labelled"] == 22
    table = pd.DataFrame(models.table())
    keys = ["strategy", "source_estimator", "estimator", "seed", "round"]
    row = table.set_index(keys).loc["entropy", "bayes", "tree", 4, 2]
    assert row["validation_score"] == models.validation_curves[2, 1, 0, 4, 2]
    assert "Orders of other seeds against the baseline" in str(seeds)
    matrix = str(models).split("\n\n")[3].split("\n")
    assert matrix[1].split() == [
        *("tree", "order"),
        *(f"{q:.4f}" for q in models.qualities[3, 0].mean(axis=-1)),
    ]
    assert matrix[3].split()[0] == "random"


def test_the_convention_of_the_comparison_holds(comparison, seeds):
    warm = replace(seeds, comparison=replace(comparison, include_warm_start=True))
    np.testing.assert_allclose(warm.qualities, seeds.curves.mean(axis=-1))


def test_a_baseline_that_is_named_is_followed_in_its_first_order(comparison):
    found = seed_transfer(comparison, strategies=["random"])
    order = comparison.orders["tree", "random", 2][0]
    run = replayed(comparison.problem, order, comparison.estimators["tree"], 2)
    np.testing.assert_array_equal(found.curves[0, 0, 2, 2], run.curve_)


def test_orders_of_posterior_samples_are_followed_by_the_plain_estimator(make_problem):
    plain = {"forest": RandomForestClassifier(2), "bayes": GaussianNB()}
    sampled = {"forest": RandomForestClassifier(4)}
    comparison = compare(
        make_problem(),
        {"bald": BALD()},
        estimators={"forest": plain["forest"]},
        posterior_estimators=sampled,
    )
    found = seed_transfer(comparison)
    order = comparison.orders["forest", "bald", 1][0]
    run = replayed(comparison.problem, order, plain["forest"], 1)
    np.testing.assert_array_equal(found.curves[0, 0, 1, 1], run.curve_)
    assert run.curve_.tolist() != comparison.curves[0, 0, 1].tolist()
    assert found.baseline_qualities is None
    with pytest.raises(ValueError, match="no baseline"):
        found.against_baseline()
    assert "against the baseline" not in str(found)


def test_what_has_nowhere_to_go_is_refused(comparison, make_problem):
    with pytest.raises(
        ValueError, match="Unknown strategy 'bald': choose one of random, margin"
    ):
        seed_transfer(comparison, strategies=["bald"])
    with pytest.raises(
        ValueError, match="strategies must not be empty: give at least one"
    ):
        seed_transfer(comparison, strategies=[])
    with pytest.raises(ValueError, match="must be distinct, got margin, margin"):
        seed_transfer(comparison, strategies=["margin", "margin"])
    with pytest.warns(UserWarning, match="too small"):
        single = compare(make_problem(), {"m": Margin(), "e": MaxEntropy()}, seeds=1)
    with pytest.raises(ValueError, match="compare more seeds"):
        seed_transfer(single)
    with pytest.raises(ValueError, match="compare more estimators"):
        model_transfer(single)
    random = compare(make_problem(), {"random": Random()}, n_orders=1)
    with pytest.raises(ValueError, match="The baseline is the only strategy"):
        seed_transfer(random)
