"""Finds and reads checkpoints of transformers.

Only this file imports transformers, and only inside functions, because it is an
optional dependency and slow to import.
"""

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from skal._extras import install_hint

# Timeout, in seconds, of requests to the Hugging Face Hub, so that nothing hangs
# without a network.
_TIMEOUT = 10
_WEIGHTS = (".safetensors", ".bin")
_FACTS = (".json", ".txt", ".model", ".codes")


def import_transformers() -> Any:
    """Import transformers.

    Returns
    -------
    module
        The module `transformers`.

    Raises
    ------
    ImportError
        If transformers is not installed.
    """
    try:
        import transformers
    except ImportError as error:
        raise ImportError(
            "Transformers of skal.nets need transformers: install it with "
            f"{install_hint('text')}."
        ) from error
    return transformers


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the logging and progress bars of transformers in a block.

    It would warn about the new weights of the head with each checkpoint.
    """
    import_transformers()
    from transformers.utils import logging

    level, has_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    if has_bars:
        logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if has_bars:
            logging.enable_progress_bar()


def find_checkpoint(checkpoint: str | os.PathLike) -> str:
    """Return the folder of a checkpoint, downloading it if necessary.

    Parameters
    ----------
    checkpoint : str or path-like
        A folder, or a name on the Hugging Face Hub. After the first download, it is
        read from the Hub's cache without a network connection.

    Returns
    -------
    str
        The path of the folder.

    Raises
    ------
    OSError
        If the folder does not exist and the checkpoint cannot be downloaded.
    """
    import_transformers()
    from huggingface_hub.utils import validate_repo_id

    name = os.fspath(checkpoint)
    if os.path.isdir(name):
        return name
    try:
        validate_repo_id(name)
    except ValueError as error:
        raise OSError(
            f"There is no folder {name!r}: give one that holds a checkpoint, or a name "
            "on the Hugging Face Hub, such as 'roberta-base'."
        ) from error
    return _cached(name) or _downloaded(name)


def _cached(name: str) -> str | None:
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(name, local_files_only=True)
    except OSError:
        return None
    is_whole = any(file.suffix in _WEIGHTS for file in Path(folder).iterdir())
    return folder if is_whole else None


def _downloaded(name: str) -> str:
    import huggingface_hub as hub

    try:
        # A single request first: a download would retry for half a minute.
        files = hub.model_info(name, timeout=_TIMEOUT).siblings or []
        needed = needed_files(file.rfilename for file in files)
        return hub.snapshot_download(name, allow_patterns=needed)
    # Network errors have a different type in each library.
    except Exception as error:
        raise OSError(
            f"The checkpoint {name!r} is not a folder here, was not downloaded before, "
            f"and cannot be downloaded now ({_reason(error)}): give a folder that "
            f"contains a checkpoint, or run `hf download {name}` once with a network."
        ) from error


def needed_files(names: Iterable[str]) -> list[str]:
    """Return the files of a repository that are needed to load a checkpoint.

    Many repositories contain the same weights for several libraries.

    Parameters
    ----------
    names : iterable of str
        All files of the repository.

    Returns
    -------
    list of str
        The needed files.

    Examples
    --------
    >>> from skal.nets.transformer._checkpoint import needed_files
    >>> needed_files(["config.json", "model.safetensors", "pytorch_model.bin",
    ...               "tf_model.h5", "onnx/model.onnx", "vocab.txt"])
    ['config.json', 'model.safetensors', 'vocab.txt']
    """
    top = [name for name in names if "/" not in name]
    safe, pickled = _WEIGHTS
    weights = safe if any(name.endswith(safe) for name in top) else pickled
    return [name for name in top if name.endswith((*_FACTS, weights))]


@lru_cache(maxsize=32)
def _hashed(files: tuple[tuple[str, int, int], ...]) -> bytes:
    """Return a digest of files, given by path, size and time of the last change."""
    state = blake2b(digest_size=16)
    for path, size, _ in files:
        state.update(f"{Path(path).name} {size} ".encode())
        with open(path, "rb") as file:
            while block := file.read(2**20):
                state.update(block)
    return state.digest()


def fingerprint_of(folder: str) -> bytes:
    """Return a digest of the files of a checkpoint.

    Parameters
    ----------
    folder : str
        The folder of the checkpoint.

    Returns
    -------
    bytes
        The same for a copy of the checkpoint in another folder. Files are read only
        once in a process, unless they change.

    Raises
    ------
    OSError
        If the folder does not exist any more.
    """
    files = sorted(
        path
        for path in Path(folder).iterdir()
        if path.name.endswith((*_FACTS, *_WEIGHTS))
    )
    stats = [(str(path), path.stat()) for path in files]
    return _hashed(tuple((path, one.st_size, one.st_mtime_ns) for path, one in stats))


def read_facts(
    folder: str, *, is_classifier: bool = True
) -> tuple[dict[str, Any], Any]:
    """Read the config and the tokenizer of a checkpoint.

    Parameters
    ----------
    folder : str
        The folder of the checkpoint.
    is_classifier : bool, default=True
        Whether transformers must have a sequence classifier for it.

    Returns
    -------
    config : dict
        The architecture.
    tokenizer : transformers.PreTrainedTokenizerBase
        The tokenizer.

    Raises
    ------
    ValueError
        If the folder is damaged, lacks a file, or has no sequence classifier.
    """
    auto = import_transformers()
    with reading(folder, "config.json"):
        config = auto.AutoConfig.from_pretrained(folder, trust_remote_code=False)
    known = auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING
    if is_classifier and type(config) not in known:
        raise ValueError(
            f"The checkpoint {folder} is a model of type {config.model_type!r}, for "
            "which transformers has no sequence classifier: choose another."
        )
    tokenizer = _read_tokenizer(folder)
    files = getattr(tokenizer, "vocab_files_names", {}).values()
    # Without its files, transformers would create one with only special tokens.
    if files and not any(Path(folder, file).exists() for file in files):
        raise ValueError(
            f"The checkpoint {folder} has no tokenizer ({' or '.join(files)}): save "
            "the model's own tokenizer there, too, with its save_pretrained."
        )
    facts = config.to_dict()
    # Drop the path and the class labels of the checkpoint, which do not apply here.
    for name in ("_name_or_path", "id2label", "label2id"):
        facts.pop(name, None)
    return facts, tokenizer


def _read_tokenizer(folder: str) -> Any:
    auto = import_transformers()
    with reading(folder, "tokenizer"):
        return auto.AutoTokenizer.from_pretrained(
            folder, trust_remote_code=False, local_files_only=True
        )


def token_numbers(
    tokenizer: Any, texts: list[str], length: int | None
) -> list[list[int]]:
    """Return the token numbers of each text.

    Parameters
    ----------
    tokenizer : transformers.PreTrainedTokenizerBase
        The tokenizer.
    texts : list of str
        The texts.
    length : int or None
        Maximum number of tokens, including special tokens; longer texts are truncated.

    Returns
    -------
    list of list of int
        The token numbers.
    """
    # Replace lone surrogates, from texts cut in the middle of a pair: they are invalid.
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    with quiet():
        return tokenizer(
            texts, truncation=length is not None, max_length=length, padding=False,
            return_attention_mask=False, return_token_type_ids=False,
        )["input_ids"]  # fmt: skip


def tokenizer_to_files(tokenizer: Any) -> dict[str, bytes]:
    """Return the files of a tokenizer.

    Parameters
    ----------
    tokenizer : transformers.PreTrainedTokenizerBase
        The tokenizer.

    Returns
    -------
    dict of str to bytes
        The content of each file, by name.
    """
    # Reset the truncation of the last call, which would be saved, too.
    tokenizer("", truncation=False, padding=False)
    with tempfile.TemporaryDirectory() as folder, quiet():
        tokenizer.save_pretrained(folder)
        files = sorted(Path(folder).iterdir())
        return {file.name: file.read_bytes() for file in files if file.is_file()}


def tokenizer_from_files(files: dict[str, bytes], config: dict[str, Any]) -> Any:
    """Return a tokenizer from the result of `tokenizer_to_files`.

    Parameters
    ----------
    files : dict of str to bytes
        The content of each file, by name.
    config : dict
        The config of its model.

    Returns
    -------
    transformers.PreTrainedTokenizerBase
        The tokenizer.

    Raises
    ------
    ValueError
        If the files do not define a tokenizer.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.json").write_text(json.dumps(config))
        for name, content in files.items():
            # Only the last part of a name, so that no file is written elsewhere.
            Path(folder, Path(name).name).write_bytes(content)
        return _read_tokenizer(folder)


@contextmanager
def reading(folder: str, part: str) -> Iterator[None]:
    """Raise an error that names the checkpoint and the part that cannot be read.

    Parameters
    ----------
    folder : str
        The folder of the checkpoint.
    part : str
        The part that is read in the block.

    Raises
    ------
    ValueError
        If the block raises any exception.
    """
    try:
        with quiet():
            yield
    # transformers passes on at least six types of exceptions from other libraries.
    except Exception as error:
        raise ValueError(
            f"The {part} of the checkpoint {folder} cannot be read ({_reason(error)}): "
            "download or save the checkpoint again, or give another."
        ) from error


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text if len(text) <= 150 else text[:147] + '...'}"
