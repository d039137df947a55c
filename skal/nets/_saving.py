"""Files of fitted nets: safetensors for the weights, JSON in its header for the rest.

Nothing in such a file can execute code when it is read, unlike a pickle.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes

from skal._files import replacing

# Errors that a damaged or forged file can cause, such as by deep JSON or huge sizes.
UNREADABLE = (
    *(SafetensorError, AttributeError, LookupError, TypeError, ValueError),
    *(ArithmeticError, MemoryError, RuntimeError),
)


def write(path: Any, tensors: dict[str, torch.Tensor], facts: dict[str, Any]) -> None:
    """Write a file atomically.

    Parameters
    ----------
    path : str or path-like
        Where to write the file.
    tensors : dict of str to tensor
        Tensors, such as weights, by name.
    facts : dict
        Numbers, strings, booleans, None, and lists, tuples, dicts or arrays of these.

    Raises
    ------
    TypeError
        If a value in `facts` has another type.
    """
    path = Path(path)
    # Copies, because safetensors rejects tensors that share memory (tied weights).
    tensors = {
        name: value.detach().cpu().clone().contiguous()
        for name, value in tensors.items()
    }
    text = json.dumps(_encode(facts, "facts"))
    header = json.dumps({"facts": text, "sha256": _digest(text, tensors)})
    with replacing(path) as file:
        file.write(to_bytes(tensors, metadata={"skal": header}))


def read(path: Any) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read a file written by `write`.

    Parameters
    ----------
    path : str or path-like
        The file to read.

    Returns
    -------
    tensors : dict of str to tensor
        Tensors by name.
    facts : dict
        The other values.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If the file is damaged, or was not written by `write`.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads(file.metadata()["skal"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if header["sha256"] != _digest(header["facts"], tensors):
            raise ValueError("its checksum is wrong")
        return tensors, _decode(json.loads(header["facts"]))
    except UNREADABLE as error:
        raise ValueError(
            f"{path} was not written by the save of a skal net, or it is damaged "
            f"({type(error).__name__}: {error}): save the net again."
        ) from error


def check_facts(facts: Any, cls: type) -> None:
    """Check that a file holds all that an estimator consists of, and nothing else.

    Parameters
    ----------
    facts : dict
        As returned by `read`.
    cls : type
        The class of the estimator.

    Raises
    ------
    ValueError
        If the class, the parameters or the fitted attributes are missing or of another
        type, or an attribute would replace one of the class.
    """
    kinds = {"class": str, "params": dict, "fitted": dict}
    for name, kind in kinds.items():
        if not isinstance(facts, dict) or not isinstance(facts.get(name), kind):
            raise ValueError(f"it has no {kind.__name__} {name!r}")
    for name in facts["fitted"]:
        is_fitted = isinstance(name, str) and name.endswith("_")
        if not is_fitted or name.startswith("__") or hasattr(cls, name):
            raise ValueError(f"{name!r} is not the name of a fitted attribute")


def _digest(text: str, tensors: dict[str, torch.Tensor]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _encode(value: Any, name: str) -> Any:
    """Convert a value to JSON types, and tag the types that JSON lacks."""
    if isinstance(value, dict):
        return {"dict": [[_encode(k, k), _encode(v, k)] for k, v in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [_encode(v, name) for v in value]}
    if isinstance(value, list):
        return [_encode(v, name) for v in value]
    if isinstance(value, np.ndarray):
        return {"array": _encode(value.tolist(), name), "dtype": value.dtype.str}
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(
        f"{name} is a {type(value).__name__}, which a file without pickle cannot hold: "
        "use numbers, strings, lists, tuples or dicts, or pickle the estimator."
    )


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return [_decode(v) for v in value]
    if not isinstance(value, dict):
        return value
    if "dict" in value:
        return {key: _decode(v) for key, v in value["dict"]}
    if "tuple" in value:
        return tuple(_decode(value["tuple"]))
    return np.array(_decode(value["array"]), dtype=np.dtype(value["dtype"]))
