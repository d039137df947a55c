"""The pool of a session: adding rows, labels that exist, and classes."""

from typing import Any, Self

import numpy as np

from skal.inputs._containers import is_frame, n_rows
from skal.inputs._targets import Target
from skal.labeling._checks import check_class, class_names, is_open
from skal.labeling._ids import as_ids, is_number
from skal.labeling._opened import Opened
from skal.labeling._rows import digests_of
from skal.labeling._state import State


class Pool(Opened):
    """The part of a session that adds rows and classes."""

    def add(
        self, X: Any, ids: Any = None, y: Any = None, *, by: str = "", source: str = "y"
    ) -> Self:
        """Add rows to the pool, and labels that exist.

        Rows that the session knows are only given to this process, so a script may be
        run again. Labels that were added before do not undo later corrections.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of n_samples rows
            The rows, in the same kind of container in all calls.
        ids : array-like of shape (n_samples,), default=None
            Texts or whole numbers, different for all rows. By default 0, 1, ....
        y : array-like of shape (n_samples,), default=None
            Labels that exist; None or NaN for rows without one.
        by : str, default=""
            The annotator who gave them.
        source : str, default="y"
            Where they are from, for the history.

        Returns
        -------
        LabelingSession
            The session itself.

        Raises
        ------
        ValueError
            If ids repeat, a row differs from the one that has had its id before, or a
            label is not one of the session. Nothing is added then.
        """
        X = self._rows.checked(X)
        n = n_rows(X)
        names, are_numbers = as_ids(ids, n)
        digests = digests_of(X)
        labels = None if y is None else self._known_labels(X, y, n)
        with self._writing() as state:
            self._check_ids(names, are_numbers, digests, state)
            new = [i for i, name in enumerate(names) if name not in state.position]
            if new:
                self._log.append_rows(
                    [names[i] for i in new], [digests[i] for i in new]
                )
        positions = np.array([self._state.position[name] for name in names])
        self._rows.attach(X, positions)
        if labels is not None:
            found = zip(positions.tolist(), labels, strict=True)
            self._import([(p, x, by, None) for p, x in found if x is not None], source)
        return self

    def _known_labels(self, X: Any, y: Any, n: int) -> list[Any]:
        """Return labels that exist, after a check; None for a row without one."""
        given = list(y.to_numpy() if is_frame(y) else y)
        if len(given) != n:
            raise ValueError(f"y has {len(given)} labels, and X has {n} rows.")
        rows = X if self._state.target is Target.TAGS else [None] * n
        return [
            None if is_open(label) else self._checked(label, row)
            for label, row in zip(given, rows, strict=True)
        ]

    def _check_ids(
        self, names: list[str], are_numbers: bool, digests: list[bytes], state: State
    ) -> None:
        """Check that ids are of one kind, and rows behind known ids are the same."""
        if not state.ids and are_numbers:
            self._log.append("settings", ids="numbers")
        if state.are_numbers and not all(map(is_number, names)):
            other = next(name for name in names if not is_number(name))
            raise ValueError(
                f"Ids of this session are whole numbers, got {other!r}: give numbers."
            )
        for name, digest in zip(names, digests, strict=True):
            known = state.position.get(name)
            if known is not None and state.digests[known] != digest:
                raise ValueError(
                    f"The row with id {name!r} is not the one that was added before: "
                    "a label belongs to the row that was seen, so give the changed row "
                    "an id of its own."
                )

    def add_class(self, name: Any) -> Self:
        """Add a class, so that it may be given as a label.

        Parameters
        ----------
        name : str or int
            The class.

        Returns
        -------
        LabelingSession
            The session itself.

        Raises
        ------
        ValueError
            If it is not of the type of the other classes.
        """
        (name,) = class_names([name], self._state.target)
        with self._writing() as state:
            if name not in state.classes:
                check_class(name, state.known_classes)
                self._log.append("class", **{"class": name})
        return self
