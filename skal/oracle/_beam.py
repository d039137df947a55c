"""Greedy and beam search: candidates are tried, and the best few are kept."""

from numbers import Integral, Real

from skal._sklearn import Interval, StrOptions
from skal.identity._fingerprint import describe
from skal.oracle._base import Search, SearchOracle
from skal.oracle._beam_search import Beam, n_steps_of
from skal.oracle.evaluation._objective import Objective
from skal.oracle.journal._journal import Journal
from skal.problem import Problem


class BeamOracle(SearchOracle):
    """Search for the optimal labelling order greedily, keeping the best few.

    An oracle uses the labels of the pool: it searches for the order with the highest
    xi-quality on the validation set. At each step, random candidates are
    added to the beginnings of orders that were kept, trained on, and scored on
    validation. The best extended beginnings are kept: those whose quality would be
    highest if the score stayed the same in all remaining rounds.

    Parameters
    ----------
    width : int, default=5
        Number of beginnings that are kept.

    n_candidates : int, default=20
        Number of candidates that are tried for each of them at each step.

    by : {"point", "round"}, default="point"
        Whether a candidate is a single point, so that each batch is put together from
        the best points, or a whole random batch, which takes B times fewer trainings.

    max_time : float or None, default=None
        Maximum time of the search in seconds, as in `AnnealingOracle`. When it is over,
        the order is completed at random and scored. None means no limit.

    n_jobs : int or None, default=None
        Number of trainings that run in parallel. It does not change the result.

    journal : str, path-like or None, default=None
        Path of a file that stores the search, as in `AnnealingOracle`.

    random_state : int, RandomState instance or None, default=None
        Determines the candidates. Inside an `ActiveLearner`, None takes a seed drawn
        from the learner's.

    Attributes
    ----------
    order_ : ndarray of shape (n_acquired,)
        Rows of `X` in the best order found.

    quality_ : float
        xi-quality of `order_` on validation.

    history_ : dict of str to ndarray of shape (n_steps,)
        One row for each step, from 1: "step"; "proposed", the mean score of the
        candidates; "current", the score of the best beginning; "best", its quality if
        the score stayed the same in all remaining rounds; "accepted", always True; and
        "n_trainings" so far. The dict can be passed to `pandas.DataFrame`.

    n_trainings_ : int
        Number of sets that were trained on, in this run or in one that it resumes.

    See Also
    --------
    GreedyOracle : Keep one beginning only.
    AnnealingOracle : Improve on whole orders.

    References
    ----------
    Lowerre, "The Harpy Speech Recognition System", Carnegie Mellon University 1976, for
    beam search.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import ActiveLearner, BeamOracle
    >>> X, y = load_iris(return_X_y=True)
    >>> oracle = BeamOracle(width=2, n_candidates=5, by="round")
    >>> learner = ActiveLearner(GaussianNB(), oracle, batch_size=2, n_rounds=4,
    ...                         warm_size=6, random_state=0).fit(X, y)
    >>> learner.strategy_.n_trainings_  # 5 of the warm start, then 10 in each round
    35
    """

    _parameter_constraints: dict = {
        **SearchOracle._parameter_constraints,
        "width": [Interval(Integral, 1, None, closed="left")],
        "n_candidates": [Interval(Integral, 1, None, closed="left")],
        "by": [StrOptions({"point", "round"})],
        "max_time": [Interval(Real, 0, None, closed="neither"), None],
    }

    def __init__(
        self,
        *,
        width=5,
        n_candidates=20,
        by="point",
        max_time=None,
        n_jobs=None,
        journal=None,
        random_state=None,
    ):
        self.width = width
        self.n_candidates = n_candidates
        self.by = by
        self.max_time = max_time
        self.n_jobs = n_jobs
        self.journal = journal
        self.random_state = random_state

    def check_problem(self, problem: Problem) -> None:
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
        if self.by == "point" and problem.costs is not None:
            raise ValueError(
                f'{type(self).__name__}(by="point") compares orders of as many rows, '
                'which cost different amounts: set by="round".'
            )

    def _parameters(self, problem: Problem) -> dict[str, str]:
        names = "width", "n_candidates", "by"
        return {name: describe(getattr(self, name)) for name in names}

    def _forecast(self, problem: Problem) -> tuple[int, int]:
        n_steps = n_steps_of(problem, self.by)
        return 0, self.n_candidates * (1 + self.width * (n_steps - 1))

    def _begin(
        self, problem: Problem, objective: Objective, journal: Journal | None
    ) -> Search:
        return Beam(
            problem,
            objective,
            self.seed_,
            self.width,
            self.n_candidates,
            self.by,
            journal,
        )


class GreedyOracle(BeamOracle):
    """Search for the optimal labelling order greedily.

    An oracle uses the labels of the pool: it searches for the order with the highest
    xi-quality on the validation set. At each step, random candidates are
    trained on and scored on validation, and the best one is labelled.

    Parameters
    ----------
    n_candidates : int, default=20
        Number of candidates that are tried at each step.

    by : {"point", "round"}, default="point"
        Whether a candidate is a single point, so that each batch is put together from
        the best points, or a whole random batch, which takes B times fewer trainings.

    max_time : float or None, default=None
        Maximum time of the search in seconds, as in `AnnealingOracle`. When it is over,
        the order is completed at random and scored. None means no limit.

    n_jobs : int or None, default=None
        Number of trainings that run in parallel. It does not change the result.

    journal : str, path-like or None, default=None
        Path of a file that stores the search, as in `AnnealingOracle`.

    random_state : int, RandomState instance or None, default=None
        Determines the candidates. Inside an `ActiveLearner`, None takes a seed drawn
        from the learner's.

    Attributes
    ----------
    order_ : ndarray of shape (n_acquired,)
        Rows of `X` in the order found.

    quality_ : float
        xi-quality of `order_` on validation.

    history_ : dict of str to ndarray of shape (n_steps,)
        As in `BeamOracle`.

    n_trainings_ : int
        Number of sets that were trained on, in this run or in one that it resumes.

    See Also
    --------
    BeamOracle : Keep more than one beginning.
    AnnealingOracle : Improve on whole orders.

    References
    ----------
    Koshorek, Stanovsky, Zhou, Srikumar and Berant, "On the Limits of Learning to
    Actively Learn Semantic Representations", CoNLL 2019; Werner et al., "A
    Cross-Domain Benchmark for Active Learning", NeurIPS 2024, with 20 candidates. Both
    search on the test set.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import ActiveLearner, GreedyOracle
    >>> X, y = load_iris(return_X_y=True)
    >>> oracle = GreedyOracle(n_candidates=5)
    >>> learner = ActiveLearner(GaussianNB(), oracle, batch_size=2, n_rounds=4,
    ...                         warm_size=6, random_state=0).fit(X, y)
    >>> learner.strategy_.n_trainings_  # 5 for each of 8 points
    40
    """

    width = 1
    _parameter_constraints: dict = {
        name: allowed
        for name, allowed in BeamOracle._parameter_constraints.items()
        if name != "width"
    }

    def __init__(
        self,
        *,
        n_candidates=20,
        by="point",
        max_time=None,
        n_jobs=None,
        journal=None,
        random_state=None,
    ):
        self.n_candidates = n_candidates
        self.by = by
        self.max_time = max_time
        self.n_jobs = n_jobs
        self.journal = journal
        self.random_state = random_state
