"""Positions of labelled rows in the input space."""

import numpy as np

from skal.inputs._tags import is_tags
from skal.inputs._targets import Target
from skal.noise._annotated import true_labels_of
from skal.plotting._axes import (
    choose,
    choose_all,
    get_axes,
    legend_beside,
    split_axes,
    wrap,
)
from skal.plotting._style import ink, shades
from skal.studies._bins import cut, sort_into_bins
from skal.studies._kinds import check_result

BACK = {
    "back": {"s": 12, "alpha": 0.3, "linewidths": 0},
    "warm": {"s": 45, "marker": "^", "edgecolors": "0.3", "linewidths": 0.6},
}
# Number of colours for targets that are numbers.
N_BINS = 5
DISC = {"s": 62, "edgecolors": "black", "linewidths": 0.5}
# Most labels with a colour of their own; the rarer ones share a grey.
MAX_COLOURS, GREY = 16, (0.78, 0.78, 0.78, 1.0)


class EmbeddingDisplay:
    """Labelled rows of the first rounds in two dimensions, with their round.

    There is one panel per strategy. Colours show labels, or fifths of the rows in the
    order of their numbers if a regressor predicts these. A row that is labelled in a
    round is a disc with the number of the round; rows of the warm start are triangles;
    small dots in the background show the data. If there are more than 16 labels, the 15
    most frequent ones have colours, and all others are grey.

    Use `from_study` to create a display.

    Parameters
    ----------
    points : dict of str to ndarray of shape (n_rows, 2)
        Coordinates of the rows of the "pool" and, optionally, of "warm" (the warm
        start) and "back" (the background).
    labels : dict of str to ndarray of shape (n_rows,)
        Labels of the same rows.
    batches : dict of str to list of ndarray
        For each strategy, the rows of the pool that are labelled in each round.
    names : sequence of str, default=None
        The names of labels 0, 1, 2, ... in the legend; by default, the labels.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The frame of all panels.
    axes_ : dict of str to matplotlib Axes
        The panels, by strategy.
    figure_ : matplotlib Figure
        Figure that contains the panels.
    discs_ : dict of str to list of matplotlib PathCollection
        Discs, one collection per round, by strategy.

    See Also
    --------
    DistributionDisplay : Shares of bins or labels among the labelled rows.

    References
    ----------
    Zhou et al., AISTATS 2021, Fig. 7 (left).

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skal import Margin, Problem, Random, compare, input_distribution, split
    >>> from skal.plotting import EmbeddingDisplay
    >>> sets = split(*load_iris(return_X_y=True), warm_size=6, random_state=0)
    >>> problem = Problem.from_sets(sets, DecisionTreeClassifier(), batch_size=2,
    ...                             n_rounds=4)
    >>> comparison = compare(problem, {"random": Random(), "margin": Margin()})
    >>> petals = input_distribution(comparison, lambda X: X[:, 2:])
    >>> display = EmbeddingDisplay.from_study(petals, comparison)
    >>> display.discs_["margin"][0].get_offsets().shape  # the first batch
    (2, 2)
    """

    def __init__(self, points, labels, batches, *, names=None):
        self.points = points
        self.labels = labels
        self.batches = batches
        self.names = names

    @classmethod
    def from_study(
        cls,
        result,
        comparison,
        *,
        estimator=None,
        strategies=None,
        seed=None,
        n_rounds=5,
        ax=None,
    ):
        """Draw an embedding of the inputs.

        Parameters
        ----------
        result : Distribution
            As returned by `skal.studies.input_distribution` for a two-dimensional
            feature.
        comparison : Comparison
            The comparison that it was computed from, with the orders and labels.
        estimator : str, default=None
            Estimator whose orders are drawn. Optional if there is only one.
        strategies : list of str, default=None
            Strategies to draw, one panel each; by default, all. For the baseline, the
            first order is drawn.
        seed : int, default=None
            Seed whose orders are drawn; by default, the first.
        n_rounds : int, default=5
            Number of rounds to draw.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure. They are split into
            panels if there are several strategies.

        Returns
        -------
        EmbeddingDisplay

        Raises
        ------
        ValueError
            If the study has no embedding or belongs to another comparison, labels are
            lists of tags or several per row, a name is unknown, or `estimator` is
            missing and there are several.
        """
        check_result(result, "result", "Distribution")
        check_result(comparison, "comparison", "Comparison")
        if result.points is None:
            raise ValueError(
                "The study must have an embedding, got bins only: give "
                "input_distribution a feature of two dimensions."
            )
        if len(result.points["pool"]) != comparison.problem.n_pool:
            raise ValueError(
                "The study is of another comparison, since their pools differ in size: "
                "give the comparison that it was computed from."
            )
        index = choose("estimator", result.estimators, estimator)
        seed = result.seeds[0 if seed is None else choose("seed", result.seeds, seed)]
        names = choose_all("strategy", result.strategies, strategies)
        batches = {}
        for name in names:
            rows = comparison.orders[result.estimators[index], name, seed][0]
            order = comparison.problem.positions(rows[rows >= 0])
            ends = comparison.problem.ends(order)
            batches[name] = np.split(order, ends[1:-1])[:n_rounds]
        points, labels = _sets(result.points, comparison.problem)
        names = None
        if not comparison.problem.target.has_classes:
            labels, names = _binned(labels)
        return cls(points, labels, batches, names=names).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the rows.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure. They are split into
            panels if there are several strategies.

        Returns
        -------
        EmbeddingDisplay
        """
        widths = dict.fromkeys(self.batches, 1)
        size = (1.5 + 3.6 * len(widths), 4)
        self.ax_, self.figure_ = get_axes(ax, "EmbeddingDisplay.plot", size)
        self.axes_ = split_axes(self.ax_, widths)
        self._colours, self._n_others = self._choose_colours()
        self.discs_ = {}
        for name, ax in self.axes_.items():
            self._draw_back(ax)
            self.discs_[name] = self._draw_rounds(ax, name)
            ax.set(xticks=[], yticks=[])
            ax.set_title(wrap(name, 30), fontsize="medium")
        self._explain(list(self.axes_.values()))
        return self

    def _choose_colours(self):
        """Return the colour of each label, and the number of labels that are grey."""
        classes, counts = np.unique(
            np.concatenate(list(self.labels.values())), return_counts=True
        )
        n_own = len(classes) if len(classes) <= MAX_COLOURS else MAX_COLOURS - 1
        own = np.sort(np.argsort(-counts, kind="stable")[:n_own])
        colours = dict(zip(classes[own], shades(n_own), strict=True))
        return {c: colours.get(c, GREY) for c in classes}, len(classes) - n_own

    def _draw_back(self, ax):
        for which, look in BACK.items():
            if which in self.points:
                colours = [self._colours[label] for label in self.labels[which]]
                ax.scatter(*np.asarray(self.points[which]).T, c=colours, **look)

    def _draw_rounds(self, ax, name):
        discs = []
        for number, rows in enumerate(self.batches[name], start=1):
            points = np.asarray(self.points["pool"])[rows]
            labels = np.asarray(self.labels["pool"])[rows]
            colours = [self._colours[label] for label in labels]
            # Draw earlier rounds on top of later ones, with numbers above their discs.
            zorder = 3 + 1 / number
            discs.append(ax.scatter(*points.T, c=colours, zorder=zorder, **DISC))
            for point, colour in zip(points, colours, strict=True):
                ax.annotate(
                    str(number),
                    point,
                    ha="center",
                    va="center_baseline",
                    fontsize=6,
                    color=ink(colour),
                    zorder=zorder,
                )
        return discs

    def _explain(self, panels):
        ax = panels[-1]
        own = {c: colour for c, colour in self._colours.items() if colour != GREY}
        handles = [
            ax.scatter([], [], color=colour, s=DISC["s"]) for colour in own.values()
        ]
        labels = own if self.names is None else [self.names[label] for label in own]
        names = [wrap(label, 20) for label in labels]
        if self._n_others:
            handles.append(ax.scatter([], [], color=GREY, s=DISC["s"]))
            names.append(f"{self._n_others} other labels")
        if "warm" in self.points:
            handles.append(ax.scatter([], [], color="0.8", **BACK["warm"]))
            names.append("warm start")
        handles.append(ax.scatter([], [], color="0.8", **DISC))
        names.append("labelled in\nround on disc")
        legend_beside(panels, handles, names, title="Label")


def _binned(labels):
    """Return the bin of each number, and the names of the bins."""
    sizes = {name: len(y) for name, y in labels.items()}
    which, names = sort_into_bins(np.concatenate([*labels.values()]), N_BINS, 0)
    return cut(which, sizes), names


def _sets(points, problem):
    """Return the points and the labels of the drawn sets."""
    target = Target.TAGS if is_tags(problem.y_pool) else problem.target
    if target is Target.TAGS or target.has_columns:
        raise ValueError(
            f"Labels must be single classes, and each row has {target.value}, which "
            "have no single colour: draw a DistributionDisplay."
        )
    back = "test" if "test" in points else "pool"
    sources = {"pool": "pool", "back": back}
    if "warm" in points:
        sources["warm"] = "warm"
    labels = {name: true_labels_of(problem, one) for name, one in sources.items()}
    return {name: points[one] for name, one in sources.items()}, labels
