"""A verdict on the user's own labelled data, in one call."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils.validation import check_scalar

from skal.studies._compare import specify, store_of
from skal.studies._defaults import (
    ORACLE,
    RANDOM,
    named_after_class,
    search_of,
    source_of,
    with_random,
)
from skal.studies._gathered import gather, warn_of_chance
from skal.studies._seeds import as_seeds
from skal.studies._spec import Splits, StudySpec
from skal.studies._verdict import Verdict, judge
from skal.studies.running._cells import run_cells
from skal.studies.running._deadline import Deadline
from skal.studies.running._jobs import Cell, _jobs

# Number of seeds that a search is run with: its mean needs no test.
N_SEARCHED = 3


def worth_it(
    X: Any,
    y: Any = None,
    estimator: Any = None,
    strategies: Mapping[str, Any] | None = None,
    *,
    target: float | None = None,
    oracle: Any = "auto",
    seeds: int | Iterable[int] = 10,
    n_orders: int = 10,
    level: float = 0.95,
    max_time: float | None = None,
    n_jobs: int | None = None,
    path: Any = None,
    callbacks: Iterable[Any] = (),
    **sizes: Any,
) -> Verdict:
    """Say whether active learning is worth it, on data that are labelled already.

    Some of the labels are hidden, and strategies choose which of them to reveal, on
    several random splits. Random choice does the same. The verdict says whether
    choosing is better, by how much and how surely, how many labels it saves, and how
    much better still a search finds that one could choose.

    Parameters
    ----------
    X : array-like, dataframe, list, Problem or callable
        All labelled rows; or a problem or a function of the seed, as in `compare`.
    y : array-like
        The label of each row: classes, numbers, several labels or tags.
    estimator : estimator
        The model to train.
    strategies : dict of str to strategy, default=None
        The strategies to try, by name. By default they suit the target and the
        estimator: `MaxEntropy`, `LeastConfidence` and `Margin` for a classifier with
        probabilities, `Margin` for one with decision values, `GreedySampling` and
        `TypiClust` for a regressor on numbers, and `Longest`, `MinConfidence` and
        `IDMR` for a tagger. Fewer are better for the verdict, which is corrected for
        the choice among them.
    target : float, default=None
        The score to reach with fewer labels. By default, the last one of random choice.
    oracle : "auto", oracle or None, default="auto"
        The search for the best order, run on the first three splits only. "auto" is
        ``AnnealingOracle(max_trainings=1000)``; None leaves it out.
    seeds : int or iterable of int, default=10
        Number of random splits, or their seeds.
    n_orders : int, default=10
        Number of random orders on each split.
    level : float, default=0.95
        The level of the intervals, between 0 and 1.
    max_time : float, default=None
        Maximum time in seconds. The verdict is about the splits that are finished by
        then; strategies come before the search. It ends late by at most one training.
    n_jobs : int or None, default=None
        Number of runs in parallel. It does not change the result, unless `max_time`
        ends it.
    path : str or path-like, default=None
        Folder in which to keep the runs, as in `compare`. The same call goes on where
        an earlier one has ended.
    callbacks : iterable of callback, default=()
        Callbacks that show progress, such as `skal.utils.progress.ProgressBar()`.
    **sizes : dict
        Further arguments of `Problem.from_data`: `n_rounds` (10 by default),
        `batch_size` (by default, all rounds label a quarter of the pool, but at most 50
        rows each), `warm_size`, `test_size`, `val_size`, `scoring`, `cost`, `groups`
        and others.

    Returns
    -------
    Verdict
        Prints as sentences; `plot()` draws it.

    Raises
    ------
    ValueError
        If there are too few rows or only one class, a label is missing, no default
        strategy suits the estimator, a parameter is invalid, or `max_time` is over
        before one split is done.

    Warns
    -----
    UserWarning
        As `compare` does.

    See Also
    --------
    compare : The comparison behind it, with all curves.
    LabelingSession : Label with people, once it is worth it.

    References
    ----------
    Nadeau and Bengio, "Inference for the Generalization Error", Machine Learning 52,
    2003, for the test.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import Margin, worth_it
    >>> X, y = load_iris(return_X_y=True)
    >>> verdict = worth_it(X, y, GaussianNB(), {"margin": Margin()}, oracle=None,
    ...                    seeds=5, n_orders=2, n_rounds=4)
    >>> verdict.answer
    'unclear'
    """
    deadline = _deadline(max_time)
    study = _study_of(X, y, estimator, strategies, oracle, seeds, n_orders, sizes)
    runs = _Runs(study, n_orders, path, deadline, n_jobs, callbacks)

    # Run the strategies, and then, if there is time, a search on the first seeds.
    others = {name: one for name, one in study.strategies.items() if name != ORACLE}
    plain = runs.finish(replace(study, strategies=others, oracle=None))
    if not plain.seeds:
        raise ValueError(_too_short(max_time, runs))
    done = runs.of(plain)
    warn_of_chance(plain, done)
    comparison, searched = gather(plain, done), None
    if oracle is not None:
        some = runs.finish(replace(study, seeds=plain.seeds[:N_SEARCHED]))
        searched = gather(some, runs.of(some)) if some.seeds else None

    found = judge(comparison, target=target, level=level, oracle_comparison=searched)
    lacks_search = oracle is not None and searched is None
    return replace(found, notes=_notes(max_time, plain, study.seeds, lacks_search))


def _deadline(max_time: Any) -> Deadline | None:
    """Return when `max_time` seconds from now are over."""
    if max_time is None:
        return None
    check_scalar(max_time, "max_time", Real, min_val=0, include_boundaries="neither")
    return Deadline(time.time() + max_time)


def _study_of(
    X: Any,
    y: Any,
    estimator: Any,
    strategies: Any,
    oracle: Any,
    seeds: Any,
    n_orders: int,
    sizes: dict[str, Any],
) -> StudySpec:
    """Return all that is to be run if there is time."""
    source, estimators = source_of(X, y, estimator, oracle is not None, sizes)
    seeds = as_seeds(seeds)
    example = Splits(source, seeds[0]).example
    strategies = with_random(example, strategies, y)
    if oracle is not None:
        strategies[ORACLE] = search_of(oracle)
    if estimators is None:
        estimators = named_after_class(example.estimator)
    return specify(source, strategies, estimators, {}, seeds, n_orders, RANDOM)


class _Runs:
    """The runs of a study that time may cut short.

    Parameters
    ----------
    study : StudySpec
        All that is to be run.
    n_orders, path, n_jobs, callbacks
        As in `worth_it`.
    deadline : Deadline or None
        When no further run begins.
    """

    def __init__(
        self,
        study: StudySpec,
        n_orders: int,
        path: Any,
        deadline: Deadline | None,
        n_jobs: int | None,
        callbacks: Iterable[Any],
    ) -> None:
        store = store_of(study, path)
        self.study, self.jobs = study, _jobs(study, n_orders, store)
        self.done: dict[Cell, Any] = {}
        self._run = partial(
            run_cells,
            splits=study.splits,
            n_jobs=n_jobs,
            store=store,
            callbacks=callbacks,
            deadline=deadline,
        )

    def cells(self, part: StudySpec) -> list[Cell]:
        """Return the cells of a study that has some of the strategies and seeds."""
        return [
            cell
            for cell in self.jobs
            if cell.strategy in part.strategies and cell.seed in part.seeds
        ]

    def of(self, part: StudySpec) -> dict[Cell, Any]:
        """Return the runs of a part of the study that is finished."""
        return {cell: self.done[cell] for cell in self.cells(part)}

    def finish(self, part: StudySpec) -> StudySpec:
        """Run a part of the study, and return it with the seeds that are finished."""
        missing = [cell for cell in self.cells(part) if cell not in self.done]
        jobs = {cell: self.jobs[cell] for cell in missing}
        self.done |= self._run(jobs)
        lacking = {cell.seed for cell in missing if cell not in self.done}
        return replace(part, seeds=tuple(s for s in part.seeds if s not in lacking))


def _notes(
    max_time: Any, done: StudySpec, seeds: tuple[int, ...], lacks_search: bool
) -> tuple[str, ...]:
    """Return what was left out because time was over."""
    notes = []
    if len(done.seeds) < len(seeds):
        notes.append(
            f"max_time={max_time:g} ended it after {len(done.seeds)} of {len(seeds)} "
            "seeds."
        )
    if lacks_search:
        notes.append(
            f"With max_time={max_time:g} no time was left for the search of the best "
            "order."
        )
    return tuple(notes)


def _too_short(max_time: Any, runs: _Runs) -> str:
    """Return the message for a time in which no split was finished."""
    seed = runs.study.seeds[0]
    first = [c for c in runs.jobs if c.seed == seed and c.strategy != ORACLE]
    n_done = sum(cell in runs.done for cell in first)
    text = (
        f"max_time={max_time:g} was over after {n_done} of the {len(first)} runs "
        "of the first split"
    )
    if n_done:
        needed = max_time * len(first) / n_done
        text += f", which would take about {np.ceil(needed):.0f} seconds"
    return f"{text}: give more time, fewer strategies or rounds, or a smaller n_orders."
