"""Whether choosing has paid: a replay of the labels at hand, against random ones."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skal.inputs._containers import take
from skal.labeling._audit import LEVEL
from skal.labeling._models import Models
from skal.labeling._progress import audited
from skal.labeling._state import State
from skal.problem import Problem
from skal.seeding import Stream, stream
from skal.strategies import Random
from skal.studies import Verdict, compare

# Fewest labels, and of them in the audit, that a replay is made with.
FEWEST, FEWEST_AUDITED = 40, 20
# A replay labels half of the pool, in so many rounds.
N_ROUNDS = 8


def replay(
    models: Models,
    X: Any,
    state: State,
    strategy: Any,
    oracle: Any,
    n_seeds: int,
    n_orders: int,
    n_jobs: int | None,
) -> Verdict:
    """Replay a strategy and random choice on the labels of a session.

    Parameters
    ----------
    models : Models
    X : rows of the pool
    state : State
    strategy : strategy
    oracle : oracle or None
    n_seeds, n_orders : int
        Number of splits, and of random orders on each.
    n_jobs : int or None

    Returns
    -------
    Verdict
    """
    audit = np.array(audited(state), dtype=np.int64)
    n = len(state.labels)
    if n < FEWEST or len(audit) < FEWEST_AUDITED:
        raise ValueError(
            f"A verdict needs {FEWEST} labels, {FEWEST_AUDITED} of them of the audit, "
            f"and there are {n} and {len(audit)}: label more, or increase audit."
        )
    splits = _Splits(models, X, state, audit, oracle is not None)
    name = type(strategy).__name__
    strategies = {name: strategy, "random": Random()}
    if oracle is not None:
        strategies["oracle"] = oracle
    found = compare(
        splits,
        strategies,
        baseline="random",
        seeds=n_seeds,
        n_orders=n_orders,
        n_jobs=n_jobs,
    )
    return found.verdict(strategy=name, level=LEVEL)


class _Splits:
    """A function of the seed: splits of the labels, tested on half of the audit."""

    def __init__(
        self,
        models: Models,
        X: Any,
        state: State,
        audit: NDArray[np.int64],
        has_oracle: bool,
    ) -> None:
        self.problem = models.problem(X, state.labels, state.classes)
        self.audit, self.has_oracle = audit, has_oracle
        self.labelled = np.sort(np.array(list(state.labels), dtype=np.int64))
        self.seed = state.seed

    def __call__(self, seed: int) -> Problem:
        """Return the problem of a seed."""
        rng = stream(self.seed, Stream.REPLAY, seed)
        audit = rng.permutation(self.audit)
        test, rest = np.split(audit, [len(audit) // 2])
        val, rest = np.split(rest, [len(rest) // 2 if self.has_oracle else 0])
        others = np.setdiff1d(self.labelled, np.concatenate([test, val]))
        warm = np.concatenate([rest, rng.permutation(np.setdiff1d(others, rest))])
        warm = warm[: max(2, len(others) // 16)]
        pool = np.setdiff1d(others, warm)
        parts = {"_test": test, "_warm": warm, "": pool}
        parts |= {"_val": val} if self.has_oracle else {}
        sets = {
            f"{letter}{name}": take(whole, rows)
            for name, rows in parts.items()
            for letter, whole in (
                ("X", self.problem.X_pool),
                ("y", self.problem.y_pool),
            )
        }
        posed = Problem.from_sets(
            sets,
            self.problem.estimator,
            batch_size=max(1, len(pool) // (2 * N_ROUNDS)),
            n_rounds=N_ROUNDS,
        )
        return replace(posed, scorer=self.problem.scorer, seed=seed)
