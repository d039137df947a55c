"""Query strategies of scikit-activeml as strategies of skal."""

from inspect import signature

import numpy as np
from sklearn.base import clone

from skal._extras import install_hint
from skal._sklearn import HasMethods
from skal.answers._fixed_classes import class_list
from skal.inputs._checks import check_labels
from skal.inputs._containers import take
from skal.inputs._targets import Target, check_classes
from skal.seeding import Stream, isolated, set_random_states, stream
from skal.strategies._base import BaseStrategy
from skal.strategies._batches import check_batch
from skal.strategies._skactiveml_model import Container, ModelView, as_table

# The argument of `query` that is the model, and what the strategy asks of it.
MODELS = {
    "clf": ("predict", "predict_proba"),
    "estimator": ("predict", "predict_proba"),
    "ensemble": ("predict", "predict_proba", "posterior"),
    "discriminator": (),
}
# Query strategies that train a model themselves, or take only models of their own
# library, with one that suits.
OWN_MODEL = {
    "EpistemicUncertaintySampling": "ParzenWindowClassifier()",
    "FourDs": "MixtureModelClassifier()",
    "MonteCarloEER": "ParzenWindowClassifier()",
    "ProbabilisticAL": "ParzenWindowClassifier()",
    "ValueOfInformationEER": "ParzenWindowClassifier()",
}
# Those without a model that need labels nevertheless.
NEED_LABELS = ("CostEmbeddingAL", "Quire")


class SkactivemlStrategy(BaseStrategy):
    """Select by a query strategy of scikit-activeml.

    Any query strategy for pools in `skactiveml.pool` that selects rows for a classifier
    runs in the loop, the studies and the oracles of skal. The model that the learner
    has trained is handed to it, and not trained again.

    Parameters
    ----------
    query_strategy : query strategy of scikit-activeml
        For example ``skactiveml.pool.UncertaintySampling()``. It is cloned. Its
        parameters `missing_label` and `classes` are set to those of the run.

    estimator : classifier of scikit-activeml or None, default=None
        A model for the query strategy to train on the labelled rows in each round, in
        place of the learner's. For strategies that train many models, or need one of
        the classes in `skactiveml.classifier`.

    query_params : dict or None, default=None
        Further arguments of its method `query`.

    random_state : int, RandomState instance or None, default=None
        Seeds each `random_state` in the query strategy and in `estimator` that is None.
        Inside an `ActiveLearner`, None takes a seed drawn from the learner's.

    See Also
    --------
    as_query_strategy : The way back, a strategy of skal as a query strategy.
    Proxy : Select with a model of scikit-learn that is not the learner's.

    Notes
    -----
    The rows must be a table of numbers, which the query strategy sees as they are,
    without the steps of the learner's Pipeline: scale them beforehand if distances
    matter. Labels are handed over as class numbers.

    Which query strategies of scikit-activeml 1.0 need what:

    - Nothing, and work from nothing: `RandomSampling`, `CoreSet`, `TypiClust`,
      `ProbCover`, `MaxHerding`, `GreedySamplingX`.
    - Labelled rows: `Quire`, `CostEmbeddingAL` and `DiscriminativeAL`, whose
      discriminator is the learner's classifier, or `estimator`.
    - Predictions and class probabilities: `UncertaintySampling`, `Clue`, `DropQuery`,
      `Badge`, `ContrastiveAL`, `Falcun`.
    - An ensemble, or a net with posterior samples: `QueryByCommittee`, `BatchBALD`,
      `GreedyBALD`.
    - `estimator`: `EpistemicUncertaintySampling` (two classes only), `MonteCarloEER`,
      `ValueOfInformationEER`, `FourDs` (a `MixtureModelClassifier`), and
      `ProbabilisticAL` unless it has a `metric`.
    - What the inner strategy needs: `SubSamplingWrapper` and, with batches of one row,
      `ParallelUtilityEstimationWrapper`.

    Strategies for regression are refused.

    References
    ----------
    Kottke, Herde, Minh, Benz, Mergard, Roghman, Sandrock and Sick, "scikit-activeml: A
    Library and Toolbox for Active Learning Algorithms", 2021.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactiveml.pool import UncertaintySampling
    >>> from skal import ActiveLearner, SkactivemlStrategy
    >>> X, y = load_iris(return_X_y=True)
    >>> strategy = SkactivemlStrategy(UncertaintySampling(method="margin_sampling"))
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), strategy,
    ...                         batch_size=5, n_rounds=4, random_state=0)
    >>> learner.fit(X, y).order_.shape
    (20,)
    """

    needs_labelled = True
    _parameter_constraints: dict = {
        "query_strategy": [HasMethods(["query"])],
        "estimator": [HasMethods(["fit", "predict_proba"]), None],
        "query_params": [dict, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self, query_strategy, *, estimator=None, query_params=None, random_state=None
    ):
        self.query_strategy = query_strategy
        self.estimator = estimator
        self.query_params = query_params
        self.random_state = random_state

    @property
    def needs(self):
        """Methods that the query strategy calls on the learner's model."""
        argument = _model_argument(self.query_strategy)
        return MODELS.get(argument, ()) if self.estimator is None else ()

    @property
    def from_nothing(self):
        """Return whether the query strategy can select while nothing is labelled."""
        names = {type(one).__name__ for one in _chain(self.query_strategy)}
        is_alone = _model_argument(self.query_strategy) is None
        return is_alone and names.isdisjoint(NEED_LABELS)

    def check_problem(self, problem):
        """Check that the labels of a problem are classes, without training.

        Parameters
        ----------
        problem : Problem
            The problem to select rows for.

        Raises
        ------
        ValueError
            If they are tags or numbers.
        """
        other = "MinConfidence" if problem.target is Target.TAGS else "CoreSet"
        check_classes(problem.target, "SkactivemlStrategy takes classes", other)

    def _fit(self, X, y, problem):
        _check_installed()
        _check_runs(self.query_strategy, self.estimator)
        as_table(X)
        if problem is not None:
            self.check_problem(problem)
        self._learner = None if problem is None else problem.estimator
        self._classes = None if problem is None else problem.classes

    def _select(self, estimator, X, n, candidates, labelled):
        seed = self._seed(len(labelled.positions))
        classes = self._class_list(estimator, labelled)
        table, y, n_warm = _rows_and_labels(X, labelled, classes)
        query_strategy = self._prepared(len(classes), seed)
        arguments = self._model_arguments(estimator, X, classes, seed)
        name = type(self.query_strategy).__name__
        try:
            with isolated(seed):
                batch = query_strategy.query(
                    X=table,
                    y=y,
                    candidates=n_warm + candidates,
                    batch_size=n,
                    **arguments,
                    **(self.query_params or {}),
                )
        except Exception as error:
            reason = " ".join(str(error).split()).rstrip(".")
            raise ValueError(
                f"{name} of scikit-activeml cannot select here: {reason}. Change its "
                "parameters, or choose another query strategy."
            ) from error
        return check_batch(
            np.asarray(batch, dtype=np.int64) - n_warm, n, candidates, self
        )

    def _seed(self, n_labelled):
        """Return a seed of this round, which is drawn anew once more are labelled."""
        return int(stream(self.seed_, Stream.STRATEGY, n_labelled).integers(2**31))

    def _class_list(self, estimator, labelled):
        """Return the classes of the run, or all that are known of them, sorted."""
        if self._classes is not None:
            return self._classes
        y = check_labels(labelled.y, "labelled.y") if len(labelled.positions) else []
        known = getattr(estimator, "classes_", y[:0])
        return class_list([y, known]) if len(y) or len(known) else np.arange(1)

    def _prepared(self, n_classes, seed):
        """Return a clone of the query strategy, set to the labels and seed."""
        prepared = clone(self.query_strategy)
        for one in _chain(prepared):
            _adapt(one, n_classes)
        if self._samples_members():
            last = list(_chain(prepared))[-1]
            if last.sample_predictions_method_name is None:
                last.set_params(sample_predictions_method_name="sample_members")
        rng = stream(seed, Stream.STRATEGY)
        return set_random_states(prepared, rng, only_unset=True)

    def _samples_members(self):
        """Return whether the model is a committee that is asked for its members."""
        argument = _model_argument(self.query_strategy)
        return argument == "ensemble" and self.estimator is None

    def _model_arguments(self, model, X, classes, seed):
        """Return the arguments of `query` that hand the model over."""
        argument = _model_argument(self.query_strategy)
        if argument is None:
            return {}
        own = self._own_model(argument, model, len(classes), seed)
        if argument == "discriminator":
            return {argument: own}
        if own is not None:
            return {argument: own, f"fit_{argument}": True}
        view = ModelView(model, classes, Container(X), seed)
        wrapped = _wrapped(view, len(classes), seed)
        return {argument: wrapped, f"fit_{argument}": False}

    def _own_model(self, argument, model, n_classes, seed):
        """Return the model that the query strategy is to train, if any."""
        if self.estimator is not None:
            own = clone(self.estimator)
            _adapt(own, n_classes, only_unset=True)
        elif argument == "discriminator":
            learner = model if self._learner is None else self._learner
            if learner is None:
                raise ValueError(
                    f"{type(self.query_strategy).__name__} trains a classifier: set "
                    "`estimator` to a classifier of skactiveml.classifier."
                )
            own = _wrapped(clone(learner), n_classes, seed)
        else:
            return None
        return set_random_states(own, stream(seed, Stream.ESTIMATOR), only_unset=True)


def _check_installed():
    """Raise an error unless scikit-activeml is installed."""
    try:
        import skactiveml  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"SkactivemlStrategy needs scikit-activeml: {install_hint('skactiveml')}."
        ) from error


def _check_runs(query_strategy, estimator):
    """Raise an error if it is known that a query strategy cannot run."""
    last = list(_chain(query_strategy))[-1]
    name = type(last).__name__
    if "reg" in signature(last.query).parameters:
        raise ValueError(
            f"{name} selects rows for regression, and skal labels classes: choose a "
            "query strategy for classifiers, such as UncertaintySampling."
        )
    has_metric = getattr(last, "metric", None) is not None
    if name in OWN_MODEL and estimator is None and not has_metric:
        raise ValueError(
            f"{name} of scikit-activeml trains a model of its own: set `estimator` to "
            f"a classifier of skactiveml.classifier, such as {OWN_MODEL[name]}."
        )


def _chain(query_strategy):
    """Yield a query strategy, and the ones inside it."""
    while query_strategy is not None:
        yield query_strategy
        query_strategy = getattr(query_strategy, "query_strategy", None)


def _model_argument(query_strategy):
    """Return the name of the argument of `query` that is the model, or None."""
    last = list(_chain(query_strategy))[-1]
    names = signature(last.query).parameters
    return next((name for name in MODELS if name in names), None)


def _adapt(one, n_classes, only_unset=False):
    """Set the missing label and the class list of an object of scikit-activeml."""
    params = one.get_params(deep=False)
    if "missing_label" in params:
        one.set_params(missing_label=np.nan)
    if "classes" in params and not (only_unset and params["classes"] is not None):
        one.set_params(classes=np.arange(n_classes))


def _wrapped(estimator, n_classes, seed):
    """Return a classifier in the wrapper that scikit-activeml asks for."""
    from skactiveml.classifier import SklearnClassifier

    return SklearnClassifier(
        estimator, classes=np.arange(n_classes), missing_label=np.nan, random_state=seed
    )


def _rows_and_labels(X, labelled, classes):
    """Return the warm start and the pool as one table, with class numbers or NaN.

    The third value is the number of rows of the warm start, which come first.
    """
    positions = np.asarray(labelled.positions)
    is_warm = positions < 0
    n_warm = int(is_warm.sum())
    table = as_table(X)
    if n_warm:
        warm = as_table(take(labelled.X, np.flatnonzero(is_warm)), "labelled.X")
        table = np.concatenate([warm, table])
    y = np.full(len(table), np.nan)
    if len(positions):
        rows = n_warm + positions
        rows[is_warm] = np.arange(n_warm)
        labels = check_labels(labelled.y, "labelled.y")
        y[rows] = np.searchsorted(classes, labels)
    return table, y, n_warm


def as_query_strategy(strategy, *, missing_label=np.nan, random_state=None):
    """Return a strategy of skal as a query strategy of scikit-activeml.

    Parameters
    ----------
    strategy : strategy
        Chooses the rows. It is cloned and fitted to `X` in each call of `query`.
    missing_label : scalar, str, None or NaN, default=np.nan
        The label of rows that are not labelled.
    random_state : int, RandomState instance or None, default=None
        Seeds the strategy if it has no seed of its own.

    Returns
    -------
    query strategy of scikit-activeml
        Its method ``query(X, y, clf=None, fit_clf=True, candidates=None,
        batch_size=1)`` returns positions in `X`. A strategy that needs a model must be
        given `clf`. There are no utilities, so wrappers that rank by them do not apply.

    Raises
    ------
    ImportError
        If scikit-activeml is not installed.

    See Also
    --------
    SkactivemlStrategy : The way back, a query strategy as a strategy of skal.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactiveml.classifier import SklearnClassifier
    >>> from skal import Margin
    >>> from skal.strategies import as_query_strategy
    >>> X, labels = load_iris(return_X_y=True)
    >>> y = np.full(150, np.nan)
    >>> y[::10] = labels[::10]
    >>> clf = SklearnClassifier(LogisticRegression(max_iter=500), classes=[0, 1, 2])
    >>> as_query_strategy(Margin()).query(X, y, clf=clf, batch_size=3).shape
    (3,)
    """
    _check_installed()
    from skal.strategies._skactiveml_query import SkalQueryStrategy

    return SkalQueryStrategy(strategy, missing_label, random_state)
