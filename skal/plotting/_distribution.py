"""What is labelled over time, against how the data are."""

import numpy as np

from skal.plotting._axes import BESIDE, choose, choose_all, get_axes, split_axes, wrap
from skal.plotting._style import HATCHES, shades

# Of the bar of the reference, and of the gap before it, against the width of a panel.
BAR, GAP = 0.09, 0.03
DASHES = (0, (4, 3))


class DistributionDisplay:
    """Shares of bins or classes in what is labelled, after each round.

    One panel for each strategy. The bar at its right edge, and the dashed lines, are
    the reference: a strategy that matches it keeps its layers between the lines.

    Make one with `from_study`.

    Parameters
    ----------
    frequencies : dict of str to ndarray of shape (n_rounds + 1, n_bins)
        Share of each bin in what is labelled after k = 0..K rounds, by strategy.
    n_labelled : ndarray of shape (n_rounds + 1,)
        Rows labelled after each round, the warm start included.
    reference : ndarray of shape (n_bins,)
        Share of each bin in the data to compare with.
    bins : sequence of str
        Names of the bins, drawn from bottom to top.
    distances : dict of str to float, default=None
        Total variation between what is labelled and the reference, by strategy; shown
        above the panels.
    title : str, default="Bin"
        What the bins are of, above their names.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The frame of all panels.
    axes_ : dict of str to matplotlib Axes
        The panels, by strategy.
    figure_ : matplotlib Figure
    layers_ : dict of str to list of matplotlib collection
        One for each bin, by strategy.
    bars_ : dict of str to list of matplotlib Rectangle
        The reference, one for each bin, by strategy.

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
        self, frequencies, n_labelled, reference, bins, *, distances=None, title="Bin"
    ):
        self.frequencies = frequencies
        self.n_labelled = n_labelled
        self.reference = reference
        self.bins = bins
        self.distances = distances
        self.title = title

    @classmethod
    def from_study(
        cls, result, *, estimator=None, strategies=None, seed=None, title=None, ax=None
    ):
        """Draw a study of what is labelled.

        A baseline is drawn as the mean of its orders: smoother than each of them.

        Parameters
        ----------
        result : Distribution
            What `skal.studies.input_distribution` or
            `skal.studies.label_distribution` returns.
        estimator : str, default=None
            Whose orders; may be left out where there is one.
        strategies : list of str, default=None
            Whose orders, drawn side by side; all by default.
        seed : int, default=None
            Of the orders; by default, means over all seeds are drawn.
        title : str, default=None
            What the bins are of; by default, "Label" or "Bin".
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default. It is split where there are several
            strategies.

        Returns
        -------
        DistributionDisplay

        Raises
        ------
        ValueError
            If there is no such estimator, strategy or seed, or it is not said which of
            several estimators to draw.
        """
        place = choose("estimator", result.estimators, estimator)
        # An empty warm start has no shares.
        start = int(np.isnan(result.frequencies[place]).any())
        seeds = result.seeds if seed is None else [seed]
        runs = [choose("seed", result.seeds, one) for one in seeds]
        shares = result.frequencies[place][:, runs, start:].mean(axis=1)
        distances = result.distances[place][:, runs, 1:].mean(axis=(1, 2))
        names = choose_all("strategy", result.strategies, strategies)
        rows = [result.strategies.index(name) for name in names]
        display = cls(
            dict(zip(names, shares[rows], strict=True)),
            result.n_labelled[start:],
            result.reference,
            result.bins,
            distances=dict(zip(names, distances[rows], strict=True)),
            title=title or ("Label" if result.kind == "label" else "Bin"),
        )
        return display.plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the layers.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default. It is split where there are several
            strategies.

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
        panels[0].set_ylabel("Share of what is labelled")
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
        ax.set_xlabel("Labelled rows")
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
