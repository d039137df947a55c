"""Strategies of skal as query strategies of scikit-activeml."""

import numpy as np
from skactiveml.base import SingleAnnotatorPoolQueryStrategy
from skactiveml.utils import is_labeled
from sklearn.base import clone

from skal.seeding import as_seed, set_random_states, stream
from skal.strategies._base import Labelled


class SkalQueryStrategy(SingleAnnotatorPoolQueryStrategy):
    """A query strategy that asks a strategy of skal.

    Parameters
    ----------
    strategy : strategy
        Chooses the rows.
    missing_label : scalar, str, None or NaN, default=np.nan
        The label of rows that are not labelled.
    random_state : int, RandomState instance or None, default=None
        Seeds the strategy.
    """

    def __init__(self, strategy, missing_label=np.nan, random_state=None):
        super().__init__(missing_label=missing_label, random_state=random_state)
        self.strategy = strategy

    def query(
        self,
        X,
        y,
        clf=None,
        fit_clf=True,
        candidates=None,
        batch_size=1,
        return_utilities=False,
    ):
        """Return the rows to label next.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Labelled and unlabelled rows.
        y : array-like of shape (n_samples,)
            Their labels, or the missing label.
        clf : classifier of scikit-activeml or None, default=None
            The model, for strategies that need one.
        fit_clf : bool, default=True
            Whether to train `clf` on the labelled rows.
        candidates : array-like of int or None, default=None
            Positions to choose from; all unlabelled rows by default.
        batch_size : int, default=1
            Number of rows to choose.
        return_utilities : bool, default=False
            Must be False.

        Returns
        -------
        ndarray of shape (batch_size,), dtype int64
            Positions in `X`, best first.

        Raises
        ------
        ValueError
            If utilities are asked for, or candidates are given as rows.
        """
        X, y, candidates, batch_size, return_utilities = self._validate_data(
            X, y, candidates, batch_size, return_utilities, reset=True
        )
        _, candidates = self._transform_candidates(candidates, X, y)
        if return_utilities or candidates is None:
            raise ValueError(
                "A strategy of skal returns positions in X and no utilities: name "
                "the candidates by position, and leave return_utilities False."
            )
        if clf is not None and fit_clf:
            clf = clone(clf).fit(X, y)
        known = np.flatnonzero(is_labeled(y, self.missing_label_))
        rng = stream(as_seed(self.random_state_))
        strategy = set_random_states(clone(self.strategy), rng, only_unset=True)
        return strategy.fit(X).select(
            clf,
            X,
            batch_size,
            candidates=candidates,
            labelled=Labelled(X[known], y[known], known),
        )
