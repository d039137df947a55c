"""The base class of lean forms."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skal.lean._numbers import as_numbers


class LeanForm(ABC):
    """A classifier's training and answers, without checks of rows and parameters.

    Attributes
    ----------
    kind : type
        The class of estimator that it stands for; a subclass of it is not served.
    methods : tuple of str
        The methods of the estimator that it answers.
    any_order : bool
        Whether it takes rows in any memory order. The same numbers in another order are
        summed in another order, which changes the last bits.
    tolerance : float
        Largest difference of its answers from the estimator's own, relative to the
        largest answer; 0 if they are the same bits. Predicted labels are the same
        unless two classes tie within the tolerance.
    """

    kind: ClassVar[type]
    methods: ClassVar[tuple[str, ...]] = (
        "predict",
        "predict_proba",
        "decision_function",
    )
    any_order: ClassVar[bool] = False
    tolerance: ClassVar[float] = 0.0

    def numbers(self, X: Any, *, known_finite: bool = False) -> NDArray | None:
        """Return rows as it takes them; None if it does not take them."""
        found = as_numbers(X, known_finite=known_finite)
        if found is None or self.any_order or found.flags.c_contiguous:
            return found
        return np.ascontiguousarray(found) if self.tolerance else None

    @abstractmethod
    def suits(self, estimator: Any) -> bool:
        """Return whether it can train an estimator with these parameters.

        Parameters
        ----------
        estimator : estimator
            An unfitted estimator, of class `kind`.

        Returns
        -------
        bool
        """

    @abstractmethod
    def fit(
        self, model: Any, X: NDArray, codes: NDArray[np.int64], classes: NDArray
    ) -> None:
        """Train, and set the attributes on the model that its `fit` would set.

        Parameters
        ----------
        model : estimator
            An unfitted estimator that may be changed.
        X : ndarray of shape (n_rows, n_features), dtype float64 or float32
            The labelled rows, finite, and C-contiguous unless it takes any order. They
            must not be changed.
        codes : ndarray of shape (n_rows,)
            The labels, as positions in `classes`. Each class has a row.
        classes : ndarray of shape (n_classes,)
            The classes of the rows, sorted; at least two.
        """

    @abstractmethod
    def look(self, model: Any, X: NDArray) -> NDArray:
        """Look at rows once, for all answers.

        Parameters
        ----------
        model : fitted estimator
        X : ndarray of shape (n_rows, n_features), dtype float64 or float32
            Finite, and C-contiguous unless it takes any order.

        Returns
        -------
        ndarray of shape (n_rows, ...)
            All that `answer` needs to know of each row.
        """

    @abstractmethod
    def answer(self, model: Any, seen: NDArray, method: str) -> NDArray:
        """Return the answers of one of the estimator's methods.

        Parameters
        ----------
        model : fitted estimator
        seen : ndarray of shape (n_rows, ...)
            As returned by `look`, or some rows of it.
        method : str
            One of `methods`.

        Returns
        -------
        ndarray of shape (n_rows, ...)
            As the method returns them. `seen` is unchanged.
        """
