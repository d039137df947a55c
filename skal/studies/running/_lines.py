"""The lines of a study folder: written atomically, and verified when read.

A line is a JSON object with the key of a cell, its run, a digest of everything that the
run depends on (`made_by`), and a checksum.
"""

import json
import math
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from skal._files import replacing

MADE_BY, CHECKSUM = "made_by", "crc"
# Age in seconds at which the lock of a folder counts as stale. Rewriting a file takes
# milliseconds, so the process that took the lock must have died.
STALE_LOCK = 60

Values = dict[str, Any]


class Run(NamedTuple):
    """The result of one cell of a study.

    Parameters
    ----------
    curve, validation_curve : ndarray of shape (n_rounds + 1,)
        Scores on the test and validation set.
    order : ndarray of shape (n_acquired,)
        Labelled rows of the pool, in their order.
    seconds : float, default=nan
        Duration. For a resumed search, the duration since it was resumed.
    n_trainings : int, default=0
        Number of trainings. For a resumed search, counted from its start.
    chance : float, default=nan
        Test score of always predicting the most frequent class.
    other_curves : ndarray of shape (n_replays, n_rounds + 1), default=empty
        Test curves of the order under other training seeds.
    """

    curve: NDArray[np.float64]
    validation_curve: NDArray[np.float64]
    order: NDArray[np.int64]
    seconds: float = float("nan")
    n_trainings: int = 0
    chance: float = float("nan")
    other_curves: NDArray[np.float64] = np.empty((0, 0))


class Shape(NamedTuple):
    """The expected sizes of the runs of a study.

    Parameters
    ----------
    n_scores : int
        Length of a curve.
    n_acquired : int or None
        Length of an order; None if rows have costs, so that it varies.
    n_pool : int or None
        Number of rows to select from; None if it is not known.
    """

    n_scores: int
    n_acquired: int | None
    n_pool: int | None


class Line(NamedTuple):
    """A valid line: the key of a cell, its run, and the digest `made_by`."""

    key: Any
    run: Run
    made_by: str | None


def encode(key: Any, run: Run, made_by: str | None) -> bytes:
    """Return a line for a cell, without the line feed."""
    values = {name: _plain(value) for name, value in run._asdict().items()}
    return _sealed(key._asdict() | values | {MADE_BY: made_by})


def append(path: Path, line: bytes) -> None:
    """Append a line to a file and flush it; a truncated last line is left in place."""
    line += b"\n"
    with path.open("ab+") as file:
        if not _ends_in_newline(file):
            line = b"\n" + line
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def read_lines(
    path: Path, key_type: Any, shape: Shape, formerly: Callable[[Values], str | None]
) -> list[Line]:
    """Return the valid lines of a file, with a warning if others are damaged.

    Parameters
    ----------
    path : Path
    key_type : type
        The NamedTuple of cell keys.
    shape : Shape
        The expected sizes.
    formerly : callable
        Returns the digest `made_by` of a line of format 1, which does not have it.

    Returns
    -------
    list of Line
    """
    lines, n_damaged = [], 0
    for raw in _raw_lines(path):
        try:
            values = _opened(raw)
            made_by = values[MADE_BY] if MADE_BY in values else formerly(values)
            lines.append(Line(_key(values, key_type), _run(values, shape), made_by))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            # A line without "}" was truncated when the study was killed: not damage.
            n_damaged += raw.endswith(b"}")
    if n_damaged:
        lines_are = "1 line is" if n_damaged == 1 else f"{n_damaged} lines are"
        warnings.warn(
            f"{path} is damaged: {lines_are} ignored, and the cells are run again. "
            "Remove the damaged lines to silence this warning.",
            stacklevel=4,
        )
    return lines


def loose_values(path: Path) -> Iterator[Values]:
    """Yield all JSON objects of a file, without verifying them."""
    for raw in _raw_lines(path):
        with suppress(ValueError, TypeError, RecursionError):
            yield dict(json.loads(raw))


def migrate(path: Path, made_by: Callable[[Values], str | None]) -> None:
    """Add `made_by` to all lines of format 1, before the descriptions change.

    Parameters
    ----------
    path : Path
    made_by : callable
        Returns the digest of a line, or None if it is not known.
    """
    if not any(MADE_BY not in values for values in loose_values(path)):
        return
    # A read-only folder is left as it is.
    with suppress(PermissionError), _locked(path.parent):
        lines = [_migrated(raw, made_by) for raw in path.read_bytes().splitlines()]
        with replacing(path) as file:
            file.writelines(line + b"\n" for line in lines)


def _migrated(raw: bytes, made_by: Callable[[Values], str | None]) -> bytes:
    try:
        values = dict(json.loads(raw))
        found = made_by(values)
    except (ValueError, TypeError, RecursionError):
        return raw
    is_old = MADE_BY not in values and CHECKSUM not in values and found is not None
    return _sealed(values | {MADE_BY: found}) if is_old else raw


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, so that only one process rewrites a file."""
    lock = folder / ".lock"
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except FileExistsError:
            with suppress(FileNotFoundError):
                if time.time() - lock.stat().st_mtime > STALE_LOCK:
                    lock.unlink()
            time.sleep(0.02)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _raw_lines(path: Path) -> Iterator[bytes]:
    for raw in path.read_bytes().splitlines() if path.exists() else []:
        if raw.strip():
            yield raw.strip()


def _sealed(values: Values) -> bytes:
    return json.dumps(values | {CHECKSUM: _checksum(values)}).encode()


def _opened(raw: bytes) -> Values:
    """Return the values of a line; raise ValueError if the checksum is wrong."""
    values = dict(json.loads(raw))
    if MADE_BY in values or CHECKSUM in values:
        found = values.pop(CHECKSUM)
        if found != _checksum(values):
            raise ValueError
    return values


def _checksum(values: Values) -> int:
    return crc32(json.dumps(values, sort_keys=True).encode())


def _key(values: Values, key_type: Any) -> Any:
    hints = get_type_hints(key_type)
    key = key_type(*(values[name] for name in key_type._fields))
    if any(type(getattr(key, name)) is not hints[name] for name in key_type._fields):
        raise TypeError
    return key


def _run(values: Values, shape: Shape) -> Run:
    curve, validation_curve = (
        _curve(values[name], shape.n_scores) for name in Run._fields[:2]
    )
    order = values["order"]
    is_as_long = shape.n_acquired in (None, len(order))
    is_order = is_as_long and len(set(order)) == len(order)
    if not (is_order and all(type(row) is int for row in order)):
        raise ValueError
    end = np.inf if shape.n_pool is None else shape.n_pool
    if order and not 0 <= min(order) <= max(order) < end:
        raise ValueError
    rows = np.array(order, dtype=np.int64)
    others = [_curve(one, shape.n_scores) for one in values.get("other_curves", ())]
    extras = _extras(values)
    if others:
        extras["other_curves"] = np.array(others)
    return Run(curve, validation_curve, rows, **extras)


def _curve(scores: list[Any], n_scores: int) -> NDArray[np.float64]:
    numbers = [score for score in scores if score is not None]
    if len(scores) != n_scores or not all(map(_is_number, numbers)):
        raise ValueError
    return np.array(scores, dtype=np.float64)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _extras(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the optional numbers of a run that are in its line."""
    names = [name for name in Run._fields[3:] if name != "other_curves"]
    kinds = {name: type(Run._field_defaults[name]) for name in names}
    found = {name: values[name] for name in kinds if values.get(name) is not None}
    if not all(isinstance(value, bool | int | float) for value in found.values()):
        raise TypeError
    return {name: kinds[name](value) for name, value in found.items()}


def _plain(value: Any) -> Any:
    """Return an array or number as JSON values; NaN becomes None."""
    if isinstance(value, np.ndarray):
        return [_plain(one) for one in value]
    value = value.item() if isinstance(value, np.generic) else value
    return None if value is None or np.isnan(value) else value


def _ends_in_newline(file: Any) -> bool:
    """Return whether a file is empty or its last line is complete."""
    if file.seek(0, os.SEEK_END) == 0:
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
