"""ActiveLearner: the loop, as a scikit-learn meta-estimator."""

import warnings
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from numbers import Integral

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.metrics import get_scorer_names
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from skal._costs import search_cost
from skal._sklearn import HasMethods, Interval, StrOptions, _fit_context, _VisualBlock
from skal._threads import single_threaded, warn_once
from skal.answers._needs import strategy_peeks, strategy_searches
from skal.curves import xi_quality
from skal.inputs._checks import Predicts, takes_selection_set
from skal.inputs._containers import n_rows, row_labels, width
from skal.inputs._tags import scorer_of
from skal.loop import check_runnable, run_rounds
from skal.problem import assemble, with_rows
from skal.seeding import Stream, as_seed, set_random_states, stream
from skal.splitting import SIZE
from skal.training import Evaluation, Trainer


def _has(method):
    """Return a check that raises AttributeError if the estimator lacks a method."""

    def check(self):
        getattr(getattr(self, "estimator_", self.estimator), method)
        return True

    return check


class ActiveLearner(
    CallbackSupportMixin, ClassifierMixin, MetaEstimatorMixin, BaseEstimator
):
    """Simulate pool-based active learning with an estimator and a strategy.

    `fit` labels a pool batch by batch: it trains the estimator on what is labelled,
    lets the strategy choose the next batch, and looks its labels up in `y`. After each
    round the model is scored on held-out data, which gives the performance curve.
    With an oracle for a strategy, the curve shows how good active learning could be.

    Parameters
    ----------
    estimator : classifier
        Any scikit-learn classifier or Pipeline. It is cloned for each training.

    strategy : strategy
        Chooses what to label next, such as `MaxEntropy()` or `AnnealingOracle()`. It
        is cloned; its seeds that are None are drawn from `random_state`.

    batch_size : int, default=10
        Rows labelled in a round (B).

    n_rounds : int, default=10
        Number of rounds (K). Where the pool holds fewer rows than B K, learning stops
        early, with a warning.

    warm_size : int, float or None, default=None
        Rows labelled before the first round, carved out of `X` unless `X_warm` is
        given. A float is a fraction of `X`. None takes 2 B rows, as in Table 1 of the
        paper, but at most a quarter of what the held-out sets leave.

    select_size : int or float, default=0.1
        Rows for model selection, carved out of `X` unless `X_select` is given, and
        passed as `X_val`, `y_val` to the `fit` of an estimator that takes them. For
        every other estimator nothing is carved.

    val_size, test_size : int or float, default=0.25
        Rows for validation, which an oracle searches on, and for test, which is
        reported. Carved out of `X` unless they are given.

    scoring : str, callable or None, default=None
        How models are judged, as everywhere in scikit-learn; None takes the
        estimator's `score`, and the accuracy while a single class is labelled: name a
        scorer where `score` is something else, as in a search by log-loss. Where
        labels are lists of tags, a name such as "f1_weighted" is judged tag by tag.

    random_state : int, RandomState instance or None, default=None
        Determines everything random: how sets are carved, each `random_state` inside
        the estimator (the paper's xi) and the strategy. Pass an int for the same
        result in every call, on any number of jobs and in any process.

    Attributes
    ----------
    curve_ : ndarray of shape (n_rounds + 1,)
        Performance curve: test score after k = 0..K rounds. Index 0 is the warm start,
        and NaN where that is empty.

    quality_ : float
        xi-quality: the mean of `curve_` over k = 1..K.

    validation_curve_, validation_quality_ : ndarray of shape (n_rounds + 1,), float
        The same on validation, where an oracle searches. It gains more over random
        orders there than on test; by how much, `skal.curves.optimism` computes. The
        difference of the two qualities alone does not show it, since one of the sets
        may be harder than the other. NaN if there is no validation set.

    order_ : ndarray of shape (n_acquired,)
        Rows of `X` in the order in which they were labelled.

    order_index_ : ndarray of shape (n_acquired,)
        The data frame's own labels of these rows; for other input, `order_` itself.

    rounds_ : ndarray of shape (n_acquired,)
        The round, 1..K, in which each of them was labelled.

    n_warm_ : int
        Number of rows labelled before the first round.

    estimator_ : estimator
        The model after the last round. Where it saw fewer classes than `classes_`, it
        is wrapped to answer with all of them, and is itself found in
        `estimator_.estimator`.

    strategy_ : strategy
        The fitted strategy. A search tells its history here.

    scorer_ : callable
        What the models were judged by.

    classes_ : ndarray of shape (n_classes,)
        The class list of the run: all labels of all sets.

    n_trainings_ : int
        Number of trainings, those of a search or of a `Proxy` included.

    n_features_in_ : int
        Number of features seen during :term:`fit`, if rows have columns.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during :term:`fit`, if all are strings.

    See Also
    --------
    skal.run_seeds : Repeat a run over several seeds.
    skal.split : Carve the sets of several runs once.

    Notes
    -----
    A warm start in which a single class is labelled trains a constant model. Each
    training runs on one thread: trainings run side by side instead.

    References
    ----------
    Zhou et al., "Towards Understanding the Behaviors of Optimal Deep Active Learning
    Algorithms", AISTATS 2021.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skal import ActiveLearner, Margin
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), Margin(),
    ...                         batch_size=5, n_rounds=4, random_state=0)
    >>> learner.fit(X, y).curve_.shape
    (5,)
    >>> learner.predict(X[:2])
    array([0, 0])
    """

    _parameter_constraints: dict = {
        "estimator": [Predicts()],
        "strategy": [HasMethods(["fit", "select"])],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "n_rounds": [Interval(Integral, 1, None, closed="left")],
        "warm_size": [*SIZE, None],
        "select_size": SIZE,
        "val_size": SIZE,
        "test_size": SIZE,
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator,
        strategy,
        *,
        batch_size=10,
        n_rounds=10,
        warm_size=None,
        select_size=0.1,
        val_size=0.25,
        test_size=0.25,
        scoring=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.strategy = strategy
        self.batch_size = batch_size
        self.n_rounds = n_rounds
        self.warm_size = warm_size
        self.select_size = select_size
        self.val_size = val_size
        self.test_size = test_size
        self.scoring = scoring
        self.random_state = random_state

    @with_callbacks
    # The estimator's parameters are checked once, in its first training.
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X,
        y,
        *,
        X_warm=None,
        y_warm=None,
        X_select=None,
        y_select=None,
        X_val=None,
        y_val=None,
        X_test=None,
        y_test=None,
        **params,
    ):
        """Label the pool, round by round.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of n_samples rows
            The pool, and the sets that are carved out of it.

        y : array-like of shape (n_samples,), or list of n_samples lists
            Class labels; where rows are lists of tokens, also lists of tags, one for
            each token. A strategy sees those of rows that were labelled, and an oracle
            all.

        X_warm, X_select, X_val, X_test : rows, default=None
            The sets that are not to be carved out of `X`. An `X_warm` without rows is
            an empty warm start.

        y_warm, y_select, y_val, y_test : array-like, default=None
            Their labels. A label that `y` lacks joins the class list.

        **params : dict
            Passed to the estimator's `fit`, through metadata routing where that is
            enabled. What has one value per row of `X`, such as `sample_weight`, is
            cut to the rows in use.

        Returns
        -------
        self : ActiveLearner
            Fitted learner.

        Raises
        ------
        ValueError
            If labels are missing or not one for each row or token, sets overlap or
            disagree in width, `X` holds too few rows, or the scorer returns a score
            that is not finite.
        TypeError
            If the strategy needs a method that the estimator lacks.
        """
        given = with_rows(
            {
                "warm": (X_warm, y_warm),
                "select": (X_select, y_select),
                "val": (X_val, y_val),
                "test": (X_test, y_test),
            }
        )
        problem = self._make_problem(X, y, given, params)
        strategy = set_random_states(
            clone(self.strategy), stream(problem.seed, Stream.STRATEGY), only_unset=True
        )
        check_runnable(problem, strategy)
        context = self._init_callback_context(max_subtasks=problem.n_rounds + 2)
        costs = {"search": search_cost(strategy, problem)}
        context.call_on_fit_task_begin(estimator=self, metadata={"costs": costs})
        with single_threaded(), warn_once():
            self._follow(strategy, problem, context)
        self.order_index_ = row_labels(X, self.order_)
        context.call_on_fit_task_end(
            estimator=self, metadata={"quality": self.quality_}
        )
        return self

    def carved_sizes(self):
        """Return the size of each set that is carved out of `X` unless it is given.

        Returns
        -------
        dict of str to int, float or None
            "test", "val", "select" and "warm", as in the parameters. The selection set
            is empty for an estimator whose `fit` takes none.
        """
        return {
            "test": self.test_size,
            "val": self.val_size,
            "select": self.select_size if takes_selection_set(self.estimator) else 0,
            "warm": self.warm_size,
        }

    def _make_problem(self, X, y, given, params):
        if width(X) is not None:
            validate_data(self, X, y, skip_check_array=True)
        if get_config()["enable_metadata_routing"]:
            params = process_routing(self, "fit", **params).estimator.fit
        sizes = self.carved_sizes().items()
        return assemble(
            X,
            y,
            given,
            {name: size for name, size in sizes if name not in given},
            params,
            batch_size=self.batch_size,
            n_rounds=self.n_rounds,
            estimator=self.estimator,
            scorer=scorer_of(self.estimator, self.scoring, y),
            seed=as_seed(self.random_state),
        )

    def _follow(self, strategy, problem, context):
        """Go through the rounds, and keep what they gave."""
        # A search, which may take days, begins once the first model could be scored.
        searches = strategy_peeks(strategy)
        if not searches:
            _fit_strategy(strategy, problem, context, self)
        test = Evaluation(problem.X_test, problem.y_test, problem.scorer)
        val = Evaluation(problem.X_val, problem.y_val, problem.scorer)
        curve, validation_curve, n_trainings = [], [], 0
        for turn in run_rounds(problem, strategy, Trainer(problem)):
            task = context.subcontext(task_name="round")
            task.call_on_fit_task_begin(estimator=self)
            n_trainings += turn.model is not None
            with _noted(f"The scorer was given the test set, in round {turn.k}."):
                curve.append(test.score(turn.model))
            with _noted(f"The scorer was given the validation set, in round {turn.k}."):
                validation_curve.append(val.score(turn.model))
            task.call_on_fit_task_end(estimator=self, metadata={"score": curve[-1]})
            if searches and turn.k == 0:
                _fit_strategy(strategy, problem, context, self)

        self.curve_ = np.array(curve)
        self.quality_ = xi_quality(curve)
        self.validation_curve_ = np.array(validation_curve)
        self.validation_quality_ = xi_quality(validation_curve)
        self.order_ = problem.pool_rows[turn.order]
        self.n_warm_ = n_rows(problem.X_warm)
        self.rounds_ = 1 + np.arange(len(turn.order)) // problem.batch_size
        self.estimator_ = turn.model
        self.strategy_ = strategy
        self.scorer_ = problem.scorer
        self.classes_ = problem.classes
        self.n_trainings_ = n_trainings + getattr(strategy, "n_trainings_", 0)
        _check_search(self)

    @available_if(_has("predict"))
    def predict(self, X):
        """Predict the classes of `X` with the final model.

        Parameters
        ----------
        X : rows, n_samples of them

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return self._ask("predict", X)

    @available_if(_has("predict_proba"))
    def predict_proba(self, X):
        """Return the final model's class probabilities.

        Parameters
        ----------
        X : rows, n_samples of them

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of `classes_`.
        """
        return self._ask("predict_proba", X)

    @available_if(_has("predict_log_proba"))
    def predict_log_proba(self, X):
        """Return the logarithm of the final model's class probabilities.

        Parameters
        ----------
        X : rows, n_samples of them

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of `classes_`.
        """
        return self._ask("predict_log_proba", X)

    @available_if(_has("decision_function"))
    def decision_function(self, X):
        """Return the final model's confidence scores.

        Parameters
        ----------
        X : rows, n_samples of them

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return self._ask("decision_function", X)

    def score(self, X, y):
        """Score the final model by `scoring`.

        Parameters
        ----------
        X : rows, n_samples of them
        y : array-like of shape (n_samples,)

        Returns
        -------
        float
        """
        return self.scorer_(self._model_for(X), X, y)

    def _ask(self, method, X):
        return getattr(self._model_for(X), method)(X)

    def _model_for(self, X):
        """Return the final model, once the columns of `X` are those of `fit`."""
        check_is_fitted(self, "estimator_")
        if width(X) is not None:
            validate_data(self, X, reset=False, skip_check_array=True)
        return self.estimator_

    def get_metadata_routing(self):
        """Return how metadata is routed: what `fit` is given goes to the estimator.

        Returns
        -------
        MetadataRouter
        """
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                estimator=self.estimator,
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.classifier_tags = deepcopy(inner.classifier_tags)
        tags.input_tags = deepcopy(inner.input_tags)
        return tags

    def _sk_visual_block_(self):
        is_fitted = hasattr(self, "estimator_")
        parts = {
            "estimator": self.estimator_ if is_fitted else self.estimator,
            "strategy": self.strategy_ if is_fitted else self.strategy,
        }
        return _VisualBlock(
            "parallel",
            list(parts.values()),
            names=[f"{name}: {type(part).__name__}" for name, part in parts.items()],
            name_details=[str(part) for part in parts.values()],
        )


@contextmanager
def _noted(text):
    """Add to an error where it came from."""
    try:
        yield
    except Exception as error:
        error.add_note(text)
        raise


def _check_search(learner):
    """Warn if following the order that a search found gives another quality.

    The search scored the same models on the same rows, so its scores are then those of
    other code or data, or the estimator does not train the same model twice.
    """
    strategy, now = learner.strategy_, learner.validation_quality_
    found = getattr(strategy, "quality_", np.nan)
    if not strategy_searches(strategy) or np.isnan([found, now]).any():
        return
    is_same_order = np.array_equal(strategy.order_, learner.order_)
    if is_same_order and not np.isclose(found, now, rtol=0, atol=1e-9):
        remedy = (
            "see that the estimator and the scorer give the same for the same rows"
            if getattr(strategy, "journal", None) is None
            else f"the scores in {strategy.journal} are of other code or data, so "
            "delete it and search again"
        )
        warnings.warn(
            f"The order that {type(strategy).__name__} found has quality {now:.6g} on "
            f"validation, and {found:.6g} by the scores of the search: {remedy}.",
            stacklevel=5,
        )


def _fit_strategy(strategy, problem, context, learner):
    """Show the strategy what it may see: an oracle all but the test set."""
    seen = problem.seen_by(strategy)
    task = context.subcontext(task_name="search")
    with ExitStack() as stack:
        if hasattr(strategy, "set_callbacks"):
            stack.enter_context(task.propagate_callback_context(strategy))
        task.call_on_fit_task_begin(estimator=learner)
        strategy.fit(problem.X_pool, seen.y_pool, problem=seen)
    task.call_on_fit_task_end(estimator=learner)
