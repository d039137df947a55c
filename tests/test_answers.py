"""Answers of a fitted model: checked, and in the labels and classes of the run."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_blobs
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    BaggingClassifier,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skal import (
    BALD,
    ODMR,
    ActiveLearner,
    AnnealingOracle,
    BaseStrategy,
    LeastConfidence,
    Margin,
    MaxEntropy,
    MinConfidence,
    Problem,
    Proxy,
    Random,
    split,
)
from skal.answers._constant import ConstantModel
from skal.answers._fixed_classes import FixedClasses
from skal.answers._margins import margins_of
from skal.answers._posterior import has_posterior, sample_posterior
from skal.answers._reading import column_codes, predicted_codes, probabilities
from skal.training import Trainer

ROWS = np.arange(6)[:, None]


class Says:
    """A model with given answers, one per row."""

    def __init__(self, answers, classes=None):
        self.answers = np.array(answers)
        if classes is not None:
            self.classes_ = classes

    def predict_proba(self, X):
        return self.answers[X[:, 0]]

    predict = predict_proba


class Own(ClassifierMixin, BaseEstimator):
    """Base class of a user's own classifiers around naive Bayes."""

    def fit(self, X, y):
        self.model_ = GaussianNB(var_smoothing=1e-3).fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(X)

    def predict_proba(self, X):
        return self.model_.predict_proba(X)


class OwnNumbers(Own):
    """Keeps the class numbers of an encoder of its own as `classes_`."""

    def fit(self, X, y):
        super().fit(X, y)
        self.classes_ = np.arange(len(self.classes_))
        return self


class AllOutputs(Own):
    """A column for each of five outputs, whatever is labelled."""

    def predict_proba(self, X):
        columns = np.zeros((len(X), 5), dtype=np.float32)
        columns[:, self.classes_] = super().predict_proba(X)
        return columns


@pytest.fixture
def five():
    return make_blobs(150, centers=5, cluster_std=2, random_state=1)


def fit_on(estimator, X, y, known, classes=None):
    """Train as in a run, on the rows of some classes."""
    sets = split(X, y, warm_size=0, test_size=20, random_state=0)
    problem = Problem.from_sets(sets, estimator, batch_size=5, n_rounds=2)
    trainer = Trainer(problem)
    return trainer.train(np.flatnonzero(np.isin(trainer.y, known)))


# The sums of probabilities


@pytest.mark.parametrize("strategy", [MaxEntropy(), Margin(), LeastConfidence()])
def test_columns_of_a_multilabel_model_are_refused(strategy):
    model = Says([[0.9, 0.1, 0.0]] * 5 + [[0.9, 0.9, 0.0]])
    assert strategy.fit(ROWS).select(model, ROWS, 2, candidates=[0, 1, 2]).size == 2
    with pytest.raises(
        ValueError, match=r"Says.predict_proba must sum .*one label per"
    ):
        strategy.select(model, ROWS, 2)


def test_sums_of_half_precision_rounding_and_outliers_pass():
    third = np.full((6, 3), 1 / 3, dtype=np.float16)
    third[0] = [0.333, 0.333, 0.333]
    third[1] = 0  # RadiusNeighborsClassifier says so of an outlier
    assert probabilities(Says(third), ROWS) is not None


@pytest.mark.parametrize("answers", [[0.5] * 6, [[0.5, 0.5]] * 4, [[[1.0]]] * 6])
def test_probabilities_of_another_shape_are_refused(answers):
    model = Says(answers)
    model.predict_proba = lambda X: model.answers
    with pytest.raises(ValueError, match=r"must return an array of shape \(6, n_class"):
        Margin().fit(ROWS).select(model, ROWS, 1)


def test_a_column_for_two_classes_is_refused():
    model = Says([[1.0]] * 6, classes=np.array(["a", "b"]))
    with pytest.raises(ValueError, match="a column for each of its 2 classes, got 1"):
        Margin().fit(ROWS).select(model, ROWS, 1)


def test_a_model_of_several_labels_per_row_is_refused(five):
    X, y = five
    tree = DecisionTreeClassifier().fit(X, np.column_stack([y, y > 2]))
    with pytest.raises(ValueError, match="DecisionTreeClassifier was trained on 2 lab"):
        MaxEntropy().fit(X).select(tree, X, 1)
    with pytest.raises(ValueError, match="one label per row"):
        margins_of(tree, X, y)
    forest = RandomForestClassifier(3).fit(X, np.column_stack([y, y > 2]))
    with pytest.raises(ValueError, match="RandomForestClassifier was trained on 2"):
        BALD().fit(X).select(forest, X, 1)


def test_samples_that_do_not_sum_to_one_are_refused():
    class Net(Says):
        def sample_proba(self, X, n_samples, random_state):
            return np.repeat(self.answers[X[:, 0]][:, None], n_samples, axis=1)

    assert BALD().fit(ROWS).select(Net([[0.5, 0.5]] * 6), ROWS, 2).size == 2
    with pytest.raises(ValueError, match=r"Net.sample_proba must sum to one"):
        BALD().fit(ROWS).select(Net([[0.5, 0.6]] * 6), ROWS, 2)


# Predictions


@pytest.mark.parametrize("strategy", [ODMR(Random()), AnnealingOracle(n_steps=6)])
def test_a_column_of_predictions_is_taken(five, strategy):
    class Column(Own):
        predict_proba = property()

        def predict(self, X):
            return super().predict(X)[:, None]

    params = {"batch_size": 6, "n_rounds": 2, "random_state": 0}
    column = ActiveLearner(Column(), strategy, **params).fit(*five)
    expected = ActiveLearner(Own(), strategy, **params).fit(*five)
    assert column.predict(five[0]).shape == (150,)
    if isinstance(strategy, ODMR):
        assert column.order_.tolist() == expected.order_.tolist()


def test_predictions_outside_of_the_class_list_are_refused():
    model = Says(["a"] * 5 + ["c"])
    codes = predicted_codes(model, ROWS[:5], np.array(["a", "b"]))
    assert codes.tolist() == [0] * 5
    with pytest.raises(ValueError, match=r"Says.predict returns .*'c'.* not among the"):
        predicted_codes(model, ROWS, np.array(["a", "b"]))
    with pytest.raises(ValueError, match="one label for each of the 6 rows, got shape"):
        predicted_codes(Says([[1, 0]] * 6), ROWS, np.array([0, 1]))


@pytest.mark.parametrize("answers", [[np.zeros((2, 3))], [np.zeros(3)] * 2])
def test_other_log_probabilities_of_tokens_are_refused(answers):
    class Tagger:
        def predict_token_log_proba(self, X):
            return answers

    sentences = [["a", "b"], ["c", "d"]]
    with pytest.raises(ValueError, match="for each of the 2 sentences, got"):
        MinConfidence().fit(sentences).select(Tagger(), sentences, 1)
    with pytest.raises(ValueError, match=r"Tagger.predict_token_log_proba must"):
        margins_of(Tagger(), sentences, [["X", "Y"], ["X", "Y"]])


# Columns of models that were trained on fewer classes


@pytest.mark.parametrize("known", [[0, 3], [1, 2, 4]])
def test_outputs_for_all_classes_are_taken_by_number(five, known):
    X, y = five
    model = fit_on(AllOutputs(), X, y, known)
    plain = fit_on(Own(), X, y, known)
    np.testing.assert_allclose(
        model.predict_proba(X), plain.predict_proba(X), rtol=1e-6
    )


def test_outputs_for_all_classes_are_refused_if_their_order_is_unknown(five):
    X, y = five
    names = np.array(list("abcde"))
    model = FixedClasses(Own().fit(X[y < 3], names[y[y < 3]]), names)
    model.estimator.predict_proba = lambda X: np.full((len(X), 5), 0.2)
    with pytest.raises(ValueError, match=r"Own gives 5 columns, and its `classes_` na"):
        model.predict_proba(X)


@pytest.mark.parametrize("labels", [np.arange(5), np.array(list("abcde"))])
def test_numbers_of_an_own_encoder_are_refused(five, labels):
    X, y = five
    model = fit_on(OwnNumbers(), X, labels[y], labels[[1, 3, 4]])
    assert set(model.predict(X)) == set(labels[[1, 3, 4]])
    with pytest.raises(
        ValueError, match=r"OwnNumbers.classes_ is \[0, 1, 2\], and the"
    ):
        model.predict_proba(X)


def test_column_codes_by_brute_force():
    classes = np.array([1, 3, 5, 7])
    for known in ([1, 3], [7, 1], [5], [7, 5, 3, 1]):
        found = column_codes(Says([], np.array(known)), len(known), classes)
        assert found.tolist() == [classes.tolist().index(label) for label in known]


# All of an estimator is visible


def test_fixed_classes_show_all_of_the_estimator(five):
    X, y = five
    model = fit_on(LogisticRegression(max_iter=500), X, y, [1, 2, 4])
    assert isinstance(model, FixedClasses)
    assert model.coef_.shape == (3, 2)
    assert model.n_features_in_ == 2
    assert not hasattr(model, "feature_importances_")
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again.coef_.shape == (3, 2)


def test_samples_get_a_column_for_each_class(five):
    class Net(Own):
        def sample_proba(self, X, n_samples, random_state):
            return np.repeat(self.predict_proba(X)[:, None], n_samples, axis=1)

    X, y = five
    model = fit_on(Net(), X, y, [0, 4])
    samples = model.sample_proba(X, n_samples=3, random_state=0)
    np.testing.assert_array_equal(samples[:, 1], model.predict_proba(X))
    np.testing.assert_array_equal(sample_posterior(model, X, 3, 0), samples)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_one_class_gives_decision_values_that_point_to_it(n_classes):
    X, y = make_blobs(60, centers=n_classes, random_state=0)
    model = fit_on(make_pipeline(StandardScaler(), LinearSVC()), X, y, [1])
    scores = model.decision_function(X)
    assert scores.shape == ((60,) if n_classes == 2 else (60, 3))
    sides = (scores > 0).astype(int) if n_classes == 2 else scores.argmax(axis=1)
    assert (sides == model.predict(X)).all()
    with pytest.raises(
        AttributeError, match=r"Pipeline has no 'coef_' yet, since a si"
    ):
        _ = model.coef_
    assert not hasattr(fit_on(DecisionTreeClassifier(), X, y, [1]), "decision_function")


class ByWeights(BaseStrategy):
    needs = ("decision_function",)

    def _select(self, estimator, X, n, candidates, labelled):
        found = X[candidates] @ estimator.coef_[0] + estimator.decision_function(
            X[candidates]
        ).reshape(len(candidates), -1).max(axis=1)
        return candidates[np.argsort(np.abs(found))[:n]]


@pytest.mark.parametrize("make", [lambda s: s, lambda s: Proxy(s, LinearSVC())])
def test_a_strategy_is_not_asked_before_anything_is_trained(five, make):
    X, y = five
    sets = {"X_warm": X[y == 3][:4] + 1e-3, "y_warm": y[y == 3][:4]}
    learner = ActiveLearner(
        LinearSVC(), make(ByWeights()), batch_size=7, n_rounds=3, random_state=0
    )
    learner.fit(X, y, **sets)
    assert len(set(learner.order_)) == 21
    constant = FixedClasses(ConstantModel(LinearSVC()).fit(X, y * 0), np.arange(5))
    strategy = ByWeights().fit(X)
    chosen = strategy.select(constant, X, 9, candidates=np.arange(50, 150))
    assert chosen.min() >= 50
    assert len(set(chosen.tolist())) == 9
    assert chosen.tolist() != sorted(chosen.tolist())
    again = strategy.select(constant, X, 9, candidates=np.arange(50, 150))
    assert chosen.tolist() == again.tolist()


def test_a_constant_model_answers_as_a_dummy_does(five):
    X, y = five
    model = ConstantModel(LogisticRegression()).fit(X, y * 0 + 2)
    dummy = DummyClassifier().fit(X, y * 0 + 2)
    np.testing.assert_array_equal(model.predict(X), dummy.predict(X))
    np.testing.assert_array_equal(model.predict_proba(X), dummy.predict_proba(X))
    assert has_posterior(model)
    assert "decision_function" in dir(clone(model).fit(X, y * 0))


# Looking through


def test_samples_of_a_search_are_those_of_its_best_forest(five):
    X, y = five
    forest = RandomForestClassifier(random_state=0)
    search = GridSearchCV(forest, {"n_estimators": [3, 4]}, cv=2)
    assert has_posterior(search)
    search.fit(X, y)
    found = sample_posterior(make_pipeline("passthrough", search), X, 5, seed=0)
    expected = sample_posterior(search.best_estimator_, X, 5, seed=0)
    np.testing.assert_array_equal(found, expected)


def test_steps_that_sample_rows_are_passed_over(five):
    imblearn = pytest.importorskip("imblearn")
    X, y = five
    pipeline = imblearn.pipeline.make_pipeline(
        StandardScaler(),
        imblearn.under_sampling.RandomUnderSampler(random_state=0),
        imblearn.FunctionSampler(),
        RandomForestClassifier(4, random_state=0),
    ).fit(X, y)
    samples = sample_posterior(pipeline, X, 9, seed=0)
    np.testing.assert_allclose(samples.mean(axis=1), pipeline.predict_proba(X))


# Refused at the door, or where it fails, in one sentence


@pytest.mark.parametrize(
    "estimator",
    [
        ClassifierChain(LogisticRegression()),
        make_pipeline(StandardScaler(), MultiOutputClassifier(GaussianNB())),
    ],
)
def test_estimators_of_several_labels_are_refused(five, estimator):
    with pytest.raises(TypeError, match="must take one label per row, and"):
        ActiveLearner(estimator, Random(), n_rounds=2).fit(*five)


@pytest.mark.parametrize(
    "estimator",
    [
        SVC(),
        make_pipeline(StandardScaler(), LinearSVC()),
        StackingClassifier([("tree", DecisionTreeClassifier())], LinearSVC(), cv=2),
    ],
)
@pytest.mark.parametrize("warm", [[0], [0, 1], [0, 1, 2, 3, 4]])
@pytest.mark.filterwarnings("ignore:The least populated class in y has only")
@pytest.mark.filterwarnings("ignore:Number of classes in training fold")
def test_a_scorer_that_asks_for_more_names_the_estimator(five, estimator, warm):
    X, y = five
    rows = np.isin(y, warm)
    learner = ActiveLearner(
        estimator, Random(), batch_size=9, n_rounds=4, scoring="neg_log_loss"
    )
    with pytest.raises(TypeError) as caught:
        learner.fit(X, y, X_warm=X[rows][:40] + 1e-3, y_warm=y[rows][:40])
    name = type(estimator).__name__
    assert f"The scorer needs a method that {name} lacks (predict" in str(caught.value)
    score = make_scorer(lambda y, p: 0.0, response_method="predict_proba")
    learner.set_params(scoring="accuracy").fit(X, y).scorer_ = score
    with pytest.raises(TypeError, match=f"a method that {name} lacks"):
        learner.score(X, y)


SEVENTHS = [1 / 7, 2 / 7, 4 / 7]


@pytest.mark.parametrize(
    "estimator",
    [
        BernoulliNB(class_prior=SEVENTHS),
        QuadraticDiscriminantAnalysis(priors=np.array(SEVENTHS), reg_param=0.1),
        NearestCentroid(priors=SEVENTHS),
        make_pipeline(StandardScaler(), GaussianNB(priors=tuple(SEVENTHS))),
        LogisticRegressionCV(
            class_weight={"b": 1.0, "c": 3.0, "a": 2.0},
            cv=2,
            Cs=2,
            l1_ratios=(0,),
            scoring="accuracy",
            use_legacy_attributes=False,
        ),
    ],
)
def test_parameters_of_all_classes_name_the_one_that_is_missing(estimator):
    X, y = make_blobs(90, centers=3, random_state=0)
    y = np.array(["a", "b", "c"])[y]
    with pytest.raises(ValueError, match=r"names all classes, and 'b' is not labelled"):
        fit_on(estimator, X, y, ["a", "c"])
    assert fit_on(estimator, X, y, ["a", "b", "c"]).classes_.tolist() == ["a", "b", "c"]


def test_an_error_for_another_reason_is_left_alone(five):
    class Fails(Own):
        def __init__(self, class_weight=None):
            self.class_weight = class_weight

        def fit(self, X, y):
            raise KeyError("other")

    for weights, known in (({0: 1, 1: 1}, [0, 1]), ("balanced", [0, 1]), ({}, [2, 3])):
        with pytest.raises(KeyError, match="other"):
            fit_on(Fails(weights), *five, known)


@pytest.mark.parametrize("make", [np.ndarray.tolist, pd.DataFrame, sparse.csr_matrix])
def test_several_labels_per_row_are_refused_without_over_labels(five, make):
    X, y = five
    table = np.column_stack([y > 0, y > 1, y > 2]).astype(int)
    says = "several labels per row"
    with pytest.raises(ValueError, match=says):
        ActiveLearner(RandomForestClassifier(3), Margin(), n_rounds=2).fit(
            X, make(table)
        )


# Classifiers that take the numbers 0 to n - 1 only


@pytest.fixture
def boosted():
    xgboost = pytest.importorskip("xgboost")
    return xgboost.XGBClassifier(n_estimators=4, max_depth=2, n_jobs=1, random_state=0)


@pytest.mark.parametrize("labels", [np.array(list("vwxyz")), np.arange(5) * 3 - 4])
def test_boosted_trees_answer_in_the_users_labels(boosted, five, labels):
    X, y = five
    few = np.isin(y, [1, 4])
    numbers = (y[few] == 4).astype(int)
    for model in (boosted, make_pipeline(StandardScaler(), boosted)):
        run = fit_on(model, X, labels[y], labels[[1, 4]])
        assert run.classes_.tolist() == labels.tolist()
        assert set(run.predict(X)) == set(labels[[1, 4]])
        assert (run.predict_proba(X)[:, [0, 2, 3]] == 0).all()
        best = labels[run.predict_proba(X).argmax(axis=1)]
        np.testing.assert_array_equal(best, run.predict(X))
        assert run.score(X[few], labels[y[few]]) > 0.9
        again = pickle.loads(pickle.dumps(run))
        np.testing.assert_array_equal(again.predict(X), run.predict(X))
    assert fit_on(boosted, X, labels[y], labels[[1, 4]]).get_booster() is not None
    assert numbers.any()


def test_boosted_trees_stay_themselves_where_numbers_fit(boosted, five):
    X, y = five
    assert type(fit_on(boosted, X, y, np.arange(5))) is type(boosted)
    run = fit_on(make_pipeline(StandardScaler(), boosted), X, y, [0, 1, 2])
    assert type(run.estimator[-1]) is type(boosted)
    X_trained = np.concatenate([X[y == k] for k in (0, 1, 2)])
    plain = run.estimator.predict_proba(X_trained)
    np.testing.assert_array_equal(run.predict_proba(X_trained)[:, :3], plain)


def test_boosted_trees_inside_of_others(boosted, five):
    X, y = five
    names = np.array(list("vwxyz"))
    bagging = BaggingClassifier(boosted, n_estimators=4, max_samples=6, random_state=0)
    grid = GridSearchCV(boosted, {"max_depth": [1, 2]}, cv=2)
    calibrated = CalibratedClassifierCV(boosted, cv=2)
    for model in (bagging, grid, calibrated):
        run = fit_on(model, X, names[y], ["w", "y", "z"])
        assert set(run.predict(X)) <= {"w", "y", "z"}
        assert run.predict_proba(X).shape == (150, 5)
    assert has_posterior(bagging)


def test_boosted_trees_get_their_evaluation_set_in_numbers(boosted, five):
    X, y = five
    names = np.array(list("vwxyz"))[y]
    boosted.set_params(early_stopping_rounds=2)
    learner = ActiveLearner(boosted, Margin(), batch_size=5, n_rounds=2, random_state=0)
    rows = np.isin(y, [1, 3])
    learner.fit(
        X,
        names,
        X_warm=X[rows][:20] + 1e-3,
        y_warm=names[rows][:20],
        eval_set=[(X, names)],
    )
    assert set(learner.predict(X)) <= set("vwxyz")
    assert learner.estimator_.best_iteration >= 0


def test_a_search_with_boosted_trees_and_text_labels(boosted, five):
    X, y = five
    names = np.array(list("vwxyz"))
    params = {"batch_size": 5, "n_rounds": 2, "random_state": 0, "warm_size": 4}
    found = [
        ActiveLearner(boosted, AnnealingOracle(n_steps=8), **params).fit(X, labels)
        for labels in (y, names[y])
    ]
    assert found[0].order_.tolist() == found[1].order_.tolist()
    np.testing.assert_array_equal(found[0].curve_, found[1].curve_)
