"""The linear layer that makes a classifier's predictions, and the inputs of it."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skal.answers._embedding import as_embedding
from skal.answers._inside import inside, rows_inside
from skal.answers._methods import get_method, has_method
from skal.answers._wrapper import name_of


class LinearHead(NamedTuple):
    """The last, linear layer of a fitted classifier.

    Parameters
    ----------
    model : fitted classifier
        The whole of it.
    coef : ndarray of shape (n_outputs, n_columns)
        There is one output per class, of which the highest is predicted; or a single
        one for two classes, whose sign decides.
    intercept : ndarray of shape (n_outputs,)
    """

    model: Any
    coef: NDArray[np.float64]
    intercept: NDArray[np.float64]

    def inputs(self, X: Any) -> Any:
        """Return what the layer is given for rows, shape (n_rows, n_columns).

        They are an array or csr matrix of finite numbers, dtype float32.
        """
        if has_method(self.model, "embed"):
            found = get_method(self.model, "embed")(X)
        else:
            found = _rows_of_last(self.model, X)
        return as_embedding(found, name_of(self.model))

    def predict(self, inputs: Any) -> NDArray[np.int64]:
        """Return the number of the class that is predicted for each row of inputs."""
        outputs = np.asarray(inputs @ self.coef.T) + self.intercept
        if outputs.shape[1] == 1:
            return (outputs[:, 0] > 0).astype(np.int64)
        return outputs.argmax(axis=1)


def linear_head(model: Any) -> LinearHead:
    """Return the linear layer that makes the predictions of a fitted classifier.

    Parameters
    ----------
    model : fitted classifier
        A linear classifier, a Pipeline that ends with one, or a net whose last layer is
        linear.

    Returns
    -------
    LinearHead

    Raises
    ------
    TypeError
        If it has no such layer.
    """
    last = model
    while inside(last) is not None:
        last = inside(last)
    found = _coefficients(last)
    if found is None:
        raise TypeError(
            f"{name_of(model)} has no linear layer that makes its predictions: choose "
            "a linear classifier, such as LogisticRegression, a Pipeline that ends "
            "with one, or a net that ends with a linear layer."
        )
    return LinearHead(model, *found)


def _coefficients(last: Any) -> tuple[NDArray, NDArray] | None:
    """Return the coefficients and intercepts of a classifier if it is linear."""
    if hasattr(last, "embed"):
        coef, intercept = _of_net(last)
    else:
        coef, intercept = getattr(last, "coef_", None), getattr(last, "intercept_", 0.0)
    n_classes = len(getattr(last, "classes_", ()))
    # An SVC has a row of coefficients for each pair of classes.
    is_by_pair = n_classes > 2 and hasattr(last, "decision_function_shape")
    if coef is None or is_by_pair:
        return None
    coef = coef.toarray() if sparse.issparse(coef) else np.atleast_2d(coef)
    if len(coef) != n_classes and (len(coef), n_classes) != (1, 2):
        return None
    intercept = np.broadcast_to(np.asarray(intercept, dtype=np.float64), len(coef))
    return coef.astype(np.float64), intercept


def _of_net(net: Any) -> tuple[Any, Any]:
    """Return weight and bias of the last linear layer of a net, or None and 0."""
    if not hasattr(net, "module_"):
        return None, 0.0
    layers = [m for m in net.module_.modules() if hasattr(m, "out_features")]
    if not layers:
        return None, 0.0
    weight, bias = layers[-1].weight, layers[-1].bias
    bias = 0.0 if bias is None else bias.detach().cpu().numpy()
    return weight.detach().cpu().numpy(), bias


def _rows_of_last(model: Any, X: Any) -> Any:
    """Return rows as the innermost model is given them."""
    while (inner := inside(model)) is not None:
        model, X = inner, rows_inside(model, X)
    return X
