"""Advice on when to stop labelling: numbers, and one plain sentence."""

from typing import NamedTuple

import numpy as np

from skal.labeling._agreement import Agreement
from skal.labeling._audit import Estimate
from skal.labeling._forecast import Forecast


class Stop(NamedTuple):
    """When labelling may stop. Each rule that is given is enough by itself.

    Parameters
    ----------
    target : float, default=None
        Stop when the lower bound of the score reaches this score.
    worth : float, default=None
        The worth of one more point of the score (from 0 to 1), in any currency. Stop
        when the upper bound of the gain of the next labels is worth less than they
        cost.
    cost : float, default=1.0
        The cost of a label, in the same currency.
    agreement : float, default=None
        Stop when the lower bound of the agreement of successive models reaches this
        number, such as 0.99.

    See Also
    --------
    Advice : The figures, and the reasons to stop.
    LabelingSession.advice : Applies the rules to a session.

    Examples
    --------
    >>> from skal.labeling import Stop
    >>> Stop(target=0.9)
    Stop(target=0.9, worth=None, cost=1.0, agreement=None)
    """

    target: float | None = None
    worth: float | None = None
    cost: float = 1.0
    agreement: float | None = None

    def reasons(
        self,
        estimate: Estimate,
        forecast: Forecast | None,
        agreement: Agreement | None,
    ) -> list[str]:
        """Return the reasons to stop, by the rules that are given.

        Parameters
        ----------
        estimate : Estimate
            The score now.
        forecast : Forecast or None
            The gain of further labels; None if it is not known.
        agreement : Agreement or None
            The agreement of the latest models; None if it is not known.

        Returns
        -------
        list of str
            Empty if no rule says so.
        """
        found = []
        if self.target is not None and estimate.low >= self.target:
            found.append(f"the score is at least {self.target:g}")
        if self.worth is not None and forecast is not None:
            worth, cost = forecast.gain_high * self.worth, forecast.n_more * self.cost
            if worth < cost:
                found.append(
                    f"{forecast.n_more} more labels cost {cost:g} and bring at most "
                    f"{max(0.0, worth):g}"
                )
        known = -np.inf if agreement is None else agreement.low
        if self.agreement is not None and known >= self.agreement:
            found.append(f"models agree by at least {self.agreement:g}")
        return found


class Advice(NamedTuple):
    """How good the model is, where more labels lead, and whether to stop.

    Parameters
    ----------
    n_labels : int
        Number of labels so far.
    estimate : Estimate
        The score of the model on rows that were drawn at random.
    forecast : Forecast or None
        The score with more labels; None while there are too few.
    agreement : Agreement or None
        Whether the latest models agree; None before the second.
    needed : (float, float, float) or None
        Number of labels at which the target is reached, with bounds; None without a
        target or a forecast.
    reasons : tuple of str
        The reasons to stop.

    See Also
    --------
    Stop : The rules.
    LabelingSession.advice : Returns it.

    Examples
    --------
    >>> from skal.labeling import Advice, Estimate, Stop
    >>> estimate = Estimate(score=0.95, low=0.91, high=0.98, n=120)
    >>> reasons = Stop(target=0.9).reasons(estimate, None, None)
    >>> print(Advice(400, estimate, None, None, None, reasons))
    With 400 labels the score is 0.950, between 0.910 and 0.980 (95 %), from 120 rows
    drawn at random: stop, since the score is at least 0.9.
    """

    n_labels: int
    estimate: Estimate
    forecast: Forecast | None
    agreement: Agreement | None
    needed: tuple[float, float, float] | None
    reasons: tuple[str, ...]

    @property
    def stop(self) -> bool:
        """Return whether a rule says to stop."""
        return bool(self.reasons)

    def __str__(self) -> str:
        parts = [f"With {self.n_labels} labels the score is {self.estimate}"]
        parts += [str(one) for one in (self.forecast, self.agreement) if one]
        if self.needed is not None:
            n, low, high = (
                f"{x:.0f}" if np.isfinite(x) else "never" for x in self.needed
            )
            parts.append(
                f"the learning curve reaches the target at {n} labels ({low} to {high})"
            )
        return "; ".join(parts) + f": {self._what_to_do()}."

    def _what_to_do(self) -> str:
        if self.stop:
            return f"stop, since {' and '.join(self.reasons)}"
        if self.needed is not None and self.needed[0] <= self.n_labels:
            return "go on, since the score may still be below the target"
        return "go on"
