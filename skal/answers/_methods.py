"""Methods of a fitted model, found through Pipelines and views of it."""

from typing import Any

from skal.answers._inside import inside, rows_inside
from skal.answers._wrapper import Wrapper, name_of


def has_method(estimator: Any, name: str) -> bool:
    """Return whether an estimator or the model inside it has a method.

    Parameters
    ----------
    estimator : estimator
        Fitted or not. The last step of a Pipeline and the model behind a class list
        count as well.
    name : str
        The name of a method, such as "embed".

    Returns
    -------
    bool
    """
    inner = inside(estimator)
    return hasattr(estimator, name) or (inner is not None and has_method(inner, name))


def with_methods(estimator: Any, names: tuple[str, ...]) -> Any:
    """Return an estimator that has all of some methods itself.

    Parameters
    ----------
    estimator : fitted estimator
    names : tuple of str
        Methods that `has_method` finds.

    Returns
    -------
    estimator
        The estimator itself if it has them all, and otherwise a view of it.
    """
    lacks = any(not hasattr(estimator, name) for name in names)
    return _View(estimator) if lacks else estimator


def get_method(estimator: Any, name: str) -> Any:
    """Return a method that takes the rows that the whole estimator takes.

    Parameters
    ----------
    estimator : fitted estimator
    name : str
        A method that `has_method` finds. Any other attribute of the model inside is
        returned as it is.

    Returns
    -------
    callable or object

    Raises
    ------
    AttributeError
        If there is no such attribute.
    """
    if hasattr(estimator, name):
        return getattr(estimator, name)
    inner = inside(estimator)
    if inner is None:
        raise AttributeError(f"{name_of(estimator)} has no method {name!r}")
    method = get_method(inner, name)
    if not callable(method):
        return method
    return lambda X, *args, **kwargs: method(rows_inside(estimator, X), *args, **kwargs)


class _View(Wrapper):
    """A fitted estimator that also has the methods of the models inside it."""

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "estimator":
            raise AttributeError(name)
        return get_method(self.estimator, name)
