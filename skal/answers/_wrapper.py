"""A view of an estimator: what it does not define itself, the estimator answers."""


class Wrapper:
    """Base class of views: any other attribute is the wrapped estimator's own.

    A subclass has the attribute `estimator`.
    """

    def __getattr__(self, name):
        # Without `estimator`, as while unpickling, there is nothing to ask.
        if name == "estimator" or (name.startswith("__") and name.endswith("__")):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return getattr(self.estimator, name)


def name_of(model):
    """Return the name of the user's class of estimator, behind any views of it.

    Parameters
    ----------
    model : estimator

    Returns
    -------
    str
    """
    while isinstance(model, Wrapper):
        model = model.estimator
    return type(model).__name__
