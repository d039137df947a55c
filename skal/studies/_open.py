"""Reading the folder of a study without its data."""

import re
import warnings
from ast import literal_eval
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

import skal.oracle
import skal.strategies
from skal.studies._comparison import Comparison
from skal.studies._gathered import gather
from skal.studies._spec import StudySpec
from skal.studies.running._described import Given, settings_in
from skal.studies.running._jobs import Cell
from skal.studies.running._lines import read_lines
from skal.studies.running._store import GIVEN, Run, is_valid, read_given, shape_of

FILE = "compare.jsonl"
ROWS = re.compile(r"<(\d+) rows?,")


def open_study(path: Any) -> Comparison:
    """Read the finished runs of a comparison from its folder.

    Neither the data nor the estimators are needed, and nothing in the folder is
    changed. The comparison may still be running: it is read as far as it is finished.

    Parameters
    ----------
    path : str or path-like
        The `path` that was given to `compare`.

    Returns
    -------
    Comparison
        With the strategies, estimators and all finished seeds that are in the folder.
        It prints, is tested and is drawn like any other. It has no data, so it cannot
        be replayed, and its distributions cannot be computed: for these, call `compare`
        again with the data and the same `path`, which runs nothing twice.

    Raises
    ------
    FileNotFoundError
        If the path is not the folder of a study.
    ValueError
        If the folder is damaged, or no seed of it is finished.

    Warns
    -----
    UserWarning
        If some seeds are left out, because runs of them are missing.

    See Also
    --------
    compare : Run a study and keep it in a folder.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import Margin, Random, compare, open_study
    >>> X, y = load_iris(return_X_y=True)
    >>> strategies = {"random": Random(), "margin": Margin()}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = compare(X, y, GaussianNB(), strategies, path=folder, n_orders=2,
    ...                     batch_size=2, n_rounds=4)
    ...     again = open_study(folder)
    >>> str(again) == str(found)
    True
    """
    folder = Path(path)
    if not (folder / GIVEN).is_file():
        raise FileNotFoundError(
            f"path={str(path)!r} is not the folder of a study, since it has no "
            f"{GIVEN}: give the path that was given to compare."
        )
    given = read_given(folder / GIVEN)
    runs = _valid_runs(folder, given)
    study = _specify(given, runs, folder)
    return gather(study, _chosen(study, runs))


def _valid_runs(folder: Path, given: Given) -> dict[Cell, Run]:
    """Return the runs whose strategy and estimator are as described."""
    lines = read_lines(folder / FILE, Cell, shape_of(given), lambda values: None)
    return {line.key: line.run for line in lines if is_valid(given, line)}


def _specify(given: Given, runs: Mapping[Cell, Run], folder: Path) -> StudySpec:
    """Return the study that the runs are of, with descriptions of what is not kept."""
    estimators, strategies = (
        {name: one for name, one in _recorded(given, kind).items() if name in found}
        for kind, found in (
            ("estimator", {cell.estimator for cell in runs}),
            ("strategy", {cell.strategy for cell in runs}),
        )
    )
    sampled = _recorded(given, "posterior estimator")
    settings = _settings(given, strategies)
    for name in settings["peeking"]:
        strategies[name].peeks = True
    return StudySpec(
        splits=StoredSplits(given),  # type: ignore[arg-type]
        estimators=estimators,
        strategies=strategies,
        seeds=_finished_seeds(runs, estimators, strategies, folder),
        baseline=settings["baseline"],
        oracle=settings["oracle"],
        posterior_estimators={
            name: model
            for name, model in sampled.items()
            if name in estimators and repr(model) != repr(estimators[name])
        },
        include_warm_start=settings["include_warm_start"],
    )


def _settings(given: Given, strategies: Mapping[str, Any]) -> dict[str, Any]:
    """Return the roles of strategies, and what qualities are means over."""
    found = settings_in(given)
    if not found:  # an older folder, which does not record them
        kinds = {name: _class_of(one) for name, one in strategies.items()}
        peeking = [n for n, kind in kinds.items() if getattr(kind, "searches", False)]
        random = (n for n, kind in kinds.items() if kind is skal.strategies.Random)
        found = {"baseline": next(random, None), "oracle": next(iter(peeking), None)}
        found |= {"peeking": peeking, "include_warm_start": False}
    for role in ("baseline", "oracle"):
        found[role] = found[role] if found[role] in strategies else None
    found["peeking"] = [name for name in found["peeking"] if name in strategies]
    return found


def _class_of(recorded: "Recorded") -> Any:
    """Return the class of a strategy of skal; None for any other strategy."""
    name = type(recorded).__name__
    is_own = repr(recorded).startswith(f"skal.{name}(")
    homes = (skal.strategies, skal.oracle) if is_own else ()
    return next((getattr(home, name) for home in homes if hasattr(home, name)), None)


def _finished_seeds(
    runs: Mapping[Cell, Run],
    estimators: Iterable[str],
    strategies: Iterable[str],
    folder: Path,
) -> tuple[int, ...]:
    """Return the seeds with a run of each strategy and estimator."""
    started = dict.fromkeys(cell.seed for cell in runs)
    done = {cell[:3] for cell in runs}
    pairs = [(e, s) for e in estimators for s in strategies]
    seeds = [n for n in started if all((*pair, n) in done for pair in pairs)]
    if not seeds:
        raise ValueError(
            f"{folder} has no seed for which all strategies have finished: call "
            "compare again with the same data and path to resume the study."
        )
    if left := sorted(started.keys() - set(seeds)):
        warnings.warn(
            f"{folder} is not finished: seed{'s' * (len(left) > 1)} "
            f"{', '.join(map(str, left))} left out, since some of their runs are "
            "missing. Call compare again with the same data and path to resume it.",
            stacklevel=4,
        )
    return tuple(sorted(seeds))


def _chosen(study: StudySpec, runs: Mapping[Cell, Run]) -> dict[Cell, Run]:
    """Return the runs of finished seeds, with equally many orders of the baseline."""
    kept = {c: run for c, run in runs.items() if c.seed in study.seeds}
    counts = [
        sum(cell[:3] == (estimator, study.baseline, seed) for cell in kept)
        for estimator in study.estimators
        for seed in study.seeds
    ]
    n_orders = max(1, min(counts))
    return dict(sorted((c, run) for c, run in kept.items() if c.number < n_orders))


class Recorded:
    """A strategy or an estimator of which only a description is kept."""

    peeks = False

    def __init__(self, text: str, needs: tuple[str, ...] = ()) -> None:
        self.text, self.needs = text, needs

    def __repr__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[Any, ...]:
        return _described, (self.text, self.needs), self.__dict__


def _described(text: str, needs: tuple[str, ...]) -> Recorded:
    """Return a description whose class has the name of the described class."""
    name = text.partition("(")[0].rpartition(".")[2]
    return type(name, (Recorded,), {})(text, needs)


def _recorded(given: Given, kind: str) -> dict[str, Any]:
    """Return the described strategies or estimators in a folder, by name."""
    found = {}
    for subject, described in given.items():
        if subject.startswith(f"{kind} '") or subject.startswith(f'{kind} "'):
            text = described[kind.split()[-1]]
            samples = described.get("model") == "posterior estimator"
            name = _unquoted(subject.removeprefix(f"{kind} "))
            found[name] = _described(text, ("posterior",) * samples)
    return found


def _unquoted(text: str) -> str:
    """Return the name that `repr` spelled."""
    return str(literal_eval(text))


class StoredSplits:
    """The sizes of the problem of each seed, without its data.

    Parameters
    ----------
    given : mapping of str to mapping of str to str
        The descriptions in a folder.
    """

    def __init__(self, given: Given) -> None:
        self.vary = "split" in given["data"]
        sets = next(given[name] for name in given if _has_sets(given[name]))
        self._sizes = {name: _n_rows(text) for name, text in sets.items()}
        model = next(given[name] for name in given if name.startswith("estimator "))
        self.example = StoredProblem(
            **{name: int(model[name]) for name in ("batch_size", "n_rounds", "n_pool")},
            X_warm=np.empty((int(model["n_warm"]), 0)),
            costs=model.get("costs"),
        )

    @property
    def overlap(self) -> float:
        """Ratio of test rows to all other rows; 0 if all seeds share one split."""
        n = {name: size for name, size in self._sizes.items() if name[:2] == "X_"}
        test = n["X_test"]
        return test / (sum(n.values()) - test) if self.vary else 0.0

    def problem_of(self, seed: int) -> Any:
        """Return the example: all seeds have sets of the same sizes."""
        return self.example


def _has_sets(described: Mapping[str, str]) -> bool:
    """Return whether a description is one of data sets."""
    return "X_test" in described


def _n_rows(text: str) -> int:
    found = ROWS.match(text)
    return int(found[1]) if found else 0


class StoredProblem(SimpleNamespace):
    """The sizes of a problem. Anything else of it needs the data."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise ValueError(
            f"This study was opened without its data, and `{name}` needs them: call "
            "compare again with the data and the same path, which runs nothing twice."
        )
