import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import (
    BaseEstimator,
    TransformerMixin,
    clone,
    is_classifier,
    is_regressor,
)
from sklearn.cluster import KMeans
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import f1_score, r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from skal import (
    IDMR,
    ODMR,
    ActiveLearner,
    AnnealingOracle,
    CoreSet,
    ExhaustiveOracle,
    FixedOrder,
    LeastConfidence,
    Margin,
    MaxEntropy,
    Random,
    split,
    xi_quality,
)
from skal.datasets import make_intents

STRATEGIES = [
    Random(),
    MaxEntropy(),
    LeastConfidence(),
    Margin(),
    AnnealingOracle(n_steps=2),
]
NUMBER_STRATEGIES = [CoreSet(), AnnealingOracle(n_steps=2)]
PIPELINE = make_pipeline(StandardScaler(), LogisticRegression())

REGRESSORS = [
    Ridge(),
    make_pipeline(StandardScaler(), Ridge()),
    RandomForestRegressor(5),
    GaussianProcessRegressor(),
]


def quick(estimator, strategy):
    return ActiveLearner(estimator, strategy, batch_size=8, n_rounds=3)


class PoolOrder(FixedOrder):
    """A replay that suits any data: the order is the pool's own."""

    def __init__(self):
        pass

    def _fit(self, X, y, problem):
        self._plan = problem.positions(problem.pool_rows)


# To prove an optimum takes a tiny problem: one round of one row.
PROVED = ActiveLearner(
    PIPELINE, ExhaustiveOracle(), batch_size=1, n_rounds=1, warm_size=0.4
)


# Some checks fit on ten rows, fewer than three rounds take: the warning is right.
@pytest.mark.filterwarnings("ignore:.*stopping early:UserWarning")
# A Gaussian process warns of kernels at the bounds of its search.
@pytest.mark.filterwarnings("ignore:The optimal value found for dimension:Warning")
@parametrize_with_checks(
    [quick(LogisticRegression(), s) for s in [*STRATEGIES, PoolOrder()]]
    + [quick(PIPELINE, Margin()), PROVED]
    + [quick(e, Random()) for e in REGRESSORS]
    + [quick(Ridge(), s) for s in NUMBER_STRATEGIES]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore:.*stopping early:UserWarning")
@parametrize_with_checks([ActiveLearner(LogisticRegression(), Margin())])
def test_scikit_learn_checks_with_default_parameters(estimator, check):
    check(estimator)


@pytest.fixture
def learner():
    return ActiveLearner(
        LogisticRegression(), Margin(), batch_size=6, n_rounds=4, random_state=0
    )


def test_fitted_attributes(learner, blobs):
    X, y = blobs
    assert learner.fit(X, y) is learner
    assert learner.curve_.shape == learner.validation_curve_.shape == (5,)
    assert learner.quality_ == xi_quality(learner.curve_)
    assert learner.validation_quality_ == xi_quality(learner.validation_curve_)
    assert learner.order_.shape == (24,)
    assert len(set(learner.order_.tolist())) == 24
    assert learner.rounds_.tolist() == np.repeat([1, 2, 3, 4], 6).tolist()
    assert learner.classes_.tolist() == [0, 1, 2]
    assert (learner.n_features_in_, learner.n_trainings_) == (2, 5)
    assert learner.n_warm_ == 12
    assert isinstance(learner.estimator_, LogisticRegression)
    assert isinstance(learner.strategy_, Margin)


def test_the_curve_is_what_the_order_gives_by_hand(learner, blobs):
    sets = split(*blobs, warm_size=12, random_state=1)
    learner.fit(**sets)
    for k in range(5):
        rows = learner.order_[: 6 * k]
        model = LogisticRegression().fit(
            np.vstack([sets["X_warm"], sets["X"][rows]]),
            np.concatenate([sets["y_warm"], sets["y"][rows]]),
        )
        assert learner.curve_[k] == model.score(sets["X_test"], sets["y_test"])
        assert learner.validation_curve_[k] == model.score(sets["X_val"], sets["y_val"])


def test_each_batch_is_what_the_strategy_selects_by_hand(learner, blobs):
    sets = split(*blobs, warm_size=12, random_state=1)
    learner.fit(**sets)
    X, y = sets["X_warm"], sets["y_warm"]
    open_rows = np.arange(len(sets["X"]))
    for k in range(1, 5):
        model = LogisticRegression().fit(X, y)
        top = np.sort(model.predict_proba(sets["X"][open_rows]), axis=1)
        batch = open_rows[np.argsort(top[:, -1] - top[:, -2])[:6]]
        assert batch.tolist() == learner.order_[learner.rounds_ == k].tolist()
        open_rows = np.setdiff1d(open_rows, batch)
        X, y = np.vstack([X, sets["X"][batch]]), np.append(y, sets["y"][batch])


def test_an_order_can_be_replayed(learner, blobs):
    learner.fit(*blobs)
    replay = clone(learner).set_params(strategy=FixedOrder(learner.order_)).fit(*blobs)
    assert replay.curve_.tolist() == learner.curve_.tolist()
    assert replay.order_.tolist() == learner.order_.tolist()


def test_an_order_can_be_replayed_with_another_seed_and_estimator(learner, blobs):
    sets = split(*blobs, warm_size=12, random_state=1)
    learner.fit(**sets)
    replay = ActiveLearner(
        DecisionTreeClassifier(),
        FixedOrder(learner.order_),
        batch_size=6,
        n_rounds=4,
        random_state=99,
    ).fit(**sets)
    assert replay.order_.tolist() == learner.order_.tolist()
    assert replay.curve_.tolist() != learner.curve_.tolist()


def test_grid_search_over_strategy_and_estimator(learner, blobs):
    grid = {"strategy": [Random(), Margin()], "estimator__C": [0.01, 1.0]}
    search = GridSearchCV(learner, grid, cv=3).fit(*blobs)
    assert len(search.cv_results_["params"]) == 4
    assert search.best_score_ > 0.5
    assert search.predict(blobs[0]).shape == (120,)


def test_cross_validation_and_as_last_step_of_a_pipeline(learner, blobs):
    model = make_pipeline(StandardScaler(), learner)
    assert cross_val_score(model, *blobs, cv=3).mean() > 0.5
    assert cross_val_score(learner, *blobs, cv=3, n_jobs=2).mean() > 0.5


def test_scores_follow_scoring(learner, blobs):
    learner.set_params(scoring="f1_macro").fit(*blobs)
    expected = f1_score(blobs[1], learner.predict(blobs[0]), average="macro")
    assert learner.score(*blobs) == expected


@pytest.mark.parametrize("scoring", ["neg_log_loss", "roc_auc_ovr", "accuracy"])
def test_scorers_of_probabilities_work_while_classes_are_missing(blobs, scoring):
    X, y = blobs
    warm = np.flatnonzero(y == 0)[:5]
    rest = np.setdiff1d(np.arange(120), warm)
    learner = ActiveLearner(
        LogisticRegression(), Random(), batch_size=2, n_rounds=3, scoring=scoring,
        random_state=0,
    ).fit(X[rest], y[rest], X_warm=X[warm], y_warm=y[warm])  # fmt: skip
    assert np.isfinite(learner.curve_).all()


def test_clone_and_pickle(learner, blobs):
    X, y = blobs
    unfitted = pickle.loads(pickle.dumps(learner)).fit(X, y)
    learner.fit(X, y)
    fitted = pickle.loads(pickle.dumps(learner))
    again = clone(learner).fit(X, y)
    for other in (unfitted, fitted, again):
        assert other.order_.tolist() == learner.order_.tolist()
        np.testing.assert_array_equal(other.predict(X), learner.predict(X))


def test_diagram_names_both_parts(learner, blobs):
    for state in (learner, learner.fit(*blobs)):
        html = state._repr_html_()
        assert "LogisticRegression" in html
        assert "Margin" in html


def test_string_labels(learner, blobs):
    X, y = blobs
    names = np.array(["ham", "eggs", "spam"])
    by_name = learner.fit(X, names[y])
    assert by_name.classes_.tolist() == ["eggs", "ham", "spam"]
    assert set(by_name.predict(X)) <= set(names)


@pytest.mark.parametrize(
    "make", [sparse.csr_matrix, sparse.csr_array, sparse.coo_array, sparse.coo_matrix]
)
@pytest.mark.parametrize("in_vote", [False, True])
def test_sparse_rows(learner, blobs, make, in_vote):
    X, y = blobs
    if in_vote:  # it leaves what it is given to others, unchecked
        vote = VotingClassifier([("only", LogisticRegression())], voting="soft")
        learner.set_params(estimator=vote)
    dense = clone(learner).fit(X, y)
    assert learner.fit(make(X), y).order_.tolist() == dense.order_.tolist()


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_data_frames(learner, blobs, frame, strategy):
    X, y = blobs
    learner.set_params(strategy=strategy)
    plain = clone(learner).fit(X, y)
    learner.fit(frame({"a": X[:, 0], "b": X[:, 1]}), y)
    assert learner.order_.tolist() == plain.order_.tolist()
    assert learner.feature_names_in_.tolist() == ["a", "b"]


def test_row_labels_of_a_data_frame_stand_next_to_the_positions(learner, blobs):
    X, y = blobs
    names = [f"row {i}" for i in range(120)]
    learner.fit(pd.DataFrame(X, index=names, columns=["a", "b"]), y)
    assert learner.order_index_.tolist() == [names[i] for i in learner.order_]
    plain = clone(learner).fit(X, y)
    assert plain.order_index_.tolist() == plain.order_.tolist()


def test_a_given_warm_start_in_a_data_frame(learner, blobs):
    X, y = blobs
    frame = pl.DataFrame({"a": X[:, 0], "b": X[:, 1]})
    learner.fit(frame[20:], y[20:], X_warm=frame[:20], y_warm=y[:20])
    assert learner.n_warm_ == 20


def test_sentences(blobs):
    rng = np.random.default_rng(0)
    words = np.array([["red", "green"], ["cat", "dog"]])
    y = rng.integers(2, size=100)
    X = [" ".join(rng.choice(words[label], 4)) + f" {i}" for i, label in enumerate(y)]
    learner = ActiveLearner(
        make_pipeline(CountVectorizer(), LogisticRegression()),
        Margin(),
        batch_size=5,
        n_rounds=3,
        random_state=0,
    )
    assert learner.fit(X, y).curve_[-1] > 0.9
    assert not hasattr(learner, "n_features_in_")
    given = clone(learner).fit(X[:60], y[:60], X_test=X[60:], y_test=y[60:])
    assert given.curve_[-1] > 0.9


def test_methods_are_those_of_the_estimator(blobs):
    learner = ActiveLearner(GaussianNB(), Random())
    assert hasattr(learner, "predict_proba")
    assert not hasattr(learner, "decision_function")


def test_weights_reach_the_estimator(blobs):
    X, y = blobs
    weights = np.where(y == 0, 1000.0, 1e-3)
    learner = ActiveLearner(
        LogisticRegression(), Random(), batch_size=10, n_rounds=2, random_state=0
    )
    plain = clone(learner).fit(X, y)
    weighted = clone(learner).fit(X, y, sample_weight=weights)
    assert np.mean(weighted.predict(X) == 0) > np.mean(plain.predict(X) == 0)
    with config_context(enable_metadata_routing=True):
        learner.estimator.set_fit_request(sample_weight=True)
        routed = learner.fit(X, y, sample_weight=weights)
    np.testing.assert_array_equal(routed.predict_proba(X), weighted.predict_proba(X))


def test_a_strategy_that_breaks_its_promise_is_named(learner, blobs):
    class Repeats(Random):
        def _select(self, estimator, X, n, candidates, labelled):
            return np.repeat(candidates[:1], n)

    with pytest.raises(ValueError, match=r"Repeats.select must return 6 distinct"):
        learner.set_params(strategy=Repeats()).fit(*blobs)


def test_an_oracle_never_sees_the_test_set(learner, blobs):
    class Curious(AnnealingOracle):
        def _search(self, problem):
            assert problem.X_test is None
            assert problem.y_test is None
            assert problem.X_val is not None
            return super()._search(problem)

    learner.set_params(strategy=Curious(n_steps=2)).fit(*blobs)


def test_other_strategies_see_neither_labels_nor_held_out_sets(learner, blobs):
    class Curious(Random):
        def _fit(self, X, y, problem):
            assert y is None
            for name in ("y_pool", "X_val", "y_val", "X_test", "y_test"):
                assert getattr(problem, name) is None
            super()._fit(X, y, problem)

    learner.set_params(strategy=Curious()).fit(*blobs)


def test_labelled_is_what_is_labelled(learner, blobs):
    seen = []

    class Curious(Random):
        def _select(self, estimator, X, n, candidates, labelled):
            seen.append((labelled, X[candidates[0]], len(candidates)))
            return super()._select(estimator, X, n, candidates, labelled)

    X, y = blobs
    learner.set_params(strategy=Curious()).fit(X, y)
    assert [len(labelled.y) for labelled, *_ in seen] == [12, 18, 24, 30]
    labelled = seen[-1][0]
    assert labelled.positions[:12].tolist() == [-1] * 12
    np.testing.assert_array_equal(labelled.X[12:], X[learner.order_[:18]])
    np.testing.assert_array_equal(labelled.y[12:], y[learner.order_[:18]])


@pytest.mark.parametrize(
    "params",
    [
        {"batch_size": 0},
        {"n_rounds": 1.5},
        {"test_size": 1.0},
        {"warm_size": -1},
        {"strategy": "margin"},
        {"estimator": "LogisticRegression"},
    ],
)
def test_parameters_out_of_range_are_refused(learner, blobs, params):
    with pytest.raises(ValueError, match=f"'{next(iter(params))}' parameter"):
        learner.set_params(**params).fit(*blobs)


def test_the_quality_of_a_search_is_the_validation_quality():
    X, y = load_iris(return_X_y=True)
    oracle = ActiveLearner(
        LogisticRegression(max_iter=500), AnnealingOracle(n_steps=100), batch_size=5,
        n_rounds=4, random_state=0,
    ).fit(X, y)  # fmt: skip
    assert oracle.strategy_.quality_ == pytest.approx(oracle.validation_quality_)


def test_labels_without_rows_are_refused(learner, blobs):
    with pytest.raises(ValueError, match="y_test is given and X_test is missing"):
        learner.fit(*blobs, y_test=blobs[1])


def test_a_strategy_of_classes_is_refused_for_a_regressor(learner, blobs):
    learner.set_params(estimator=LinearRegression())
    with pytest.raises(
        TypeError,
        match=r"needs class prob.*, and LinearRegression is a regressor: choose a str",
    ):
        learner.fit(*blobs)
    with pytest.raises(NotFittedError):
        learner.predict(blobs[0])


@pytest.mark.parametrize(
    "regressor",
    [
        LinearRegression(),
        make_pipeline(StandardScaler(), LinearRegression()),
        TransformedTargetRegressor(LinearRegression()),
        GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=2),
    ],
    ids=lambda one: type(one).__name__,
)
def test_with_a_regressor_the_learner_is_one(learner, blobs, regressor):
    X, y = blobs
    assert is_classifier(learner.fit(X, y))
    learner.set_params(estimator=regressor, strategy=Random())
    assert is_regressor(learner)
    assert not is_classifier(learner)
    learner.fit(X, y)
    assert learner.score(X, y) == r2_score(y, learner.predict(X))
    assert not hasattr(learner, "classes_")
    assert not hasattr(learner, "predict_proba")
    assert learner.curve_[-1] > 0


def test_the_curve_of_a_regressor_by_hand(learner, blobs):
    sets = split(*blobs, warm_size=12, random_state=1)
    learner.set_params(
        estimator=Ridge(), strategy=Random(), scoring="neg_mean_absolute_error"
    )
    learner.fit(**sets)
    for k in range(5):
        rows = learner.order_[: 6 * k]
        model = Ridge().fit(
            np.vstack([sets["X_warm"], sets["X"][rows]]),
            np.concatenate([sets["y_warm"], sets["y"][rows]]),
        )
        error = np.abs(model.predict(sets["X_test"]) - sets["y_test"]).mean()
        assert learner.curve_[k] == pytest.approx(-error)


@pytest.mark.parametrize("warm_size", [0, 10])
def test_a_series_of_texts_stays_one(warm_size):
    X, y = make_intents(100, random_state=0)
    lower = FunctionTransformer(lambda texts: texts.str.lower())
    model = make_pipeline(lower, CountVectorizer(), MultinomialNB())
    learner = ActiveLearner(
        model, Random(), warm_size=warm_size, batch_size=20, n_rounds=2, random_state=0
    ).fit(pd.Series(X, index=range(7, 107)), y)
    assert np.isfinite(learner.curve_[1:]).all()


class Cleaner(TransformerMixin, BaseEstimator):
    """A user's own step, which says nothing about what it takes."""

    def fit(self, X, y=None):
        self.n_rows_ = len(X)
        return self

    def transform(self, X):
        return np.nan_to_num(np.asarray(X, dtype=np.float64))


@pytest.mark.parametrize("dtype", [float, object, str])
def test_a_step_of_the_users_may_clean_what_no_other_takes(blobs, dtype):
    X, y = blobs
    holes = np.where(np.arange(X.size).reshape(X.shape) % 7, X, np.nan)
    model = make_pipeline(Cleaner(), LogisticRegression())
    learner = ActiveLearner(model, Margin(), batch_size=5, n_rounds=2, random_state=0)
    expected = clone(learner).fit(np.nan_to_num(holes), y)
    found = learner.fit(holes.astype(dtype), y)
    np.testing.assert_array_equal(found.order_, expected.order_)
    np.testing.assert_array_equal(found.curve_, expected.curve_)


def test_holes_are_refused_at_the_door_of_what_takes_none(blobs):
    X, y = blobs
    X = np.where(np.arange(len(X))[:, None] == 3, np.nan, X)
    for model in (LogisticRegression(), make_pipeline(PCA(2), LogisticRegression())):
        with pytest.raises(ValueError, match="Input X contains NaN"):
            ActiveLearner(model, Random(), random_state=0).fit(X, y)


def test_a_model_may_hide_what_it_answers_until_it_is_fitted(learner, blobs):
    stack = StackingClassifier([("tree", DecisionTreeClassifier(max_depth=2))], cv=2)
    assert not hasattr(stack, "predict")
    learner.set_params(estimator=stack, strategy=Margin(), warm_size=20).fit(*blobs)
    assert learner.predict_proba(blobs[0]).shape == (len(blobs[0]), 3)


def test_a_model_that_turns_out_to_have_no_probabilities_is_refused(learner, blobs):
    trees = [("tree", DecisionTreeClassifier(max_depth=2))]
    stack = make_pipeline(StackingClassifier(trees, LinearSVC(), cv=2))
    learner.set_params(estimator=stack, strategy=MaxEntropy(), warm_size=20)
    with pytest.raises(TypeError, match="MaxEntropy needs class probabilities, but"):
        learner.fit(*blobs)


@pytest.mark.parametrize("estimator", [StandardScaler(), Cleaner(), KMeans, "tree"])
def test_what_does_not_predict_is_refused(learner, blobs, estimator):
    with pytest.raises((ValueError, TypeError), match=r"estimator|instance"):
        learner.set_params(estimator=estimator, strategy=Random()).fit(*blobs)


class NeverTrained(GaussianNB):
    def fit(self, X, y):
        raise AssertionError("trained before the sets were checked")


@pytest.mark.parametrize("wrap", [lambda oracle: oracle, IDMR, ODMR])
def test_an_oracle_is_refused_without_a_validation_set_also_in_a_wrapper(blobs, wrap):
    strategy = wrap(AnnealingOracle(n_steps=5))
    learner = quick(NeverTrained(), strategy).set_params(val_size=0, random_state=0)
    with pytest.raises(ValueError, match="needs a validation set to search on"):
        learner.fit(*blobs)
