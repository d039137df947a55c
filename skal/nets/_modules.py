"""The MLP module, and checks of the parameters of a module's constructor."""

import difflib
import inspect
import math
from collections.abc import Iterable
from numbers import Integral
from typing import Any

from torch import nn

# Constructor parameters that are set from the data.
DATA_PARAMS = ("n_classes", "n_outputs", "input_shape")
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class MLP(nn.Module):
    """A multilayer perceptron with ReLU and dropout after each hidden layer.

    Parameters
    ----------
    n_classes : int
        Number of logits, or of numbers to predict.

    input_shape : tuple of int
        Shape of one row; it is flattened.

    hidden : int or tuple of int, default=(100,)
        Width of each hidden layer.

    dropout : float, default=0.0
        Probability of dropping a hidden unit during training.

    See Also
    --------
    TorchClassifier : Trains a module as a scikit-learn classifier.
    TorchRegressor : Trains a module as a scikit-learn regressor.

    Examples
    --------
    >>> import torch
    >>> from skal.nets import MLP
    >>> MLP(n_classes=3, input_shape=(4,), hidden=8)(torch.zeros(2, 4)).shape
    torch.Size([2, 3])
    """

    def __init__(self, n_classes, input_shape, hidden=(100,), dropout=0.0):
        super().__init__()
        widths = _widths(hidden)
        layers = [nn.Flatten()]
        n_inputs = math.prod(input_shape)
        for width in widths:
            layers += [nn.Linear(n_inputs, width), nn.ReLU(), nn.Dropout(dropout)]
            n_inputs = width
        self.layers = nn.Sequential(*layers, nn.Linear(n_inputs, n_classes))

    def forward(self, X):
        """Return the logits.

        Parameters
        ----------
        X : tensor of shape (n_rows, ...)
            Rows to classify.

        Returns
        -------
        tensor of shape (n_rows, n_classes)
            The logits.
        """
        return self.layers(X)


def _widths(hidden: Any) -> tuple[int, ...]:
    """Return the widths of hidden layers, or raise an error for an invalid one."""
    widths = hidden if isinstance(hidden, Iterable) else (hidden,)
    widths = tuple(widths)
    if not all(isinstance(one, Integral) and int(one) >= 1 for one in widths):
        raise ValueError(
            f"hidden must be a positive int or a tuple of them, got {hidden!r}: give "
            "the width of each hidden layer, such as (100,)."
        )
    return widths


def defaults(module: Any) -> dict[str, Any]:
    """Return the default values of a constructor, except those set from the data.

    Parameters
    ----------
    module : type
        Class of a module. Any other object has no defaults.

    Returns
    -------
    dict of str to default
    """
    found = _signature(module)
    return {
        name: found[name].default
        for name in _settable(module)
        if found[name].default is not inspect.Parameter.empty
    }


def check_module(module: Any, params: dict[str, Any]) -> None:
    """Raise an error unless `module` is a module class that accepts the parameters.

    Parameters
    ----------
    module : type
        Class of a module.
    params : dict
        Parameters of its constructor.

    Raises
    ------
    TypeError
        If `module` is not a class, for example an instance of a module.
    ValueError
        If its constructor does not accept the number of outputs, as `n_classes` or
        `n_outputs`, or one of the parameters.
    """
    if not _is_module(module):
        raise TypeError(
            "module must be a class, since each fit builds a new module and an "
            f"instance would continue from its old weights: pass {_class(module)} "
            "itself, and its parameters in module_params."
        )
    names = _signature(module)
    takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in names.values())
    if not takes_any and "n_classes" not in names and "n_outputs" not in names:
        raise ValueError(
            f"{module.__name__} must take n_classes, the number of logits, or "
            "n_outputs: add it to the parameters of its constructor."
        )
    unknown = sorted(set(params) - set(_settable(module)))
    if unknown and not takes_any:
        raise ValueError(_suggestion(module, unknown[0]))


def check_complete(module: Any, params: dict[str, Any]) -> None:
    """Raise an error unless all parameters without a default are given.

    Parameters
    ----------
    module : type
        Class of a module.
    params : dict
        Parameters of its constructor, apart from the ones set from the data.

    Raises
    ------
    ValueError
        If a parameter is missing.
    """
    missing = [
        name
        for name in _settable(module)
        if name not in params and name not in defaults(module)
    ]
    if missing:
        raise ValueError(
            f"{module.__name__} needs the parameter {missing[0]!r}, which has no "
            f"default: give it, as in module_params={{{missing[0]!r}: ...}}."
        )


def data_params(
    module: Any, n_outputs: int, input_shape: tuple[int, ...]
) -> dict[str, Any]:
    """Return the constructor parameters that are set from the data.

    Parameters
    ----------
    module : type
        Class of a module.
    n_outputs : int
        Number of classes, or of numbers to predict.
    input_shape : tuple of int
        Shape of one row.

    Returns
    -------
    dict
        The number of outputs as `n_outputs` or, if the constructor does not name this
        one, as `n_classes`; and `input_shape` if it accepts it.
    """
    names = _signature(module)
    found: dict[str, Any] = {
        "n_outputs" if "n_outputs" in names else "n_classes": n_outputs
    }
    return found | ({"input_shape": input_shape} if "input_shape" in names else {})


def _signature(module: Any) -> dict[str, inspect.Parameter]:
    if not _is_module(module):
        return {}
    return dict(inspect.signature(module).parameters)


def _settable(module: Any) -> list[str]:
    return [
        name
        for name, parameter in _signature(module).items()
        if name not in DATA_PARAMS and parameter.kind not in _VARIADIC
    ]


def _is_module(module: Any) -> bool:
    return isinstance(module, type) and issubclass(module, nn.Module)


def _class(module: Any) -> str:
    return type(module).__name__ if isinstance(module, nn.Module) else "the class"


def _suggestion(module: Any, name: str) -> str:
    known = _settable(module)
    if name in DATA_PARAMS:
        return f"{name} follows from the data: leave it out of module_params."
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return (
            f"{module.__name__} has no parameter {name!r}: did you mean {close[0]!r}?"
        )
    listed = ", ".join(known) or "none"
    return f"{module.__name__} has no parameter {name!r}: choose among {listed}."
