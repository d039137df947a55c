"""ActiveLearner: the active learning loop as a scikit-learn meta-estimator."""

from numbers import Integral, Real

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, clone
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.metrics import get_scorer_names
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.validation import validate_data

from skal._costs import search_cost
from skal._data_sets import with_rows
from skal._final_model import FinalModelMixin
from skal._meta_estimator import LearnerMixin
from skal._scored_rounds import ScoredRounds, score_rounds, warn_if_search_disagrees
from skal._sklearn import HasMethods, Interval, StrOptions, _fit_context
from skal._threads import single_threaded, warn_once
from skal.curves import xi_quality
from skal.inputs._checks import Predicts, takes_selection_set
from skal.inputs._containers import n_rows, row_labels, width
from skal.inputs._tables import check_container
from skal.loop import check_runnable
from skal.noise._annotated import mislabelled
from skal.problem import assemble
from skal.seeding import Stream, as_seed, set_random_states, stream
from skal.splitting import CHOICE, SIZE


class ActiveLearner(FinalModelMixin, CallbackSupportMixin, LearnerMixin, BaseEstimator):
    """Simulate pool-based active learning with an estimator and a strategy.

    `fit` labels a pool batch by batch: it trains the estimator on the labelled rows,
    lets the strategy choose the next batch, and looks up its labels in `y`. After each
    round the model is scored on held-out data, which gives the performance curve. If
    the strategy is an oracle, the curve shows how good active learning could be.

    Parameters
    ----------
    estimator : classifier or regressor
        Any scikit-learn classifier, regressor or Pipeline. It is cloned for each
        training. With a regressor the learner is a regressor, and `y` holds a number
        for each row. An `XGBClassifier` takes any labels here. One that takes several
        outputs, such as a `MultiOutputClassifier`, takes a `y` with several columns.

    strategy : strategy
        Chooses the rows to label next, such as `MaxEntropy()` or `AnnealingOracle()`.
        It is cloned, and each of its `random_state` parameters that is None is set to
        a seed drawn from the learner's `random_state`.

    batch_size : int, default=10
        Number of rows labelled in a round (B). With a `cost`, the amount that a round
        may spend, in units of cost.

    n_rounds : int, default=10
        Number of rounds (K). If the pool holds fewer than B K rows, learning stops
        early, with a warning.

    warm_size : int, float or None, default=None
        Number of rows labelled before the first round, carved out of `X` unless
        `X_warm` is given. A float is a fraction of `X`. None takes 2 B rows, as in
        Table 1 of the paper, but at most a quarter of the rows that the held-out sets
        leave.

    select_size : int or float, default=0.1
        Number of rows for model selection, carved out of `X` unless `X_select` is
        given. They are passed as `X_val`, `y_val` to the `fit` of an estimator that
        takes them. For other estimators no rows are carved.

    val_size, test_size : int or float, default=0.25
        Number of rows of the validation set, on which an oracle searches, and of the
        test set, whose scores are reported. Carved out of `X` unless they are given.

    warm_per_class : int, default=0
        Minimum number of rows of each class, or with each of several labels, in a warm
        start that is carved out of `X`. For classifiers only.

    stratify : bool, default=False
        Whether the sets that are carved out of `X` have its class proportions, as
        nearly as possible, as in `split`. For classifiers only.

    scoring : str, callable or None, default=None
        How to score the models, as everywhere in scikit-learn. None takes the
        estimator's `score`: R2 for a regressor. For a classifier, it takes the accuracy
        while only one class is labelled: pass the name of a scorer if `score` is not
        the accuracy. If labels are lists of tags, a named scorer such as "f1_weighted"
        is applied to the tags of all tokens.

    cost : "tokens", callable or None, default=None
        The cost of labelling a row: the number of tokens of a sentence, or a function
        such that `cost(X)` returns a positive number for each row. None counts each
        row as one. An array is given to `fit`. See Notes.

    error_score : "raise" or float, default="raise"
        Score of a model that cannot be trained or scored, for instance because a class
        has too few rows. With a number, a warning is given and the run goes on: an
        oracle's search counts the score, and any other strategy chooses with the model
        of the round before.

    noise : NoisyLabels or None, default=None
        Annotators who are sometimes wrong: the labels of all rows that are trained on,
        in the warm start, the pool and the selection set, are theirs. Validation and
        test keep the labels in `y`.

    random_state : int, RandomState instance or None, default=None
        Controls the carving of sets, each `random_state` inside the estimator (the
        paper's xi), the noise and the strategy. Pass an int for the same result in
        every call, on any number of jobs and in any process.

    Attributes
    ----------
    curve_ : ndarray of shape (n_rounds + 1,)
        Performance curve: test score after k = 0..K rounds. Index 0 is the warm start,
        NaN if that is empty.

    quality_ : float
        xi-quality: the mean of `curve_` over k = 1..K.

    validation_curve_, validation_quality_ : ndarray of shape (n_rounds + 1,), float
        The same on the validation set. An oracle searches there, so its gain over
        random orders is larger than on test; `skal.curves.optimism` computes by how
        much. The difference of the two qualities does not show this, since one of the
        sets may be harder than the other. NaN without a validation set.

    order_ : ndarray of shape (n_acquired,)
        Rows of `X` in the order in which they were labelled.

    order_index_ : ndarray of shape (n_acquired,)
        The index of these rows in the data frame; for other input, `order_` itself.

    rounds_ : ndarray of shape (n_acquired,)
        The round, 1..K, in which each of these rows was labelled.

    mislabelled_ : ndarray of shape (n_acquired,), dtype bool
        Whether the label that each of these rows got is wrong, by `noise`.
    spent_ : ndarray of shape (n_rounds + 1,)
        With a cost, the cost of all rows labelled after k = 0..K rounds, without the
        warm start: at most k times `batch_size`.

    n_warm_ : int
        Number of rows labelled before the first round.

    estimator_ : estimator
        The model after the last round. If it was trained on fewer classes than
        `classes_`, it is wrapped so that its predictions cover all of them, and
        `estimator_.estimator` is the model itself.

    strategy_ : strategy
        The fitted strategy. An oracle has the history of its search as an attribute.

    scorer_ : callable
        The scorer of the models.

    classes_ : ndarray of shape (n_classes,), or list of them
        The class list of the run, or one for each column of `y`. Classifiers only.

    n_trainings_ : int
        Number of trainings, including the trainings of a search or a `Proxy`.

    n_features_in_ : int
        Number of features seen during :term:`fit`, if rows have columns.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during :term:`fit`, if all are strings.

    See Also
    --------
    skal.run_seeds : Repeat a run over several seeds.
    skal.split : Carve the sets once, for several runs to share.

    Notes
    -----
    If only one class is labelled in the warm start, its model is constant. Each
    training runs on one thread; instead, several trainings run at the same time.

    With a `cost`, round k ends at the longest prefix of `order_` that costs at most
    k B: what a round leaves is spent in later ones. The strategy is asked for as many
    rows as would fit at their mean cost. Its picks are taken best first, without those
    that do not fit, and it is asked again, as for a new batch, until no row fits. An
    oracle or `FixedOrder` is followed as far as its next row fits. A row that costs
    more than all rounds is never labelled. The warm start is free.

    `score` is a score of the final model, and so are the results of `GridSearchCV` and
    `cross_val_score`. To rank strategies by xi-quality, give these
    `scoring=skal.quality_scorer`.

    The semi-supervised classifiers of scikit-learn are also trained on the rows of the
    pool that are not labelled yet, with the label -1. So is any estimator with an
    attribute `uses_unlabelled` that is True.

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
        **CHOICE,
        "cost": [StrOptions({"tokens"}), callable, None],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "error_score": [StrOptions({"raise"}), Real],
        "noise": [HasMethods(["corrupt"]), None],
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
        warm_per_class=0,
        stratify=False,
        scoring=None,
        cost=None,
        error_score="raise",
        noise=None,
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
        self.warm_per_class = warm_per_class
        self.stratify = stratify
        self.scoring = scoring
        self.cost = cost
        self.error_score = error_score
        self.noise = noise
        self.random_state = random_state

    @with_callbacks
    # The first training validates the estimator's parameters.
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
        groups=None,
        cost=None,
        **params,
    ):
        """Label the pool, round by round.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of n_samples rows
            The pool, and the sets that are carved out of it.

        y : array-like or sparse matrix of n_samples rows, or list of n_samples lists
            Class labels, or numbers for a regressor; several labels per row are 0 or 1
            in each column. If rows are lists of tokens, labels may be lists of tags,
            one for each token. Only an oracle sees labels of rows that are unlabelled.

        X_warm, X_select, X_val, X_test : rows, default=None
            Sets that are given, and so not carved out of `X`. An `X_warm` without rows
            is an empty warm start.

        y_warm, y_select, y_val, y_test : array-like, default=None
            Their labels. Labels that are not in `y` are added to the class list.

        groups : array-like of shape (n_samples,), default=None
            The group of each row of `X`, such as a patient or a document. The sets that
            are carved out of `X` never split a group, except that warm start and pool,
            which are both trained on, may share one.

        cost : array-like of shape (n_samples,), default=None
            The cost of labelling each row of `X`, in place of the parameter `cost`.

        **params : dict
            Further arguments of the estimator's `fit`, passed through metadata routing
            if that is enabled. An argument with one value per row, such as
            `sample_weight`, is cut to the rows in use. It has one value for each row of
            `X` or, if the warm start is given, of `X_warm` and `X`, in this order.

        Returns
        -------
        self : ActiveLearner
            Fitted learner.

        Raises
        ------
        ValueError
            If labels are missing, or not numbers although the estimator is a regressor,
            or their number is not the number of rows or tokens; if sets overlap or
            disagree in width, or `X` holds too few rows; or if the scorer returns a
            score that is not finite.
        TypeError
            If the strategy needs a method that the estimator lacks, or classes although
            it is a regressor, or the estimator takes more or fewer targets per row.
        Exception
            If the estimator, the scorer or the strategy raises it. A note says in which
            round, and how many rows of each class were labelled. `order_`, `curve_`
            (NaN for the rounds that are missing) and `estimator_` (the latest model)
            are set.
        """
        # Check the data and carve the sets that are not given
        given = with_rows(
            {
                "warm": (X_warm, y_warm),
                "select": (X_select, y_select),
                "val": (X_val, y_val),
                "test": (X_test, y_test),
            }
        )
        problem = self._make_problem(X, y, given, groups, cost, params)
        strategy = set_random_states(
            clone(self.strategy), stream(problem.seed, Stream.STRATEGY), only_unset=True
        )
        check_runnable(problem, strategy)

        # Announce the run to callbacks: the search, and rounds 0 to K
        context = self._init_callback_context(max_subtasks=problem.n_rounds + 2)
        costs = {"search": search_cost(strategy, problem)}
        context.call_on_fit_task_begin(estimator=self, metadata={"costs": costs})

        # Follow the strategy through the rounds
        with single_threaded(), warn_once():
            scored = ScoredRounds.of(problem)
            try:
                score_rounds(self, strategy, problem, context, scored)
            finally:
                # If a round fails, what was labelled until then can still be read.
                if scored.last is not None:
                    self._keep_results(X, problem, strategy, scored)
            warn_if_search_disagrees(self)
        context.call_on_fit_task_end(
            estimator=self, metadata={"quality": self.quality_}
        )
        return self

    def carved_sizes(self):
        """Return the size of each set that is carved out of `X` unless it is given.

        Returns
        -------
        dict of str to int, float or None
            The sizes of "test", "val", "select" and "warm", as in the parameters. The
            selection set is empty if the estimator's `fit` takes none.
        """
        return {
            "test": self.test_size,
            "val": self.val_size,
            "select": self.select_size if takes_selection_set(self.estimator) else 0,
            "warm": self.warm_size,
        }

    def _make_problem(self, X, y, given, groups, cost, params):
        """Return the problem that the arguments of `fit` pose."""
        check_container(X, "X")
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
            scoring=self.scoring,
            seed=as_seed(self.random_state),
            error_score=self.error_score,
            noise=self.noise,
            cost=self.cost if cost is None else cost,
            choice=dict(
                warm_per_class=self.warm_per_class,
                stratify=self.stratify,
                groups=groups,
            ),
        )

    def _keep_results(self, X, problem, strategy, scored):
        """Set the fitted attributes."""
        order = scored.last.order
        self.curve_, self.validation_curve_ = scored.curve, scored.validation_curve
        # If a round failed, there is no quality.
        is_whole = scored.last.k == problem.n_rounds
        self.quality_, self.validation_quality_ = (
            xi_quality(curve) if is_whole else np.nan
            for curve in (self.curve_, self.validation_curve_)
        )
        self.order_ = problem.pool_rows[order]
        self.order_index_ = row_labels(X, self.order_)
        self.mislabelled_ = mislabelled(problem, order)
        self.n_warm_ = n_rows(problem.X_warm)
        rounds = np.arange(1, problem.n_rounds + 1)
        self.rounds_ = np.repeat(rounds, np.diff(problem.ends(order)))
        if problem.costs is not None:
            paid = np.append(0, np.cumsum(problem.costs[order]))
            self.spent_ = paid[problem.ends(order)]
        self.estimator_ = scored.last.model
        self.strategy_ = strategy
        self.scorer_ = problem.scorer
        # Classes of an earlier fit, with a classifier, are forgotten.
        vars(self).pop("classes_", None)
        if not problem.target.is_numeric:
            self.classes_ = list(problem.column_classes) or problem.classes
        self.n_trainings_ = scored.n_trainings + getattr(strategy, "n_trainings_", 0)
