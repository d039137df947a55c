"""Gains of strategies over their references, by seed."""

import numpy as np

from skal.plotting._axes import choose, count_lines, get_axes, make_room, wrap
from skal.plotting._style import DOTS
from skal.studies._kinds import check_result


class GainDisplay:
    """Differences in quality between two strategies under the same seeds.

    There is one row per pair, with a dot for each seed and a diamond for the mean.
    Points to the right of the line at zero are gains.

    Use `from_study` to create a display.

    Parameters
    ----------
    gains : dict of str to ndarray of shape (n_seeds,)
        Quality minus quality of the reference, by name of the pair.
    pvalues : dict of str to float, default=None
        p-value of a paired test, by name of the pair. Shown next to the mean.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the gains.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    dots_ : dict of str to matplotlib Line2D
        Dots for the seeds, by pair.
    means_ : dict of str to matplotlib Line2D
        Diamonds for the means, by pair.

    See Also
    --------
    PerformanceCurveDisplay : The curves of the strategies.

    References
    ----------
    Zhou et al., AISTATS 2021, section 6.5. Use a PerformanceCurveDisplay for the curves
    of Fig. 10.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skal import IDMR, Margin, Problem, compare, regularization_gain, split
    >>> from skal.plotting import GainDisplay
    >>> sets = split(*load_iris(return_X_y=True), warm_size=6, random_state=0)
    >>> problem = Problem.from_sets(sets, DecisionTreeClassifier(), batch_size=2,
    ...                             n_rounds=4)
    >>> comparison = compare(problem, {"margin": Margin(), "idmr": IDMR(Margin())})
    >>> display = GainDisplay.from_study(regularization_gain(comparison))
    >>> list(display.dots_)
    ['idmr against margin']
    """

    def __init__(self, gains, *, pvalues=None):
        self.gains = gains
        self.pvalues = pvalues

    @classmethod
    def from_study(cls, result, *, estimator=None, ax=None):
        """Draw paired differences.

        The p-values shown are from paired t-tests, with Holm's correction.

        Parameters
        ----------
        result : PairedTests
            As returned by `skal.studies.regularization_gain` and by methods of a
            `Comparison`.
        estimator : str, default=None
            Estimator whose qualities are drawn. Optional if there is only one.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.

        Returns
        -------
        GainDisplay

        Raises
        ------
        ValueError
            If the estimator is unknown, or it is missing and there are several.
        """
        check_result(result, "result", "PairedTests")
        index = choose("estimator", result.estimators, estimator)
        names = [
            f"{name} against {reference}"
            for name, reference in zip(
                result.strategies, result.references[index], strict=True
            )
        ]
        display = cls(
            dict(zip(names, result.gains[index], strict=True)),
            pvalues=dict(zip(names, result.t_holm[index], strict=True)),
        )
        return display.plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the differences.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.

        Returns
        -------
        GainDisplay
        """
        n_rows = len(self.gains)
        names = [wrap(name, 28) for name in self.gains]
        size = (6.5, 1.2 + max(0.6, 0.1 + 0.18 * count_lines(names)) * n_rows)
        self.ax_, self.figure_ = get_axes(ax, "GainDisplay.plot", size)
        self.dots_, self.means_ = {}, {}
        self.ax_.axvline(0, color="0.45", linestyle="--", linewidth=1, zorder=1)
        for row, name in enumerate(self.gains):
            self._draw(row, name)
        self.ax_.set_yticks(range(n_rows), names)
        self.ax_.set(
            ylim=(n_rows - 0.5, -0.5),
            xlabel="Gain in xi-quality (dots: seeds, diamond: mean)",
        )
        self.ax_.xaxis.get_major_locator().set_params(nbins=6)
        self.ax_.grid(axis="x", alpha=0.3)
        self.ax_.margins(x=0.08)
        make_room([self.ax_], list(self.ax_.texts))
        return self

    def _draw(self, row, name):
        gains = np.asarray(self.gains[name])
        (self.dots_[name],) = self.ax_.plot(
            gains, np.full(len(gains), row), "o", color=DOTS, alpha=0.6
        )
        mean = gains.mean()
        (self.means_[name],) = self.ax_.plot(
            mean, row, "D", color="black", markersize=8, markerfacecolor="white"
        )
        text = f"{mean:+z.3f}"
        if self.pvalues is not None and not np.isnan(self.pvalues[name]):
            text += f"\np = {self.pvalues[name]:.2g}"
        self.ax_.text(
            1.02,
            row,
            text,
            transform=self.ax_.get_yaxis_transform(),
            va="center",
            fontsize="small",
        )
