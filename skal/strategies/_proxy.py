"""Selection via proxy: one model chooses the rows, another one is trained on them."""

from dataclasses import replace

import numpy as np
from joblib import hash as fingerprint

from skal._sklearn import HasMethods
from skal.answers._needs import (
    strategy_needs,
    strategy_peeks,
    strategy_searches,
    works_from_nothing,
)
from skal.answers._pairing import check_pairing
from skal.inputs._checks import Predicts
from skal.inputs._containers import n_rows
from skal.seeding import Stream, stream
from skal.strategies._base import BaseStrategy, Labelled, fit_inner
from skal.strategies._batches import ask
from skal.strategies._inner_training import InnerTraining


class Proxy(BaseStrategy):
    """Give a strategy a model of its own, in place of the learner's.

    In each round a clone of `estimator`, the proxy, is trained on all rows labelled so
    far and passed to `strategy`, which chooses the next batch. The learner's own
    estimator may be slow, or lack a method that the strategy needs. For example, `BALD`
    can use a random forest or a net with dropout, while the learner trains and scores a
    net without dropout.

    Parameters
    ----------
    strategy : strategy
        Chooses the rows to label next, given the proxy.

    estimator : classifier
        The proxy. It must have the methods that `strategy` needs. It is cloned for
        each training.

    random_state : int, RandomState instance or None, default=None
        Seeds the inner strategy if it has no seed of its own. Seeds the proxy too if
        the strategy is used without a learner. Inside an `ActiveLearner`, None takes a
        seed drawn from the learner's, and the proxy is trained with the seed of the
        learner's own trainings (xi).

    Attributes
    ----------
    strategy_ : strategy
        The fitted inner strategy.

    n_trainings_ : int
        Number of trainings of proxies so far. A learner's `n_trainings_` includes
        them, in addition to the models that it scores.

    See Also
    --------
    BALD : A strategy that needs posterior samples.
    FixedOrder : Follow an order that was found with another estimator.

    Notes
    -----
    The proxy is trained in the same way as the learner's estimator: on the same rows in
    the same order, with the class list of the run, and with the selection set if its
    `fit` takes one. A proxy equal to the learner's estimator therefore leads to the
    same choices as the inner strategy alone. Only the arguments of `ActiveLearner.fit`
    that are meant for the learner's estimator, such as `sample_weight`, are not passed
    to the proxy.

    Nothing is trained for a strategy that needs no model. A proxy is kept until more
    rows are labelled, so it is trained once per round even if `select` is called
    several times in a round, as by `IDMR`.

    Without a learner, `select` requires `labelled`, the rows to train the proxy on.

    References
    ----------
    Coleman, Yeh, Mussmann, Mirzasoleiman, Bailis, Liang, Leskovec and Zaharia,
    "Selection via Proxy: Efficient Data Selection for Deep Learning", ICLR 2020.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skal import ActiveLearner, BALD, Proxy
    >>> X, y = load_iris(return_X_y=True)
    >>> strategy = Proxy(BALD(), RandomForestClassifier(20))
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), strategy,
    ...                         batch_size=5, n_rounds=4, random_state=0).fit(X, y)
    >>> learner.curve_.shape
    (5,)
    >>> learner.n_trainings_  # five models that are scored, and four proxies
    9
    """

    _parameter_constraints: dict = {
        "strategy": [HasMethods(["fit", "select"])],
        "estimator": [Predicts()],
        "random_state": ["random_state"],
    }

    def __init__(self, strategy, estimator, *, random_state=None):
        self.strategy = strategy
        self.estimator = estimator
        self.random_state = random_state

    @property
    def peeks(self):
        """Return whether the inner strategy uses labels that were not acquired."""
        return strategy_peeks(self.strategy)

    @property
    def from_nothing(self):
        """Return whether the inner strategy can select while nothing is labelled."""
        return works_from_nothing(self.strategy)

    @property
    def searches(self):
        """Return whether the inner strategy searches on the validation set."""
        return strategy_searches(self.strategy)

    @property
    def n_trainings_(self):
        """Number of trainings of proxies, and by the inner strategy."""
        of_inner = getattr(self.strategy_, "n_trainings_", 0)
        return of_inner + self._training.n_trainings

    def _fit(self, X, y, problem):
        run = () if problem is None else (n_rows(problem.X_warm), problem.target)
        check_pairing(self.strategy, self.estimator, *run)
        if problem is not None:
            # The arguments of `fit` are meant for the learner's estimator.
            problem = replace(problem, estimator=self.estimator, fit_params={})
        rng = stream(self.seed_, Stream.STRATEGY)
        self.strategy_ = fit_inner(self.strategy, X, problem, rng)
        self._training = InnerTraining(
            self.estimator, problem, self.seed_, self.n_pool_
        )
        self._key, self._model = None, None

    def _select(self, estimator, X, n, candidates, labelled):
        model = None
        is_first = labelled is not None and n_rows(labelled.X) == 0
        if strategy_needs(self.strategy) and not (is_first and self.from_nothing):
            model = self._proxy(self._labelled_or_warm(labelled))
        return ask(self.strategy_, model, X, n, candidates, labelled)

    def _labelled_or_warm(self, labelled):
        """Return the labelled rows; the warm start if `labelled` is None."""
        problem = self._training.problem
        if labelled is None and problem is not None:
            X, y = problem.X_warm, problem.y_warm
            return Labelled(X, y, np.full(n_rows(X), -1))
        if labelled is None or n_rows(labelled.X) == 0:
            raise ValueError(
                f"labelled must hold the rows to train {type(self.estimator).__name__} "
                "on, got none: pass the rows labelled so far to select, as "
                "labelled=skal.strategies.Labelled(X, y, positions)."
            )
        return labelled

    def _proxy(self, labelled):
        """Return the proxy trained on the labelled rows, the last one if it was."""
        key = fingerprint(labelled)
        if key != self._key:
            self._model = self._training.train(labelled)
            self._key = key
        return self._model
