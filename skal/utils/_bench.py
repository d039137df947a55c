"""The small problem on which strategies are checked."""

import numpy as np
from sklearn.base import clone, is_regressor
from sklearn.datasets import make_blobs
from sklearn.utils import get_tags

from skal.inputs._containers import take
from skal.problem import assemble
from skal.seeding import set_random_states, stream
from skal.splitting import split
from skal.strategies import Labelled

# Number of rows in the pool of every check.
N_POOL = 40


class Bench:
    """A small problem, a model trained on its warm start, and the strategy, cloned."""

    def __init__(self, strategy, estimator, seed=0, container=np.asarray):
        # The classes overlap, so that two rows rarely have the same utility.
        X, y = make_blobs(90, centers=3, cluster_std=4.0, random_state=7)
        sets = split(
            X,
            _targets(estimator, X, y),
            warm_size=10,
            val_size=20,
            test_size=20,
            random_state=0,
        )
        names = ("warm", "val", "test")
        given = {n: (container(sets[f"X_{n}"]), sets[f"y_{n}"]) for n in names}
        self.fit_arguments = {
            **{f"X_{n}": pair[0] for n, pair in given.items()},
            **{f"y_{n}": pair[1] for n, pair in given.items()},
            "X": container(sets["X"]),
            "y": sets["y"],
        }
        problem = assemble(
            container(sets["X"]),
            sets["y"],
            given,
            {},
            {},
            batch_size=4,
            n_rounds=3,
            estimator=estimator,
            scoring=_agreement,
            seed=seed,
        )
        self.X = problem.X_pool
        seeded = set_random_states(clone(estimator), stream(seed))
        self.model = seeded.fit(*given["warm"])
        rows = np.arange(4)
        self.labelled = Labelled(take(self.X, rows), problem.y_pool[rows], rows)
        self.seen = problem.seen_by(strategy)
        self.strategy = _seeded(strategy, seed)

    def fit(self):
        """Fit the strategy."""
        return self.strategy.fit(self.X, self.seen.y_pool, problem=self.seen)

    def select(self, strategy=None, n=5, candidates=None):
        """Let a strategy select, by default the one of the bench."""
        strategy = self.strategy if strategy is None else strategy
        candidates = np.arange(4, N_POOL) if candidates is None else candidates
        return strategy.select(
            self.model, self.X, n, candidates=candidates, labelled=self.labelled
        )


def _targets(estimator, X, y):
    """Return targets of the kind that an estimator takes."""
    numbers = np.sin(X[:, 0]) + 0.2 * X[:, 1]
    if get_tags(estimator).target_tags.single_output:
        return numbers if is_regressor(estimator) else y
    if is_regressor(estimator):
        return np.column_stack([numbers, X[:, 1]])
    return np.column_stack([y > 0, y < 2, X[:, 0] > X[:, 1]]).astype(int)


def _agreement(model, X, y):
    """Return minus the share of wrong labels, or the mean absolute error."""
    wrong = model.predict(X) - y
    return -float(np.mean(np.abs(wrong) if y.dtype.kind == "f" else wrong != 0))


def _seeded(strategy, seed):
    strategy = clone(strategy)
    params = strategy.get_params(deep=True)
    names = [n for n in params if n.split("__")[-1] == "random_state"]
    return strategy.set_params(**dict.fromkeys(names, seed))
