"""Honest figures of a session: the part that says how good the model is."""

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils.validation import check_scalar

from skal._threads import single_threaded
from skal.inputs._containers import take
from skal.labeling._advice import Advice, Stop
from skal.labeling._agreement import N_ROWS, Agreement, agreement
from skal.labeling._audit import N_FOLDS, CrossFit, Estimate
from skal.labeling._forecast import Curve, Forecast, is_enough
from skal.labeling._reports import Reports
from skal.labeling._verdict import replay
from skal.studies import Verdict


class Figures(Reports):
    """The part of a session that estimates, forecasts and compares."""

    def _cross_fit(self) -> CrossFit:
        """Return what scores models on the audit of now, kept while it is the same."""
        state = self._read()
        if not state.labels:
            raise ValueError("Nothing is labelled yet: answer some questions first.")
        if self._fit is None or self._fit[0] != state.n_events:
            X = self._rows.pool(state.ids)
            self._fit = state.n_events, CrossFit(self._models, X, state)
            self._known_curve = None
        return self._fit[1]

    def estimate(self) -> Estimate:
        """Return the score of the model on rows drawn at random, with its interval.

        The audit is a random sample of the whole pool. Its rows are used in training,
        but each is predicted by a model that was trained without it.

        Returns
        -------
        Estimate
            The accuracy with Wilson's interval; any other score with an interval of
            the bootstrap.

        Raises
        ------
        ValueError
            If nothing is labelled, or rows were not added in this process.
        """
        fit = self._cross_fit()
        return fit.scores(n_folds=N_FOLDS).estimate(fit.resamples())

    def forecast(self, n: int = 100) -> Forecast:
        """Return the score that more labels are expected to bring.

        A power law is fitted to the learning curve so far: scores on the audit of
        models that are trained on the first labels. It is fitted to resamples of the
        audit, too, for a band.

        Parameters
        ----------
        n : int, default=100
            Number of further labels.

        Returns
        -------
        Forecast

        Raises
        ------
        ValueError
            If there are too few labels, or rows were not added in this process.
        """
        check_scalar(n, "n", Integral, min_val=1)
        return self._curve().forecast(n)

    def needed(self, score: float) -> tuple[float, float, float]:
        """Return how many labels a score needs, as in `forecast`.

        Parameters
        ----------
        score : float
            The score to reach.

        Returns
        -------
        n, low, high : float
            The total number of labels, with bounds. Infinity where the learning curve
            ends below the score.

        Raises
        ------
        ValueError
            If there are too few labels, or rows were not added in this process.
        """
        return self._curve().needed(float(score))

    def _curve(self) -> Curve:
        fit = self._cross_fit()
        if self._known_curve is None:
            self._known_curve = Curve(fit, len(self._state.labels))
        return self._known_curve

    def agreement(self) -> Agreement:
        """Return how far the latest three models agree on rows drawn at random.

        Returns
        -------
        Agreement

        Raises
        ------
        ValueError
            If fewer than two models were trained, or rows were not added in this
            process.
        """
        state = self._read()
        refits = [one for one in state.refits if one.labels]
        if len(refits) < 2:
            raise ValueError(
                "Two models are needed to compare, and there are "
                f"{len(refits)}: label on, or call refit()."
            )
        X = self._rows.pool(state.ids)
        rows = take(X, np.sort(np.argsort(state.luck)[:N_ROWS]))
        with single_threaded():
            answers = [
                self._models.model(X, one.labels, state.classes).predict(rows)
                for one in refits
            ]
        return agreement(answers, state.target, state.seed)

    def verdict(
        self,
        strategy: Any = None,
        *,
        oracle: Any = None,
        n_seeds: int = 5,
        n_orders: int = 5,
        n_jobs: int | None = None,
    ) -> Verdict:
        """Return whether choosing has paid, by a replay on the labels at hand.

        `compare` runs the strategy and random choice on splits of the labelled rows,
        and tests on rows of the audit. Labelled rows that the strategy chose are in
        the pool of both, so the verdict is about these rows.

        Parameters
        ----------
        strategy : strategy, default=None
            The strategy of the session by default.
        oracle : oracle, default=None
            Searches the best order, such as `AnnealingOracle(n_steps=500)`, to show
            what choosing could still bring.
        n_seeds : int, default=5
            Number of splits.
        n_orders : int, default=5
            Number of random orders on each split.
        n_jobs : int or None, default=None
            Number of runs in parallel.

        Returns
        -------
        Verdict

        Raises
        ------
        ValueError
            If there are too few labels, or rows were not added in this process.
        """
        state = self._read()
        X = self._rows.pool(state.ids)
        strategy = self._models.given if strategy is None else strategy
        given = strategy, oracle, n_seeds, n_orders, n_jobs
        return replay(self._models, X, state, *given)

    def advice(self, stop: Stop | None = None, n: int = 100) -> Advice:
        """Return how good the model is, where labels lead, and whether to stop.

        Parameters
        ----------
        stop : Stop, default=None
            The rules to stop by; none by default.
        n : int, default=100
            Number of further labels to look ahead.

        Returns
        -------
        Advice
            Prints as a sentence. Without a number that needs more labels.

        Raises
        ------
        ValueError
            If nothing is labelled, or rows were not added in this process.
        """
        stop = Stop() if stop is None else stop
        estimate, forecast, agreed, needed = self.estimate(), None, None, None
        if is_enough(self._cross_fit().n, len(self._state.labels)):
            curve = self._curve()
            forecast = curve.forecast(n)
            needed = None if stop.target is None else curve.needed(stop.target)
        if sum(bool(one.labels) for one in self._state.refits) > 1:
            agreed = self.agreement()
        reasons = stop.reasons(estimate, forecast, agreed)
        return Advice(
            len(self._state.labels),
            estimate,
            forecast,
            agreed,
            needed,
            tuple(reasons),
        )
