"""Query strategies of scikit-activeml in skal, and strategies of skal in theirs."""

import inspect
import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.datasets import make_blobs
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

pool = pytest.importorskip("skactiveml.pool", reason="scikit-activeml is not installed")

from skactiveml.classifier import (  # noqa: E402
    MixtureModelClassifier,
    ParzenWindowClassifier,
    SklearnClassifier,
)

from skal import (  # noqa: E402
    BALD,
    ActiveLearner,
    BatchBALD,
    BestOfStrategiesOracle,
    LeastConfidence,
    Margin,
    Random,
    SkactivemlStrategy,
    Stochastic,
)
from skal.answers._posterior import sample_posterior  # noqa: E402
from skal.information import mutual_information  # noqa: E402
from skal.strategies import Labelled, as_query_strategy  # noqa: E402
from skal.strategies._skactiveml_model import as_table  # noqa: E402
from skal.utils.estimator_checks import parametrize_with_strategy_checks  # noqa: E402

X, Y = make_blobs(90, centers=3, cluster_std=3.0, random_state=0)
# One query strategy takes two classes only.
CLASSES = {"EpistemicUncertaintySampling": 2}
PWC = ParzenWindowClassifier()


def quiet(run):
    """Return the result of a call of the other library, without its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return run()


def classes_of_pool():
    """Return all query strategies for pools, by name."""
    named = {name: getattr(pool, name) for name in pool.__all__}
    return {name: one for name, one in named.items() if inspect.isclass(one)}


def make(name, **params):
    """Return a query strategy with the arguments that it cannot do without."""
    known = inspect.signature(classes_of_pool()[name].__init__).parameters
    required = {"classes": [0, 1, 2], "query_strategy": pool.UncertaintySampling()}
    required |= {"enforce_mapping": False, "n_jobs": 1}
    required = {key: value for key, value in required.items() if key in known}
    return classes_of_pool()[name](**required | params)


REGRESSION = {
    "ExpectedModelChangeMaximization",
    "ExpectedModelOutputChange",
    "ExpectedModelVarianceReduction",
    "GreedySamplingTarget",
    "KLDivergenceMaximization",
    "RegressionTreeBasedAL",
}
FROM_NOTHING = {
    "CoreSet",
    "GreedySamplingX",
    "MaxHerding",
    "ProbCover",
    "RandomSampling",
    "TypiClust",
}
OWN = {
    "EpistemicUncertaintySampling": PWC,
    "FourDs": MixtureModelClassifier(),
    "MonteCarloEER": PWC,
    "ProbabilisticAL": PWC,
    "ValueOfInformationEER": PWC,
}
OF_MODEL = {
    "Badge",
    "Clue",
    "ContrastiveAL",
    "DropQuery",
    "Falcun",
    "SubSamplingWrapper",
    "UncertaintySampling",
}
ENSEMBLES = {"BatchBALD", "GreedyBALD", "QueryByCommittee"}
OTHERS = {"CostEmbeddingAL", "DiscriminativeAL", "Quire"}
# A base class, and a wrapper for batches of one row.
APART = {"ExpectedErrorReduction", "ParallelUtilityEstimationWrapper"}
RUNNING = sorted({*FROM_NOTHING, *OF_MODEL, *ENSEMBLES, *OTHERS, *OWN})


def test_every_query_strategy_is_known():
    assert classes_of_pool().keys() == {*RUNNING, *REGRESSION, *APART}


def make_learner(strategy, model=None, **params):
    model = RandomForestClassifier(5, max_depth=3) if model is None else model
    params = {"batch_size": 4, "n_rounds": 2, "random_state": 0} | params
    return ActiveLearner(model, strategy, **params)


def labelled_of(rows, y=Y):
    return Labelled(X[rows], y[rows], rows)


def partly_labelled(rows, labels=Y):
    y = np.full(90, np.nan)
    y[rows] = labels[rows]
    return y


@pytest.mark.parametrize("name", RUNNING)
def test_query_strategies_run_in_a_learner(name):
    y = np.array(["ham", "spam", "zen"])[Y % CLASSES.get(name, 3)]
    strategy = SkactivemlStrategy(make(name), estimator=OWN.get(name))
    orders = [
        quiet(lambda s=seed: make_learner(strategy, random_state=s).fit(X, y))
        for seed in (3, 3)
    ]
    first, again = (learner.order_.tolist() for learner in orders)
    assert first == again
    assert len(set(first)) == 8


@pytest.mark.parametrize("name", RUNNING)
def test_query_strategies_choose_what_they_choose_alone(name):
    """The same batch as from `query` on the same rows, labels and fitted model."""
    if name in ("BatchBALD", "GreedyBALD", "QueryByCommittee", "DiscriminativeAL"):
        return  # tested below: their model is handed over in another form
    known, n_classes = np.arange(0, 90, 6), CLASSES.get(name, 3)
    labels = Y % n_classes
    open_rows = np.setdiff1d(np.arange(90), known)
    model = RandomForestClassifier(5, max_depth=3, random_state=0)
    model.fit(X[known], labels[known])
    y = partly_labelled(known, labels)
    query_strategy = make(name, random_state=1)
    arguments = {}
    if name in OWN:
        own = OWN[name].__class__(classes=range(n_classes), random_state=0)
        arguments = {"clf": own, "fit_clf": True}
    elif name in OF_MODEL:
        wrapped = SklearnClassifier(model, classes=[0, 1, 2], random_state=0)
        argument = "estimator" if name == "Clue" else "clf"
        arguments = {argument: wrapped, f"fit_{argument}": False}
    if name == "SubSamplingWrapper":
        query_strategy.set_params(query_strategy__random_state=1)
    # What a strategy draws from the global generator is another matter.
    for attribute in ("cluster_algo_dict", "mds_params"):
        if attribute in query_strategy.get_params(deep=False):
            query_strategy.set_params(**{attribute: {"random_state": 1}})
    expected = quiet(
        lambda: query_strategy.query(
            X, y, candidates=open_rows, batch_size=5, **arguments
        )
    )
    own = OWN.get(name)
    if own is not None:
        own = own.__class__(random_state=0)
    strategy = SkactivemlStrategy(query_strategy, estimator=own).fit(X)
    chosen = quiet(
        lambda: strategy.select(
            model,
            X,
            5,
            candidates=open_rows,
            labelled=labelled_of(known, labels),
        )
    )
    assert chosen.tolist() == [int(row) for row in expected]


def test_committees_are_asked_for_their_members():
    known = np.arange(0, 90, 6)
    model = RandomForestClassifier(9, max_depth=3, random_state=0)
    model.fit(X[known], Y[known])
    value = mutual_information(sample_posterior(model, X, 1, 0))
    candidates = np.setdiff1d(np.arange(90), known)
    for query_strategy in (pool.GreedyBALD(), pool.QueryByCommittee()):
        strategy = SkactivemlStrategy(query_strategy, random_state=0).fit(X)
        chosen = strategy.select(
            model, X, 8, candidates=candidates, labelled=labelled_of(known)
        )
        left = np.setdiff1d(candidates, chosen)
        assert value[chosen].min() >= value[left].max() - 1e-6
    for method in ("vote_entropy", "variation_ratios"):
        strategy = SkactivemlStrategy(pool.QueryByCommittee(method=method))
        assert len(make_learner(strategy).fit(X, Y).order_) == 8


def test_members_that_lack_a_class():
    model = BaggingClassifier(DecisionTreeClassifier(), 8, max_samples=3)
    strategy = SkactivemlStrategy(pool.QueryByCommittee())
    assert len(set(make_learner(strategy, model).fit(X, Y).order_)) == 8


@pytest.mark.parametrize("name", sorted(FROM_NOTHING))
def test_what_works_from_nothing(name):
    strategy = SkactivemlStrategy(make(name))
    assert strategy.from_nothing
    assert strategy.needs == ()
    learner = make_learner(strategy, warm_size=0)
    assert len(set(quiet(lambda: learner.fit(X, Y)).order_.tolist())) == 8


@pytest.mark.parametrize("name", sorted({*RUNNING} - FROM_NOTHING))
def test_what_does_not_says_so(name):
    strategy = SkactivemlStrategy(make(name), estimator=OWN.get(name))
    assert not strategy.from_nothing
    with pytest.raises(ValueError, match=r"warm start is empty"):
        make_learner(strategy, warm_size=0).fit(X, Y)


@pytest.mark.parametrize("name", sorted(REGRESSION))
def test_regression_is_refused_before_training(name):
    with pytest.raises(ValueError, match=f"{name} selects rows for regression, and"):
        make_learner(SkactivemlStrategy(make(name)), Untrained()).fit(X, Y)


@pytest.mark.parametrize("name", sorted(OWN))
def test_a_model_of_their_own_is_asked_for_before_training(name):
    with pytest.raises(ValueError, match=rf"{name} .* trains a model of its own: set"):
        make_learner(SkactivemlStrategy(make(name)), Untrained()).fit(X, Y)


def test_a_metric_makes_do_without():
    strategy = SkactivemlStrategy(pool.ProbabilisticAL(metric="rbf"))
    assert len(set(make_learner(strategy).fit(X, Y).order_)) == 8


def test_other_failures_are_one_sentence():
    for name in sorted(APART):
        strategy = SkactivemlStrategy(make(name))
        with pytest.raises(ValueError, match=f"{name} of scikit-activeml cannot"):
            quiet(lambda s=strategy: make_learner(s).fit(X, Y))
    parallel = SkactivemlStrategy(make("ParallelUtilityEstimationWrapper"))
    learner = make_learner(parallel, batch_size=1, n_rounds=3)
    assert len(quiet(lambda: learner.fit(X, Y)).order_) == 3


class Untrained(RandomForestClassifier):
    """A classifier that must not be trained."""

    def fit(self, X, y):
        raise AssertionError("trained")


def test_needs_are_checked_before_training():
    for query_strategy, match in (
        (pool.UncertaintySampling(), "needs class probabilities"),
        (pool.QueryByCommittee(), "needs (class prob|posterior samples)"),
    ):
        with pytest.raises(TypeError, match=match):
            make_learner(SkactivemlStrategy(query_strategy), LinearSVC()).fit(X, Y)
    committee = SkactivemlStrategy(pool.QueryByCommittee())
    with pytest.raises(TypeError, match="needs posterior samples"):
        make_learner(committee, LogisticRegression()).fit(X, Y)


@pytest.mark.parametrize(
    "query_strategy", [pool.UncertaintySampling(), pool.CoreSet(), pool.DropQuery()]
)
def test_frames_and_sparse_rows(query_strategy):
    model = make_pipeline(StandardScaler(with_mean=False), LogisticRegression())
    strategy = SkactivemlStrategy(query_strategy)
    expected = make_learner(strategy, model).fit(X, Y).order_
    frame = pd.DataFrame(X, columns=["a", "b"])
    by_number = pd.DataFrame(X)
    for given in (frame, by_number, pl.DataFrame(frame), sparse.csr_array(X)):
        learner = make_learner(strategy, model).fit(given, Y)
        assert learner.order_.tolist() == expected.tolist()


@pytest.mark.parametrize(
    "rows",
    [
        pd.DataFrame({"a": ["x", "y"] * 45, "b": range(90)}),
        np.where(np.arange(180).reshape(90, 2) == 3, np.nan, 1.0),
        [f"row {i}" for i in range(90)],
        np.zeros((90, 2, 2)),
    ],
    ids=["words", "missing", "text", "images"],
)
def test_rows_that_are_no_table_of_numbers_are_refused(rows):
    strategy = SkactivemlStrategy(pool.RandomSampling())
    with pytest.raises(ValueError, match="X must be a table of finite numbers, since"):
        strategy.fit(rows)


def test_classes_that_are_not_labelled_yet():
    y = np.array(["a", "b", "c"])[Y]
    for known in (Y < 2, Y < 1):
        warm = np.flatnonzero(known)[:6]
        rest = np.setdiff1d(np.arange(90), warm)
        for name in ("UncertaintySampling", "QueryByCommittee", "Badge", "Quire"):
            learner = make_learner(SkactivemlStrategy(make(name)))
            quiet(
                lambda learner=learner, rest=rest, warm=warm: learner.fit(
                    X[rest], y[rest], X_warm=X[warm], y_warm=y[warm]
                )
            )
            assert len(set(learner.order_.tolist())) == 8


def test_the_query_strategy_is_not_changed_and_pickles():
    query_strategy = pool.ProbCover()
    before = repr(query_strategy.get_params())
    strategy = SkactivemlStrategy(query_strategy, random_state=0).fit(X)
    first = strategy.select(None, X, 5, labelled=labelled_of(np.arange(9)))
    again = pickle.loads(pickle.dumps(strategy))
    assert (
        first.tolist()
        == again.select(None, X, 5, labelled=labelled_of(np.arange(9))).tolist()
    )
    assert before == repr(query_strategy.get_params())
    assert not hasattr(query_strategy, "deltas_")


def test_further_arguments_of_query():
    weights = np.zeros(90)
    weights[[5, 7]] = 1
    strategy = SkactivemlStrategy(
        pool.UncertaintySampling(), query_params={"utility_weight": weights}
    )
    model = GaussianNB().fit(X, Y)
    nothing = Labelled(X[:0], Y[:0], np.arange(0))
    chosen = strategy.fit(X).select(model, X, 2, labelled=nothing)
    assert set(chosen) == {5, 7}


def test_an_oracle_takes_their_proposals():
    proposers = [Random(), SkactivemlStrategy(pool.CoreSet()), Margin()]
    oracle = BestOfStrategiesOracle(strategies=proposers)
    learner = make_learner(oracle, GaussianNB(), n_rounds=2).fit(X, Y)
    assert len(set(learner.order_.tolist())) == 8


@parametrize_with_strategy_checks(
    [
        SkactivemlStrategy(pool.RandomSampling()),
        SkactivemlStrategy(pool.UncertaintySampling()),
        SkactivemlStrategy(pool.MaxHerding()),
        SkactivemlStrategy(pool.UncertaintySampling(), estimator=PWC),
    ]
)
def test_contract(check):
    check()


# The way back


@pytest.mark.parametrize(
    "strategy", [Margin(), LeastConfidence(), Random(), Stochastic(Margin())]
)
def test_strategies_of_skal_in_their_loop(strategy):
    y, clf = partly_labelled(np.arange(0, 90, 9)), SklearnClassifier(GaussianNB())
    clf.set_params(classes=[0, 1, 2])
    query_strategy = as_query_strategy(strategy, random_state=0)
    for _ in range(3):
        picked = query_strategy.query(X, y, clf=clf, batch_size=4)
        assert np.isnan(y[picked]).all()
        y[picked] = Y[picked]
    assert np.isnan(y).sum() == 90 - 10 - 12


def test_they_choose_what_they_choose_here():
    known = np.arange(0, 90, 9)
    clf = SklearnClassifier(GaussianNB(), classes=[0, 1, 2])
    model = GaussianNB().fit(X[known], Y[known])
    candidates = np.setdiff1d(np.arange(1, 80), known)
    expected = Margin().fit(X).select(model, X, 6, candidates=candidates)
    query_strategy = as_query_strategy(Margin())
    y = partly_labelled(known)
    chosen = query_strategy.query(X, y, clf, candidates=candidates, batch_size=6)
    assert chosen.tolist() == expected.tolist()
    fitted = clf.fit(X, y)
    chosen = query_strategy.query(
        X, y, fitted, fit_clf=False, candidates=candidates, batch_size=6
    )
    assert chosen.tolist() == expected.tolist()


def test_what_the_way_back_refuses():
    y = partly_labelled(np.arange(9))
    with pytest.raises(ValueError, match="returns positions in X and no utilities"):
        as_query_strategy(Random()).query(X, y, return_utilities=True)
    with pytest.raises(ValueError, match="returns positions in X and no utilities"):
        as_query_strategy(Random()).query(X, y, candidates=X[:5] + 0.5)
    with pytest.raises(TypeError, match="Margin needs"):
        as_query_strategy(Margin()).query(X, y)
    numbers = np.where(np.isnan(y), -1, y)
    query_strategy = as_query_strategy(Random(), missing_label=-1)
    assert (query_strategy.query(X, numbers, batch_size=3) > 8).all()


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "skactiveml", None)
    with pytest.raises(ImportError, match=r"needs scikit-activeml: pip install"):
        SkactivemlStrategy(pool.CoreSet()).fit(X)
    with pytest.raises(ImportError, match=r"needs scikit-activeml: pip install"):
        as_query_strategy(Margin())


def test_bald_here_and_there():
    """The same batch under the same rule, from the same members."""
    known = np.arange(0, 90, 6)
    model = RandomForestClassifier(7, max_depth=3, random_state=0)
    model.fit(X[known], Y[known])
    candidates = np.setdiff1d(np.arange(90), known)
    arguments = {"candidates": candidates, "labelled": labelled_of(known)}
    value = mutual_information(sample_posterior(model, X, 1, 0))
    here = BALD().fit(X).select(model, X, 5, **arguments)
    there = SkactivemlStrategy(pool.GreedyBALD()).fit(X)
    there = there.select(model, X, 5, **arguments)
    np.testing.assert_allclose(np.sort(value[here]), np.sort(value[there]), atol=1e-6)
    here = BatchBALD().fit(X).select(model, X, 1, **arguments)
    assert value[here] == pytest.approx(value[there].max(), abs=1e-6)


@pytest.mark.parametrize("kind", ["int8", "float32", "object"])
def test_rows_of_any_numbers_become_doubles(kind):
    table = as_table(np.array([[1, 2], [3, 4]], dtype=kind))
    assert table.dtype == np.float64
    assert table.tolist() == [[1.0, 2.0], [3.0, 4.0]]
