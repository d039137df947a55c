"""Worker processes of joblib, which must run the code that is there now."""

from typing import Any

from joblib.externals.loky import get_reusable_executor

from skal.identity._describe import describe, split_text

# The code that workers may have imported, by its name.
_known: dict[str, str] = {}


def renew_workers(*objects: Any) -> None:
    """Stop joblib's worker processes if they may hold old code of the user's own.

    Workers are kept for the next call, with all modules that they have imported. After
    a module was edited and reloaded, as in a notebook, they would go on with the old
    code. Does nothing where no code has changed since the last call.

    Parameters
    ----------
    *objects : object
        Estimators, strategies and scorers that are about to be sent to workers.
    """
    parts: dict[str, str] = {}
    for one in objects:
        parts |= split_text(describe(one))[1]
    has_changed = any(_known.get(name, text) != text for name, text in parts.items())
    _known.update(parts)
    if has_changed:
        get_reusable_executor().shutdown(wait=True)
