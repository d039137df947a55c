"""An open session: begun or found in its file, locked to write, and closed."""

from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import Any, Self

from skal.inputs._targets import Target
from skal.labeling._events import as_json
from skal.labeling._ids import key_of
from skal.labeling._labels import checked_label
from skal.labeling._reports import Reports
from skal.labeling._state import State
from skal.seeding import as_seed


class Opened(Reports):
    """The part of a session that writes events, apart from questions and answers."""

    def _begin(
        self, kind: Target, random_state: Any, settings: dict, names: list
    ) -> None:
        """Begin the session in the file, or check that it is the same one."""
        with self._writing() as state:
            if state.seed < 0:
                seed = as_seed(random_state)
                self._log.append("began", seed=seed, target=kind.name)
            elif state.target is not kind:
                raise ValueError(
                    f"{self._log.path} is a session in which each row has "
                    f"{state.target.value}, and target is {kind.value}: give the "
                    "estimator and the target of the session, or another path."
                )
            elif isinstance(random_state, Integral) and random_state != state.seed:
                raise ValueError(
                    f"{self._log.path} is a session with random_state={state.seed}, "
                    f"got {random_state}: leave random_state out to go on, or give "
                    "another path."
                )
            self._keep(state, settings)
            for name in [name for name in names if name not in state.classes]:
                self._log.append("class", **{"class": name})

    def keep(self, **settings: Any) -> None:
        """Keep further settings in the history, such as where the rows are from.

        Parameters
        ----------
        **settings : JSON
            Texts, numbers, or lists and dicts of them. The latest ones count.
        """
        with self._writing() as state:
            self._keep(state, settings)

    def _keep(self, state: State, settings: dict[str, Any]) -> None:
        """Write the settings that have changed."""
        known = state.settings
        changed = {k: v for k, v in settings.items() if known.get(k) != v}
        if changed:
            self._log.append("settings", **changed)

    @contextmanager
    def _writing(self) -> Iterator[State]:
        """Lock the file, and read what is new; in the end, read what was written."""
        with self._log.transaction():
            yield self._read()
        self._read()

    def close(self) -> None:
        """Close the file. The labels and the model can still be read."""
        self._read()
        self._is_closed = True
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _position(self, id: Any) -> int:
        """Return the position of a row."""
        name = key_of(getattr(id, "id", id))
        if name not in self._state.position:
            raise ValueError(
                f"No row has the id {name!r}: add(X, ids=...) the row first, or give "
                "the id that a question has."
            )
        return self._state.position[name]

    def _checked(self, label: Any, row: Any) -> Any:
        """Return a label as it is stored, after a check."""
        state = self._state
        is_closed = state.settings.get("is_closed", False)
        return checked_label(label, state.target, state.known_classes, is_closed, row)

    def _import(
        self, found: list[tuple[int, Any, str, Any]], source: str
    ) -> tuple[int, int]:
        """Keep labels from elsewhere, unless they were read before.

        Parameters
        ----------
        found : list of (int, label, str, stamp)
            Position, label (None for a skip), annotator, and whatever tells two
            versions of an answer apart.
        source : str
            Where they are from.

        Returns
        -------
        n_new, n_known : int
        """
        n_new = 0
        with self._writing() as state:
            latest = dict(state.imports)
            for row, label, by, stamp in found:
                where = f"{source}, {by}"
                key = state.group[row], where
                text = as_json([label, stamp])
                known = state.answers.get(key[0], {}).get(by)
                is_known = known is not None and as_json(known.label) == as_json(label)
                if latest.get(key) != text and not is_known:
                    latest[key], n_new = text, n_new + 1
                    value = {"skip": True} if label is None else {"label": label}
                    self._log.append(
                        "imported", by, row, source=where, stamp=text, **value
                    )
        return n_new, len(found) - n_new
