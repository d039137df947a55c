"""Names that must be one of several, with a suggestion for those that are mistyped."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


def suggest(value: object, choices: Iterable[Any]) -> str:
    """Return the question whether a similar name was meant.

    Parameters
    ----------
    value : object
        The name that was given.
    choices : iterable of object
        The valid names.

    Returns
    -------
    str
        Such as " Did you mean 'accuracy'?"; empty if no name is similar.
    """
    named = {str(choice).lower(): choice for choice in choices}
    close = get_close_matches(str(value).lower(), named, n=1, cutoff=0.6)
    return f" Did you mean {named[close[0]]!r}?" if close else ""


def check_choice(value: Any, name: str, choices: Iterable[Any]) -> None:
    """Refuse a value that is not one of several names.

    Parameters
    ----------
    value : object
        The value.
    name : str
        Name of the argument, for the message.
    choices : iterable of str
        The valid names.

    Raises
    ------
    ValueError
        If the value is not among them. The message suggests the most similar name.
    """
    choices = list(choices)
    if value not in choices:
        known = ", ".join(map(repr, choices))
        raise ValueError(
            f"{name} must be one of {known}, got {value!r}.{suggest(value, choices)}"
        )
