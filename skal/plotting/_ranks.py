"""Critical-difference diagrams: mean ranks of strategies over data sets."""

import numpy as np

from skal.plotting._axes import get_axes, wrap
from skal.studies._kinds import check_result


class CriticalDifferenceDisplay:
    """Mean ranks of strategies on a line, with bars over groups that do not differ.

    The best strategy is on the left. Strategies under a common bar do not differ
    significantly by Nemenyi's test. The bar at the top is the critical difference.

    Use `from_ranks`, or the method `plot` of `StrategyRanks`, to create a display.

    Parameters
    ----------
    mean_ranks : dict of str to float
        Mean rank of each strategy by name; 1 is best.
    critical_difference : float
        By how much mean ranks must differ to differ significantly.
    groups : list of tuple of str
        Strategies that do not differ significantly.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the diagram.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    texts_ : dict of str to matplotlib Text
        Names with their ranks, by strategy.
    bars_ : list of matplotlib Line2D
        A bar for each group.

    See Also
    --------
    skal.studies.rank_strategies : Rank strategies over several comparisons.

    References
    ----------
    Demsar, "Statistical Comparisons of Classifiers over Multiple Data Sets", Journal of
    Machine Learning Research 7, 2006, Fig. 1.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from skal.plotting import CriticalDifferenceDisplay
    >>> ranks = {"random": 2.8, "margin": 1.4, "entropy": 1.8}
    >>> display = CriticalDifferenceDisplay(ranks, 1.0, [("margin", "entropy")]).plot()
    >>> len(display.bars_)
    1
    """

    def __init__(self, mean_ranks, critical_difference, groups):
        self.mean_ranks = mean_ranks
        self.critical_difference = critical_difference
        self.groups = groups

    @classmethod
    def from_ranks(cls, ranks, *, alpha=0.05, ax=None):
        """Draw the ranks of strategies.

        Parameters
        ----------
        ranks : StrategyRanks
            As returned by `skal.studies.rank_strategies`.
        alpha : float, default=0.05
            The level of Nemenyi's test.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.

        Returns
        -------
        CriticalDifferenceDisplay
        """
        check_result(ranks, "ranks", "StrategyRanks")
        means = dict(zip(ranks.strategies, ranks.mean_ranks, strict=True))
        limit, groups = ranks.critical_difference(alpha), ranks.groups(alpha)
        return cls(means, limit, groups).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the diagram.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.

        Returns
        -------
        CriticalDifferenceDisplay
        """
        n = len(self.mean_ranks)
        n_sides, n_groups = (n + 1) // 2, len(self.groups)
        size = (7, 1.3 + 0.3 * n_sides + 0.12 * n_groups)
        self.ax_, self.figure_ = get_axes(ax, "CriticalDifferenceDisplay.plot", size)
        self._draw_axis(n)
        self.bars_ = [self._draw_bar(i, group) for i, group in enumerate(self.groups)]
        depth = -0.5 - 0.4 * n_groups
        ranking = sorted(self.mean_ranks, key=self.mean_ranks.get)
        self.texts_ = {}
        for i, name in enumerate(ranking[:n_sides]):
            self._draw_name(name, depth - i, 0.95, "right")
        for i, name in enumerate(reversed(ranking[n_sides:])):
            self._draw_name(name, depth - i, n + 0.05, "left")
        margin = 0.38 * max(2, n - 1)
        self.ax_.set(xlim=(1 - margin, n + margin), ylim=(depth - n_sides + 0.3, 1.9))
        return self

    def _draw_axis(self, n):
        """Draw the axis of ranks at 0, and the critical difference above it."""
        self.ax_.set_axis_off()
        line = {"color": "black", "linewidth": 1, "clip_on": False}
        self.ax_.plot([1, n], [0, 0], **line)
        for rank in range(1, n + 1):
            self.ax_.plot([rank, rank], [0, 0.15], **line)
            self.ax_.text(rank, 0.25, str(rank), ha="center", va="bottom")
        self.ax_.text(n, 1.3, "mean rank", ha="right", va="bottom", fontsize="small")
        end = 1 + self.critical_difference
        self.ax_.plot([1, end], [1.15, 1.15], marker="|", **line)
        self.ax_.text(
            (1 + end) / 2,
            1.3,
            f"critical difference {self.critical_difference:.2f}",
            ha="center",
            va="bottom",
            fontsize="small",
        )

    def _draw_bar(self, number, group):
        """Draw the bar of a group, below the axis."""
        ranks = [self.mean_ranks[name] for name in group]
        ends = np.array([min(ranks) - 0.04, max(ranks) + 0.04])
        y = -0.3 - 0.4 * number
        (bar,) = self.ax_.plot(ends, [y, y], color="black", linewidth=4, alpha=0.75)
        return bar

    def _draw_name(self, name, y, x, side):
        """Draw a name at the side, and a line from it to its rank."""
        rank = self.mean_ranks[name]
        self.ax_.plot([rank, rank, x], [0, y, y], color="0.4", linewidth=0.9, zorder=0)
        step = -0.05 if side == "right" else 0.05
        self.texts_[name] = self.ax_.text(
            x + step, y, f"{wrap(name, 24)} {rank:.2f}", ha=side, va="center"
        )
