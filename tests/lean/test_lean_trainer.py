"""Lean training and judging behind the usual preparation, and when it is not used."""

import pickle

import numpy as np
import pytest
from _both_ways import random_set, unlike
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import get_scorer, make_scorer, precision_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FunctionTransformer, make_pipeline
from sklearn.preprocessing import MinMaxScaler, Normalizer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skal import ActiveLearner, AnnealingOracle, Margin, Problem, split
from skal.answers._fixed_classes import FixedClasses
from skal.answers._margins import margins_of
from skal.judging import Evaluation, train_and_judge
from skal.lean._answers import SameRows, look
from skal.lean._copies import fresh
from skal.lean._forms import FORMS, form_of
from skal.lean._scores import score_of
from skal.lean._steps import SCALERS, fit_transform, transform
from skal.lean._trainer import LeanTrainer, lean_trainer
from skal.training import Trainer

pytestmark = pytest.mark.filterwarnings(
    "ignore:lbfgs failed to converge", "ignore:.*stopping early", "ignore:Precision is"
)

PREPARATIONS = [
    [StandardScaler()],
    [StandardScaler(with_mean=False)],
    [StandardScaler(with_std=False)],
    [MinMaxScaler()],
    [MinMaxScaler((-1, 2))],
    [MinMaxScaler(clip=True)],
    [Normalizer()],
    [SimpleImputer(), StandardScaler(), PCA(0.9)],
    [SelectKBest(k=1), MinMaxScaler()],
    ["passthrough", StandardScaler()],
    [ColumnTransformer([("first", StandardScaler(), [0])], remainder="passthrough")],
]


@pytest.mark.parametrize("scaler", [StandardScaler(), MinMaxScaler((-1, 3))])
@pytest.mark.parametrize("seed", range(60))
def test_scalers_give_the_same_bits(scaler, seed):
    X, y, X_new = random_set(np.random.default_rng(seed))
    own, lean = clone(scaler), clone(scaler)
    expected = own.fit_transform(X, y)
    SCALERS[type(scaler)].fit(lean, X)
    assert list(unlike(vars(own), vars(lean))) == []
    assert expected.dtype == transform(lean, X).dtype
    np.testing.assert_array_equal(transform(lean, X), expected)
    np.testing.assert_array_equal(transform(lean, X_new), own.transform(X_new))


@pytest.mark.parametrize("params", [{"copy": False}, {"with_std": False}])
def test_other_scalers_do_it_themselves(params):
    X = np.random.default_rng(0).normal(size=(20, 3))
    expected = StandardScaler(**params).fit_transform(X.copy())
    found = fit_transform(StandardScaler(**params), X.copy(), None)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("preparation", PREPARATIONS, ids=str)
@pytest.mark.parametrize("last", [LogisticRegression(), RidgeClassifier()], ids=str)
def test_the_same_pipeline(preparation, last):
    rng = np.random.default_rng(0)
    X, y = load_iris(return_X_y=True)
    estimator = make_pipeline(*preparation, last)
    rows = rng.permutation(150)[:60]
    trainer = lean_trainer(estimator, X, y, rows)
    assert trainer is not None
    for size in (5, 30, 100):
        rows = rng.permutation(150)[:size]
        own = clone(estimator).fit(X[rows], y[rows])
        lean = trainer.fit(rows)
        for (_, one), (_, other) in zip(own.steps, lean.steps, strict=True):
            if hasattr(one, "get_params"):
                assert list(unlike(vars(one), vars(other))) == []
        seen = look(lean, form_of(lean), X)
        for method in seen.form.methods:
            np.testing.assert_array_equal(seen.answer(method), getattr(own, method)(X))


def unlike_usual(X, y):
    """Return estimators and rows that have no lean form, or may not use it."""
    logistic = LogisticRegression()
    return {
        "own transformer": (make_pipeline(FunctionTransformer(np.log1p), logistic), X),
        "own class": (type("Mine", (LogisticRegression,), {})(), X),
        "own step": (make_pipeline(type("S", (StandardScaler,), {})(), logistic), X),
        "no form": (MLPClassifier(max_iter=5, random_state=0), X),
        "sparse rows": (logistic, sparse.csr_matrix(X)),
        "missing values": (logistic, np.where(X > 6, np.nan, X)),
        "parameters refused": (LogisticRegression(C=-1.0), X),
        "cached steps": (make_pipeline(StandardScaler(), logistic, memory="m"), X),
    }


@pytest.mark.parametrize("name", unlike_usual(np.ones((2, 2)), None))
def test_the_rest_is_left_to_fit(name):
    X, y = load_iris(return_X_y=True)
    estimator, rows = unlike_usual(X, y)[name]
    trainer = lean_trainer(estimator, rows, y, np.arange(0, 150, 3))
    assert trainer is None or name == "missing values"


def test_a_form_that_is_wrong_is_not_used(monkeypatch):
    X, y = load_iris(return_X_y=True)
    form = FORMS[LogisticRegression]

    def wrong(model, rows, codes, classes):
        type(form).fit(form, model, rows, codes, classes)
        model.intercept_ = model.intercept_ + 1e-12

    monkeypatch.setattr(form, "fit", wrong)
    assert lean_trainer(LogisticRegression(), X, y, np.arange(0, 150, 2)) is None
    problem = Problem.from_data(X, y, LogisticRegression(), random_state=0)
    model = Trainer(problem).train(np.arange(30))
    rows = Trainer(problem).rows(np.arange(30))
    trainer = Trainer(problem)
    own = LogisticRegression().fit(trainer.X[rows], trainer.y[rows])
    np.testing.assert_array_equal(model.intercept_, own.intercept_)


def test_answers_of_a_wrong_form_are_not_used(monkeypatch):
    X, y = load_iris(return_X_y=True)
    model = LogisticRegression().fit(X, y)
    form = FORMS[LogisticRegression]
    monkeypatch.setattr(form, "look", lambda model, X: np.zeros((len(X), 3)))
    rows = SameRows(X)
    np.testing.assert_array_equal(rows.asked(model).predict(X), model.predict(X))
    assert rows.asked(model).seen is None


@pytest.mark.parametrize("transform_output", ["pandas", "default"])
def test_settings_that_change_results_are_respected(transform_output):
    from sklearn import config_context

    with config_context(transform_output=transform_output):
        assert (form_of(LogisticRegression()) is None) == (
            transform_output != "default"
        )


SCORERS = [
    *("accuracy", "balanced_accuracy", "f1_macro", "f1_micro", "f1_weighted"),
    *("neg_log_loss", "roc_auc_ovr", "matthews_corrcoef", "precision_macro"),
]


@pytest.mark.parametrize("scoring", [*SCORERS, None])
@pytest.mark.parametrize("kind", [LogisticRegression, GaussianNB, RidgeClassifier])
def test_scores_and_margins_are_those_of_the_model(scoring, kind):
    X, y = load_digits(return_X_y=True)
    names = np.array([f"digit {label}" for label in y])
    model = kind().fit(X[:80], names[:80])
    scorer = Problem.from_data(X, names, model, scoring=scoring).scorer
    if not hasattr(model, "predict_proba") and scoring in SCORERS[5:7]:
        pytest.skip("It has no probabilities.")
    X_val, y_val = X[100:400], names[100:400]
    sample = np.arange(300) if scoring else np.arange(0, 300, 3)
    judged = Evaluation(X_val, y_val, scorer, sample).judge(model)
    # Probabilities of naive Bayes are the same up to a tolerance.
    exact = 1e-6 if kind is GaussianNB and scoring in SCORERS[5:7] else 0
    assert judged.score == pytest.approx(scorer(model, X_val, y_val), rel=exact, abs=0)
    expected = margins_of(model, X_val, y_val)[sample]
    np.testing.assert_array_equal(judged.margins, expected)


@pytest.mark.parametrize("scoring", SCORERS[:5])
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.filterwarnings("ignore:y_pred contains")
def test_metrics_of_random_answers(scoring, seed):
    rng = np.random.default_rng(seed)
    n_classes = int(rng.integers(2, 6))
    y = rng.integers(n_classes, size=30)
    X = rng.normal(size=(30, 2))
    model = GaussianNB().fit(X[:10], y[:10])
    if len(model.classes_) < 2:
        pytest.skip("Only one class was drawn.")
    scorer = get_scorer(scoring)
    asked = SameRows(X).asked(model)
    assert score_of(scorer, model, asked, X, y) == scorer(model, X, y)


def test_a_scorer_of_the_users_own_gets_the_model_itself():
    X, y = load_iris(return_X_y=True)
    model = LogisticRegression().fit(X, y)
    given = []
    score_of(lambda *args: given.append(args[0]), model, SameRows(X).asked(model), X, y)
    assert given == [model]


def test_a_score_method_of_the_users_own_is_called():
    class Mine(LogisticRegression):
        def score(self, X, y, sample_weight=None):
            return 0.25

    X, y = load_iris(return_X_y=True)
    problem = Problem.from_data(X, y, Mine(), random_state=0)
    trainer, evaluation = Trainer(problem), Evaluation.on(problem, "val")
    assert train_and_judge(trainer, evaluation, [np.arange(40)])[0].score == 0.25


def test_arguments_of_a_metric_are_kept():
    X, y = load_iris(return_X_y=True)
    model = LogisticRegression().fit(X[::10], y[::10])
    for scorer in (
        make_scorer(precision_score, average="macro"),
        make_scorer(precision_score, average="macro", greater_is_better=False),
        make_scorer(get_scorer("accuracy")._score_func, normalize=False),
    ):
        asked = SameRows(X).asked(model)
        assert score_of(scorer, model, asked, X, y) == scorer(model, X, y)


def test_each_answer_is_found_once():
    calls = []

    class Counted(DecisionTreeClassifier):
        def predict_proba(self, X, check_input=True):
            calls.append(len(X))
            return super().predict_proba(X, check_input)

    X, y = load_iris(return_X_y=True)
    model = Counted(random_state=0).fit(X, y)
    evaluation = Evaluation(X, y, get_scorer("neg_log_loss"), np.arange(150))
    calls.clear()
    evaluation.judge(model)
    assert calls == [150]


def test_a_class_without_labels_keeps_its_column():
    X, y = load_iris(return_X_y=True)
    model = FixedClasses(
        LogisticRegression().fit(X[:100], y[:100]), np.arange(3), y[:100]
    )
    asked = SameRows(X).asked(model)
    for method in ("predict", "predict_proba", "decision_function"):
        expected = getattr(model, method)(X)
        np.testing.assert_array_equal(getattr(asked, method)(X), expected)


def test_copies_are_unfitted_and_their_own():
    estimator = make_pipeline(StandardScaler(), "passthrough", LogisticRegression())
    copy = fresh(estimator)
    X, y = load_iris(return_X_y=True)
    copy.fit(X, y)
    assert list(unlike(vars(fresh(estimator)[2]), vars(clone(estimator)[2]))) == []
    assert copy[0] is not estimator[0]
    assert copy[2] is not estimator[2]
    assert not hasattr(estimator[2], "coef_")


def test_a_parameter_that_can_change_is_copied():
    weights = {0: 1.0, 1: 2.0}
    assert fresh(LogisticRegression(class_weight=weights)).class_weight is not weights


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_search_is_the_same_with_and_without_lean_forms(monkeypatch, n_jobs):
    sets = split(*load_digits(return_X_y=True), warm_size=30, random_state=0)
    estimator = make_pipeline(StandardScaler(), LogisticRegression())
    oracle = AnnealingOracle(max_trainings=60, n_jobs=n_jobs)
    learner = ActiveLearner(
        estimator, oracle, batch_size=10, n_rounds=3, random_state=0
    )
    lean = clone(learner).fit(**sets)
    monkeypatch.setattr("skal.training.lean_trainer", lambda *args: None)
    monkeypatch.setattr("skal.lean._answers.form_of", lambda model: None)
    usual = clone(learner).set_params(strategy__n_jobs=1).fit(**sets)
    np.testing.assert_array_equal(lean.order_, usual.order_)
    np.testing.assert_array_equal(lean.curve_, usual.curve_)
    for name, column in usual.strategy_.history_.items():
        np.testing.assert_array_equal(lean.strategy_.history_[name], column)


def test_a_strategy_sees_the_same_models(monkeypatch):
    sets = split(*load_digits(return_X_y=True), warm_size=12, random_state=0)
    learner = ActiveLearner(
        GaussianNB(), Margin(), batch_size=5, n_rounds=4, random_state=0
    )
    lean = clone(learner).fit(**sets)
    monkeypatch.setattr("skal.training.lean_trainer", lambda *args: None)
    np.testing.assert_array_equal(lean.order_, clone(learner).fit(**sets).order_)


def test_it_can_be_sent_to_another_process():
    X, y = load_iris(return_X_y=True)
    rows = np.arange(0, 150, 4)
    trainer = lean_trainer(LogisticRegression(), X, y, rows)
    sent = pickle.loads(pickle.dumps(trainer))
    assert isinstance(sent, LeanTrainer)
    np.testing.assert_array_equal(sent.fit(rows).coef_, trainer.fit(rows).coef_)


def frame_estimators():
    """Return estimators, and whether a frame's numbers are read as an array."""
    columns = ColumnTransformer([("all", StandardScaler(), ["a", "b", "c", "d"])])
    return [
        LogisticRegression(),
        RidgeClassifier(),
        GaussianNB(),
        make_pipeline(StandardScaler(), LogisticRegression()),
        make_pipeline(PCA(2), RidgeClassifier()),
        make_pipeline(columns, LogisticRegression()),
    ]


@pytest.mark.parametrize("estimator", frame_estimators(), ids=str)
@pytest.mark.parametrize("dtypes", ["float64", "float32", "int64", "mixed"])
def test_frames_of_numbers(estimator, dtypes):
    pd = pytest.importorskip("pandas")
    X, y = load_iris(return_X_y=True)
    X = pd.DataFrame(10 * X, columns=["a", "b", "c", "d"])
    X = X.astype({"a": "int64", "b": "float32"} if dtypes == "mixed" else dtypes)
    trainer = lean_trainer(estimator, X, y, np.arange(0, 150, 2))
    assert trainer is not None
    rows = np.arange(0, 150, 7)
    own, lean = clone(estimator).fit(X.iloc[rows], y[rows]), trainer.fit(rows)
    np.testing.assert_array_equal(lean.feature_names_in_, own.feature_names_in_)
    asked = SameRows(X).asked(lean)
    assert asked.seen is not None
    for method in asked.seen.form.methods:
        expected = getattr(own, method)(X)
        np.testing.assert_allclose(getattr(asked, method)(X), expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["category", "missing", "Int64", "numbers as names"])
def test_other_frames_are_left_to_fit(kind):
    pd = pytest.importorskip("pandas")
    X, y = load_iris(return_X_y=True)
    X = pd.DataFrame(
        X, columns=range(4) if kind.startswith("numbers") else list("abcd")
    )
    if kind == "missing":
        X.iloc[3, 2] = np.nan
    elif not kind.startswith("numbers"):
        X["a"] = X["a"].round().astype("Int64").astype(kind)
    estimator = make_pipeline(SimpleImputer(), LogisticRegression())
    trainer = lean_trainer(estimator, X, y, np.arange(0, 150, 2))
    rows = np.arange(0, 150, 7)
    own, lean = clone(estimator).fit(X.iloc[rows], y[rows]), trainer.fit(rows)
    np.testing.assert_array_equal(lean[-1].coef_, own[-1].coef_)
    assert list(unlike(vars(own[0]), vars(lean[0]))) == []


def test_columns_in_another_order_are_refused_as_by_the_model():
    pd = pytest.importorskip("pandas")
    X, y = load_iris(as_frame=True, return_X_y=True)
    model = LogisticRegression().fit(X, y)
    other = X[X.columns[::-1]]
    with pytest.raises(ValueError, match="feature names"):
        SameRows(other).asked(model).predict(other)
    assert isinstance(other, pd.DataFrame)
