"""Where in the input space the rows lie that are labelled."""

import numpy as np

from skal.inputs._tags import is_tags
from skal.plotting._axes import BESIDE, choose, choose_all, get_axes, split_axes, wrap
from skal.plotting._style import ink, shades

BACK = {
    "back": {"s": 12, "alpha": 0.3, "linewidths": 0},
    "warm": {"s": 45, "marker": "^", "edgecolors": "0.3", "linewidths": 0.6},
}
DISC = {"s": 62, "edgecolors": "black", "linewidths": 0.5}


class EmbeddingDisplay:
    """Rows of the first rounds in two dimensions, each with the number of its round.

    One panel for each strategy. Colours are labels: what is labelled in a round is a
    disc with the round's number, the warm start is triangles, and small dots in the
    back show where the data are.

    Make one with `from_study`.

    Parameters
    ----------
    points : dict of str to ndarray of shape (n_rows, 2)
        Coordinates of the rows in the "pool", and of those in "warm" (the warm start)
        and "back" (the dots), if any.
    labels : dict of str to ndarray of shape (n_rows,)
        Labels of the same rows.
    batches : dict of str to list of ndarray
        The rows of the pool that a strategy takes in each round.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The frame of all panels.
    axes_ : dict of str to matplotlib Axes
        The panels, by strategy.
    figure_ : matplotlib Figure
    discs_ : dict of str to list of matplotlib PathCollection
        One for each round, by strategy.

    See Also
    --------
    DistributionDisplay : How often each label, or part of the input space, is labelled.

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

    def __init__(self, points, labels, batches):
        self.points = points
        self.labels = labels
        self.batches = batches

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
        """Draw what a study of inputs embedded.

        Parameters
        ----------
        result : Distribution
            What `skal.studies.input_distribution` returns for a feature of two
            dimensions.
        comparison : Comparison
            What was given to it: the orders, and the labels.
        estimator : str, default=None
            Whose orders; may be left out where there is one.
        strategies : list of str, default=None
            Whose orders, drawn side by side; all by default. Of a random baseline, the
            first order is drawn.
        seed : int, default=None
            Of the orders; the first by default.
        n_rounds : int, default=5
            How many rounds to draw.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default. It is split where there are several
            strategies.

        Returns
        -------
        EmbeddingDisplay

        Raises
        ------
        ValueError
            If the study embedded nothing or is of another comparison, labels are tags,
            there are no such orders, or it is not said which of several estimators to
            draw.
        """
        if result.points is None:
            raise ValueError(
                "The study sorted its rows into bins without an embedding: give "
                "input_distribution a feature of two dimensions."
            )
        if len(result.points["pool"]) != comparison.problem.n_pool:
            raise ValueError(
                "The study is of another comparison: their pools differ in size."
            )
        place = choose("estimator", result.estimators, estimator)
        seed = result.seeds[0 if seed is None else choose("seed", result.seeds, seed)]
        names = choose_all("strategy", result.strategies, strategies)
        size = comparison.problem.batch_size
        batches = {}
        for name in names:
            order = comparison.orders[result.estimators[place], name, seed][0]
            cuts = range(size, len(order), size)
            batches[name] = np.split(order, cuts)[:n_rounds]
        points, labels = _sets(result.points, comparison.problem)
        return cls(points, labels, batches).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the rows.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default. It is split where there are several
            strategies.

        Returns
        -------
        EmbeddingDisplay
        """
        widths = dict.fromkeys(self.batches, 1)
        size = (1.5 + 3.6 * len(widths), 4)
        self.ax_, self.figure_ = get_axes(ax, "EmbeddingDisplay.plot", size)
        self.axes_ = split_axes(self.ax_, widths)
        classes = np.unique(np.concatenate(list(self.labels.values())))
        self._colours = dict(zip(classes, shades(len(classes)), strict=True))
        self.discs_ = {}
        for name, ax in self.axes_.items():
            self._draw_back(ax)
            self.discs_[name] = self._draw_rounds(ax, name)
            ax.set(xticks=[], yticks=[])
            ax.set_title(wrap(name, 30), fontsize="medium")
        self._explain(list(self.axes_.values())[-1])
        return self

    def _draw_back(self, ax):
        for which, look in BACK.items():
            if which in self.points:
                colours = [self._colours[label] for label in self.labels[which]]
                ax.scatter(*np.asarray(self.points[which]).T, c=colours, **look)

    def _draw_rounds(self, ax, name):
        discs = []
        for number, rows in enumerate(self.batches[name], start=1):
            places = np.asarray(self.points["pool"])[rows]
            labels = np.asarray(self.labels["pool"])[rows]
            colours = [self._colours[label] for label in labels]
            # Earlier rounds lie on top, each number on its own disc.
            height = 3 + 1 / number
            discs.append(ax.scatter(*places.T, c=colours, zorder=height, **DISC))
            for place, colour in zip(places, colours, strict=True):
                ax.annotate(
                    str(number),
                    place,
                    ha="center",
                    va="center_baseline",
                    fontsize=6,
                    color=ink(colour),
                    zorder=height,
                )
        return discs

    def _explain(self, ax):
        handles = [
            ax.scatter([], [], color=colour, s=DISC["s"])
            for colour in self._colours.values()
        ]
        names = [wrap(label, 20) for label in self._colours]
        if "warm" in self.points:
            handles.append(ax.scatter([], [], color="0.8", **BACK["warm"]))
            names.append("warm start")
        handles.append(ax.scatter([], [], color="0.8", **DISC))
        names.append("labelled in\nround on disc")
        ax.legend(handles, names, title="Label", **BESIDE)


def _sets(points, problem):
    """Return where the rows of the drawn sets lie, and their labels."""
    if is_tags(problem.y_pool):
        raise ValueError(
            "A row of tags has many labels, and a point one colour: draw a "
            "DistributionDisplay."
        )
    back = "test" if "test" in points else "pool"
    sources = {"pool": "pool", "back": back}
    if "warm" in points:
        sources["warm"] = "warm"
    labels = {name: getattr(problem, f"y_{one}") for name, one in sources.items()}
    return {name: points[one] for name, one in sources.items()}, labels
