"""Errors in the words of the user: of a model that cannot answer a question."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sklearn.naive_bayes import CategoricalNB

from skal.answers._inside import inside
from skal.answers._wrapper import name_of


@contextmanager
def explained(model: Any) -> Iterator[None]:
    """Explain an error that comes up when a model is asked for answers.

    Parameters
    ----------
    model : fitted estimator
        The model that a strategy or a scorer asks in the block.

    Raises
    ------
    TypeError
        If a scorer finds that the model lacks a method: instead of scikit-learn's
        AttributeError, which names skal's view of the model.
    ValueError
        If `CategoricalNB` is given a category that it was not trained on.
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
    except IndexError as error:
        if not isinstance(_innermost(model), CategoricalNB):
            raise
        raise ValueError(
            "CategoricalNB is asked about a category that no labelled row has: set "
            "`min_categories` to the number of categories of each column."
        ) from error


def _innermost(model: Any) -> Any:
    inner = inside(model)
    return model if inner is None else _innermost(inner)
