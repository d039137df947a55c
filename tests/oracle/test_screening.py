"""Screening: forecasts of a regression, where they help and where they do not."""

import numpy as np
import pandas
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeClassifier,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skal import ActiveLearner, AnnealingOracle, Problem, split
from skal.inputs import _matrix
from skal.inputs._matrix import Scaling, as_matrix, can_be_matrix
from skal.oracle.annealing import (
    _forecast,
    _oracle,
    _regression,
    _responses,
)
from skal.oracle.annealing._agreement import Agreement, likeness
from skal.oracle.annealing._guided import GuidedChain
from skal.oracle.annealing._logistic import Logistic
from skal.oracle.annealing._regression import Labelled, can_screen
from skal.oracle.annealing._screening import MIN_CORRELATION, Screening
from skal.oracle.annealing._value import (
    Shortfall,
    SmoothAccuracy,
    SquaredError,
    value_of,
)
from skal.oracle.evaluation._objective import Objective

LINEAR = make_pipeline(StandardScaler(), LogisticRegression())
PENALISED = make_pipeline(StandardScaler(), LogisticRegression(C=0.005))


@pytest.fixture(scope="module")
def digits_sets(digits):
    X, y = (part[:700] for part in digits)
    return split(X, y, warm_size=20, val_size=200, test_size=10, random_state=0)


def pose(sets, estimator=LINEAR):
    return Problem.from_sets(sets, estimator, batch_size=10, n_rounds=4)


class Models:
    """The models of a random order, and those of some exchanges in its last set."""

    def __init__(self, problem, n=60):
        self.problem, objective = problem, Objective(problem, with_margins=True)
        rng, self.trainer = np.random.default_rng(0), objective.trainer
        order = rng.permutation(problem.n_pool)
        self.sets = [order[: 10 * k] for k in (1, 2, 3, 4)]
        changed = []
        for _ in range(n):
            changed.append(self.sets[-1].copy())
            changed[-1][rng.integers(40)] = order[rng.integers(40, len(order))]
        objective.scores(self.sets + changed)
        found = np.array(objective.margins(self.sets + changed), dtype=np.float32)
        self.margins, self.after = found[:4], found[4:]
        labelled = Labelled.of(problem, self.trainer.X, self.trainer.y)
        self.rows = [self.trainer.labelled_rows(s) for s in self.sets]
        value = value_of(problem.target)
        self.screening = Screening(labelled, self.rows, self.margins, value)
        self.screening.follow(self.rows, self.margins, np.ones(4, np.float32))
        pairs = [
            (np.setdiff1d(s, order[:40]), np.setdiff1d(order[:40], s)) for s in changed
        ]
        self.pairs = self.trainer.n_warm + np.array(pairs)[..., 0].T
        self.points = self.screening.points(self.pairs)

    def learn(self):
        """Let the screening learn from all exchanges."""
        for i, after in enumerate(self.after):
            point = self.points.at(np.array([i]))
            self.screening.learn(3, point, self.margins[3], after)


@pytest.fixture(scope="module")
def linear(digits_sets):
    models = Models(pose(digits_sets))
    models.learn()
    return models


class TestScreening:
    def test_it_foretells_a_linear_model(self, linear):
        shifts = linear.screening.shifts(3, linear.points)
        actual = linear.after - linear.margins[3]
        assert np.corrcoef(shifts.ravel(), actual.ravel())[0, 1] > 0.5
        # in the same units
        assert 0.5 < (shifts * actual).sum() / (shifts**2).sum() < 2
        assert linear.screening.is_trusted

    def test_gains_to_first_order(self, linear, monkeypatch):
        """Against shifts of the margins over the nearest rival alone."""
        monkeypatch.setattr(_responses, "N_RIVALS", 1)
        models = Models(linear.problem, n=20)
        shifts = models.screening.shifts(3, models.points)
        slopes = SmoothAccuracy().slopes(models.margins[3], 1.0)
        found = models.screening.rough_gains(3, models.points)
        np.testing.assert_allclose(found, shifts @ slopes, rtol=1e-3, atol=1e-6)

    def test_gains_to_first_order_rank_as_the_predicted_ones(self, linear):
        shifts = linear.screening.shifts(3, linear.points)
        exact = SmoothAccuracy().gains(linear.margins[3], shifts, np.ones(len(shifts)))
        found = linear.screening.rough_gains(3, linear.points)
        assert np.corrcoef(found, exact)[0, 1] > 0.8

    def test_it_is_not_trusted_for_a_tree(self, digits_sets):
        models = Models(pose(digits_sets, DecisionTreeClassifier()))
        assert models.screening.is_trusted  # until something was seen
        models.learn()
        assert not models.screening.is_trusted

    def test_a_logistic_regression_foretells_one_with_a_large_penalty(
        self, linear, digits_sets, monkeypatch
    ):
        assert not isinstance(linear.screening._rounds[3].model, Logistic)
        problem, correlations = pose(digits_sets, PENALISED), []
        for least in (1.0, np.inf):
            monkeypatch.setattr(_regression, "MIN_LOGISTIC_PENALTY", least)
            models = Models(problem)
            is_logistic = isinstance(models.screening._rounds[3].model, Logistic)
            assert is_logistic == (least == 1)
            models.learn()
            shifts = models.screening.shifts(3, models.points)
            actual = models.after - models.margins[3]
            correlations.append(np.corrcoef(shifts.ravel(), actual.ravel())[0, 1])
        assert correlations[0] > correlations[1]
        assert correlations[0] > 0.9

    @pytest.mark.parametrize(("estimator", "atol"), [(LINEAR, 1e-4), (PENALISED, 1e-3)])
    def test_a_set_is_followed_by_exchanges_as_if_fitted_anew(
        self, digits_sets, estimator, atol
    ):
        """Also if its rows come in another order, or if more than one changes."""
        problem = pose(digits_sets, estimator)
        followed, anew = (Models(problem, n=1) for _ in range(2))
        rng, pool = np.random.default_rng(1), np.arange(20, 300)
        rows = [one.copy() for one in followed.rows]
        for n_changes in (1, 1, 0, 3, 1):
            for one in rows:
                free = rng.permutation(np.setdiff1d(pool, one))[:n_changes]
                one[rng.permutation(np.arange(20, len(one)))[:n_changes]] = free
            rows = [rng.permutation(one) for one in rows]
            given = [one.copy() for one in rows]
            followed.screening.follow(given, followed.margins, np.ones(4, np.float32))
        anew.screening._rounds = []
        anew.screening.follow(rows, followed.margins, np.ones(4, np.float32))
        free = np.setdiff1d(pool, rows[3])[:20]
        for k in range(4):
            pairs = np.stack([free, rng.choice(rows[k][:20], 20)])
            found, expected = (
                one.screening.shifts(k, one.screening.points(pairs))
                for one in (followed, anew)
            )
            np.testing.assert_allclose(found, expected, rtol=10 * atol, atol=atol)


def test_agreement_weighs_all_exchanges_alike():
    rng, agreement = np.random.default_rng(0), Agreement()
    assert (agreement.factor, agreement.correlation) == (0, 0)
    for size in (0.1, 1) * 200:
        foretold = size * rng.normal(size=500).astype(np.float32)
        before = rng.normal(size=500).astype(np.float32)
        after = before + 3 * foretold + 4 * size * rng.normal(size=500)
        # Margins that were clipped would tell another story.
        before[:20], after[20:40] = 16, -16
        agreement.add(foretold, before, after.astype(np.float32))
    assert agreement.factor == pytest.approx(3, rel=0.05)
    assert agreement.correlation == pytest.approx(0.6, abs=0.03)


def test_forecasts_of_the_wrong_sign_count_for_nothing():
    agreement, ones = Agreement(), np.ones(5, np.float32)
    agreement.add(ones, ones, 0 * ones)
    agreement.add(0 * ones, 0 * ones, ones)
    assert agreement.factor == 0
    assert agreement.correlation < MIN_CORRELATION


def test_likeness_is_the_correlation_where_nothing_is_clipped():
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=(2, 30)).astype(np.float32)
    expected = np.corrcoef(one[5:].astype(np.float16), two[5:])[0, 1]
    two[:5] = 16
    assert likeness(one.astype(np.float16), two) == pytest.approx(expected, abs=1e-5)
    assert likeness(np.ones(30, np.float16), two) == 0
    assert likeness(one.astype(np.float16), np.full(30, -16, np.float32)) == 0


@pytest.mark.parametrize("value", [SmoothAccuracy(), Shortfall(), SquaredError()])
def test_slopes_are_those_of_the_predicted_gains(value):
    margins = np.linspace(-3, 3, 7)
    for width in (0.4, 2.0):
        step = np.eye(7) * 1e-6
        expected = value.gains(margins, step, np.full(7, width)) / 1e-6
        found = value.slopes(margins, width)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module", params=[Ridge(1.0), LinearRegression()], ids=str)
def regressors(request):
    X, y = load_diabetes(return_X_y=True)
    sets = split(X, y, warm_size=20, val_size=150, test_size=10, random_state=0)
    return Models(pose(sets, make_pipeline(StandardScaler(), request.param)))


class TestNumbers:
    def test_the_margins_are_residuals(self, regressors):
        problem, k = regressors.problem, regressors.sets[-1]
        model = regressors.trainer.train(k)
        wrong = model.predict(problem.X_val) - problem.y_val
        found = regressors.margins[-1]
        np.testing.assert_allclose(found, wrong / np.std(problem.y_val), atol=2e-3)

    def test_residuals_are_foretold(self, regressors):
        regressors.learn()
        shifts = regressors.screening.shifts(3, regressors.points)
        actual = regressors.after - regressors.margins[3]
        assert np.corrcoef(shifts.ravel(), actual.ravel())[0, 1] > 0.8
        assert 0.7 < (shifts * actual).sum() / (shifts**2).sum() < 1.4

    def test_rough_gains_are_the_gains_of_the_shifts(self, regressors):
        screening, margins = regressors.screening, regressors.margins[3]
        shifts = screening.shifts(3, regressors.points)
        exact = SquaredError().gains(margins, shifts, np.ones(len(shifts)))
        found = screening.rough_gains(3, regressors.points)
        np.testing.assert_allclose(found, exact, rtol=1e-3, atol=1e-5)

    @pytest.mark.parametrize("is_added", [True, False])
    def test_a_row_that_moves_alone_is_as_if_fitted_anew(self, regressors, is_added):
        screening, rows = regressors.screening, regressors.rows[3]
        row = np.setdiff1d(np.arange(150), rows)[:1] if is_added else rows[:1]
        changed = np.union1d(rows, row) if is_added else rows[1:]
        alone = screening.alone(row, np.array([is_added]))
        (found,) = screening._own_shifts(3, alone)
        fitted = [screening._regression.fit(some) for some in (rows, changed)]
        before, after = (screening._regression.outlook(one).margins for one in fitted)
        assert np.abs(found).max() > 1e-3
        np.testing.assert_allclose(found, after - before, atol=1e-4)


class TestColumns:
    def test_rows_of_any_container_are_the_same_matrix(self):
        X = np.arange(12.0).reshape(4, 3)
        frame = pandas.DataFrame(X)
        for rows in (X, frame, sparse.csr_matrix(X), sparse.coo_array(X)):
            assert can_be_matrix(rows)
            np.testing.assert_array_equal(as_matrix(rows), X)
        assert as_matrix(X.reshape(2, 2, 3)).shape == (2, 6)
        assert np.shares_memory(as_matrix(X), X)

    def test_rows_that_are_no_matrix(self, monkeypatch):
        X = np.zeros((3, 2001))
        texts = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]})
        many = [["a", "b"], ["c"]], np.array(["a b", "c"]), np.array([["a"], ["b"]])
        for rows in (X, sparse.csr_matrix(X), texts, *many, X.astype(complex)):
            assert not can_be_matrix(rows)
        monkeypatch.setattr(_matrix, "MAX_CELLS", 11)
        assert not can_be_matrix(sparse.csr_matrix(np.zeros((4, 3))))
        assert can_be_matrix(np.zeros((4, 3)))

    def test_units_do_not_matter(self):
        rng = np.random.default_rng(0)
        X, units = rng.normal(size=(50, 4)), np.array([1e-3, 1, 5, 1e4])
        for is_standard, scale in ((False, 7.0), (True, units)):
            one, two = (
                Scaling(rows, is_standard).transform(rows)
                for rows in (X, X * scale + scale)
            )
            np.testing.assert_allclose(one, two, atol=1e-5)
            assert np.mean((one[:, :-1] ** 2).sum(axis=1)) == pytest.approx(1)
            np.testing.assert_array_equal(one[:, -1], 1)

    def test_cells_that_are_no_numbers_are_taken_for_the_mean(self):
        X = np.random.default_rng(0).normal(size=(50, 3))
        mean = X[1:, 1].mean()
        X[0, 1] = np.nan
        scaling = Scaling(X, True)
        filled = X.copy()
        filled[0, 1] = mean
        for bad in (np.nan, np.inf, -np.inf):
            X[0, 1] = bad
            found, expected = scaling.transform(X), scaling.transform(filled)
            np.testing.assert_allclose(found, expected, atol=1e-6)

    def test_many_columns_become_their_principal_components(self, monkeypatch):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(60, 3)) @ rng.normal(size=(3, 20))  # of rank three
        whole = Scaling(X, False).transform(X)
        monkeypatch.setattr(_matrix, "MAX_COMPONENTS", 3)
        few = Scaling(X, False).transform(X)
        assert few.shape == (60, 4)
        np.testing.assert_allclose(few @ few.T, whole @ whole.T, atol=1e-5)

    def test_a_column_without_spread(self):
        assert np.isfinite(Scaling(np.ones((5, 2)), True).transform(np.eye(2))).all()


def test_which_problems_are_screened(digits_sets, tiny_sets):
    assert can_screen(pose(digits_sets))
    tiny = Problem.from_sets(tiny_sets(40, 0), LINEAR, batch_size=2, n_rounds=3)
    assert not can_screen(tiny)  # all of its exchanges can be tried
    words = Problem.from_sets(
        {
            name: [str(row) for row in part] if name.startswith("X") else part
            for name, part in digits_sets.items()
        },
        make_pipeline(CountVectorizer(), LogisticRegression()),
        batch_size=10,
        n_rounds=4,
    )
    assert not can_screen(words)


@pytest.fixture
def unscreened(monkeypatch):
    """Search as if no problem could be screened."""

    def begin():
        monkeypatch.setattr(_forecast, "can_screen", lambda problem: False)
        monkeypatch.setattr(_oracle, "can_screen", lambda problem: False)

    return begin


def fit(sets, oracle, estimator=LINEAR):
    learner = ActiveLearner(
        estimator, oracle, batch_size=10, n_rounds=4, random_state=0
    )
    return learner.fit(**sets).strategy_


@pytest.fixture
def chains(monkeypatch):
    """The chains of the searches, after their ends."""
    chains, begin = [], GuidedChain.begin

    def note(self):
        chains.append(self)
        begin(self)

    monkeypatch.setattr(GuidedChain, "begin", note)
    return chains


def test_a_linear_model_is_searched_with_fewer_trainings(
    digits_sets, unscreened, chains
):
    oracle = AnnealingOracle(n_steps=500, start="random", max_trainings=120)
    screened = fit(digits_sets, oracle, RidgeClassifier()).quality_
    assert chains[0].forecast.is_screening
    unscreened()
    assert screened > fit(digits_sets, oracle, RidgeClassifier()).quality_ + 0.01


def test_a_search_that_forecasts_do_not_help_goes_on_without(digits_sets, chains):
    oracle = AnnealingOracle(n_steps=15, start="random")
    found = fit(digits_sets, oracle, DecisionTreeClassifier())
    assert not chains[0].forecast.is_screening
    assert len(found.history_["step"]) == 19
    assert found.history_["best"][-1] > found.history_["best"][0]


def test_a_journal_changes_nothing_and_all_is_found_in_it(digits_sets, tmp_path):
    oracle = AnnealingOracle(n_steps=10, start="random", random_state=0)
    alone = fit(digits_sets, oracle, RidgeClassifier())
    journalled = clone(oracle).set_params(journal=tmp_path / "search.db")
    limited = clone(journalled).set_params(max_trainings=30)
    first = fit(digits_sets, limited, RidgeClassifier())
    assert first.n_trainings_ < alone.n_trainings_
    for _ in range(2):
        again = fit(digits_sets, journalled, RidgeClassifier())
        assert again.order_.tolist() == alone.order_.tolist()
        for name, column in alone.history_.items():
            np.testing.assert_array_equal(column, again.history_[name])


def test_columns_that_are_not_kept_are_the_same(digits_sets, monkeypatch):
    problem = pose(digits_sets, RidgeClassifier())
    kept = Models(problem, n=10)
    monkeypatch.setattr(_regression, "MAX_KEPT", 0)
    computed = Models(problem, n=10)
    np.testing.assert_allclose(
        kept.screening.shifts(3, kept.points),
        computed.screening.shifts(3, computed.points),
        atol=1e-4,
    )


def test_jobs_change_nothing(digits_sets):
    oracle = AnnealingOracle(n_steps=5, start="random", random_state=0)
    alone = fit(digits_sets, oracle, RidgeClassifier())
    spread = fit(digits_sets, clone(oracle).set_params(n_jobs=2), RidgeClassifier())
    assert spread.order_.tolist() == alone.order_.tolist()
    for name, column in alone.history_.items():
        np.testing.assert_array_equal(column, spread.history_[name])


def test_a_journal_from_before_screening_is_refused(digits_sets, tmp_path):
    oracle = AnnealingOracle(n_steps=2, start="random", journal=tmp_path / "s.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_forecast, "can_screen", lambda problem: False)
        patch.setattr(_oracle, "can_screen", lambda problem: False)
        fit(digits_sets, oracle, GaussianNB())
    with pytest.raises(ValueError, match="screening=absent in the journal, screening="):
        fit(digits_sets, oracle, GaussianNB())


def test_margins_that_were_forgotten_are_predicted(digits_sets, monkeypatch):
    from skal.oracle.evaluation import _kept_margins

    monkeypatch.setattr(_kept_margins, "MAX_KEPT", 4)
    found = fit(digits_sets, AnnealingOracle(n_steps=10, start="random"))
    assert found.history_["best"][-1] > found.history_["best"][0]
