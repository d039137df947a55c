"""Methods of a fitted model, found through Pipelines and the class-list wrapper."""

from typing import Any

from sklearn.pipeline import Pipeline

from skal.answers._fixed_classes import FixedClasses


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
    inner = _inner(estimator)
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


def _inner(estimator: Any) -> Any:
    """Return the last step of a Pipeline or the model behind a class list, or None."""
    if isinstance(estimator, Pipeline):
        return estimator.steps[-1][1]
    return estimator.estimator if isinstance(estimator, FixedClasses) else None


def _method(estimator: Any, name: str) -> Any:
    """Return a method that takes the rows that the whole estimator takes."""
    if hasattr(estimator, name):
        return getattr(estimator, name)
    inner = _inner(estimator)
    if inner is None:
        raise AttributeError(f"{type(estimator).__name__} has no method {name!r}")
    method = _method(inner, name)
    if not isinstance(estimator, Pipeline):
        return method
    return lambda X, *args, **kwargs: method(
        estimator[:-1].transform(X), *args, **kwargs
    )


class _View:
    """A fitted estimator that also has the methods of the models inside it."""

    def __init__(self, estimator: Any) -> None:
        self._estimator = estimator

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_estimator":
            raise AttributeError(name)
        return _method(self._estimator, name)
