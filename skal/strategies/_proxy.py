"""Selection via proxy: one model chooses what to label, another is trained on it."""

from dataclasses import replace

import numpy as np
from joblib import hash as fingerprint

from skal._sklearn import HasMethods
from skal._threads import single_threaded
from skal.answers._needs import check_pairing
from skal.inputs._checks import Predicts, check_labels, class_list
from skal.inputs._containers import n_rows, take
from skal.problem import Problem
from skal.seeding import Stream, stream
from skal.strategies._base import BaseStrategy, Labelled, fit_inner
from skal.training import Trainer, row_priority


class Proxy(BaseStrategy):
    """Let a strategy choose by a model of its own, and not by the learner's.

    In each round a clone of `estimator`, the proxy, is trained on all rows labelled so
    far, and `strategy` chooses by it. The learner's own estimator is not asked: it may
    be slow, or lack what the strategy needs. So `BALD` can choose by a net with
    dropout, or by a random forest, for a learner that trains and scores a plain net.

    Parameters
    ----------
    strategy : strategy
        Chooses what to label next, by the proxy.

    estimator : classifier
        The proxy. It must have what `strategy` needs, and is cloned for each training.

    random_state : int, RandomState instance or None, default=None
        Seeds the inner strategy where that has no seed of its own, and the proxy where
        the strategy is used alone. Inside an `ActiveLearner`, None takes a seed drawn
        from the learner's, and the proxy is trained under the learner's own (xi).

    Attributes
    ----------
    strategy_ : strategy
        The fitted inner strategy.

    n_trainings_ : int
        Number of trainings of proxies so far. A learner counts them in its own
        `n_trainings_`, on top of the models that it scores.

    See Also
    --------
    BALD : A strategy that needs posterior samples.
    FixedOrder : Follow the order that was found with another estimator.

    Notes
    -----
    The proxy is trained as a learner trains: on the same rows in the same order, with
    the class list of the run, and with the selection set if its `fit` takes one. A
    proxy equal to the learner's estimator therefore makes the same choices as the inner
    strategy without it. Only the arguments given to `ActiveLearner.fit` for the
    learner's estimator, such as `sample_weight`, are not passed to it.

    Nothing is trained for a strategy that needs no model. A proxy is kept until
    other rows are labelled, so a strategy that asks several times in a round, as `IDMR`
    does, trains it once.

    Used alone, `select` needs `labelled`: there is no other way to know what to train
    the proxy on.

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
        """Return whether the inner strategy looks at labels that were not acquired."""
        return getattr(self.strategy, "peeks", False)

    @property
    def searches(self):
        """Return whether the inner strategy searches on the validation set."""
        return getattr(self.strategy, "searches", False)

    def _fit(self, X, y, problem):
        n_warm = None if problem is None else n_rows(problem.X_warm)
        check_pairing(self.strategy, self.estimator, n_warm)
        if problem is not None:
            # The arguments of `fit` are for the learner's estimator.
            problem = replace(problem, estimator=self.estimator, fit_params={})
        rng = stream(self.seed_, Stream.STRATEGY)
        self.strategy_ = fit_inner(self.strategy, X, problem, rng)
        self.n_trainings_ = getattr(self.strategy_, "n_trainings_", 0)
        self._problem = _without_pool(problem)
        self._key, self._model = None, None

    def _select(self, estimator, X, n, candidates, labelled):
        if n == 0:
            return candidates[:0]
        model = None
        if getattr(self.strategy, "needs", ()):
            model = self._proxy(self._known(labelled))
        return self.strategy_.select(
            model, X, n, candidates=candidates, labelled=labelled
        )

    def _known(self, labelled):
        """Return what is labelled: the warm start alone where it is not said."""
        if labelled is None and self._problem is not None:
            X, y = self._problem.X_warm, self._problem.y_warm
            return Labelled(X, y, np.full(n_rows(X), -1))
        if labelled is None or n_rows(labelled.X) == 0:
            raise ValueError(
                f"labelled must hold the rows to train {type(self.estimator).__name__} "
                "on, got none: give select what is labelled so far, as "
                "labelled=skal.strategies.Labelled(X, y, positions)."
            )
        return labelled

    def _proxy(self, labelled):
        """Return the proxy trained on what is labelled: the last one if it is that."""
        key = fingerprint(labelled)
        if key != self._key:
            self._model = self._train(labelled)
            self._key = key
            self.n_trainings_ += 1
        return self._model

    def _train(self, labelled):
        """Train as a learner would, on the labelled rows as the whole of the pool."""
        trainer = Trainer(self._posed(labelled))
        trainer.priority = self._priority(np.asarray(labelled.positions))
        with single_threaded():
            return trainer.train(np.arange(n_rows(labelled.X)))

    def _posed(self, labelled):
        """Return the problem in which the labelled rows are the pool."""
        y, nothing = check_labels(labelled.y, "labelled.y"), np.arange(0)
        known = {
            "X_pool": labelled.X,
            "y_pool": y,
            "X_warm": take(labelled.X, nothing),
            "y_warm": take(y, nothing),
            "pool_rows": np.arange(n_rows(labelled.X)),
        }
        if self._problem is not None:
            return replace(self._problem, **known)
        return Problem(
            **known,
            classes=class_list([y]),
            estimator=self.estimator,
            scorer=None,
            batch_size=1,
            n_rounds=1,
            seed=self.seed_,
        )

    def _priority(self, positions):
        """Return the priorities that a learner gives these rows."""
        is_warm = positions < 0
        n_warm = int(is_warm.sum())
        rows = n_warm + positions
        rows[is_warm] = np.arange(n_warm)
        seed = self.seed_ if self._problem is None else self._problem.seed
        return row_priority(seed, n_warm + self.n_pool_)[rows]


def _without_pool(problem):
    """Return what a proxy may know of a run, so that no other label is kept."""
    if problem is None:
        return None
    return replace(problem.for_selection(), X_pool=None, scorer=None)
