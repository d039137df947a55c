"""How well labelling orders do away from where they were found."""

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
from skal.plotting._style import COLOUR_MAP, ink


class TransferDisplay:
    """Quality of labelling orders under other seeds, or with other estimators.

    The orders found for the source, on the columns, are followed by the target, on the
    rows. A cell holds a quality and how far it is from that of the reference, which the
    colour shows too: the darker, the worse.

    Make one with `from_study`.

    Parameters
    ----------
    qualities : dict of str to ndarray of shape (n_targets, n_sources)
        xi-qualities under the name of the strategy that found the orders; one panel
        each.
    names : sequence of str
        Of the sources and targets, which are the same.
    baseline : ndarray of shape (n_targets,), default=None
        Quality of random orders: the reference, drawn as a column of its own. By
        default, the reference is the order that was found for the target, on the
        diagonal.
    baseline_name : str, default="random"
        Above that column.
    what : str, default="seed"
        What the sources and targets are.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The frame of all panels.
    axes_ : dict of str to matplotlib Axes
        The panels, by strategy, and that of the baseline: under its name, or that and
        "(reference)" where its orders have a panel too.
    figure_ : matplotlib Figure
    images_ : dict of str to matplotlib AxesImage
    texts_ : dict of str to ndarray of matplotlib Text
        In the shape of the qualities.
    colorbar_ : matplotlib Colorbar

    See Also
    --------
    OverlapDisplay : How many rows the orders have in common.

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
        """Draw a study of transfer.

        Qualities are means over the seeds, where seeds are not what is compared.

        Parameters
        ----------
        result : SeedTransfer or ModelTransfer
            What `skal.studies.seed_transfer` or `skal.studies.model_transfer` returns.
        strategies : list of str, default=None
            Whose orders, drawn side by side; all by default.
        estimator : str, default=None
            Which estimator's seeds; may be left out where there is one. It has no
            meaning for a ModelTransfer, which compares estimators.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default. It is split where there are several
            panels.

        Returns
        -------
        TransferDisplay

        Raises
        ------
        ValueError
            If there is no such strategy or estimator, or it is not said which of
            several estimators to draw.
        """
        from skal.studies import ModelTransfer

        is_of_models = isinstance(result, ModelTransfer)
        read = _read_models if is_of_models else _read_seeds
        qualities, params = read(result, estimator)
        names = choose_all("strategy", result.strategies, strategies)
        # A study has the sources first, the picture has them on its columns.
        panels = {name: qualities[result.strategies.index(name)].T for name in names}
        return cls(panels, **params).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the qualities.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default. It is split where there are several
            panels.

        Returns
        -------
        TransferDisplay
        """
        panels = {name: np.asarray(one) for name, one in self.qualities.items()}
        if self.baseline is not None:
            panels[self._reference()] = np.asarray(self.baseline)[:, np.newaxis]
        widths = {name: one.shape[1] for name, one in panels.items()}
        names = [wrap(name, 9) for name in self.names]
        # As wide as their panels, which stand side by side.
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
        """Return the key of the baseline's own column, which is no strategy's."""
        is_taken = self.baseline_name in self.qualities
        return self.baseline_name + " (reference)" * is_taken

    def _gaps(self, panel):
        """Return how much better each quality is than that of the reference."""
        reference = np.diag(panel) if self.baseline is None else self.baseline
        return panel - np.asarray(reference)[:, np.newaxis]

    def _draw(self, name, panel, gaps, limits):
        ax = self.axes_[name]
        image = ax.imshow(
            gaps, cmap=COLOUR_MAP, vmin=limits[0], vmax=limits[1], aspect="auto"
        )
        self.images_[name] = image
        self.texts_[name] = np.empty(panel.shape, dtype=object)
        for (row, column), quality in np.ndenumerate(panel):
            gap = gaps[row, column]
            # A reference is not compared with itself.
            own = row == column if self.baseline is None else name == self._reference()
            self.texts_[name][row, column] = ax.text(
                column,
                row,
                f"{quality:.3f}" if own else f"{quality:.3f}\n{gap:+.3f}",
                ha="center",
                va="center",
                fontsize=8,
                fontweight="bold" if own else "normal",
                color=ink(image.cmap(image.norm(gap))),
            )

    def _explain(self, names, titles):
        places = range(len(names))
        for name, ax in self.axes_.items():
            ax.set_title(titles[name], fontsize="medium")
            ax.tick_params(length=0)
            if self.baseline is not None and name == self._reference():
                ax.set_xticks([])
            else:
                ax.set_xticks(places, names, fontsize="small")
                ax.set_xlabel(f"Source {self.what}")
        first = next(iter(self.axes_.values()))
        first.set_yticks(places, names, fontsize="small")
        first.set_ylabel(f"Target {self.what}")
        reference = "own order" if self.baseline is None else plain(self.baseline_name)
        self.colorbar_ = self.figure_.colorbar(
            next(iter(self.images_.values())),
            ax=list(self.axes_.values()),
            label=f"Difference to {reference}",
        )


def _read_seeds(result, estimator):
    """Return the qualities of each strategy, and what is drawn with them."""
    comparison = result.comparison
    place = choose("estimator", comparison.estimators, estimator)
    return result.qualities[place], {"names": [str(seed) for seed in comparison.seeds]}


def _read_models(result, estimator):
    """Return the qualities of each strategy, and what is drawn with them."""
    if estimator is not None:
        raise ValueError(
            "A ModelTransfer compares all of its estimators: leave out estimator."
        )
    comparison = result.comparison
    params = {"names": list(comparison.estimators), "what": "estimator"}
    if comparison.baseline is not None:
        params["baseline"] = result.baseline_qualities.mean(axis=1)
        params["baseline_name"] = comparison.baseline
    return result.qualities.mean(axis=3), params


def _size(names, titles, n_columns):
    """Return the width and height of a figure in which no names touch."""
    n_lines = count_lines(names)
    height = max(0.55, 0.1 + 0.15 * n_lines) * len(names)
    return 1.8 + 0.75 * n_columns, 0.9 + 0.15 * (n_lines + count_lines(titles)) + height


def _limits(gaps):
    """Return the ends of the colour scale, which all panels share."""
    values = np.concatenate([np.ravel(one) for one in gaps])
    low, high = values.min(), values.max()
    return (low, high) if low < high else (low - 0.01, high + 0.01)
