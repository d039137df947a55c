"""The formats of files, by name, and which one a file has."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from skal.labeling.files._argilla import RESPONSES, read_argilla, write_argilla
from skal.labeling.files._conll import read_conll, write_conll
from skal.labeling.files._doccano import read_doccano, write_doccano
from skal.labeling.files._label_studio import read_label_studio, write_label_studio
from skal.labeling.files._tables import (
    read_csv,
    read_names,
    read_parquet,
    write_csv,
    write_parquet,
)


class Format(NamedTuple):
    """A format: how it is written and read, and the usual ends of its files."""

    write: Callable[..., None]
    read: Callable[..., list[Any]]
    suffixes: tuple[str, ...]


FORMATS = {
    "csv": Format(write_csv, read_csv, (".csv",)),
    "parquet": Format(write_parquet, read_parquet, (".parquet",)),
    "label-studio": Format(write_label_studio, read_label_studio, (".json",)),
    "doccano": Format(write_doccano, read_doccano, (".jsonl",)),
    "argilla": Format(write_argilla, read_argilla, ()),
    "conll": Format(write_conll, read_conll, (".conll", ".bio", ".iob")),
}


def format_of(path: Path, name: str | None, is_there: bool) -> Format:
    """Return the format of a file.

    Parameters
    ----------
    path : Path
    name : str or None
        One of `FORMATS`; None to decide by the end of the file's name and, if the file
        is there, by its columns.
    is_there : bool
        Whether the file is to be read.

    Returns
    -------
    Format

    Raises
    ------
    ValueError
        If the name is unknown, or does not follow from the file.
    """
    if name is None:
        for known, one in FORMATS.items():
            if path.suffix in one.suffixes:
                name = known
    if name in ("doccano", "parquet") and is_there and _is_of_argilla(path):
        name = "argilla"
    if name not in FORMATS:
        given = f"the end {path.suffix!r}" if name is None else repr(name)
        raise ValueError(
            f"The format of {path} is not known from {given}: give format as one of "
            f"{', '.join(FORMATS)}."
        )
    return FORMATS[name]


def _is_of_argilla(path: Path) -> bool:
    """Return whether a file has the columns of Argilla."""
    if path.suffix == ".parquet":
        return RESPONSES in read_names(path)
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        return f'"{RESPONSES}"' in file.readline()
