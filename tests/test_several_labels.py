"""Several labels, classes or numbers per row: doors, training, scores, strategies."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.metrics import get_scorer, make_scorer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skal import (
    BADGE,
    BALD,
    IDMR,
    ODMR,
    ActiveLearner,
    AnnealingOracle,
    CoreSet,
    Herding,
    LeastConfidence,
    Margin,
    MaxEntropy,
    Problem,
    Proxy,
    Random,
    Stochastic,
    Then,
    TypiClust,
    split,
)
from skal.answers._columns import FixedColumns
from skal.answers._labels import has_several, label_margins, label_scores
from skal.inputs._targets import Target, target_of
from skal.judging import Evaluation, train_and_judge
from skal.training import Trainer

X, Y = make_multilabel_classification(150, n_classes=4, n_labels=2, random_state=0)
X = X / 20
CLASSES = np.column_stack([Y[:, 0] + 2 * Y[:, 1], Y[:, 2]])
NUMBERS = np.column_stack([X[:, 0] + X[:, 1], X[:, 2] - X[:, 3]])
PARAMS = {"batch_size": 4, "n_rounds": 3, "warm_size": 12, "random_state": 0}
BY_LABEL = MultiOutputClassifier(LogisticRegression())
ESTIMATORS = [
    BY_LABEL,
    make_pipeline(StandardScaler(), BY_LABEL),
    GridSearchCV(BY_LABEL, {"estimator__C": [0.1, 1.0]}, cv=2),
    MultiOutputClassifier(GaussianNB()),
    ClassifierChain(LogisticRegression()),
    OneVsRestClassifier(LogisticRegression()),
    RandomForestClassifier(5),
    DecisionTreeClassifier(),
    KNeighborsClassifier(3),
    MLPClassifier((4,), solver="lbfgs", max_iter=20),
    RidgeClassifier(),
    OneVsRestClassifier(LinearSVC()),
]
every_estimator = pytest.mark.parametrize(
    "estimator", ESTIMATORS, ids=lambda one: str(one).replace("\n", "")[:60]
)
# By scikit-learn, where a label has no or only rows; and of a search of two folds.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Label .* is present in all training examples"),
    pytest.mark.filterwarnings("ignore:.* failed to converge"),
    pytest.mark.filterwarnings("ignore:F-score is ill-defined"),
]


class NeverTrained(RandomForestClassifier):
    def fit(self, X, y, sample_weight=None):
        raise AssertionError("trained before the targets were checked")


def learner(estimator, strategy=None, **params):
    strategy = Random() if strategy is None else strategy
    return ActiveLearner(estimator, strategy, **PARAMS | params)


# The kind of target


def test_the_kind_follows_from_the_estimator_and_the_table():
    model = RandomForestClassifier()
    for y in (Y, Y.astype(bool), Y.astype(float), pd.DataFrame(Y), sparse.csr_array(Y)):
        assert target_of(model, y) is Target.LABELS
        assert target_of(Ridge(), y) is Target.NUMBERS
    for y in (CLASSES, 1 + Y, np.where(Y, "yes", "no"), CLASSES.astype(object)):
        assert target_of(model, y) is Target.CLASSES
    assert target_of(model, Y[:, :1]) is Target.CLASS


@pytest.mark.parametrize(
    "container",
    [
        sparse.csr_matrix,
        sparse.coo_array,
        pd.DataFrame,
        np.ndarray.tolist,
        lambda y: y.astype(bool),
        lambda y: y.astype(float),
        lambda y: pd.DataFrame(y, dtype="Int64"),
    ],
)
def test_labels_in_any_container(container):
    strategy = MaxEntropy(over_labels="mean")
    expected = learner(BY_LABEL, strategy).fit(X, Y)
    sets = split(X, Y, warm_size=10, random_state=0)
    given = {k: container(v) if k[0] == "y" else v for k, v in sets.items()}
    found = learner(BY_LABEL, strategy).fit(X, container(Y))
    np.testing.assert_array_equal(found.curve_, expected.curve_)
    assert found.order_.tolist() == expected.order_.tolist()
    assert found.predict(X).dtype.kind == "i"
    whole = learner(BY_LABEL, strategy, warm_size=None)
    orders = [whole.fit(**part).order_.tolist() for part in (sets, given)]
    assert orders[0] == orders[1]


# Refused at the door


@pytest.mark.parametrize(
    "y",
    [
        np.where(np.arange(600).reshape(150, 4) == 190, np.nan, Y),
        np.ma.masked_array(Y, np.arange(600).reshape(150, 4) == 190),
        pd.DataFrame(Y, dtype="Int64").where(np.arange(600).reshape(150, 4) != 190),
    ],
    ids=["NaN", "masked", "pandas"],
)
def test_missing_entries_are_refused_by_their_column_and_row(y):
    with pytest.raises(ValueError, match=r"column 2 of y has missing .* in row 47"):
        learner(NeverTrained()).fit(X, y)
    with pytest.raises(ValueError, match=r"column 2 of y has missing .* in row 47"):
        learner(Ridge()).fit(X, y)


@pytest.mark.parametrize(
    ("y_val", "match"),
    [
        (Y[:9, :3], "y_val has 3 targets in each row and y has 4: give the same"),
        (Y[:9, 0], "y_val must have several labels per row, as y has"),
        (2 * Y[:9], "y_val must hold 0 and 1, since y does, got 2"),
    ],
)
def test_sets_of_another_width_are_refused(y_val, match):
    with pytest.raises(ValueError, match=match):
        learner(NeverTrained()).fit(X, Y, X_val=X[:9] + 1, y_val=y_val)


def test_a_table_beside_single_labels_is_refused():
    with pytest.raises(ValueError, match=r"y_val must have one label per row, got sha"):
        learner(NeverTrained()).fit(X, Y[:, 0], X_val=X[:9] + 1, y_val=Y[:9])


@pytest.mark.parametrize(
    ("estimator", "y", "match"),
    [
        (LogisticRegression(), Y, r"several labels .* LogisticRegression takes one: c"),
        (make_pipeline(StandardScaler(), GaussianNB()), Y, "and GaussianNB takes one"),
        (GridSearchCV(GaussianNB(), {}), Y, "and GridSearchCV takes one"),
        (MLPClassifier(), CLASSES, "several classes per row, .* MLPClassifier takes"),
        (
            SVR(),
            NUMBERS,
            r"several numbers per row, .* MultiOutputRegressor\(SVR\(\)\)",
        ),
        (BY_LABEL, Y[:, 0], r"one label per row, and MultiOutputClassifier takes sev"),
    ],
)
def test_estimators_of_another_number_of_outputs_are_refused(estimator, y, match):
    with pytest.raises(TypeError, match=match):
        learner(estimator).fit(X, y)
    with pytest.raises(TypeError, match=match):
        Problem.from_data(X, y, estimator)


@pytest.mark.parametrize(
    "strategy",
    [
        Margin(),
        BALD(),
        BADGE(),
        Stochastic(MaxEntropy()),
        Then(Herding(), LeastConfidence()),
        IDMR(Margin()),
        Stochastic(Margin(over_labels="mean"), strata="class"),
        Proxy(BALD(), RandomForestClassifier(3)),
    ],
    ids=lambda one: str(one)[:40],
)
def test_strategies_for_one_label_are_refused(strategy):
    for y in (Y, CLASSES):
        with pytest.raises(
            ValueError, match=r"for one label per row, .* `over_labels`"
        ):
            learner(NeverTrained(), strategy).fit(X, y)


def test_what_sorts_rows_by_their_class_is_refused():
    with pytest.raises(ValueError, match=r"row has several labels here: .* IDMR"):
        learner(NeverTrained(), ODMR(Random(), labels="true")).fit(X, Y)


# Training and scores


@every_estimator
def test_the_curve_by_hand(estimator):
    sets = split(X, Y, warm_size=30, val_size=10, random_state=1)
    run = learner(estimator).fit(**sets)
    problem = Problem.from_sets(sets, estimator, batch_size=4, n_rounds=3)
    trainer = Trainer(replace(problem, seed=0))
    seeded = {
        name: value
        for name, value in trainer.estimator.get_params().items()
        if name.endswith("random_state")
    }
    for k in range(4):
        rows = trainer.rows(run.order_[: 4 * k])
        model = (
            clone(estimator).set_params(**seeded).fit(trainer.X[rows], trainer.y[rows])
        )
        right = (model.predict(sets["X_test"]) == sets["y_test"]).all(axis=1)
        assert run.curve_[k] == pytest.approx(right.mean())


@pytest.mark.parametrize("scoring", ["f1_macro", "f1_samples", "accuracy", "roc_auc"])
@pytest.mark.parametrize("estimator", [BY_LABEL, KNeighborsClassifier(3)], ids=str)
def test_scorers_are_those_of_scikit_learn(estimator, scoring):
    sets = split(X, Y, warm_size=40, random_state=0)
    run = learner(estimator, scoring=scoring, n_rounds=1).fit(**sets)
    plain = clone(estimator)
    labelled = np.vstack([sets["X_warm"], sets["X"][run.order_]])
    plain.fit(labelled, np.vstack([sets["y_warm"], sets["y"][run.order_]]))
    expected = get_scorer(scoring)(plain, sets["X_test"], sets["y_test"])
    assert run.curve_[-1] == pytest.approx(expected)
    assert run.score(sets["X_test"], sets["y_test"]) == pytest.approx(expected)


def constant_sets():
    """Return sets whose warm start has constant columns, one of them of ones."""
    sets = split(X, Y, warm_size=0, random_state=0)
    like = (Y[:, 0] == 1) & (Y[:, 1] == 0)
    sets["X_warm"], sets["y_warm"] = X[like][:6] + 5, Y[like][:6]
    sets["y_warm"][:, 2] = [0, 1, 0, 1, 0, 1]
    sets["y_warm"][:, 3] = [0, 0, 1, 1, 0, 1]
    return sets


@every_estimator
def test_a_column_with_one_class_is_predicted_constant(estimator):
    sets = constant_sets()
    problem = Problem.from_sets(sets, estimator, batch_size=3, n_rounds=2)
    model = Trainer(problem).train(np.arange(0))
    predicted = model.predict(sets["X_test"])
    assert predicted.shape == sets["y_test"].shape
    assert (predicted[:, :2] == [1, 0]).all()
    if hasattr(model, "predict_proba") or hasattr(model, "decision_function"):
        scores = label_scores(model, sets["X_test"])
        assert [one.classes.tolist() for one in scores] == [[0, 1]] * 4
        assert (scores[0].values[:, 1] > scores[0].values[:, 0]).all()
        assert (scores[1].values[:, 1] < scores[1].values[:, 0]).all()
    for scoring in ("f1_macro", "roc_auc"):
        run = learner(estimator, CoreSet(), scoring=scoring, n_rounds=2).fit(**sets)
        assert np.isfinite(run.curve_).all()


def test_classes_of_a_column_that_are_not_labelled_yet_have_no_probability():
    sets = split(X, CLASSES, warm_size=0, random_state=0)
    few = CLASSES[:, 0] < 2
    sets["X_warm"], sets["y_warm"] = X[few][:9] + 5, CLASSES[few][:9]
    problem = Problem.from_sets(sets, KNeighborsClassifier(2), batch_size=3, n_rounds=2)
    model = Trainer(problem).train(np.arange(0))
    assert isinstance(model, FixedColumns)
    first, second = model.predict_proba(sets["X_test"])
    assert first.shape[1] == 4
    assert (first[:, 2:] == 0).all()
    np.testing.assert_array_equal(
        first[:, :2], model.estimator.predict_proba(sets["X_test"])[0]
    )
    assert second.shape[1] == 2


def test_columns_of_texts_and_of_different_types():
    texts = np.where(Y[:, :2], "yes", "no")
    run = learner(MultiOutputClassifier(GaussianNB()), n_rounds=1).fit(X, texts)
    assert [part.tolist() for part in run.classes_] == [["no", "yes"]] * 2
    assert set(run.predict(X)[:, 1].tolist()) == {"no", "yes"}
    y = pd.DataFrame({"number": CLASSES[:, 0], "text": texts[:, 0]})
    with pytest.raises(ValueError, match="y has numbers in some columns and texts in"):
        run.fit(X, y)


def test_several_classes_and_scores_for_them():
    run = learner(MultiOutputClassifier(GaussianNB())).fit(X, CLASSES)
    assert [part.tolist() for part in run.classes_] == [[0, 1, 2, 3], [0, 1]]
    right = (run.predict(X) == CLASSES).all(axis=1).mean()
    assert run.score(X, CLASSES) == pytest.approx(right)
    with pytest.raises(ValueError, match="is not supported") as caught:
        learner(RandomForestClassifier(3)).fit(X, CLASSES)
    assert any("pass a `scoring` of your own" in n for n in caught.value.__notes__)
    own = make_scorer(lambda y, found: (y == found).mean())
    assert (
        learner(RandomForestClassifier(3), scoring=own).fit(X, CLASSES).quality_ > 0.5
    )


def test_roc_auc_says_which_column_has_one_value():
    y = Y.copy()
    y[:, 2] = 1
    with (
        pytest.warns(UserWarning, match="Only one class"),
        pytest.raises(ValueError, match="finite number") as caught,
    ):
        learner(RandomForestClassifier(3), scoring="roc_auc").fit(X, y)
    assert any("column 2" in note for note in caught.value.__notes__)


def test_an_error_tells_how_many_rows_have_each_label():
    class Picky(RandomForestClassifier):
        def fit(self, X, y, sample_weight=None):
            raise ValueError("too few")

    with pytest.raises(ValueError, match="too few") as caught:
        learner(Picky()).fit(X, Y)
    (note,) = caught.value.__notes__
    assert "12 rows were labelled: " in note
    assert "of label 0" in note


def test_the_learner_is_an_estimator_of_several_labels():
    run = learner(BY_LABEL, MaxEntropy(over_labels="max"), n_rounds=2)
    assert cross_val_score(run, X, Y, cv=2, scoring="f1_macro").min() > 0.2
    run.fit(X, Y)
    assert [part.tolist() for part in run.classes_] == [[0, 1]] * 4
    assert run.score(X, Y) == (run.predict(X) == Y).all(axis=1).mean()
    assert len(run.predict_proba(X)) == 4


@pytest.mark.parametrize("regressor", [Ridge(), RandomForestRegressor(5)])
def test_several_numbers(regressor):
    for strategy in (Random(), CoreSet(), AnnealingOracle(n_steps=3)):
        run = learner(regressor, strategy).fit(X, NUMBERS)
        assert run.predict(X).shape == NUMBERS.shape
        assert not hasattr(run, "classes_")
        assert run.curve_[-1] > 0


# Answers


@every_estimator
def test_probabilities_of_labels_against_the_models_own(estimator):
    model = clone(estimator).fit(X, Y)
    assert has_several(model, X)
    scores = label_scores(model, X)
    present = np.column_stack([values[:, 1] for _, values in scores])
    if hasattr(model, "predict_proba"):
        found = model.predict_proba(X)
        if isinstance(found, list):
            found = np.column_stack([part[:, 1] for part in found])
        np.testing.assert_allclose(present, found)
        expected = np.log(np.where(Y, found, 1 - found).clip(1e-7)) - np.log(
            np.where(Y, 1 - found, found).clip(1e-7)
        )
    else:
        found = model.decision_function(X)
        np.testing.assert_allclose(present, found / 2)
        expected = np.where(Y, found, -found)
    got = label_margins(model, X, Y).reshape(Y.shape)
    np.testing.assert_allclose(got, expected.clip(-16, 16), rtol=2e-3, atol=2e-3)


def test_margins_without_scores_and_of_numbers():
    model = MultiOutputClassifier(LinearSVC()).fit(X, Y)
    expected = np.where(model.predict(X) == Y, 1, -1)
    assert label_margins(model, X, Y).tolist() == expected.ravel().tolist()
    ridge = Ridge().fit(X, NUMBERS)
    expected = (ridge.predict(X) - NUMBERS) / NUMBERS.std(axis=0)
    got = label_margins(ridge, X, NUMBERS).reshape(NUMBERS.shape)
    np.testing.assert_allclose(got, expected, rtol=2e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("answers", "match"),
    [
        (np.full((6, 3), 1.5), "numbers between 0 and 1, got 1.5"),
        (np.full((5, 3), 0.5), r"shape \(6, n_labels\)"),
        ([np.full((6, 2), 0.6)] * 3, "with rows that sum to one"),
        ([np.full((6, 3), 1 / 3)] * 3, r"of shape \(6, 2\)"),
    ],
)
def test_other_answers_are_refused(answers, match):
    class Says:
        classes_ = [np.array([0, 1])] * 3

        def predict(self, X):
            return np.zeros((len(X), 3))

        def predict_proba(self, X):
            return answers

    with pytest.raises(ValueError, match=match):
        Margin(over_labels="max").fit(X[:6]).select(Says(), X[:6], 1)


# Uncertainty over labels


def by_hand(name, probability):
    """Return the uncertainty of one label of a probability."""
    both = sorted([probability, 1 - probability])
    if name == "MaxEntropy":
        return -sum(p * np.log(p) for p in both if p > 0)
    return 1 - both[1] if name == "LeastConfidence" else both[0] - both[1]


@pytest.mark.parametrize(
    ("strategy", "over"),
    list(product([MaxEntropy, LeastConfidence, Margin], ["mean", "max", "sum"])),
)
@pytest.mark.parametrize(
    "estimator", [BY_LABEL, OneVsRestClassifier(LogisticRegression())], ids=str
)
def test_uncertainty_over_labels_against_brute_force(strategy, over, estimator):
    model = clone(estimator).fit(X[:40], Y[:40])
    found = model.predict_proba(X)
    if isinstance(found, list):
        found = np.column_stack([part[:, 1] for part in found])
    join = {"mean": np.mean, "max": max, "sum": sum}[over]
    utility = [join([by_hand(strategy.__name__, p) for p in row]) for row in found]
    chosen = strategy(over_labels=over, random_state=0).fit(X).select(model, X, 9)
    assert np.array(utility)[chosen].tolist() == pytest.approx(
        sorted(utility, reverse=True)[:9]
    )


def test_over_labels_changes_nothing_for_one_label():
    model = LogisticRegression().fit(X, CLASSES[:, 0])
    for strategy in (MaxEntropy, LeastConfidence, Margin):
        plain, over = (
            strategy(random_state=0, over_labels=one).fit(X).select(model, X, 150)
            for one in (None, "max")
        )
        assert plain.tolist() == over.tolist()
    run = learner(LogisticRegression(), Margin(over_labels="max")).fit(X, Y[:, 0])
    same = learner(LogisticRegression(), Margin()).fit(X, Y[:, 0])
    assert run.order_.tolist() == same.order_.tolist()


def test_several_classes_per_row_count_as_columns():
    model = RandomForestClassifier(5, random_state=0).fit(X, CLASSES)
    first, second = model.predict_proba(X)
    utility = (1 - first.max(axis=1)) + (1 - second.max(axis=1))
    least = LeastConfidence(over_labels="sum", random_state=0).fit(X)
    chosen = least.select(model, X, 5)
    assert utility[chosen].tolist() == pytest.approx(np.sort(utility)[:-6:-1].tolist())


def test_a_label_with_one_class_is_certain():
    y = Y.copy()
    y[:, 1] = 0
    forest = RandomForestClassifier(5, random_state=0).fit(X[:60], y[:60])
    known = [part[:, -1] for part in forest.predict_proba(X) if part.shape[1] == 2]
    closest = np.max([-np.abs(2 * part - 1) for part in known], axis=0)
    chosen = Margin(over_labels="max", random_state=0).fit(X).select(forest, X, 9)
    assert closest[chosen].tolist() == pytest.approx(np.sort(closest)[:-10:-1].tolist())


@pytest.mark.parametrize(
    "strategy",
    [
        Random(),
        Herding(),
        CoreSet(),
        TypiClust(),
        IDMR(MaxEntropy(over_labels="mean"), n_bins=2),
        Then(Herding(), Margin(over_labels="mean")),
        Stochastic(Margin(over_labels="mean")),
        Stochastic(Margin(over_labels="sum"), "softrank"),
        Proxy(Margin(over_labels="max"), RandomForestClassifier(3)),
    ],
    ids=lambda one: str(one).replace("\n", "")[:50],
)
def test_strategies_of_several_labels_never_see_the_pools(strategy):
    """The first batch is the same, whatever the labels of the pool are."""
    sets = split(X, Y, warm_size=20, random_state=0)
    run = learner(BY_LABEL, strategy, n_rounds=1)
    orders = []
    for y in (sets["y"], 1 - sets["y"]):
        orders.append(run.fit(**sets | {"y": y}).order_.tolist())
    assert orders[0] == orders[1]
    assert len(set(orders[0])) == 4
    again = learner(BY_LABEL, strategy).fit(**sets)
    assert (
        again.order_.tolist() == learner(BY_LABEL, strategy).fit(**sets).order_.tolist()
    )


def test_the_power_of_a_sum_is_refused():
    with pytest.raises(ValueError, match="names no lower bound"):
        Stochastic(Margin(over_labels="sum")).fit(X)


# Cold start


@pytest.mark.parametrize(
    "y", [Y, CLASSES, sparse.csr_array(Y)], ids=["0/1", "classes", "sparse"]
)
def test_rows_of_each_label_in_the_warm_start(y):
    for seed in range(5):
        sets = split(X, y, warm_size=14, warm_per_class=3, random_state=seed)
        warm = sets["y_warm"]
        if y is CLASSES:
            for column, classes in zip(warm.T, (4, 2), strict=True):
                assert np.bincount(column, minlength=classes).min() >= 3
        else:
            assert np.asarray(warm.sum(axis=0)).min() >= 3
        assert len(sets["X_warm"]) == 14
    default = learner(BY_LABEL, warm_size=None, warm_per_class=3, batch_size=1)
    assert default.fit(X, y).n_warm_ == (18 if y is CLASSES else 12)


def test_too_few_rows_of_a_label_are_refused():
    rare = Y.copy()
    rare[:, 3] = np.arange(150) == 7
    with pytest.raises(
        ValueError, match=r"needs that many .* rows of label 3 are left"
    ):
        split(X, rare, warm_size=40, warm_per_class=3, random_state=0)
    with pytest.raises(ValueError, match="warm_size=3 is too small for 2 rows of each"):
        split(X, Y, warm_size=3, warm_per_class=2, random_state=0)
    with pytest.raises(ValueError, match="rows by class, and y holds numbers"):
        split(X, NUMBERS, warm_size=30, warm_per_class=2, random_state=0)


def test_margins_of_a_judgement_are_of_each_row_and_label():
    problem = Problem.from_data(
        X, Y, BY_LABEL, batch_size=4, n_rounds=2, random_state=0
    )
    sample = np.array([0, 3, 4])
    (judged,) = train_and_judge(
        Trainer(problem), Evaluation.on(problem, "val", sample), [np.arange(4)]
    )
    assert judged.margins.shape == (12,)
    model = Trainer(problem).train(np.arange(4))
    expected = label_margins(model, problem.X_val[sample], problem.y_val[sample])
    assert judged.margins.tolist() == expected.tolist()
    assert judged.score == model.score(problem.X_val, problem.y_val)
