"""Torch's errors about modules, with advice on what to change."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def explained(module: type) -> Iterator[None]:
    """Say what to change about a module if torch cannot train it.

    Parameters
    ----------
    module : type
        Class of the module that is built or trained in the block.

    Raises
    ------
    ValueError
        If it has no parameters to train, or its batch norm is given a single value.
    """
    try:
        yield
    except (RuntimeError, ValueError) as error:
        text = str(error)
        if "empty parameter list" in text or "does not require grad" in text:
            raise ValueError(nothing_to_train(module)) from error
        if "more than 1 value per channel" in text:
            raise ValueError(
                f"The batch norm of {module.__name__} needs minibatches of at least 2 "
                "rows: choose a larger batch_size, and label at least 2 rows before "
                "the first training."
            ) from error
        raise


def nothing_to_train(module: type) -> str:
    """Return the message about a module without trainable parameters."""
    return (
        f"{module.__name__} has nothing to train: give it a layer with parameters "
        "that are not frozen, and do not detach its logits."
    )
