"""The rows of a pool that grows: their digests, and one container of all of them."""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skal.identity._describe import describe
from skal.identity._digests import feed
from skal.inputs._cells import is_missing
from skal.inputs._checks import check_pair
from skal.inputs._columns import in_common_types
from skal.inputs._containers import is_frame, n_rows, take
from skal.inputs._joining import concat
from skal.inputs._tables import check_rows, in_kind_of


class Rows:
    """The rows that this process was given, in the order of the pool.

    Parameters
    ----------
    estimator : estimator
        Rows are checked as its steps would check them.
    """

    def __init__(self, estimator: Any) -> None:
        self._estimator = estimator
        self._whole: Any = None
        self._positions = np.empty(0, dtype=np.int64)
        self._place = np.empty(0, dtype=np.int64)

    def checked(self, X: Any) -> Any:
        """Return rows in the container that the estimator takes, after a check.

        Parameters
        ----------
        X : rows
            In the same kind of container as all rows before.

        Returns
        -------
        rows

        Raises
        ------
        ValueError, TypeError
            If the estimator cannot be trained on them, or they differ in kind.
        """
        X = check_rows(X, "X", self._estimator)
        if self._whole is not None:
            check_pair(X, np.zeros(n_rows(X)), "new", self._whole)
            X = in_kind_of(self._whole, X)
        return X

    def attach(self, X: Any, positions: NDArray[np.int64]) -> None:
        """Keep rows that `checked` has returned.

        Parameters
        ----------
        X : rows
        positions : ndarray of shape (n_rows,)
            The position of each in the pool. Those that are known are left out.
        """
        is_new = ~np.isin(positions, self._positions)
        if not is_new.any():
            return
        if not is_new.all():
            X, positions = take(X, np.flatnonzero(is_new)), positions[is_new]
        if self._whole is not None and is_frame(X):
            frames = in_common_types({"the pool": self._whole, "X": X})
            self._whole, X = frames["the pool"], frames["X"]
        self._whole = X if self._whole is None else concat(self._whole, X)
        self._positions = np.concatenate([self._positions, positions])
        self._place = np.argsort(self._positions)

    def pool(self, ids: list[str]) -> Any:
        """Return the whole pool, in order.

        Parameters
        ----------
        ids : list of str
            The ids of all rows.

        Returns
        -------
        rows

        Raises
        ------
        ValueError
            If there are rows in the file that were not added in this process.
        """
        if len(self._positions) < len(ids):
            known = np.zeros(len(ids), dtype=bool)
            known[self._positions] = True
            raise ValueError(
                f"{int((~known).sum())} of the {len(ids)} rows of the session were not "
                f"added in this process, such as {ids[int(known.argmin())]!r}: the "
                "file keeps ids and labels, not rows, so call add(X, ids=...) with all "
                "of them first."
            )
        if (self._place != np.arange(len(ids))).any():
            self._whole = take(self._whole, self._place)
            self._positions = self._place = np.arange(len(ids))
        return self._whole

    def row(self, position: int) -> Any:
        """Return one row: a dict of the columns of a frame, else an element.

        Parameters
        ----------
        position : int

        Returns
        -------
        object
            None if the row was not added in this process.
        """
        found = np.flatnonzero(self._positions == position)
        if not len(found):
            return None
        part = take(self._whole, found[:1])
        if is_frame(part):
            return dict(zip(map(str, part.columns), next(_tuples(part)), strict=True))
        return part if sparse.issparse(part) else next(iter(part))


def digests_of(X: Any) -> list[bytes]:
    """Return a digest of each row, equal if rows are equal.

    Parameters
    ----------
    X : rows
        Numbers of any type are compared by value, so a table may be read again from a
        file. A path stands for itself, not for the content of the file.

    Returns
    -------
    list of bytes
    """
    if sparse.issparse(X):
        X = X.tocsr().sorted_indices().astype(np.float64)
        bounds = zip(X.indptr[:-1], X.indptr[1:], strict=True)
        parts = ((X.indices[a:b].astype(np.int64), X.data[a:b]) for a, b in bounds)
        return [_hash(columns.tobytes() + data.tobytes()) for columns, data in parts]
    if isinstance(X, np.ndarray) and X.dtype.kind in "biuf":
        return [
            _hash(np.ascontiguousarray(row, dtype=np.float64).tobytes()) for row in X
        ]
    return [_digest(row) for row in (_tuples(X) if is_frame(X) else X)]


def _tuples(frame: Any) -> Iterator[tuple]:
    import narwhals as nw

    yield from nw.from_native(frame).iter_rows()


def _hash(raw: bytes) -> bytes:
    return blake2b(raw, digest_size=16).digest()


def _digest(row: Any) -> bytes:
    state = blake2b(digest_size=16)
    feed(state, _canonical(row), describe)
    return state.digest()


def _canonical(cell: Any) -> Any:
    """Return a value in a form that does not depend on how it was read."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, list | tuple):
        return [_canonical(part) for part in cell]
    if isinstance(cell, dict):
        return [[str(name), _canonical(part)] for name, part in sorted(cell.items())]
    if getattr(cell, "ndim", 0) or hasattr(cell, "__array_interface__"):
        array = np.asarray(cell)
        is_plain = array.dtype.kind in "biuf" and array.ndim > 0
        return array.astype(np.float64) if is_plain else _plain(array)
    if is_missing(cell):
        return [None]
    return [float(cell)] if isinstance(cell, int | float | np.number) else cell


def _plain(array: NDArray) -> Any:
    found = array.tolist()
    return _canonical(found) if isinstance(found, list) else [found]
