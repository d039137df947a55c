"""Digests of texts, and of rows and labels in any container."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import numpy as np
from scipy import sparse

from skal.inputs._containers import is_frame


def short_digest(text: str | bytes) -> str:
    """Return a digest of a text, such as "<digest 0123456789abcdef>".

    Parameters
    ----------
    text : str or bytes

    Returns
    -------
    str
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return f"<digest {blake2b(raw, digest_size=8).hexdigest()}>"


def feed(state: Any, value: Any, describe: Callable[[Any], str]) -> None:
    """Feed a value to a hash, in a form that is different for different values.

    Parameters
    ----------
    state : hash object of hashlib
        It is updated.
    value : array, sparse matrix, data frame, list, or any other object
        The value to add.
    describe : callable
        `describe(value)` returns the text of any other object.
    """
    if sparse.issparse(value):
        value = value.tocsr().sorted_indices()
        value = ["sparse", value.shape, value.indptr, value.indices, value.data]
    elif is_frame(value):
        dtypes = [str(dtype) for dtype in value.dtypes]
        value = ["frame", list(map(str, value.columns)), dtypes, value.to_numpy()]
    elif hasattr(value, "__array__"):
        value = value.detach().cpu() if hasattr(value, "detach") else value
        value = np.asarray(value)
        if value.dtype.kind in "OUS":
            value = ["array", value.shape, value.ravel().tolist()]
    if isinstance(value, np.ndarray):
        state.update(f"{value.dtype.str}{value.shape}".encode())
        state.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, list | tuple):
        state.update(b"list %d " % len(value))
        for part in value:
            feed(state, part, describe)
    else:
        text = value if isinstance(value, str) else f"\0{describe(value)}"
        raw = text.encode("utf-8", "surrogatepass")
        state.update(b"text %d " % len(raw))
        state.update(raw)
