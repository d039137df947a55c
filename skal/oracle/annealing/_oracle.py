"""Simulated annealing over labelling orders (Algorithm 1)."""

from numbers import Integral, Real

from skal._sklearn import HasMethods, Interval, StrOptions
from skal.answers._needs import strategy_needs
from skal.identity._fingerprint import describe
from skal.oracle._base import SearchOracle
from skal.oracle.annealing._guided import GuidedChain
from skal.oracle.annealing._schedule import Schedule
from skal.oracle.annealing._start import FirstOrder, Start
from skal.oracle.annealing._uniform import UniformChain, mean_changed


class AnnealingOracle(SearchOracle):
    """Search for the optimal labelling order by simulated annealing.

    An oracle: it knows the labels of the pool, and searches for the order with the
    highest xi-quality on the validation set. Its quality on test, as reported by
    `ActiveLearner`, tells how good active learning could be.

    Each step proposes to exchange points, trains on the labelled sets that this
    changes, and moves there with probability `exp(beta (q_new - q_old))`. Greedy steps
    from the best order follow. No set is scored twice.

    The paper's search, which proposes blindly, is `AnnealingOracle(n_steps=25_000,
    gamma=0.1, proposal="uniform")`. With guided proposals a small part of its trainings
    leads as far; see the notes.

    Parameters
    ----------
    n_steps : int, default=1000
        Annealing steps (T_S; 25,000 in the paper). A guided step trains on about as
        many sets as there are rounds, a uniform one on less than half of that.

    n_greedy : int or None, default=None
        Greedy steps that follow (T_G). None takes a fifth of `n_steps`, as in the
        paper.

    gamma : "auto" or float, default="auto"
        Linear annealing factor: the inverse temperature is `gamma * t` at step t; the
        paper's is 0.1. "auto" goes by d, the mean `|q_new - q_old|` of the moves so far
        that made a difference, and so suits scores of any scale. For uniform proposals
        it takes `10 / (n_steps * d)`: a search of any length cools, and in the end
        accepts a loss of typical size with probability exp(-10). Guided ones are as
        cold as that from the beginning, with d from the latest moves.

    proposal : {"guided", "uniform"}, default="guided"
        "uniform" draws any exchange with the same probability, one in each step
        (Fig. 2). "guided" draws 150, foretells what they gain, and tries the most
        promising whose changed rounds do not overlap; each is accepted or not by
        itself, q being judged as told in the notes.

    start : "auto", "random", "strategies", array-like of int, or strategy, \
            default="auto"
        The order to start from: random, as in the paper; the best of what strategies
        propose, batch by batch (`BestOfStrategiesOracle` with 16 candidates, or as many
        as a quarter of `max_trainings` allows); given as rows of `X`; or the one that a
        strategy finds, which must not be an oracle. "auto" is "random" for uniform
        proposals, else "strategies".

    max_trainings : int or None, default=None
        Stop before the step that would exceed this number of trainings.

    max_time : float or None, default=None
        Seconds after which the search ends, those that the start takes included. Time
        is checked before each training, or before those that run side by side, and the
        first is done in any case. A step that is cut short does not count. If there is
        no time for the whole start, what was found of it is completed at random, with a
        warning. How far a search gets depends on the machine.

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
        training. Guided proposals cannot be foreseen, and fill a step by themselves.

    journal : str, path-like or None, default=None
        A file to keep the search in: an SQLite database on a local disk, made where
        there is none. A search that was ended, killed or interrupted is resumed by
        running the same again: what is in the journal is not trained again, and the
        end is that of an uninterrupted search. One file takes several searches of one
        problem, with different seeds and from different processes. A journal of other
        data or parameters is refused. A guided search writes up to eight kilobytes for
        each training, a blind one fifty bytes.

    random_state : int, RandomState instance or None, default=None
        Determines the start and the moves. Inside an `ActiveLearner`, None takes a
        seed drawn from the learner's.

    Attributes
    ----------
    order_ : ndarray of shape (n_acquired,)
        Rows of `X` in the best order found.

    quality_ : float
        Its xi-quality on validation. If the search was ended in the start and the order
        could not be scored to its end, rounds without a score count as much as the one
        before them.

    history_ : dict of str to ndarray of shape (n_steps_done + 1,)
        What happened in each step, the start being step 0: "step", the quality that
        was "proposed" (of a guided step, by all of its moves together), the "current"
        and the "best" one after the step, whether it was "accepted", and "n_trainings"
        so far. A guided step is accepted if one of its moves is, a blind one has one
        move; the share of accepted steps is what a progress bar and `SearchDisplay`
        show. `pandas.DataFrame` takes it.

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
    Guided proposals come from a linear datamodel: what a point does to the margin of
    each answer on validation is learned from the exchanges that were tried, and adds
    up. A line through past forecasts and outcomes tells how far to trust it, and moves
    are ranked by expected improvement, divided by the root of their trainings. They are
    judged by the score and, twice as much, by the smooth share of right answers (a
    logistic function of the margins), since a score such as accuracy has plateaus; the
    best order is that of the best score. Margins are differences of log-probabilities,
    else of decision values, else of answers; up to 4,000 rows of validation tell them.
    Proposals depend on what was seen, so that detailed balance is lost: this searches,
    and does not sample.

    Ctrl-C ends the search and leaves the best order so far; in the start, it is what
    was found of it, completed at random, and scored. Step t draws from a random
    stream of its own, so the chain depends on the data, the estimator and the seeds
    alone.

    To be resumed a search must have seeds: with `random_state=None`, in the learner or
    in an oracle outside of one, each run is another search, also in a journal. Limits
    (`max_trainings`, `max_time`), `n_jobs` and `prefetch` may differ from run to run,
    except for a `max_trainings` below 64 K, with which the start tries fewer
    candidates. A journal identifies data by content, installed classes and functions
    by name, and code of your own (a script, a notebook, a module or package that is
    not installed) by the code and by the globals, module attributes and other code
    that it reads. Lists, dicts and counters that this code itself changes, and objects
    that it keeps in globals, count by their type alone. An edited estimator or scorer
    is refused, with the name of the class, function or global that differs: undo the
    edit, or give another path. So is a journal from before code was kept in it, if
    there is code of your own. If a package has another version than the journal was
    begun with, a warning says so. A strategy that finds the start is run again.

    References
    ----------
    Zhou et al., "Towards Understanding the Behaviors of Optimal Deep Active Learning
    Algorithms", AISTATS 2021, Algorithm 1 and Fig. 2.

    Ilyas, Park, Engstrom, Leclerc and Madry, "Datamodels: Predicting Predictions from
    Training Data", ICML 2022. Jones, Schonlau and Welch, "Efficient Global Optimization
    of Expensive Black-Box Functions", Journal of Global Optimization 13, 1998.

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
        "proposal": [StrOptions({"guided", "uniform"})],
        "start": [
            StrOptions({"auto", "random", "strategies"}),
            "array-like",
            HasMethods(["fit", "select"]),
        ],
        "max_trainings": [Interval(Integral, 1, None, closed="left"), None],
        "max_time": [Interval(Real, 0, None, closed="neither"), None],
        "prefetch": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
    }

    def __init__(
        self,
        *,
        n_steps=1000,
        n_greedy=None,
        gamma="auto",
        proposal="guided",
        start="auto",
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
        self.proposal = proposal
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
        return strategy_needs(self.start)

    def _schedule(self):
        n_greedy = self.n_steps // 5 if self.n_greedy is None else self.n_greedy
        return Schedule(self.n_steps, n_greedy, self.gamma)

    def _parameters(self, problem):
        schedule = self._schedule()._asdict()
        return {name: describe(value) for name, value in schedule.items()} | {
            "proposal": describe(self.proposal),
            **self._starts().described(problem),
        }

    @property
    def with_margins(self):
        """Whether the search asks by how much each answer of a model is right."""
        return self.proposal == "guided"

    def _search(self, problem):
        # Before there is a journal.
        self._starts().check(problem)
        return super()._search(problem)

    def _forecast(self, problem):
        n_steps, n_rounds = self._schedule().last, problem.n_rounds
        per_step = n_rounds if self.proposal == "guided" else mean_changed(problem)
        return self._starts().forecast(problem), n_steps * per_step

    def _begin(self, problem, objective, journal):
        chain = GuidedChain if self.proposal == "guided" else UniformChain
        return chain(
            problem,
            objective,
            self.seed_,
            self._schedule(),
            FirstOrder(self._starts(), problem, objective, self.seed_),
            self.max_trainings,
            journal,
        )

    def _starts(self):
        """Return where it begins."""
        if not (isinstance(self.start, str) and self.start == "auto"):
            return Start(self.start, self.max_trainings)
        usual = "strategies" if self.proposal == "guided" else "random"
        return Start(usual, self.max_trainings)
