"""Rows that labelling orders have in common, and their ranks."""

import numpy as np

from skal._choices import check_choice
from skal.plotting._axes import choose, count_lines, get_axes, plain, wrap
from skal.plotting._style import COLOUR_MAP, ink
from skal.studies._kinds import check_result

# Widths of a bar and of the gap between pairs, in units of the width of a pair.
BAR = 0.22
GAP = 0.55
SHARED, UNSHARED = "0.15", "0.85"
# More pairs than these are drawn as a map, since their names would touch.
MAX_PAIRS = 6


class OverlapDisplay:
    """Pairs of labelling orders, with a line for each row that both label.

    Each order is a bar with one stripe per row, from the first row at the top to the
    last. Shared rows are dark. The steeper a line, the more the two orders disagree on
    when to label the row.

    Many pairs are drawn as a map instead: a table of all orders, whose cells show the
    number of shared rows.

    Use `from_study` to create a display.

    Parameters
    ----------
    shared_ranks : dict of (str, str) to ndarray of shape (n_shared, 2)
        For each pair of orders, the ranks of the shared rows in both, from zero.
    n_acquired : int or dict of (str, str) to (int, int)
        Number of rows in each order, or in both orders of each pair.
    chance : (float, float), default=None
        Interval that contains the share of common rows for most pairs of random orders.
    title : str, default=None
        Title of the plot, such as what all orders have in common.
    style : {"auto", "lines", "map"}, default="auto"
        Whether to draw lines or a map; "auto" draws a map of more than 6 pairs.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the bars.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    bars_ : dict of (str, str) to list of matplotlib AxesImage
        The two bars of each pair.
    lines_ : dict of (str, str) to matplotlib LineCollection
        The lines of each pair.
    image_ : matplotlib AxesImage
        The map. Either this or bars and lines are drawn.
    texts_ : dict of (str, str) to matplotlib Text
        Texts of the cells of the map, by pair.

    See Also
    --------
    TransferDisplay : Quality of the orders with other estimators.

    References
    ----------
    Zhou et al., AISTATS 2021, Fig. 6.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skal import Margin, MaxEntropy, Problem, compare, order_overlap, split
    >>> from skal.plotting import OverlapDisplay
    >>> sets = split(*load_iris(return_X_y=True), warm_size=6, random_state=0)
    >>> problem = Problem.from_sets(sets, DecisionTreeClassifier(), batch_size=2,
    ...                             n_rounds=4)
    >>> comparison = compare(problem, {"margin": Margin(), "entropy": MaxEntropy()})
    >>> overlap = order_overlap(comparison, between="strategies")
    >>> display = OverlapDisplay.from_study(overlap, seed=3)
    >>> list(display.lines_)
    [('margin', 'entropy')]
    """

    def __init__(
        self, shared_ranks, n_acquired, *, chance=None, title=None, style="auto"
    ):
        self.shared_ranks = shared_ranks
        self.n_acquired = n_acquired
        self.chance = chance
        self.title = title
        self.style = style

    @classmethod
    def from_study(
        cls,
        result,
        *,
        estimator=None,
        strategy=None,
        seed=None,
        style="auto",
        ax=None,
    ):
        """Draw the overlap of orders.

        Suppose that the study pairs orders of different estimators. Then all pairs are
        drawn, or only those with `estimator` if it is given. The strategy must be given
        if there are several. The same holds for studies between strategies or seeds.

        Parameters
        ----------
        result : OrderOverlap
            As returned by `skal.studies.order_overlap`.
        estimator, strategy : str, default=None
            Estimator and strategy whose orders are drawn.
        seed : int, default=None
            Seed whose orders are drawn; by default, the first, or all seeds if the
            study is between seeds.
        style : {"auto", "lines", "map"}, default="auto"
            Whether to draw lines or a map; "auto" draws a map of more than 6 pairs.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.

        Returns
        -------
        OverlapDisplay

        Raises
        ------
        ValueError
            If a name is unknown, or a required name is missing.
        """
        check_result(result, "result", "OrderOverlap")
        what = _COMPARED[result.between]
        pairs = _choose_pairs(
            result, {"estimator": estimator, "strategy": strategy, "seed": seed}
        )
        index = _FIELDS.index(what)
        shared = {
            (_spell(what, first[index]), _spell(what, second[index])): ranks
            for first, second, ranks, _ in pairs
        }
        key = zip(_FIELDS, pairs[0][0], strict=True)
        title = ", ".join(_spell(field, name) for field, name in key if field != what)
        sizes = {
            pair: tuple(n.tolist()) for pair, (*_, n) in zip(shared, pairs, strict=True)
        }
        chance = result.chance_range
        display = cls(shared, sizes, chance=chance, title=title, style=style)
        return display.plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the pairs, from left to right, or their map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.

        Returns
        -------
        OverlapDisplay
        """
        check_choice(self.style, "style", ("auto", "lines", "map"))
        sizes = self.n_acquired
        if not isinstance(sizes, dict):
            sizes = dict.fromkeys(self.shared_ranks, (sizes, sizes))
        is_map = self.style == "map"
        if self.style == "auto":
            is_map = len(self.shared_ranks) > MAX_PAIRS
        names = list(dict.fromkeys(name for pair in self.shared_ranks for name in pair))
        size = _map_size(names) if is_map else (1 + 1.7 * len(self.shared_ranks), 4.5)
        self.ax_, self.figure_ = get_axes(ax, "OverlapDisplay.plot", size)
        self.bars_, self.lines_, self.texts_ = {}, {}, {}
        if is_map:
            self._draw_map(names, sizes)
            return self
        for number, (pair, ranks) in enumerate(self.shared_ranks.items()):
            ranks = np.reshape(ranks, (-1, 2)).astype(int)
            self._draw(number * (1 + GAP), pair, ranks, sizes[pair])
        self._explain(max(map(max, sizes.values())))
        return self

    def _draw_map(self, names, sizes):
        """Draw the share of rows that each pair of orders has in common."""
        places = {name: i for i, name in enumerate(names)}
        shares = np.full((len(names), len(names)), np.nan)
        for pair, ranks in self.shared_ranks.items():
            share = len(ranks) / np.mean(sizes[pair])
            for i, j in (pair, pair[::-1]):
                shares[places[i], places[j]] = share
        self.image_ = self.ax_.imshow(
            shares, cmap=COLOUR_MAP, vmin=0, vmax=max(np.nanmax(shares), 0.01)
        )
        for pair, ranks in self.shared_ranks.items():
            for i, j in (pair, pair[::-1]):
                row, column = places[i], places[j]
                colour = self.image_.cmap(self.image_.norm(shares[row, column]))
                text = self.ax_.text(
                    column,
                    row,
                    str(len(ranks)),
                    ha="center",
                    va="center",
                    fontsize=8,
                    color=ink(colour),
                )
                self.texts_[i, j] = text
        self._explain_map(names, sizes)

    def _explain_map(self, names, sizes):
        ax, ticks = self.ax_, range(len(names))
        ax.set_xticks(ticks, [wrap(name, 9) for name in names], fontsize="small")
        ax.set_yticks(ticks, [wrap(name, 14) for name in names], fontsize="small")
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        if self.title:
            ax.set_title(plain(self.title), fontsize="medium")
        label = "Share of rows in common (numbers: rows)"
        if self.chance is not None:
            low, high = np.asarray(self.chance) * np.mean(list(sizes.values()))
            label += f"\nrandom orders: {low:.0f} to {high:.0f} rows"
        self.figure_.colorbar(self.image_, ax=ax, label=label)

    def _draw(self, left, pair, ranks, sizes):
        right = left + 1 - BAR
        self.bars_[pair] = [
            self._draw_bar(left, ranks[:, 0], sizes[0]),
            self._draw_bar(right, ranks[:, 1], sizes[1]),
        ]
        self.lines_[pair] = self._draw_lines((left + BAR, right), ranks + 1)
        text = f"{len(ranks)} shared"
        if self.chance is not None:
            low, high = np.asarray(self.chance) * np.mean(sizes)
            text += f"\n(random: {low:.0f} to {high:.0f})"
        self.ax_.annotate(
            text,
            (left + 0.5, 0.5),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            fontsize="small",
        )

    def _draw_bar(self, left, ranks, n):
        from matplotlib.colors import ListedColormap

        shared = np.zeros((n, 1))
        shared[ranks] = 1
        return self.ax_.imshow(
            shared,
            cmap=ListedColormap([UNSHARED, SHARED]),
            vmin=0,
            vmax=1,
            extent=(left, left + BAR, n + 0.5, 0.5),
            aspect="auto",
            interpolation="nearest",
        )

    def _draw_lines(self, edges, ranks):
        from matplotlib.collections import LineCollection

        ends = np.broadcast_to(edges, ranks.shape)
        lines = LineCollection(
            np.stack([ends, ranks], axis=2), colors=SHARED, linewidths=0.7, alpha=0.7
        )
        return self.ax_.add_collection(lines, autolim=False)

    def _explain(self, n):
        ticks, names = [], []
        for number, pair in enumerate(self.shared_ranks):
            left = number * (1 + GAP)
            ticks += [left + BAR / 2, left + 1 - BAR / 2]
            names += [wrap(name, 9) for name in pair]
        ax = self.ax_
        ax.set_xticks(ticks, names, fontsize="small")
        ax.tick_params(axis="x", length=0)
        ax.set_yticks([1, *np.linspace(0, n, 5).round()[1:]])
        ax.set(
            xlim=(-GAP / 2, ticks[-1] + BAR / 2 + GAP / 2),
            ylim=(n + 0.5, 0.5),
            ylabel="Rank in the order",
        )
        if self.title:
            # Leave space for the two lines of text above each pair.
            ax.set_title(plain(self.title), pad=30, fontsize="medium")
        ax.spines[["top", "right", "bottom"]].set_visible(False)


def _map_size(names):
    """Return the width and height of a figure in which no names touch."""
    n_lines = count_lines([wrap(name, 9) for name in names])
    height = max(0.5, 0.1 + 0.15 * count_lines([wrap(name, 14) for name in names]))
    return 3 + 0.75 * len(names), 1 + 0.15 * n_lines + height * len(names)


_FIELDS = ("estimator", "strategy", "seed")
_COMPARED = {"estimators": "estimator", "strategies": "strategy", "seeds": "seed"}


def _spell(field, name):
    return f"seed {name}" if field == "seed" else name


def _choose_pairs(result, wanted):
    """Return the pairs of orders with the wanted names, and their shared ranks."""
    what = _COMPARED[result.between]
    if wanted["seed"] is None and what != "seed":
        wanted["seed"] = result.first[0][2]
    columns = result.first, result.second, result.shared_ranks, result.sizes
    pairs = list(zip(*columns, strict=True))
    for index, (field, name) in enumerate(wanted.items()):
        if field != what or name is not None:
            names = dict.fromkeys(key[index] for one in pairs for key in one[:2])
            name = list(names)[choose(field, names, name)]
            pairs = [p for p in pairs if name in (p[0][index], p[1][index])]
    return pairs
