"""Distributions of labelled rows over rounds, compared with a reference."""

import numpy as np

from skal.plotting._axes import (
    AMOUNT,
    BESIDE,
    choose,
    choose_all,
    get_axes,
    split_axes,
    wrap,
)
from skal.plotting._style import HATCHES, shades
from skal.studies._kinds import check_result

# Widths of the reference bar and of the gap before it, as a fraction of a panel.
BAR, GAP = 0.09, 0.03
DASHES = (0, (4, 3))


class DistributionDisplay:
    """Shares of bins or classes among the labelled rows, after each round.

    There is one panel per strategy. The bar at its right edge and the dashed lines show
    the reference: the layers of a strategy that matches it lie between the lines.

    Use `from_study` to create a display.

    Parameters
    ----------
    frequencies : dict of str to ndarray of shape (n_rounds + 1, n_bins)
        Share of each bin among the labelled rows after k = 0..K rounds, by strategy.
    n_labelled : ndarray of shape (n_rounds + 1,)
        Number of labelled rows after each round, including the warm start. With costs,
        the amount that may be spent until then.
    reference : ndarray of shape (n_bins,)
        Share of each bin in the reference data.
    bins : sequence of str
        Names of the bins, drawn from bottom to top.
    distances : dict of str to float, default=None
        Total variation distance between labelled rows and reference, by strategy. Shown
        above the panels.
    title : str, default="Bin"
        Title of the legend.
    axis_name : str, default="Labelled rows"
        Label of the horizontal axis.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The frame of all panels.
    axes_ : dict of str to matplotlib Axes
        The panels, by strategy.
    figure_ : matplotlib Figure
        Figure that contains the panels.
    layers_ : dict of str to list of matplotlib collection
        Layers, one per bin, by strategy.
    bars_ : dict of str to list of matplotlib Rectangle
        Parts of the reference bar, one per bin, by strategy.

    See Also
    --------
    EmbeddingDisplay : Labelled rows of the first rounds in two dimensions.

    References
    ----------
    Zhou et al., AISTATS 2021, Figs. 7 (right), 8 and 9.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skal import Margin, Problem, Random, compare, label_distribution, split
    >>> from skal.plotting import DistributionDisplay
    >>> sets = split(*load_iris(return_X_y=True), warm_size=6, random_state=0)
    >>> problem = Problem.from_sets(sets, DecisionTreeClassifier(), batch_size=2,
    ...                             n_rounds=4)
    >>> comparison = compare(problem, {"random": Random(), "margin": Margin()})
    >>> display = DistributionDisplay.from_study(label_distribution(comparison))
    >>> len(display.layers_["margin"])
    3
    """

    def __init__(
        self,
        frequencies,
        n_labelled,
        reference,
        bins,
        *,
        distances=None,
        title="Bin",
        axis_name=AMOUNT[False],
    ):
        self.frequencies = frequencies
        self.n_labelled = n_labelled
        self.reference = reference
        self.bins = bins
        self.distances = distances
        self.title = title
        self.axis_name = axis_name

    @classmethod
    def from_study(
        cls, result, *, estimator=None, strategies=None, seed=None, title=None, ax=None
    ):
        """Draw a distribution of inputs or labels.

        The baseline is drawn as the mean over its orders, which is smoother than a
        single order.

        Parameters
        ----------
        result : Distribution
            As returned by `skal.studies.input_distribution` or
            `skal.studies.label_distribution`.
        estimator : str, default=None
            Estimator whose orders are drawn. Optional if there is only one.
        strategies : list of str, default=None
            Strategies to draw, one panel each; by default, all.
        seed : int, default=None
            Seed whose orders are drawn; by default, the mean over all seeds.
        title : str, default=None
            Title of the legend; by default, "Label" or "Bin".
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure. They are split into
            panels if there are several strategies.

        Returns
        -------
        DistributionDisplay

        Raises
        ------
        ValueError
            If an estimator, strategy or seed is unknown, or `estimator` is missing and
            there are several.
        """
        check_result(result, "result", "Distribution")
        index = choose("estimator", result.estimators, estimator)
        # With an empty warm start, shares at k = 0 are NaN: start at k = 1.
        start = int(np.isnan(result.frequencies[index]).any())
        seeds = result.seeds if seed is None else [seed]
        runs = [choose("seed", result.seeds, one) for one in seeds]
        shares = result.frequencies[index][:, runs, start:].mean(axis=1)
        distances = result.distances[index][:, runs, 1:].mean(axis=(1, 2))
        names = choose_all("strategy", result.strategies, strategies)
        rows = [result.strategies.index(name) for name in names]
        display = cls(
            dict(zip(names, shares[rows], strict=True)),
            result.n_labelled[start:],
            result.reference,
            result.bins,
            distances=dict(zip(names, distances[rows], strict=True)),
            title=title or ("Label" if result.kind == "label" else "Bin"),
            axis_name=AMOUNT[result.has_costs],
        )
        return display.plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the layers.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure. They are split into
            panels if there are several strategies.

        Returns
        -------
        DistributionDisplay
        """
        widths = dict.fromkeys(self.frequencies, 1)
        size = (2 + 2.2 * len(widths), max(3.6, 1 + 0.22 * len(self.bins)))
        self.ax_, self.figure_ = get_axes(ax, "DistributionDisplay.plot", size)
        self.axes_ = split_axes(self.ax_, widths)
        self.layers_, self.bars_ = {}, {}
        for name in self.frequencies:
            self._draw(name)
            self._explain(name)
        panels = list(self.axes_.values())
        panels[0].set_ylabel("Share among labelled rows")
        self._name_bins(panels[-1])
        return self

    def _looks(self):
        """Return the colour and the hatch of each bin."""
        colours = shades(len(self.bins))
        return [
            {"facecolor": colour, "edgecolor": "white", "hatch": HATCHES[i % 2]}
            for i, colour in enumerate(colours)
        ]

    def _draw(self, name):
        from matplotlib.patheffects import withStroke

        ax, looks = self.axes_[name], self._looks()
        shares = np.asarray(self.frequencies[name])
        self.layers_[name] = ax.stackplot(self.n_labelled, shares.T, linewidth=0.6)
        first, last = self.n_labelled[0], self.n_labelled[-1]
        width = last - first
        tops = np.cumsum(self.reference)
        bars = ax.bar(
            last + (GAP + BAR / 2) * width,
            self.reference,
            bottom=tops - self.reference,
            width=BAR * width,
            linewidth=0.6,
        )
        self.bars_[name] = list(bars)
        for layer, bar, look in zip(self.layers_[name], bars, looks, strict=True):
            layer.set(**look)
            bar.set(**look)
        ax.hlines(
            tops[:-1],
            first,
            last,
            colors="black",
            linestyles=[DASHES],
            linewidths=0.9,
            path_effects=[withStroke(linewidth=2, foreground="white")],
        )
        ax.set(xlim=(first, last + (GAP + BAR) * width), ylim=(0, 1))

    def _explain(self, name):
        ax = self.axes_[name]
        title = wrap(name, 20)
        if self.distances is not None:
            title += f"\ntotal variation {self.distances[name]:.2f}"
        ax.set_title(title, fontsize="medium")
        ax.set_xlabel(self.axis_name)
        ticks = np.linspace(self.n_labelled[0], self.n_labelled[-1], 3)
        ax.set_xticks(ticks.round().astype(int))
        ax.spines[["top", "right"]].set_visible(False)

    def _name_bins(self, ax):
        from matplotlib.lines import Line2D

        bars = next(iter(self.bars_.values()))
        dashes = Line2D([], [], color="black", linewidth=0.9, linestyle=DASHES)
        ax.legend(
            [*bars[::-1], dashes],
            [
                *(wrap(name, 20) for name in self.bins[::-1]),
                "reference\n(bar at right)",
            ],
            title=self.title,
            labelspacing=0.4,
            handleheight=1.1,
            **BESIDE,
        )
