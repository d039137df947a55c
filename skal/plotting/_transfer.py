"""Quality of labelling orders under other seeds or with other estimators."""

import numpy as np

from skal.plotting._axes import (
    choose,
    choose_all,
    count_lines,
    get_axes,
    plain,
    split_axes,
    wrap,
)
from skal.plotting._style import SIGNED_MAP, ink
from skal.studies._kinds import check_result


class TransferDisplay:
    """Quality of labelling orders under other seeds, or with other estimators.

    Columns are sources, for which an order was found; rows are targets, with which it
    is replayed. Each cell shows a quality and its difference to the reference. The
    colour shows the difference, too: orange is worse, white the same, purple better.

    Use `from_study` to create a display.

    Parameters
    ----------
    qualities : dict of str to ndarray of shape (n_targets, n_sources)
        xi-qualities, by the strategy that found the orders. There is one panel per
        strategy.
    names : sequence of str
        Names of the sources, which are also the targets.
    baseline : ndarray of shape (n_targets,), default=None
        Qualities of random orders. They are the reference, and are drawn in a column
        of their own. By default, the reference is the target's own order, on the
        diagonal.
    baseline_name : str, default="random"
        Title of the column of the baseline.
    what : str, default="seed"
        Kind of the sources and targets, for the labels of the axes.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The frame of all panels.
    axes_ : dict of str to matplotlib Axes
        The panels, by strategy. The key of the baseline's column is its name, followed
        by " (reference)" if its orders have a panel, too.
    figure_ : matplotlib Figure
        Figure that contains the panels.
    images_ : dict of str to matplotlib AxesImage
        Coloured cells of each panel.
    texts_ : dict of str to ndarray of matplotlib Text
        Texts of the cells of each panel, in the shape of the qualities.
    colorbar_ : matplotlib Colorbar
        Colour bar of all panels.

    See Also
    --------
    OverlapDisplay : Rows that the orders have in common.

    References
    ----------
    Zhou et al., AISTATS 2021, Figs. 4 and 5.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skal import Margin, Problem, compare, seed_transfer, split
    >>> from skal.plotting import TransferDisplay
    >>> sets = split(*load_iris(return_X_y=True), warm_size=6, random_state=0)
    >>> problem = Problem.from_sets(sets, DecisionTreeClassifier(), batch_size=2,
    ...                             n_rounds=4)
    >>> transfer = seed_transfer(compare(problem, {"margin": Margin()}))
    >>> display = TransferDisplay.from_study(transfer)
    >>> display.texts_["margin"].shape
    (5, 5)
    >>> display.ax_.get_xlabel()
    'Source seed'
    """

    def __init__(
        self, qualities, names, *, baseline=None, baseline_name="random", what="seed"
    ):
        self.qualities = qualities
        self.names = names
        self.baseline = baseline
        self.baseline_name = baseline_name
        self.what = what

    @classmethod
    def from_study(cls, result, *, strategies=None, estimator=None, ax=None):
        """Draw a transfer between seeds or estimators.

        For a transfer between estimators, qualities are means over seeds.

        Parameters
        ----------
        result : SeedTransfer or ModelTransfer
            As returned by `skal.studies.seed_transfer` or
            `skal.studies.model_transfer`.
        strategies : list of str, default=None
            Strategies to draw, one panel each; by default, all.
        estimator : str, default=None
            For a SeedTransfer, the estimator whose orders are drawn. Optional if there
            is only one. Must be None for a ModelTransfer, which draws all estimators.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure. They are split into
            panels if there are several.

        Returns
        -------
        TransferDisplay

        Raises
        ------
        ValueError
            If a strategy or the estimator is unknown, the estimator is missing and
            there are several, or it is given for a ModelTransfer.
        """
        check_result(result, "result", "SeedTransfer", "ModelTransfer")
        from skal.studies import ModelTransfer

        is_between_models = isinstance(result, ModelTransfer)
        read = _read_models if is_between_models else _read_seeds
        qualities, params = read(result, estimator)
        names = choose_all("strategy", result.strategies, strategies)
        # In a study, the source is the first axis; in the plot, it is the columns.
        panels = {name: qualities[result.strategies.index(name)].T for name in names}
        return cls(panels, **params).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the qualities.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure. They are split into
            panels if there are several.

        Returns
        -------
        TransferDisplay
        """
        panels = {name: np.asarray(one) for name, one in self.qualities.items()}
        if self.baseline is not None:
            panels[self._reference()] = np.asarray(self.baseline)[:, np.newaxis]
        widths = {name: one.shape[1] for name, one in panels.items()}
        names = [wrap(name, 9) for name in self.names]
        # Titles must not be wider than their panels, which are side by side.
        titles = {name: wrap(name, 9 * width) for name, width in widths.items()}
        size = _size(names, titles.values(), sum(widths.values()))
        self.ax_, self.figure_ = get_axes(ax, "TransferDisplay.plot", size)
        self.axes_ = split_axes(self.ax_, widths)
        self.images_, self.texts_ = {}, {}
        gaps = {name: self._gaps(panel) for name, panel in panels.items()}
        limits = _limits(gaps.values())
        for name, panel in panels.items():
            self._draw(name, panel, gaps[name], limits)
        self._explain(names, titles)
        return self

    def _reference(self):
        """Return the key of the baseline's column, distinct from all strategies."""
        is_taken = self.baseline_name in self.qualities
        return self.baseline_name + " (reference)" * is_taken

    def _gaps(self, panel):
        """Return the difference of each quality to its reference."""
        reference = np.diag(panel) if self.baseline is None else self.baseline
        return panel - np.asarray(reference)[:, np.newaxis]

    def _draw(self, name, panel, gaps, limits):
        ax = self.axes_[name]
        image = ax.imshow(
            gaps, cmap=SIGNED_MAP, vmin=limits[0], vmax=limits[1], aspect="auto"
        )
        self.images_[name] = image
        self.texts_[name] = np.empty(panel.shape, dtype=object)
        for (row, column), quality in np.ndenumerate(panel):
            gap = gaps[row, column]
            # Cells of the reference show no difference.
            own = row == column if self.baseline is None else name == self._reference()
            self.texts_[name][row, column] = ax.text(
                column,
                row,
                f"{quality:z.3f}" if own else f"{quality:z.3f}\n{gap:+z.3f}",
                ha="center",
                va="center",
                fontsize=8,
                fontweight="bold" if own else "normal",
                color=ink(image.cmap(image.norm(gap))),
            )

    def _explain(self, names, titles):
        ticks = range(len(names))
        for name, ax in self.axes_.items():
            ax.set_title(titles[name], fontsize="medium")
            ax.tick_params(length=0)
            if self.baseline is not None and name == self._reference():
                ax.set_xticks([])
            else:
                ax.set_xticks(ticks, names, fontsize="small")
                ax.set_xlabel(f"Source {self.what}")
        first = next(iter(self.axes_.values()))
        first.set_yticks(ticks, names, fontsize="small")
        first.set_ylabel(f"Target {self.what}")
        reference = "own order" if self.baseline is None else plain(self.baseline_name)
        self.colorbar_ = self.figure_.colorbar(
            next(iter(self.images_.values())),
            ax=list(self.axes_.values()),
            label=f"Difference to {reference}",
        )


def _read_seeds(result, estimator):
    """Return qualities by strategy, and the other parameters of the display."""
    comparison = result.comparison
    index = choose("estimator", comparison.estimators, estimator)
    return result.qualities[index], {"names": [str(seed) for seed in comparison.seeds]}


def _read_models(result, estimator):
    """Return qualities by strategy, and the other parameters of the display."""
    if estimator is not None:
        raise ValueError(
            f"estimator must be None for a ModelTransfer, got {estimator!r}: it "
            "compares all of its estimators."
        )
    comparison = result.comparison
    params = {"names": list(comparison.estimators), "what": "estimator"}
    if comparison.baseline is not None:
        params["baseline"] = result.baseline_qualities.mean(axis=1)
        params["baseline_name"] = comparison.baseline
    return result.qualities.mean(axis=3), params


def _size(names, titles, n_columns):
    """Return the width and height in inches of a figure without touching labels."""
    n_lines = count_lines(names)
    height = max(0.55, 0.1 + 0.15 * n_lines) * len(names)
    return 1.8 + 0.75 * n_columns, 0.9 + 0.15 * (n_lines + count_lines(titles)) + height


def _limits(gaps):
    """Return the limits of the colour scale, which all panels share: zero is white."""
    largest = max(float(np.abs(gap).max()) for gap in gaps) or 0.01
    return -largest, largest
