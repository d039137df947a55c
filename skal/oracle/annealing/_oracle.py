"""Simulated annealing over labelling orders (Algorithm 1)."""

from numbers import Integral, Real

from skal._sklearn import HasMethods, Interval, StrOptions
from skal.answers._needs import works_from_nothing
from skal.identity._fingerprint import describe
from skal.oracle._base import SearchOracle
from skal.oracle._best_of import BOSS_STRATEGIES, needs_of
from skal.oracle.annealing._guided import GuidedChain
from skal.oracle.annealing._regression import (
    can_screen,
    goes_row_by_row,
    may_use_kernels,
)
from skal.oracle.annealing._schedule import Schedule
from skal.oracle.annealing._start import StartSearch, StartSpec
from skal.oracle.annealing._uniform import UniformChain, mean_changed_rounds

# Number of annealing steps with `n_steps="auto"`, before a search goes on to its limit.
N_STEPS = 1000


class AnnealingOracle(SearchOracle):
    """Search for the optimal labelling order by simulated annealing.

    An oracle uses the labels of the pool: it searches for the order with the highest
    xi-quality on the validation set. The quality of this order on the test set, as
    reported by `ActiveLearner`, shows how good active learning could be.

    Each step proposes to exchange points, trains on the labelled sets that change, and
    accepts the new order with probability `exp(beta (q_new - q_old))`. Greedy steps
    from the best order follow. No set is scored twice.

    The paper's search, with uniform proposals, is `AnnealingOracle(n_steps=25_000,
    gamma=0.1, proposal="uniform")`. Guided proposals reach the same quality with a
    small fraction of the trainings; see Notes.

    Parameters
    ----------
    n_steps : "auto" or int, default="auto"
        Number of annealing steps (T_S; 25,000 in the paper). A guided step trains on
        about as many sets as there are rounds, a uniform step on less than half of
        that. "auto" takes 1,000 steps, and with `max_time` or `max_trainings` goes on
        until the limit is reached: the same search is repeated from the best order,
        each time with twice as many annealing and greedy steps. Uniform proposals are
        hot for most of these steps, so give them a number that suits the limit.

    n_greedy : int or None, default=None
        Number of greedy steps that follow (T_G). If None, it is a fifth of `n_steps`,
        as in the paper.

    gamma : "auto" or float, default="auto"
        Linear annealing factor: the inverse temperature at step t is `gamma * t`. The
        paper uses 0.1. "auto" adapts to the scale of the scores by d, the mean
        `|q_new - q_old|` of the moves so far that changed the quality. For uniform
        proposals, `gamma` is then `10 / (n_steps * d)`: a search of any length cools,
        and finally accepts a loss of typical size with probability exp(-10). Guided
        proposals use this final temperature from the first step on, with d from the
        latest moves.

    proposal : {"guided", "uniform"}, default="guided"
        How moves are proposed. "uniform" draws one exchange in each step, all with the
        same probability (Fig. 2). "guided" draws hundreds, predicts their gains, and
        tries those with the highest expected improvement whose changed rounds do not
        overlap. Each of them is accepted independently; see Notes for how gains are
        predicted and moves are judged.

    start : "auto", "random", "strategies", "boss", array-like of int, or strategy, \
            default="auto"
        The order to start from:

        - "random": a random order, as in the paper;
        - "strategies": the best of the batches that several strategies propose, round
          by round (`BestOfStrategiesOracle` with 16 candidates, or fewer, so that they
          take at most a quarter of `max_trainings`);
        - "boss": the same with the ten strategies of
          ``BestOfStrategiesOracle(strategies="boss")``, which need a linear classifier
          with probabilities;
        - array-like of int: rows of `X`, in the order to start from;
        - strategy: the order in which it labels the pool; it must not be an oracle;
        - "auto": "random" for uniform proposals, "strategies" for guided ones. If more
          than 20 rounds label one row each, guided proposals start from the best of
          several orders that grow row by row, as regressions foretell; see Notes.

    max_trainings : int or None, default=None
        Maximum number of trainings. The search ends before the step that would exceed
        it. It needs no other number, see `n_steps`. None means no limit.

    max_time : float or None, default=None
        Maximum time of the search in seconds, including the start. It needs no other
        number, see `n_steps`. The time is checked
        before each training, or before each group of trainings that run side by side,
        which is smaller if the time is not enough for it; the first training is always
        done. A step that is cut short does not count. If
        the time is over within the start, the part of the order that was found is
        completed at random, with a warning. The result depends on the speed of the
        machine. None means no limit.

    n_jobs : int or None, default=None
        Number of trainings that run in parallel. It does not change the result, and is
        worthwhile if a training takes longer than some ten milliseconds. With joblib's
        Dask backend, None uses all cores of the cluster, and a worker that dies is
        replaced::

            from distributed import Client
            client = Client("scheduler:8786")  # or Client(), for this machine
            with joblib.parallel_config(backend="dask"):
                learner.fit(X, y)

    prefetch : "auto" or int, default="auto"
        Maximum number of sets to train ahead, along with the sets that a step needs:
        sets that the next steps will probably need, estimated from the moves that were
        accepted recently. "auto" fills idle workers with sets that are likely enough to
        be needed, so a single job trains nothing ahead unless nets are trained side by
        side. 0 disables prefetching. It does not change the result, nor the number of
        trainings. Guided proposals cannot be predicted, and are not prefetched: each
        step fills the workers by itself.

    journal : str, path-like or None, default=None
        Path of a file that stores the search: an SQLite database on a local disk, which
        is created if it does not exist. A search that was ended, killed or interrupted
        is resumed by running it again: sets in the journal are not trained again, and
        the result is the same as without the interruption. One file can store several
        searches of one problem, with different seeds and from different processes. A
        journal of other data or parameters is refused. A guided search writes up to
        eight kilobytes for each training, a uniform one fifty bytes.

    random_state : int, RandomState instance or None, default=None
        Determines the start and the moves. Inside an `ActiveLearner`, None takes a
        seed drawn from the learner's.

    Attributes
    ----------
    order_ : ndarray of shape (n_acquired,)
        Rows of `X` in the best order found.

    quality_ : float
        xi-quality of `order_` on validation. If the search was ended in the start and
        the order could not be scored completely, a round without a score counts as much
        as the one before it.

    history_ : dict of str to ndarray of shape (n_steps_done + 1,)
        One row for each step, where step 0 is the start: "step", the quality that was
        "proposed" (in a guided step, by all of its moves together), the "current" and
        the "best" quality after the step, whether it was "accepted", and "n_trainings"
        so far. A uniform step has one move; a guided step is accepted if one of its
        moves is. Progress bars and `SearchDisplay` show the rate of accepted steps. The
        dict can be passed to `pandas.DataFrame`.

    n_trainings_ : int
        Number of sets that were trained on, in this run or in one that it resumes.

    n_speculative_ : int
        Number of sets that were trained ahead and never needed. They do not count as
        trainings, neither here nor in `history_` and `max_trainings`.

    See Also
    --------
    ExhaustiveOracle : Prove the optimum of a tiny pool.
    FixedOrder : Replay an order with another seed or estimator.
    skal.oracle.read_journal : The steps of a search, even while it is running.

    Notes
    -----
    Guided proposals use two models of the margins of answers on validation, which take
    no training. A ridge or logistic regression on the same rows, whichever is more like
    the estimator, foretells how each of 600 exchanges would shift the margins, in
    closed form; one factor turns its shifts into those of the estimator. A linear
    datamodel learns the rest from the exchanges that were tried: the effect of each
    point on each margin, where the effects of several points add up. If the shifts that
    the regression foretold have a correlation below 0.2 with the actual ones, as for
    random forests, the search goes on without it and draws 150 exchanges in a step. So
    do searches on rows that are not numbers, have more than
    2,000 columns, or several tags, and on pools so small that all exchanges can be
    tried. A line fitted to past predictions and outcomes
    calibrates the predicted gains. Moves are ranked by expected improvement divided by
    the square root of their number of trainings. They are judged by the score plus
    twice the smooth share of right answers (a logistic function of the margins), since
    a score such as accuracy has plateaus. The best order is the one with the best
    score. Margins are differences of log-probabilities, or of decision values or
    predictions if the estimator has no probabilities; they are computed on validation
    rows with up to 4,000 answers. Since proposals depend on earlier steps, detailed
    balance does not hold: this is a search, not a sampler.

    For a regressor, the margins are residuals: predictions minus the truth, in standard
    deviations of `y_val`. The regression is one on the numbers themselves, on the
    columns of the rows or on an RBF kernel. The predicted gain of an exchange is the
    fall in the mean squared residual, in closed form, and calibrated as above, so that
    any scorer will do. Moves are judged by the score alone, which has no plateaus.

    Where a round labels one row, an order of K rounds takes K trainings to score. If K
    is more than 20, and the rows can be screened, the start is the best of several
    orders that grow row by row: in each round, a regression foretells the margins after
    each further row, the two most promising sets are trained on, and the better one is
    kept. The regression of the first order is one on the columns of the rows or on an
    RBF kernel, whichever is most like the models of five random sets. Each further
    order follows the regression that is the next most like them. There are eight
    orders, or as many as `max_trainings` allows. From the best one on, exchanges are
    accepted only if they gain, unless `gamma` is a number. All of them are judged by
    the score less 0.3 times how far, on average, the margins of wrong answers are below
    zero, and not by smooth shares: those go on rewarding answers that are right
    already. `docs/bso.md` compares this with a beam search that trains on all sets.

    If rows have costs, an exchange of a cheap and a dear row may change where rounds
    end, and so more sets. Uniform proposals train on all of them. Guided ones look for
    several exchanges at a time that keep the number of rows in each round, and in every
    other step try a single one that does not: its forecast leaves out the rows that
    change rounds.

    Ctrl-C ends the search and keeps the best order so far. Within the start, this is
    the part that was found, completed at random and scored. Step t draws from a random
    stream of its own, so the chain depends only on the data, the estimator and the
    seeds.

    Only a search with fixed seeds can be resumed: with `random_state=None`, in the
    learner or in an oracle outside of a learner, each run is another search, also in
    the journal. Limits (`max_trainings`, `max_time`), `n_jobs` and `prefetch` may
    change from run to run, with one exception: with a `max_trainings` below 64 K (about
    16 K row by row) the start tries fewer candidates, which makes it another search. A
    strategy that finds the start is run again on resuming.

    A journal identifies data by content, installed classes and functions by name, and
    your own code (a script, a notebook, or a module or package that is not installed)
    by the code itself and by the globals, module attributes and other code that it
    reads. Lists, dicts and counters that this code changes itself, and objects that it
    keeps in globals, are identified by type only. If an estimator or scorer was edited,
    the journal is refused, and the message names the class, function or global that
    differs: undo the edit, or use another path. A journal that was written before code
    was stored is also refused if it involves your own code. If the version of a package
    differs from when the journal was begun, a warning is given.

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
        "n_steps": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
        "n_greedy": [Interval(Integral, 0, None, closed="left"), None],
        "gamma": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "proposal": [StrOptions({"guided", "uniform"})],
        "start": [
            StrOptions({"auto", "random", "strategies", "boss"}),
            "array-like",
            HasMethods(["fit", "select"]),
        ],
        "max_trainings": [Interval(Integral, 1, None, closed="left"), None],
        "max_time": [Interval(Real, 0, None, closed="neither"), None],
        "prefetch": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
    }

    # The default of `n_steps` in older files, which is the same search.
    _older_values: dict = {"n_steps": ("auto", N_STEPS)}

    def __init__(
        self,
        *,
        n_steps="auto",
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
        """Methods of a model that the strategy that finds the start calls."""
        return needs_of([self.start, *self._proposers()])

    @property
    def from_nothing(self):
        """Return whether the strategy that finds the start works from nothing."""
        return all(works_from_nothing(one) for one in [self.start, *self._proposers()])

    def _proposers(self):
        is_boss = isinstance(self.start, str) and self.start == "boss"
        return BOSS_STRATEGIES if is_boss else ()

    def _schedule(self):
        n_steps = N_STEPS if self._goes_on else self.n_steps
        n_greedy = n_steps // 5 if self.n_greedy is None else self.n_greedy
        is_limited = self.max_time is not None or self.max_trainings is not None
        return Schedule(n_steps, n_greedy, self.gamma, self._goes_on and is_limited)

    @property
    def _goes_on(self):
        """Return whether only a limit ends the search, if there is one."""
        return isinstance(self.n_steps, str)

    def _parameters(self, problem):
        # Limits may change from run to run: an endless search begins with all steps of
        # the one that ends, so it is described as that.
        n_steps, n_greedy, gamma, _ = self._schedule()
        schedule = {"n_steps": n_steps, "n_greedy": n_greedy, "gamma": gamma}
        return {name: describe(value) for name, value in schedule.items()} | {
            "proposal": describe(self.proposal),
            **self._start_spec(problem).described(problem),
            **self._screening(problem),
        }

    def _screening(self, problem):
        """Return the description of a regression that screens the moves, if any."""
        # Without this, a journal from before screening is one of another search.
        if not (self.proposal == "guided" and can_screen(problem)):
            return {}
        has_kernels = may_use_kernels(problem)
        kind = "ridge or kernel ridge" if has_kernels else "ridge or logistic"
        return {"screening": describe(kind)}

    @property
    def with_margins(self):
        """Return whether the search needs margins."""
        return self.proposal == "guided"

    def check_problem(self, problem):
        """Check that the parameters are valid and suit a problem, without training.

        Parameters
        ----------
        problem : Problem
            The problem to search on.

        Raises
        ------
        ValueError
            If they are not or do not.
        OSError
            If there cannot be a journal at the given path.
        """
        super().check_problem(problem)
        self._start_spec(problem).check(problem)

    def _forecast(self, problem):
        schedule, n_rounds = self._schedule(), problem.n_rounds
        per_step = (
            n_rounds if self.proposal == "guided" else mean_changed_rounds(problem)
        )
        in_steps = (schedule.n_steps + schedule.n_greedy) * per_step
        if schedule.is_endless and self.max_trainings is not None:
            in_steps = max(in_steps, self.max_trainings)
        return self._start_spec(problem).forecast(problem), in_steps

    def _begin(self, problem, objective, journal):
        chain = GuidedChain if self.proposal == "guided" else UniformChain
        return chain(
            problem,
            objective,
            self.seed_,
            self._schedule(),
            StartSearch(self._start_spec(problem), problem, objective, self.seed_),
            self.max_trainings,
            journal,
        )

    def _start_spec(self, problem):
        """Return how the start is found, with "auto" resolved."""
        if not (isinstance(self.start, str) and self.start == "auto"):
            return StartSpec(self.start, self.max_trainings)
        if self.proposal != "guided":
            return StartSpec("random", self.max_trainings)
        default = "beams" if goes_row_by_row(problem) else "strategies"
        return StartSpec(default, self.max_trainings)
