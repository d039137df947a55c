"""Worker processes of joblib, which must run the user's current code."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.process_executor import TerminatedWorkerError

from skal._threads import without_warnings
from skal.identity._describe import describe, split_text

# Descriptions of the code that workers may have imported, by the name of the code.
_known: dict[str, str] = {}


def renew_workers(*objects: Any) -> None:
    """Stop joblib's worker processes if they may have imported outdated code.

    joblib keeps workers for the next call, along with the modules that they have
    imported. If a module was edited and reloaded, as in a notebook, they would still
    run the old code. Does nothing if no code has changed since the last call.

    Parameters
    ----------
    *objects : object
        Estimators, strategies and scorers that will be sent to workers.
    """
    parts: dict[str, str] = {}
    for one in objects:
        parts |= split_text(describe(one))[1]
    has_changed = any(_known.get(name, text) != text for name, text in parts.items())
    _known.update(parts)
    if has_changed:
        get_reusable_executor(reuse=True).shutdown(wait=True)


@contextmanager
def named_worker_deaths() -> Iterator[None]:
    """Say in one sentence what to do if a worker process dies in a block.

    A worker whose memory has grown is replaced by joblib, which warns in a thread of
    its own. That warning is ignored: as an error, it would end the thread, and the call
    would wait for ever.

    Raises
    ------
    RuntimeError
        If a worker was killed.
    """
    try:
        with without_warnings("A worker stopped while some jobs"):
            yield
    except TerminatedWorkerError as error:
        raise RuntimeError(
            "A worker process was killed, probably since the memory was full: set a "
            "smaller n_jobs, and run it again. All scores in a journal and all runs "
            "in the folder of a study are kept."
        ) from error
