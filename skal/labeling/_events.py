"""Events of a session: what happened, to which row, by whom, when."""

import json
import zlib
from typing import Any, NamedTuple

# The kinds of events, and what each says.
KINDS = {
    "began": "the session began, with its seed and kind of target",
    "settings": "the estimator, the strategy or another parameter was set",
    "added": "rows were added to the pool",
    "class": "a class was added",
    "asked": "a row was given to an annotator",
    "expired": "an annotator did not answer in time",
    "told": "an annotator gave a label",
    "imported": "a label was read from a file, or came with the rows",
    "skipped": "an annotator could not or would not label a row",
    "withdrawn": "labels of a row were taken back",
    "refit": "a model was trained on the labels up to here",
}
# Events after which a model may be another one.
ANSWERS = "told", "imported", "skipped", "withdrawn"


class Event(NamedTuple):
    """One event of a session. Events are only ever appended.

    Parameters
    ----------
    number : int
        From 1, in the order in which events happened.
    kind : str
        One of `KINDS`.
    time : float
        Seconds since 1970, by the clock of the machine. Nothing is decided by it but
        which open questions have expired.
    by : str
        The annotator; empty if nobody was named.
    row : int or None
        The position of the row in the pool, in the order in which rows were added.
    value : dict
        Everything else that the kind needs, as JSON.
    """

    number: int
    kind: str
    time: float
    by: str
    row: int | None
    value: dict[str, Any]


def as_json(value: Any) -> str:
    """Return the one text of a value that is stored and compared.

    Parameters
    ----------
    value : object
        Dicts, lists, texts, numbers, bools and None.

    Returns
    -------
    str
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def checksum(
    before: int,
    number: int,
    kind: str,
    time: float,
    by: str,
    row: int | None,
    text: str,
) -> int:
    """Return the checksum of an event, in which all earlier ones are contained.

    Parameters
    ----------
    before : int
        The checksum of the event before; 0 for the first one.
    number, kind, time, by, row, text
        The event, its value as JSON.

    Returns
    -------
    int
        An event that was changed, removed or inserted changes all later checksums.
    """
    return zlib.crc32(repr((number, kind, time, by, row, text)).encode(), before)
