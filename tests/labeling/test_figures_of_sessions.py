"""Estimates, forecasts, agreement, verdicts and advice."""

import numpy as np
import pytest
from _answers import answer
from scipy.stats import binomtest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import cohen_kappa_score

from skal import GreedySampling, LabelingSession, Margin, Random
from skal.labeling import Advice, Estimate, Forecast, Stop
from skal.labeling._agreement import concordance, kappa
from skal.labeling._audit import wilson
from skal.labeling._forecast import fit_power_law
from skal.labeling._progress import audited
from skal.seeding import stream


@pytest.fixture(scope="module")
def labelled(data, tmp_path_factory):
    """A session with 60 labels, 24 of them of the audit."""
    path = tmp_path_factory.mktemp("labelled") / "labels.db"
    session = LabelingSession(
        LogisticRegression(), Margin(), journal=path, audit=0.4, random_state=0
    ).add(data[0])
    answer(session, data[1], 10, rounds=6)
    yield session
    session.close()


@pytest.mark.parametrize(("n_hits", "n"), [(0, 5), (5, 5), (37, 40), (1, 300)])
def test_wilson_as_scipy_has_it(n_hits, n):
    found = wilson(n_hits, n)
    expected = binomtest(n_hits, n).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_nothing_is_known_without_an_audit():
    assert wilson(0, 0)[1:] == (0.0, 1.0, 0)
    assert str(wilson(0, 0)) == "unknown, since no row of the audit is labelled"


def test_the_audit_is_a_prefix_of_a_random_order(labelled):
    state = labelled._read()
    audit = audited(state)
    assert [state.draws[group] for group in audit] == ["audit"] * 24
    # Every row up to the last one of the audit is labelled, by whatever reason.
    assert set(np.argsort(state.luck)[: len(audit)]) == set(audit)


def test_the_estimate_leaves_each_row_out(labelled, data):
    estimate = labelled.estimate()
    audit, order = audited(labelled._read()), list(labelled._read().labels)
    hits = 0
    for fold in range(10):
        held = audit[fold::10]
        rest = np.setdiff1d(order, held)
        model = LogisticRegression().fit(data[0][rest], data[1][rest])
        hits += (model.predict(data[0][held]) == data[1][held]).sum()
    assert estimate == wilson(hits, len(audit))


def test_the_law_of_exact_curves_is_found():
    sizes = np.array([20.0, 40, 80, 160, 320])
    curves = np.array([0.9 - 0.5 * sizes**-0.5, np.full(5, 0.7)])
    law = fit_power_law(sizes, curves, top=1.0)
    assert law.at(1000) == pytest.approx([0.9 - 0.5 * 1000**-0.5, 0.7], abs=2e-3)
    assert np.isinf(law.reaching(0.95)).all()
    expected = (0.5 / 0.05) ** 2
    assert law.reaching(0.85)[0] == pytest.approx(expected, rel=0.1)


def test_a_law_neither_falls_nor_rises_above_the_top():
    sizes = np.array([20.0, 40, 80, 160])
    falling, rising = [0.9, 0.8, 0.7, 0.6], [0.2, 0.4, 0.6, 0.8]
    law = fit_power_law(sizes, np.array([falling, rising]), top=1)
    assert law.b[0] == 0
    assert law.a[1] <= 1
    assert law.at(1e6)[1] <= 1


def test_a_forecast(labelled):
    forecast = labelled.forecast(50)
    assert forecast.low < forecast.score < forecast.high
    assert forecast.gain_low < forecast.gain < forecast.gain_high
    assert len(forecast.sizes) == len(forecast.scores)
    assert max(forecast.sizes) < 60  # a fifth of the audit is left out
    assert forecast == labelled.forecast(50)
    n, low, high = labelled.needed(0.6)
    assert low <= n <= high
    assert labelled.needed(1.01)[0] == np.inf


def test_kappa_and_concordance():
    rng = np.random.default_rng(0)
    first, second = rng.integers(3, size=(2, 200))
    assert kappa(first, second) == pytest.approx(cohen_kappa_score(first, second))
    assert kappa(first, first) == 1.0
    assert kappa(np.zeros(5, int), np.zeros(5, int)) == 1.0
    assert concordance(first * 1.0, first * 1.0) == 1.0
    assert concordance(first * 1.0, first + 5.0) < 0.1


def test_agreement_of_models(labelled):
    found = labelled.agreement()
    assert found.low <= found.kappa <= found.high
    assert (found.n_models, found.n_rows) == (3, 120)


def test_a_verdict_compares_with_random_choice(labelled):
    verdict = labelled.verdict(n_orders=2)
    assert verdict.low < verdict.gain < verdict.high
    assert verdict.comparison.curves.shape == (1, 2, 5, 9)
    ends = verdict.comparison.curves[0, :, :, -1].mean(axis=1)
    assert (verdict.score, verdict.random) == pytest.approx(tuple(ends))
    assert f"Margin reaches a score of {verdict.score:.3f}" in str(verdict)
    assert verdict.n_tested == 1


def test_the_test_sets_of_a_verdict_are_rows_of_the_audit(labelled, data):
    verdict = labelled.verdict(Random(), n_orders=1)
    rows = {tuple(row) for row in data[0][audited(labelled._read())]}
    for seed in range(5):
        problem = verdict.comparison.splits.source(seed)
        assert {tuple(row) for row in problem.X_test} < rows


def test_advice_is_a_sentence(labelled):
    advice = labelled.advice(Stop(target=0.5))
    text = str(advice)
    assert text.startswith("With 60 labels the score is 0.")
    assert "100 more labels are expected to bring" in text
    assert text.endswith(": stop, since the score is at least 0.5.")
    assert str(labelled.advice()).endswith(": go on.")
    estimate = Estimate(0.92, 0.85, 0.97, 60)
    for needed, end in (
        (80.0, "go on, since the score may still be"),
        (200.0, "go on."),
    ):
        advice = Advice(100, estimate, None, None, (needed, 50.0, 300.0), ())
        assert end in str(advice)


ESTIMATE = Estimate(0.91, 0.87, 0.94, 140)
FORECAST = Forecast(100, 100, 0.92, 0.9, 0.95, 0.01, -0.01, 0.02, (), (), (1, 1, 1))


@pytest.mark.parametrize(
    ("stop", "is_time"),
    [
        (Stop(), False),
        (Stop(target=0.87), True),
        (Stop(target=0.9), False),
        (Stop(worth=4999), True),
        (Stop(worth=5001), False),
        (Stop(worth=5001, cost=1.1), True),
        (Stop(agreement=0.9), False),
    ],
)
def test_rules_to_stop(stop, is_time):
    assert bool(stop.reasons(ESTIMATE, FORECAST, None)) == is_time


def test_too_few_labels(open_session, data):
    session = open_session()
    for call in (session.estimate, session.forecast):
        with pytest.raises(ValueError, match="Nothing is labelled yet"):
            call()
    with pytest.raises(ValueError, match="Two models are needed to compare"):
        session.agreement()
    answer(session, data[1], 8)
    with pytest.raises(ValueError, match="A forecast needs 20 labels, 10 of them"):
        session.forecast()
    with pytest.raises(ValueError, match="A verdict needs 40 labels"):
        session.verdict()
    assert session.advice().forecast is None


@pytest.fixture
def few_resamples(monkeypatch):
    monkeypatch.setattr("skal.labeling._audit.N_RESAMPLED", 40)


@pytest.mark.usefixtures("few_resamples")
@pytest.mark.parametrize("scoring", ["f1_macro", "roc_auc"])
def test_other_scores_have_intervals_of_the_bootstrap(open_session, data, scoring):
    rng = np.random.default_rng(3)
    y = np.where(data[0][:, 0] + rng.normal(size=120) > 0, 1, 0)
    session = open_session(scoring=scoring, audit=1.0)
    answer(session, y.tolist(), 40)
    estimate = session.estimate()
    assert 0.4 < estimate.low < estimate.score < estimate.high <= 1


@pytest.mark.usefixtures("few_resamples")
def test_numbers_are_scored_by_r2(open_session, data):
    X = data[0]
    y = X.sum(axis=1) + stream(0).normal(size=120)
    session = open_session(
        estimator=LinearRegression(), strategy=GreedySampling(), audit=0.5
    )
    answer(session, y, 20, rounds=3)
    assert 0 < session.estimate().low < session.estimate().score < 1
    assert session.forecast(20).gain_low < session.forecast(20).gain_high
    assert session.agreement().kappa > 0.5


@pytest.mark.usefixtures("few_resamples")
def test_figures_of_an_ensemble_repeat(open_session, data):
    y = data[0].sum(axis=1)
    forest = RandomForestRegressor(3)
    session = open_session(estimator=forest, strategy=GreedySampling(), audit=1.0)
    answer(session, y, 15, rounds=2)
    first = session.estimate()
    session.close()
    assert open_session(estimator=forest, strategy=GreedySampling()).estimate() == first
