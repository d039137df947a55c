"""Distributions of labelled rows over rounds, compared with a reference."""

import numpy as np

from skal._choices import check_choice
from skal.plotting._axes import (
    AMOUNT,
    choose,
    choose_all,
    get_axes,
    legend_beside,
    legend_height,
    split_axes,
    wrap,
)
from skal.plotting._style import HATCHES, SIGNED_MAP, shades
from skal.studies._kinds import check_result

# Widths of the reference bar and of the gap before it, as a fraction of a panel.
BAR, GAP = 0.09, 0.03
DASHES = (0, (4, 3))
# More bins than these are drawn as a map, and named at most this many times: more
# layers cannot be distinguished, and more names touch.
MAX_LAYERS, MAX_NAMES = 20, 80


class DistributionDisplay:
    """Shares of bins or classes among the labelled rows, after each round.

    There is one panel per strategy. The bar at its right edge and the dashed lines show
    the reference: the layers of a strategy that matches it lie between the lines.

    Many bins, such as 77 classes, are drawn as a map instead: one row per bin, the
    largest at the top, with its share minus that in the reference as the colour.

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
    style : {"auto", "layers", "map"}, default="auto"
        Whether to draw layers or a map; "auto" draws a map of more than 20 bins.

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
    images_ : dict of str to matplotlib QuadMesh
        Maps, by strategy. Either these or layers and bars are drawn.

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
        style="auto",
    ):
        self.frequencies = frequencies
        self.n_labelled = n_labelled
        self.reference = reference
        self.bins = bins
        self.distances = distances
        self.title = title
        self.axis_name = axis_name
        self.style = style

    @classmethod
    def from_study(
        cls,
        result,
        *,
        estimator=None,
        strategies=None,
        seed=None,
        title=None,
        style="auto",
        ax=None,
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
        style : {"auto", "layers", "map"}, default="auto"
            Whether to draw layers or a map; "auto" draws a map of more than 20 bins.
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
            style=style,
        )
        return display.plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the layers, or the maps.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure. They are split into
            panels if there are several strategies.

        Returns
        -------
        DistributionDisplay
        """
        check_choice(self.style, "style", ("auto", "layers", "map"))
        is_map = self.style == "map"
        if self.style == "auto":
            is_map = len(self.bins) > MAX_LAYERS
        widths = dict.fromkeys(self.frequencies, 1)
        size = self._size(len(widths), is_map)
        self.ax_, self.figure_ = get_axes(ax, "DistributionDisplay.plot", size)
        self.axes_ = split_axes(self.ax_, widths)
        self.layers_, self.bars_, self.images_ = {}, {}, {}
        for name in self.frequencies:
            self._draw_map(name) if is_map else self._draw(name)
            self._explain(name)
        panels = list(self.axes_.values())
        if is_map:
            self._name_rows(panels)
        else:
            panels[0].set_ylabel("Share among labelled rows")
            self._name_bins(panels)
        return self

    def _size(self, n_panels, is_map):
        """Return the width and height of a new figure."""
        n = len(self.bins)
        if is_map:
            return 3 + 2.2 * n_panels, max(3.6, 1.2 + 0.13 * min(n, MAX_NAMES))
        return 2 + 2.2 * n_panels, max(3.6, legend_height(1.2 * n + 3))

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

    def _draw_map(self, name):
        gaps = self._gaps()
        limit = max(np.abs(gap).max() for gap in gaps.values()) or 0.01
        # Each round ends at its number of labelled rows.
        width = np.diff(self.n_labelled[:2])[0] if len(self.n_labelled) > 1 else 1
        edges = np.append(self.n_labelled[0] - width, self.n_labelled)
        self.images_[name] = self.axes_[name].pcolormesh(
            edges,
            np.arange(len(self.bins) + 1),
            gaps[name],
            cmap=SIGNED_MAP,
            vmin=-limit,
            vmax=limit,
        )

    def _gaps(self):
        """Return shares minus the reference, shape (n_bins, n_rounds + 1), by name.

        The first row is drawn at the bottom: the smallest bin.
        """
        reference = np.asarray(self.reference)
        return {
            name: (np.asarray(shares) - reference).T[self._rows()]
            for name, shares in self.frequencies.items()
        }

    def _rows(self):
        """Return the bins from the bottom to the top of a map."""
        return np.argsort(-np.asarray(self.reference), kind="stable")[::-1]

    def _name_rows(self, panels):
        """Name the rows of a map, and explain its colours."""
        rows = self._rows()
        step = -(-len(rows) // MAX_NAMES)
        places = np.arange(len(rows))[::-1][::step]
        names = [wrap(self.bins[rows[i]], 40) for i in places]
        panels[0].set_yticks(places + 0.5, names, fontsize=6)
        panels[0].set_ylabel(f"{self.title}, largest at the top")
        for ax in panels:
            ax.tick_params(axis="y", length=0)
        self.figure_.colorbar(
            next(iter(self.images_.values())),
            ax=panels,
            label="Share among labelled rows minus reference",
            aspect=40,
        )

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

    def _name_bins(self, panels):
        from matplotlib.lines import Line2D

        bars = next(iter(self.bars_.values()))
        dashes = Line2D([], [], color="black", linewidth=0.9, linestyle=DASHES)
        legend_beside(
            panels,
            [*bars[::-1], dashes],
            [
                *(wrap(name, 20) for name in self.bins[::-1]),
                "reference\n(bar at right)",
            ],
            title=self.title,
            labelspacing=0.4,
            handleheight=1.1,
        )
