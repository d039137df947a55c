"""The curves of a verdict, and the labels saved between them."""

import numpy as np

from skal.plotting._axes import AMOUNT, get_axes, plain, wrap
from skal.plotting._style import styles_of
from skal.studies._kinds import check_result
from skal.studies._statistics import gain_interval

# Fewest seeds whose interval is drawn: with fewer, it would hide everything else.
ENOUGH_FOR_BAND = 5


class VerdictDisplay:
    """Mean curves of a strategy and of random choice, with the labels saved.

    A bracket at the target score goes from the number of labels that the strategy needs
    to the number that random choice needs. Bands are 95 % intervals of the means, for
    curves with at least five seeds. If there was a search, its mean curve is drawn,
    too.

    Use `from_verdict`, or the method `plot` of a `Verdict`, to create a display.

    Parameters
    ----------
    curves : dict of str to ndarray of shape (n_seeds, n_rounds + 1)
        Test curves by name: random choice first, then the strategy, then the search if
        there is one.
    n_labelled : ndarray of shape (n_rounds + 1,)
        Number of labels after each round.
    saved : LabelsSaved
        The target, and what each curve needs to reach it.
    title : str, default=""
        Text above the axes.
    overlap : float, default=0.0
        As in `gain_interval`, for the bands.
    axis_name : str, default="Labelled rows"
        Label of the horizontal axis.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curves.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    lines_ : dict of str to matplotlib Line2D
        Mean curves, by name.
    bracket_ : matplotlib Line2D or None
        The labels saved; None if one of the curves does not reach the target.

    See Also
    --------
    PerformanceCurveDisplay : The curves of all strategies.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import Margin, worth_it
    >>> verdict = worth_it(*load_iris(return_X_y=True), GaussianNB(),
    ...                    {"margin": Margin()}, oracle=None, seeds=5, n_orders=2,
    ...                    n_rounds=4)
    >>> list(verdict.plot().lines_)
    ['random', 'margin']
    """

    def __init__(
        self,
        curves,
        n_labelled,
        saved,
        *,
        title="",
        overlap=0.0,
        axis_name=AMOUNT[False],
    ):
        self.curves = curves
        self.n_labelled = n_labelled
        self.saved = saved
        self.title = title
        self.overlap = overlap
        self.axis_name = axis_name

    @classmethod
    def from_verdict(cls, verdict, *, ax=None):
        """Draw a verdict.

        Parameters
        ----------
        verdict : Verdict
            As returned by `skal.worth_it`.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.

        Returns
        -------
        VerdictDisplay
        """
        check_result(verdict, "verdict", "Verdict")
        found, searched = verdict.comparison, verdict.searched
        row = list(found.estimators).index(verdict.estimator)
        wanted = [(found, found.baseline), (found, verdict.strategy)]
        wanted += [] if searched is None else [(searched, searched.oracle)]
        curves = {
            name: study.curves[row, list(study.strategies).index(name)]
            for study, name in wanted
        }
        display = cls(
            curves,
            found.n_labelled,
            verdict.saved,
            title=str(verdict).partition("\n")[0],
            overlap=found.splits.overlap,
            axis_name=AMOUNT[found.splits.example.costs is not None],
        )
        return display.plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the curves and the labels saved.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.

        Returns
        -------
        VerdictDisplay
        """
        self.ax_, self.figure_ = get_axes(ax, "VerdictDisplay.plot", (6.5, 4.2))
        styles = styles_of(self.curves, baseline=next(iter(self.curves)))
        self.lines_ = {name: self._draw(name, styles[name]) for name in self.curves}
        self.bracket_ = self._draw_saved()
        self.ax_.set(xlabel=self.axis_name, ylabel="Test score")
        self.ax_.set_title(wrap(self.title, 70), fontsize="medium", loc="left")
        self.ax_.grid(alpha=0.3)
        self.ax_.legend(
            loc="lower right",
            fontsize="small",
            title="means of n seeds; band: 95 % interval",
            title_fontsize="small",
        )
        return self

    def _draw(self, name, style):
        curves = np.asarray(self.curves[name])
        means = curves.mean(axis=0)
        label = f"{plain(name)} (n = {len(curves)})"
        (line,) = self.ax_.plot(self.n_labelled, means, label=label, **style)
        if len(curves) >= ENOUGH_FOR_BAND:
            low, high = np.transpose(
                [gain_interval(column, overlap=self.overlap) for column in curves.T]
            )
            colour = style["color"]
            self.ax_.fill_between(
                self.n_labelled, low, high, color=colour, alpha=0.12, linewidth=0
            )
        return line

    def _draw_saved(self):
        """Draw a bracket between the labels that the two need to reach the target."""
        ends = self.saved.strategy, self.saved.random
        if not np.isfinite(ends).all():
            return None
        (bracket,) = self.ax_.plot(
            ends,
            [self.saved.target] * 2,
            color="black",
            linewidth=1.5,
            marker="|",
            markersize=12,
            zorder=4,
        )
        n, share = self.saved.saved, self.saved.share
        text = f"{abs(n):,.0f} {'saved' if n >= 0 else 'more'}"
        if np.isfinite(share):
            text += f" ({100 * abs(share):.0f} %)"
        self.ax_.annotate(
            text,
            (sum(ends) / 2, self.saved.target),
            xytext=(0, -48),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize="small",
            arrowprops={"arrowstyle": "-", "linewidth": 0.8},
        )
        return bracket
