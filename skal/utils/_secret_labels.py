"""Labels that notice when a strategy reads them."""

import numpy as np

from skal.answers._needs import strategy_needs, works_from_nothing


class SecretLabel(str):
    """A label that raises an AssertionError if it is read while it is secret."""

    secret = False

    def __new__(cls, label):
        """Create a label that is not secret yet."""
        return super().__new__(cls, f"class {label}")

    def _reveal(self):
        if self.secret:
            raise AssertionError(
                "the strategy read the label of a row that is not labelled yet"
            )
        return str.__str__(self)

    def __eq__(self, other):
        return self._reveal() == str.__str__(other)

    def __lt__(self, other):
        return self._reveal() < str.__str__(other)

    def __gt__(self, other):
        return self._reveal() > str.__str__(other)

    def __hash__(self):
        return hash(self._reveal())

    def __str__(self):
        return self._reveal()

    def __repr__(self):
        return repr(self._reveal())


class Watched:
    """A wrapper of a strategy that keeps labels secret while the strategy runs."""

    def __init__(self, strategy, labels):
        self.strategy = strategy
        self.labels = labels
        self.needs = strategy_needs(strategy)
        self.from_nothing = works_from_nothing(strategy)

    def __sklearn_clone__(self):
        return self

    def get_params(self, deep=True):
        return {}

    def set_params(self):
        return self

    def fit(self, X, y=None, *, problem=None):
        self._in_secret(np.arange(len(self.labels)), "fit", X, y, problem=problem)
        return self

    def select(self, estimator, X, n, *, candidates=None, labelled=None):
        return self._in_secret(
            candidates, "select", estimator, X, n, candidates=candidates,
            labelled=labelled,
        )  # fmt: skip

    def _in_secret(self, rows, verb, *args, **kwargs):
        """Call a method of the strategy while the labels of some rows are secret."""
        for label in self.labels[rows]:
            label.secret = True
        try:
            return getattr(self.strategy, verb)(*args, **kwargs)
        finally:
            for label in self.labels[rows]:
                label.secret = False
