"""Errors of a scorer that asks a model for what it lacks."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from skal.answers._wrapper import name_of


@contextmanager
def naming_what_lacks(model: Any) -> Iterator[None]:
    """Name the user's estimator if a scorer finds that a model lacks a method.

    Parameters
    ----------
    model : fitted estimator
        The model that is scored in the block.

    Raises
    ------
    TypeError
        Instead of scikit-learn's AttributeError, which names the class of `model`.
    """
    try:
        yield
    except AttributeError as error:
        _, found, methods = str(error).partition("none of the following attributes: ")
        if not found:
            raise
        raise TypeError(
            f"The scorer needs a method that {name_of(model)} lacks "
            f"({methods.rstrip('.')}): choose another `scoring`, or an estimator that "
            "has it (CalibratedClassifierCV adds predict_proba to any classifier)."
        ) from error
