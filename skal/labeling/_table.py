"""Tables for the command line: rows from a CSV file, and a model for them."""

import csv
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skal.strategies
from skal.labeling._log import EventLog
from skal.labeling._session import LabelingSession
from skal.labeling._state import State


class Table(NamedTuple):
    """Where the rows of a session are, as its file keeps it.

    Parameters
    ----------
    path : str
        The CSV file, seen from the folder of the session.
    id, text, label : str
        Names of columns; empty for the number of the line, all columns as numbers, and
        no labels.
    target : str
        "class", "labels" or "number".
    strategy : str
        The name of a strategy of skal that has no required parameters.
    """

    path: str
    id: str = ""
    text: str = ""
    label: str = ""
    target: str = "class"
    strategy: str = ""


def table_in(journal: Path) -> tuple[Table, dict[str, Any]]:
    """Return the table of a session that the command line has begun.

    Parameters
    ----------
    journal : Path
        The file of the session.

    Returns
    -------
    table : Table
    params : dict
        The parameters with which the session was begun.

    Raises
    ------
    ValueError
        If the session was begun elsewhere.
    FileNotFoundError
        If the file does not exist.
    """
    if not journal.exists():
        raise FileNotFoundError(
            f"The session {str(journal)!r} does not exist: begin it by "
            f"`python -m skal init {journal} rows.csv`."
        )
    log, state = EventLog(journal), State()
    try:
        state.fold(*log.news())
    finally:
        log.close()
    found = state.settings.get("table")
    if not isinstance(found, dict):
        raise ValueError(
            f"{journal} is the session of a script: go on with the script, or begin "
            "another one by `python -m skal init`."
        )
    params = {name: state.settings[name] for name in ("audit", "resolve")}
    return Table(**found), params


def opened(
    journal: Path, table: Table, params: Mapping[str, Any], is_new: bool
) -> LabelingSession:
    """Open the session of a table, and add its rows.

    Parameters
    ----------
    journal : Path
    table : Table
    params : mapping
        Further parameters of `LabelingSession`.
    is_new : bool
        Whether to keep the table in the file.

    Returns
    -------
    LabelingSession

    Raises
    ------
    ValueError
        If a column is missing or holds no numbers, or the strategy is unknown.
    """
    ids, X, y = rows_of(journal.parent / table.path, table)
    estimator, strategy = model_for(table)
    session = LabelingSession(
        estimator, strategy, journal=journal, target=table.target, **params
    )
    try:
        session.add(X, ids, y)
        if is_new:
            session.keep(table=table._asdict())
    except BaseException:
        session.close()
        raise
    return session


def rows_of(path: Path, table: Table) -> tuple[list[str], Any, list[Any] | None]:
    """Return the ids, the rows and the labels that a table holds."""
    if not path.is_file():
        raise FileNotFoundError(f"The table {str(path)!r} does not exist.")
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        names = list(reader.fieldnames or [])
        records = list(reader)
    for name in filter(None, (table.id, table.text, table.label)):
        if name not in names:
            raise ValueError(
                f"{path} has no column {name!r}, but {', '.join(names)}: name one."
            )
    ids = [record[table.id] if table.id else str(i) for i, record in enumerate(records)]
    labels = (
        [_label(record[table.label], table) for record in records]
        if (table.label)
        else None
    )
    if table.text:
        return ids, [record[table.text] or "" for record in records], labels
    used = [name for name in names if name not in (table.id, table.label)]
    return ids, np.array([_numbers(path, r, used) for r in records]), labels


def _label(text: str, table: Table) -> Any:
    """Return the label in a cell; None if it is empty."""
    if not text:
        return None
    if table.target == "number":
        return float(text)
    parts = [part.strip() for part in text.split(",")]
    return parts if table.target == "labels" else text


def _numbers(path: Path, record: dict[str, str], names: list[str]) -> list[float]:
    """Return columns of a line as numbers; NaN for an empty cell."""
    try:
        return [float(record[name] or "nan") for name in names]
    except ValueError as error:
        raise ValueError(
            f"{path} has columns that are not numbers ({error}): name the column with "
            "the text to label by --text."
        ) from None


def model_for(table: Table) -> tuple[Any, Any]:
    """Return a linear model and a strategy for the rows of a table.

    Parameters
    ----------
    table : Table

    Returns
    -------
    estimator, strategy
        Words or standardised numbers, with a linear model behind them.
    """
    steps = [SimpleImputer(), StandardScaler()]
    if table.text:
        steps = [TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)]
    linear: Any = LogisticRegression(C=10.0, max_iter=1000)
    default = "Margin"
    if table.target == "number":
        linear, default = Ridge(), "Random"
    if table.target == "labels":
        linear, default = OneVsRestClassifier(linear), "Random"
    name = table.strategy or default
    if name not in skal.strategies.__all__:
        raise ValueError(f"skal.strategies has no strategy {name!r}.")
    try:
        strategy = getattr(skal.strategies, name)()
    except TypeError:
        raise ValueError(
            f"{name} has parameters that must be given: use it in a script."
        ) from None
    return make_pipeline(*steps, linear), strategy


def seen_from(journal: Path, path: str) -> str:
    """Return the path of a table as it is seen from the folder of a session."""
    return os.path.relpath(path, journal.parent or ".")
