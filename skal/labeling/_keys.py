"""Keys and lines that a person types, at a terminal or from a pipe."""

import sys
from typing import Any

# Keys that do something else than choose a class.
UNDO, SKIP, QUIT = "u", "s", "q"
CLASS_KEYS = "123456789abcdefghijklmnoprtvwxyz"
INTERRUPT, END = "\x03", "\x04"


def keys_of(classes: list[Any]) -> dict[str, Any]:
    """Return the key of each class.

    Parameters
    ----------
    classes : list

    Returns
    -------
    dict of str to class
        Empty if there are more classes than keys.
    """
    if len(classes) > len(CLASS_KEYS):
        return {}
    return dict(zip(CLASS_KEYS, classes, strict=False))


def read_key() -> str:
    """Wait for a key at a terminal, or for a line of a pipe.

    Returns
    -------
    str
        In lower case. Ctrl-D and the end of a pipe are "q".

    Raises
    ------
    KeyboardInterrupt
        If the key is Ctrl-C.
    """
    if not sys.stdin.isatty():
        line = sys.stdin.readline()
        return line.strip().lower() if line else QUIT
    key = _pressed()
    if key == INTERRUPT:
        raise KeyboardInterrupt
    return QUIT if key in ("", END) else key.lower()


def _pressed() -> str:
    """Return the next key that is pressed at a terminal, without Enter."""
    try:
        import termios
        import tty
    except ImportError:  # Windows
        import msvcrt

        return msvcrt.getwch()  # type: ignore[attr-defined]
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        # Without a flush, which would lose keys that were pressed meanwhile.
        tty.setcbreak(descriptor, termios.TCSADRAIN)
        return sys.stdin.read(1)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def read_line() -> str:
    """Wait for a line.

    Returns
    -------
    str
        Without blanks around it; "q" at the end of the input.
    """
    line = sys.stdin.readline()
    return line.strip() if line else QUIT
