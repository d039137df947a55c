"""The learning curve of a labelling session, and where it leads."""

import numpy as np

from skal.plotting._axes import get_axes, legend_beside
from skal.plotting._style import COLOURS

# Numbers of further labels at which the forecast is drawn.
N_POINTS = 30


class ForecastDisplay:
    """Score against the number of labels of a session, so far and to come.

    Dots are scores on the audit of models that were trained on the first labels. The
    line is the power law through them: solid so far, dashed for labels to come, with a
    band of 95 %. The bar is the score of the latest model with its interval of 95 %.

    Use `from_session` to create a display.

    Parameters
    ----------
    forecasts : list of Forecast
        Forecasts of one session for ascending numbers of further labels.
    estimate : Estimate
        The score of the latest model.
    target : float or None, default=None
        A score to reach.
    score_name : str, default="Score on the audit"
        Label of the vertical axis.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curve.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    line_, ahead_ : matplotlib Line2D
        The power law so far, and for labels to come.
    band_ : matplotlib collection
        The band of the forecast.

    See Also
    --------
    skal.LabelingSession.forecast : The numbers of one forecast.
    PerformanceCurveDisplay : Curves of simulated runs.

    References
    ----------
    Figueroa et al., "Predicting sample size required for classification performance",
    BMC Medical Informatics and Decision Making 12, 2012.

    Examples
    --------
    >>> import os, tempfile
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skal import LabelingSession, Margin
    >>> from skal.plotting import ForecastDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "labels.db")
    ...     session = LabelingSession(LogisticRegression(max_iter=500), Margin(),
    ...                               journal=path, audit=0.3, random_state=0).add(X)
    ...     for _ in range(4):
    ...         for question in session.ask(10):
    ...             session.tell(question.id, int(y[question.id]))
    ...     display = ForecastDisplay.from_session(session, 40, target=0.95)
    ...     session.close()
    >>> display.ax_.get_xlabel()
    'Labels'
    """

    def __init__(
        self, forecasts, estimate, *, target=None, score_name="Score on the audit"
    ):
        self.forecasts = forecasts
        self.estimate = estimate
        self.target = target
        self.score_name = score_name

    @classmethod
    def from_session(cls, session, n=100, *, target=None, ax=None):
        """Draw the learning curve of a session, and its forecast.

        Parameters
        ----------
        session : LabelingSession
            With all rows added.
        n : int, default=100
            Number of further labels to look ahead.
        target : float, default=None
            A score to reach, drawn as a line.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.

        Returns
        -------
        ForecastDisplay

        Raises
        ------
        ValueError
            If there are too few labels, or rows were not added in this process.
        ImportError
            If matplotlib is not installed.
        """
        steps = np.unique(np.linspace(1, n, N_POINTS).astype(int))
        forecasts = [session.forecast(int(step)) for step in steps]
        return cls(forecasts, session.estimate(), target=target).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the curve and its forecast.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.

        Returns
        -------
        ForecastDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        self.ax_, self.figure_ = get_axes(ax, "ForecastDisplay")
        self._draw_past()
        self._draw_future()
        if self.target is not None:
            self.ax_.axhline(self.target, color="0.45", linestyle=":", label="target")
        self.ax_.set(xlabel="Labels", ylabel=self.score_name)
        legend_beside([self.ax_], *self.ax_.get_legend_handles_labels())
        return self

    def _draw_past(self):
        """Draw the curve so far, and the score of the latest model."""
        first = self.forecasts[0]
        now, (a, b, c) = first.n_labels, first.law
        self.ax_.plot(
            *(first.sizes, first.scores),
            **{"marker": "o", "linestyle": "", "color": COLOURS[0]},
            label="models of fewer labels",
        )
        n = np.linspace(min(first.sizes), now, N_POINTS)
        (self.line_,) = self.ax_.plot(
            n, a - b * n**-c, color=COLOURS[0], label="power law"
        )
        score, low, high, _ = self.estimate
        self.ax_.errorbar(
            *([now], [score]),
            yerr=[[score - low], [high - score]],
            **{"fmt": "D", "color": COLOURS[2], "capsize": 4, "zorder": 4},
            label="latest model,\n95 % interval",
        )

    def _draw_future(self):
        """Draw what further labels are expected to bring."""
        n = [one.n_labels + one.n_more for one in self.forecasts]
        low, high = zip(*((one.low, one.high) for one in self.forecasts), strict=True)
        (self.ahead_,) = self.ax_.plot(
            *(n, [one.score for one in self.forecasts]),
            **{"color": COLOURS[0], "linestyle": "--"},
            label="more labels",
        )
        self.band_ = self.ax_.fill_between(
            *(n, low, high), color=COLOURS[0], alpha=0.2, label="95 % of forecasts"
        )
