"""Whether choosing has paid: a replay of the labels at hand, against random ones."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from skal.inputs._containers import take
from skal.labeling._audit import LEVEL
from skal.labeling._models import Models
from skal.labeling._progress import audited
from skal.labeling._state import State
from skal.problem import Problem
from skal.seeding import Stream, stream
from skal.strategies import Random
from skal.studies import compare

# Fewest labels, and of them in the audit, that a replay is made with.
FEWEST, FEWEST_AUDITED = 40, 20
# A replay labels half of the pool, in so many rounds.
N_ROUNDS = 8


class Verdict(NamedTuple):
    """How a strategy does against random choice, on the labels of a session.

    Parameters
    ----------
    strategy : str
        Its name.
    n_labels : int
        Number of labels that each run of the replay ends with.
    score, random : float
        Mean scores at the end, of the strategy and of random choice.
    random_error : float
        Half of the interval of 95 % of `random`.
    gain, low, high : float
        By how much the mean score over all rounds is higher than with random choice,
        with the interval of 95 % of a corrected resampled t-test.
    p_value : float
        The two-sided one of that test. NaN if all runs are equal.
    oracle : float
        The score of an oracle at the end; NaN without one.
    comparison : Comparison
        All runs.

    See Also
    --------
    LabelingSession.verdict : Returns it.
    compare : The same question for data that are labelled.

    Examples
    --------
    >>> from skal.labeling import Verdict
    >>> verdict = Verdict("Margin", n_labels=82, score=0.93, random=0.88,
    ...                   random_error=0.02, gain=0.04, low=0.01, high=0.07,
    ...                   p_value=0.02, oracle=0.96, comparison=None)
    >>> print(verdict)
    Choosing by Margin has paid: with 82 labels the score is 0.930, and the same number
    of random labels would have given 0.880 ± 0.020; over all rounds the gain is +0.040
    (+0.010 to +0.070). The best order that an oracle found gives 0.960.
    >>> verdict.is_significant
    True
    """

    strategy: str
    n_labels: int
    score: float
    random: float
    random_error: float
    gain: float
    low: float
    high: float
    p_value: float
    oracle: float
    comparison: Any

    @property
    def is_significant(self) -> bool:
        """Return whether the difference is significant at 0.05."""
        return bool(self.p_value < 0.05)

    def __str__(self) -> str:
        verdict = "makes no clear difference here"
        if self.is_significant:
            verdict = "has paid" if self.gain > 0 else "has not paid"
        text = (
            f"Choosing by {self.strategy} {verdict}: with {self.n_labels} labels the "
            f"score is {self.score:z.3f}, and the same number of random labels would "
            f"have given {self.random:z.3f} ± {self.random_error:.3f}; over all rounds "
            f"the gain is {self.gain:+z.3f} ({self.low:+z.3f} to {self.high:+z.3f})."
        )
        if np.isfinite(self.oracle):
            text += f" The best order that an oracle found gives {self.oracle:z.3f}."
        return text


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
    strategies = {name: strategy, "at random": Random()}
    if oracle is not None:
        strategies["oracle"] = oracle
    found = compare(splits, strategies, seeds=n_seeds, n_orders=n_orders, n_jobs=n_jobs)
    return _verdict(found, name)


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


def _verdict(found: Any, name: str) -> Verdict:
    """Return what a comparison says."""
    names = list(found.strategies)
    ends = found.curves[0, :, :, -1]
    score, random = ends[names.index(name)], ends[names.index("at random")]
    tests = found.test_pairs([(name, "at random")])
    gains = tests.gains[0, 0]
    n, overlap = len(gains), tests.overlap
    half = student.ppf(0.5 + LEVEL / 2, n - 1) * np.sqrt(1 / n + overlap)
    gain, error = float(gains.mean()), half * gains.std(ddof=1)
    oracle = ends[names.index("oracle")].mean() if "oracle" in names else np.nan
    return Verdict(
        name,
        int(found.n_labelled[-1]),
        float(score.mean()),
        float(random.mean()),
        float(half * random.std(ddof=1)),
        gain,
        float(gain - error),
        float(gain + error),
        float(tests.t_pvalues[0, 0]),
        float(oracle),
        found,
    )
