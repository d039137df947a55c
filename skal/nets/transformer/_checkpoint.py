"""Checkpoints of transformers: where they are, and what is read from them.

transformers is imported here alone, and in functions: it is an extra, and slow to
import.
"""

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from skal._extras import install_hint

# Seconds to wait for the Hugging Face Hub, so that nothing hangs where it is out of
# reach.
_TIMEOUT = 10
_WEIGHTS = (".safetensors", ".bin")
_FACTS = (".json", ".txt", ".model", ".codes")


def import_transformers() -> Any:
    """Import transformers.

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        import transformers
    except ImportError as error:
        raise ImportError(
            "TransformerClassifier needs transformers: install it with "
            f"{install_hint('text')}."
        ) from error
    return transformers


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from logging and from drawing progress bars in a block.

    That a new head's weights are new, which it reports of each checkpoint it reads, is
    how it should be.
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
    """Return the folder of a checkpoint, which is downloaded if it never was.

    Parameters
    ----------
    checkpoint : str or path-like
        A folder, or a name on the Hugging Face Hub. Once downloaded, it is read from
        the Hub's cache, without a look at the network.

    Returns
    -------
    str

    Raises
    ------
    OSError
        If there is no such folder and it cannot be downloaded.
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
        # Asked once and first: a download tries again and again for half a minute.
        files = hub.model_info(name, timeout=_TIMEOUT).siblings or []
        needed = needed_files(file.rfilename for file in files)
        return hub.snapshot_download(name, allow_patterns=needed)
    # Whatever goes wrong in a network, and each library has its own names for it.
    except Exception as error:
        raise OSError(
            f"The checkpoint {name!r} is no folder here, was not downloaded before, "
            f"and cannot be downloaded now ({_reason(error)}): give a folder that "
            f"holds a checkpoint, or run `hf download {name}` once with a network."
        ) from error


def needed_files(names: Iterable[str]) -> list[str]:
    """Return what a checkpoint is read from, of all files of a repository.

    Many repositories hold the same weights for several libraries.

    Parameters
    ----------
    names : iterable of str

    Returns
    -------
    list of str

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


def read_facts(folder: str) -> tuple[dict[str, Any], Any]:
    """Read all of a checkpoint but its weights.

    Parameters
    ----------
    folder : str

    Returns
    -------
    config : dict
        What describes its architecture.
    tokenizer : transformers.PreTrainedTokenizerBase

    Raises
    ------
    ValueError
        If the folder is damaged, lacks a file, or holds no model of sentences.
    """
    auto = import_transformers()
    with reading(folder, "config.json"):
        config = auto.AutoConfig.from_pretrained(folder, trust_remote_code=False)
    if type(config) not in auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING:
        raise ValueError(
            f"The checkpoint {folder} is a model of type {config.model_type!r}, which "
            "transformers has no classifier of sentences for: choose another."
        )
    tokenizer = _read_tokenizer(folder)
    files = getattr(tokenizer, "vocab_files_names", {}).values()
    # Without its files, transformers makes one that knows the special tokens alone.
    if files and not any(Path(folder, file).exists() for file in files):
        raise ValueError(
            f"The checkpoint {folder} has no tokenizer ({' or '.join(files)}): save "
            "the model's own there too, with its save_pretrained."
        )
    facts = config.to_dict()
    # Where it was read, and the classes of the checkpoint, which are others.
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
    """Return the numbers of the tokens of each text.

    Parameters
    ----------
    tokenizer : transformers.PreTrainedTokenizerBase
    texts : list of str
    length : int or None
        Texts are cut off so that there are at most so many, special ones counted.

    Returns
    -------
    list of list of int
    """
    # Half of a surrogate pair, as a text cut in the wrong place has, is no character.
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    with quiet():
        return tokenizer(
            texts, truncation=length is not None, max_length=length, padding=False,
            return_attention_mask=False, return_token_type_ids=False,
        )["input_ids"]  # fmt: skip


def tokenizer_to_files(tokenizer: Any) -> dict[str, bytes]:
    """Return what a tokenizer is made of.

    Parameters
    ----------
    tokenizer : transformers.PreTrainedTokenizerBase

    Returns
    -------
    dict of str to bytes
        The content of each file.
    """
    # It remembers at which length it cut off last, which would be written too.
    tokenizer("", truncation=False, padding=False)
    with tempfile.TemporaryDirectory() as folder, quiet():
        tokenizer.save_pretrained(folder)
        files = sorted(Path(folder).iterdir())
        return {file.name: file.read_bytes() for file in files if file.is_file()}


def tokenizer_from_files(files: dict[str, bytes], config: dict[str, Any]) -> Any:
    """Return the tokenizer that `tokenizer_to_files` was given.

    Parameters
    ----------
    files : dict of str to bytes
    config : dict
        The config of its model.

    Returns
    -------
    transformers.PreTrainedTokenizerBase

    Raises
    ------
    ValueError
        If the files make no tokenizer.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.json").write_text(json.dumps(config))
        for name, content in files.items():
            # A name in a file never decides which folder is written to.
            Path(folder, Path(name).name).write_bytes(content)
        return _read_tokenizer(folder)


@contextmanager
def reading(folder: str, part: str) -> Iterator[None]:
    """Say which part of which checkpoint could not be read in a block.

    Parameters
    ----------
    folder : str
    part : str

    Raises
    ------
    ValueError
        If anything is raised in the block.
    """
    try:
        with quiet():
            yield
    # transformers raises what the libraries below it raise: at least six kinds.
    except Exception as error:
        raise ValueError(
            f"The {part} of the checkpoint {folder} cannot be read ({_reason(error)}): "
            "download or save the checkpoint again, or give another."
        ) from error


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text if len(text) <= 150 else text[:147] + '...'}"
