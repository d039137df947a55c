"""The cells of a comparison, and the learner of each cell."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sklearn.base import clone

from skal.answers._needs import strategy_peeks, strategy_searches
from skal.learner import ActiveLearner
from skal.seeding import MAX_SEED, Stream, as_seed, stream
from skal.studies._spec import StudySpec
from skal.studies.running._cells import Job, learner_of
from skal.studies.running._repeats import training_draws
from skal.studies.running._store import Store, pending

# Number of other training seeds under which an oracle's order is replayed. Five are
# cheap: a replay takes K + 1 trainings, a search takes thousands.
N_OTHER_SEEDS = 5


class Cell(NamedTuple):
    """Key of one run of a comparison; `number` counts the orders of the baseline."""

    estimator: str
    strategy: str
    seed: int
    number: int

    def __str__(self) -> str:
        order = f", order {self.number}" if self.number else ""
        return f"{self.estimator} {self.strategy} {self.seed}{order}"


def _cells(study: StudySpec, n_orders: int) -> list[Cell]:
    """Return all cells, seed by seed, so that an early stop leaves complete seeds."""
    repeated = study.baseline is not None and "random_state" in (
        study.strategies[study.baseline].get_params()
    )
    return [
        Cell(estimator, strategy, seed, number)
        for seed in study.seeds
        for estimator in study.estimators
        for strategy in study.strategies
        for number in range(n_orders if strategy == study.baseline and repeated else 1)
    ]


def _jobs(study: StudySpec, n_orders: int, store: Store | None) -> dict[Cell, Job]:
    cells = _cells(study, n_orders)
    todo = pending(store, cells)
    draws = _who_draws(study, todo)
    followers = {} if study.splits.vary else _followers(study, todo, draws)
    return {
        cell: Job(
            _learner(study, cell, store),
            followers.get(cell, ()),
            _other_seeds(study, cell) if draws.get(_model_key(study, cell)) else (),
        )
        for cell in cells
    }


def _model_key(study: StudySpec, cell: Cell) -> tuple[str, bool]:
    """Return the estimator's name, and whether its posterior estimator is used."""
    plain = study.estimators[cell.estimator]
    return cell.estimator, study.model_of(cell.estimator, cell.strategy) is not plain


def _who_draws(study: StudySpec, cells: list[Cell]) -> dict[tuple[str, bool], bool]:
    """Return whether each model draws random numbers, if this matters for its cells."""
    models = {
        _model_key(study, cell): study.model_of(cell.estimator, cell.strategy)
        for cell in cells
        if _searches(study, cell) or (len(study.seeds) > 1 and not study.splits.vary)
    }
    return {
        key: training_draws(study.splits.example, model)
        for key, model in models.items()
    }


def _searches(study: StudySpec, cell: Cell) -> bool:
    return strategy_searches(study.strategies[cell.strategy])


def _other_seeds(study: StudySpec, cell: Cell) -> tuple[int, ...]:
    """Return the training seeds under which an oracle's order is replayed."""
    if not _searches(study, cell):
        return ()
    rng = stream(cell.seed, Stream.OTHER_SEEDS)
    return tuple(rng.integers(MAX_SEED, size=N_OTHER_SEEDS).tolist())


def _followers(
    study: StudySpec, cells: list[Cell], draws: Mapping[tuple[str, bool], bool]
) -> dict[Cell, tuple[Cell, ...]]:
    """Return the cells that may give the same run as the first cell of their group.

    A group has the cells of all seeds for one estimator and strategy, if all seeds
    share a split and neither training nor a search draws random numbers.
    """
    groups: dict[tuple[str, str, int], list[Cell]] = {}
    for cell in cells:
        peeks = strategy_peeks(study.strategies[cell.strategy])
        if not (peeks or draws.get(_model_key(study, cell), True)):
            key = cell.estimator, cell.strategy, cell.number
            groups.setdefault(key, []).append(cell)
    return {first: tuple(rest) for first, *rest in groups.values() if rest}


def _learner(study: StudySpec, cell: Cell, store: Store | None) -> ActiveLearner:
    strategy = clone(study.strategies[cell.strategy])
    if cell.number > 0:
        strategy.set_params(random_state=_order_seed(strategy, cell))
    if store is not None:
        unset = [
            name
            for name, value in strategy.get_params().items()
            if value is None and name.rpartition("__")[2] == "journal"
        ]
        path = store.journal_path(cell, strategy) if unset else None
        for name in unset:
            strategy.set_params(**{name: path})
    model = study.model_of(cell.estimator, cell.strategy)
    return learner_of(study.splits.example, model, strategy, cell.seed)


def _order_seed(strategy: Any, cell: Cell) -> int:
    """Return the seed of another random order; order 0 uses the seed of the run."""
    own = strategy.random_state
    seed = cell.seed if own is None else as_seed(own)
    return int(stream(seed, Stream.STRATEGY, cell.number).integers(MAX_SEED))
