"""Simulated annealing over labelling orders (Algorithm 1)."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from skal.loop import run_rounds
from skal.oracle._chain import Chain, Schedule
from skal.oracle._fingerprint import describe
from skal.oracle._search import SearchOracle
from skal.seeding import Stream, stream
from skal.strategies import fit_inner


class AnnealingOracle(SearchOracle):
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
        Stop after the step in which this number of seconds has passed, those that the
        start takes included. How far that is depends on the machine.

    n_jobs : int or None, default=None
        Trainings that run side by side. It does not change the result, and pays where a
        training takes longer than some ten milliseconds. Where joblib is told to use a
        Dask cluster, None takes all of its cores; a worker that dies is replaced::

            from distributed import Client
            client = Client("scheduler:8786")  # or Client(), for this machine
            with joblib.parallel_config(backend="dask"):
                learner.fit(X, y)

    prefetch : "auto" or int, default="auto"
        How many sets to train ahead, at most, together with those that a step needs:
        sets that the next steps will probably need, judging by the moves that are
        accepted. "auto" fills up what is trained side by side with what is likely
        enough, so that a single job trains nothing ahead, unless nets are trained side
        by side; 0 switches it off. It does not change the result, nor what counts as a
        training.

    journal : str, path-like or None, default=None
        A file to keep the search in: an SQLite database on a local disk, made where
        there is none. A search that was ended, killed or interrupted is resumed by
        running the same again: what is in the journal is not trained again, and the
        end is that of an uninterrupted search. One file takes several searches of one
        problem, with different seeds and from different processes. A journal of other
        data or parameters is refused.

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
        Number of sets that were trained on, in this run or in one that it resumes.

    n_speculative_ : int
        Number of sets that were trained ahead and never needed. They do not count as
        trainings, neither here nor in `history_` and `max_trainings`.

    See Also
    --------
    ExhaustiveOracle : Prove the optimum of a tiny pool.
    FixedOrder : Replay an order with another seed or estimator.
    skal.oracle.read_journal : The steps of a search, also while it is running.

    Notes
    -----
    Ctrl-C ends the search and leaves the best order so far. Step t draws from a random
    stream of its own, so the chain depends on the data, the estimator and the seeds
    alone.

    To be resumed a search must have seeds: with `random_state=None`, in the learner or
    in an oracle outside of one, each run is another search, also in a journal. Limits
    (`max_trainings`, `max_time`), `n_jobs` and `prefetch` may differ from run to run. A
    journal tells data apart by their content, functions by their name. Where it was
    begun with another version of a package, a warning says so. A strategy that finds
    the start is run again.

    References
    ----------
    Zhou et al., "Towards Understanding the Behaviors of Optimal Deep Active Learning
    Algorithms", AISTATS 2021, Algorithm 1 and Fig. 2.

    Brockwell, "Parallel Markov chain Monte Carlo simulation by pre-fetching", Journal
    of Computational and Graphical Statistics 15, 2006.

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
        **SearchOracle._parameter_constraints,
        "n_steps": [Interval(Integral, 0, None, closed="left")],
        "n_greedy": [Interval(Integral, 0, None, closed="left"), None],
        "gamma": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "start": [StrOptions({"random"}), "array-like", HasMethods(["fit", "select"])],
        "max_trainings": [Interval(Integral, 1, None, closed="left"), None],
        "max_time": [Interval(Real, 0, None, closed="neither"), None],
        "prefetch": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
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
        prefetch="auto",
        journal=None,
        random_state=None,
    ):
        self.n_steps = n_steps
        self.n_greedy = n_greedy
        self.gamma = gamma
        self.start = start
        self.max_trainings = max_trainings
        self.max_time = max_time
        self.n_jobs = n_jobs
        self.prefetch = prefetch
        self.journal = journal
        self.random_state = random_state

    @property
    def needs(self):
        """What the strategy that finds the start calls on a model."""
        return getattr(self.start, "needs", ())

    def _schedule(self):
        n_greedy = self.n_steps // 5 if self.n_greedy is None else self.n_greedy
        return Schedule(self.n_steps, n_greedy, self.gamma)

    def _parameters(self, problem):
        schedule = self._schedule()._asdict()
        return {name: describe(value) for name, value in schedule.items()} | {
            "start": self._describe_start(problem)
        }

    def _begin(self, problem, objective, journal):
        return Chain(
            problem,
            objective,
            self.seed_,
            self._schedule(),
            lambda: self._start_order(problem, objective),
            self.max_trainings,
            journal,
        )

    def _walk(self, search, context, started):
        """Take all steps, as far as limits, callbacks and the user let it."""
        try:
            super()._walk(search, context, started)
        except KeyboardInterrupt:
            # The start is in the history, so that this is the step after the last.
            t = min(len(search.history), search.n_steps)
            warnings.warn(
                f"The search was interrupted in step {t} of {search.n_steps}: going on "
                "with the best order so far.",
                stacklevel=2,
            )

    def _describe_start(self, problem):
        if isinstance(self.start, str) or hasattr(self.start, "select"):
            return describe(self.start)
        return describe(problem.whole_order(self.start, "start").tolist())

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
