"""Simulated annealing over labelling orders (Algorithm 1)."""

import time
import warnings
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from skal.curves import prefixes
from skal.loop import run_rounds
from skal.oracle._base import BaseOracle
from skal.oracle._objective import Objective
from skal.oracle._proposal import changed_rounds, exchange, propose
from skal.seeding import Stream, stream
from skal.strategies import fit_inner

# At the end of an "auto" schedule a loss of typical size is accepted with probability
# exp(-COLDNESS).
COLDNESS = 10.0


class AnnealingOracle(CallbackSupportMixin, BaseOracle):
    """Search for the optimal labelling order by simulated annealing.

    An oracle: it knows the labels of the pool, and searches for the order with the
    highest xi-quality on the validation set. Its quality on test, as reported by
    `ActiveLearner`, tells how good active learning could be.

    Each step proposes to exchange two points, trains on the labelled sets that this
    changes, and moves there with probability `exp(gamma t (q_new - q_old))`. Greedy
    steps from the best order follow. No set is trained on twice.

    Parameters
    ----------
    n_steps : int, default=2000
        Annealing steps (T_S; 25,000 in the paper).

    n_greedy : int or None, default=None
        Greedy steps that follow (T_G). None takes a fifth of `n_steps`, as in the
        paper.

    gamma : "auto" or float, default="auto"
        Linear annealing factor: the inverse temperature is `gamma * t` at step t; the
        paper's is 0.1. "auto" takes `10 / (n_steps * d)`, where d is the mean
        `|q_new - q_old|` of the moves proposed so far that made a difference: so a
        search of any length cools, whatever the scale of the scores, and in the end
        accepts a loss of typical size with probability exp(-10).

    start : "random", array-like of int, or strategy, default="random"
        The order to start from: random, given as rows of `X`, or the one that a
        strategy finds.

    max_trainings : int or None, default=None
        Stop before the step that would exceed this number of trainings.

    max_time : float or None, default=None
        Stop after the step in which this number of seconds has passed. How far that
        is depends on the machine.

    n_jobs : int or None, default=None
        Trainings of a step that run side by side. It does not change the result, and
        pays where a training takes longer than some ten milliseconds.

    random_state : int, RandomState instance or None, default=None
        Determines the start and the moves. Inside an `ActiveLearner`, None takes a
        seed drawn from the learner's.

    Attributes
    ----------
    order_ : ndarray of shape (n_acquired,)
        Rows of `X` in the best order found.

    quality_ : float
        Its xi-quality on validation.

    history_ : dict of str to ndarray of shape (n_steps_done + 1,)
        What happened in each step, the start being step 0: "step", the quality that
        was "proposed", the "current" and the "best" one after the step, whether it was
        "accepted", and "n_trainings" so far. `pandas.DataFrame` takes it.

    n_trainings_ : int
        Number of trainings.

    See Also
    --------
    ExhaustiveOracle : Prove the optimum of a tiny pool.
    FixedOrder : Replay an order with another seed or estimator.

    Notes
    -----
    Ctrl-C ends the search and leaves the best order so far. Step t draws from a random
    stream of its own, so the chain depends on the data, the estimator and the seeds
    alone.

    References
    ----------
    Zhou et al., "Towards Understanding the Behaviors of Optimal Deep Active Learning
    Algorithms", AISTATS 2021, Algorithm 1 and Fig. 2.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import ActiveLearner, AnnealingOracle, Random
    >>> X, y = load_iris(return_X_y=True)
    >>> runs = [
    ...     ActiveLearner(GaussianNB(), strategy, batch_size=2, n_rounds=4,
    ...                   warm_size=6, random_state=0).fit(X, y)
    ...     for strategy in (Random(), AnnealingOracle(n_steps=100))
    ... ]
    >>> runs[0].validation_quality_ < runs[1].validation_quality_
    True
    """

    _parameter_constraints: dict = {
        "n_steps": [Interval(Integral, 0, None, closed="left")],
        "n_greedy": [Interval(Integral, 0, None, closed="left"), None],
        "gamma": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "start": [StrOptions({"random"}), "array-like", HasMethods(["fit", "select"])],
        "max_trainings": [Interval(Integral, 1, None, closed="left"), None],
        "max_time": [Interval(Real, 0, None, closed="neither"), None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        n_steps=2000,
        n_greedy=None,
        gamma="auto",
        start="random",
        max_trainings=None,
        max_time=None,
        n_jobs=None,
        random_state=None,
    ):
        self.n_steps = n_steps
        self.n_greedy = n_greedy
        self.gamma = gamma
        self.start = start
        self.max_trainings = max_trainings
        self.max_time = max_time
        self.n_jobs = n_jobs
        self.random_state = random_state

    @with_callbacks
    def fit(self, X, y=None, *, problem=None):
        """Search for the optimal order of a problem.

        Parameters
        ----------
        X : rows of the pool
        y : labels of the pool
        problem : Problem
            With the validation set to search on.

        Returns
        -------
        self : AnnealingOracle
            The oracle, with the best order it found.

        Raises
        ------
        ValueError
            If there is no problem, or the start order does not suit it.
        """
        return super().fit(X, y, problem=problem)

    @property
    def needs(self):
        """What the strategy that finds the start calls on a model."""
        return getattr(self.start, "needs", ())

    def _search(self, problem):
        n_greedy = self.n_steps // 5 if self.n_greedy is None else self.n_greedy
        n_steps = self.n_steps + n_greedy
        started = time.monotonic()
        context = self._init_callback_context(max_subtasks=n_steps)
        context.call_on_fit_task_begin(estimator=self)
        with Objective(problem, self.n_jobs) as objective:
            chain = _Chain(problem, objective, self.seed_)
            chain.begin(self._start_order(problem, objective))
            try:
                for t in range(1, n_steps + 1):
                    task = context.subcontext(task_name="step")
                    task.call_on_fit_task_begin(estimator=self)
                    moved = chain.step(t, self._beta(t, chain), self.max_trainings)
                    wants_stop = task.call_on_fit_task_end(
                        estimator=self, metadata=chain.progress
                    )
                    if not moved or wants_stop or self._is_late(started):
                        break
            except KeyboardInterrupt:
                warnings.warn(
                    f"The search was interrupted in step {t} of {n_steps}: going on "
                    "with the best order so far.",
                    stacklevel=2,
                )
        context.call_on_fit_task_end(estimator=self)
        self.history_ = chain.history()
        best = chain.best
        return best.order[: problem.n_acquired], best.quality, objective.n_trainings

    def _beta(self, t, chain):
        """Return the inverse temperature of step t; None for a greedy step."""
        if t > self.n_steps:
            return None
        if self.gamma == "auto":
            typical = chain.typical_change()
            return COLDNESS * t / self.n_steps / typical if typical else 0.0
        return self.gamma * t

    def _is_late(self, started):
        return self.max_time is not None and time.monotonic() - started >= self.max_time

    def _start_order(self, problem, objective):
        """Return the first order, as a permutation of the pool."""
        needed = problem.n_rounds + hasattr(self.start, "select")
        if self.max_trainings is not None and self.max_trainings < needed:
            raise ValueError(
                f"max_trainings={self.max_trainings} does not even score the start, "
                f"which takes {needed}: allow for more."
            )
        rng = stream(self.seed_, Stream.START)
        if isinstance(self.start, str):
            return rng.permutation(problem.n_pool)
        if hasattr(self.start, "select"):
            strategy = fit_inner(self.start, problem.X_pool, problem, rng)
            rounds = run_rounds(problem, strategy, objective.trainer, objective.train)
            *_, last = rounds
            return _complete(last.order, problem.n_pool)
        return _complete(problem.whole_order(self.start, "start"), problem.n_pool)


def _complete(order, n_pool):
    """Append what an order leaves out, so that it is a permutation of the pool."""
    return np.concatenate([order, np.setdiff1d(np.arange(n_pool), order)])


def _accepts(gain, beta, rng):
    """Decide whether to move, at inverse temperature `beta`; None is greedy."""
    if beta is None:
        return gain > 0
    return rng.random() < np.exp(beta * min(gain, 0))


class _State(NamedTuple):
    """An order, as a permutation of the pool, and its scores after k = 1..K rounds."""

    order: np.ndarray
    scores: np.ndarray

    @property
    def quality(self):
        return float(np.mean(self.scores))


class _Step(NamedTuple):
    step: int
    proposed: float
    current: float
    best: float
    accepted: bool
    n_trainings: int


class _Chain:
    """Where the search stands: the current order, the best one, and all steps."""

    def __init__(self, problem, objective, seed):
        self.problem = problem
        self.objective = objective
        self.seed = seed
        self.steps = []
        self.n_accepted = 0
        self.total_change, self.n_changes = 0.0, 0

    def begin(self, order):
        rounds = range(1, self.problem.n_rounds + 1)
        scores = self.objective.scores(self._sets(order, rounds))
        self.current = self.best = _State(order, scores)
        self._record(0, self.current, True)

    def step(self, t, beta, max_trainings):
        """Take step t, greedily if `beta` is None; False if there is none to take."""
        problem = self.problem
        origin = self.best if beta is None else self.current
        rng = stream(self.seed, Stream.STEP, t)
        move = propose(problem.n_acquired, problem.n_pool, problem.batch_size, rng)
        if move is None:
            return False
        proposed = self._score(origin, move, max_trainings)
        if proposed is None:
            return False
        gain = proposed.quality - origin.quality
        self.total_change += abs(gain)
        self.n_changes += gain != 0
        accepted = _accepts(gain, beta, rng)
        if accepted:
            self.current = proposed
            self.n_accepted += 1
        if proposed.quality > self.best.quality:
            self.best = proposed
        self._record(t, proposed, accepted)
        return True

    def _score(self, origin, move, max_trainings):
        """Make a move and train on what it changes; None if that is too much."""
        problem = self.problem
        order = exchange(origin.order, move)
        rounds = changed_rounds(
            move, problem.n_acquired, problem.batch_size, problem.n_rounds
        )
        sets = self._sets(order, rounds)
        if max_trainings is not None:
            n_trainings = self.objective.n_trainings + self.objective.n_new(sets)
            if n_trainings > max_trainings:
                return None
        scores = origin.scores.copy()
        scores[rounds.start - 1 : rounds.stop - 1] = self.objective.scores(sets)
        return _State(order, scores)

    def typical_change(self):
        """Return the mean size of the differences that proposed moves made so far."""
        return self.total_change / self.n_changes if self.n_changes else None

    def _sets(self, order, rounds):
        used = order[: self.problem.n_acquired]
        return prefixes(used, self.problem.batch_size, rounds)

    def _record(self, t, proposed, accepted):
        qualities = proposed.quality, self.current.quality, self.best.quality
        self.steps.append(
            _Step(t, *qualities, bool(accepted), self.objective.n_trainings)
        )

    def progress(self):
        """Return what a progress bar shows."""
        return {
            "best_quality": self.best.quality,
            "acceptance_rate": self.n_accepted / max(1, len(self.steps) - 1),
        }

    def history(self):
        """Return all steps, one array per column."""
        columns = zip(*self.steps, strict=True)
        return {
            name: np.array(column)
            for name, column in zip(_Step._fields, columns, strict=True)
        }
