"""Parameters that name all classes, while some class is not labelled yet."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Parameters with a number for each class in turn, and those with one per named class.
LISTS = ("priors", "class_prior", "class_weights")
MAPPINGS = ("class_weight", "class_weights")


class ClassParameters:
    """The parameters of an estimator that name the classes of a run.

    Parameters
    ----------
    estimator : estimator
        The estimator to train.
    classes : ndarray of shape (n_classes,)
        The class list of the run.
    """

    def __init__(self, estimator: Any, classes: NDArray) -> None:
        self.classes = classes
        self.lists: list[str] = []
        self.mappings: dict[str, dict] = {}
        for name, value in estimator.get_params(deep=True).items():
            short = name.rpartition("__")[2]
            if short in MAPPINGS and isinstance(value, dict):
                self.mappings[name] = value
            elif short in LISTS and np.shape(value) == (len(classes),):
                self.lists.append(name)
        self.names = [*self.lists, *self.mappings]

    @contextmanager
    def checked(self, y: Any) -> Iterator[None]:
        """Name the class that is not labelled, where a training fails for want of it.

        A list with a number for each class is refused before the training: estimators
        would take them for the numbers of the labelled classes.

        Parameters
        ----------
        y : labels
            The labels that the estimator is trained on in the block.

        Raises
        ------
        ValueError
            If a parameter names a class that is not labelled yet, and the estimator
            cannot be trained for this reason.
        """
        missing = self._missing(y) if self.lists else []
        if missing:
            raise ValueError(self._sentence(self.lists[0], missing))
        try:
            yield
        except Exception as error:
            for name, weights in self.mappings.items():
                unlabelled = [label for label in self._missing(y) if label in weights]
                if unlabelled:
                    raise ValueError(self._sentence(name, unlabelled)) from error
            raise

    def _missing(self, y: Any) -> list[Any]:
        """Return the classes without a label."""
        return self.classes[~np.isin(self.classes, y)].tolist()

    def _sentence(self, name: str, missing: list[Any]) -> str:
        return (
            f"{name} names all classes, and {', '.join(map(repr, missing))} is not "
            f"labelled yet: leave {name} out, or give a warm start with rows of every "
            "class."
        )
