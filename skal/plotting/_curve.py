"""Performance curves of several learners in one plot."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skal._choices import check_choice
from skal.plotting._axes import (
    AMOUNT,
    choose,
    choose_all,
    get_axes,
    legend_beside,
    legend_height,
    plain,
    split_axes,
)
from skal.plotting._style import styles_of
from skal.studies._kinds import check_result

# Explanation of the bands and of n in the legend.
BAND = "band: one standard deviation\nof single runs; n: runs"


class PerformanceCurveDisplay:
    """Score against the number of labelled rows, for several learners.

    For a learner with several runs, the line is the mean of their curves. The band is
    one standard deviation of single runs on either side. It shows the spread of runs,
    not the standard error of the mean, which is smaller. The random baseline is drawn
    in grey behind the other curves. The legend on the right lists the xi-qualities,
    best first, and the number of runs n. A strategy has the same colour in all plots,
    which follows from its name; strategies named "random" are drawn as a baseline.

    Use `from_estimators` or `from_study` to create a display.

    Parameters
    ----------
    curves : dict of str to ndarray of shape (n_runs, n_rounds + 1)
        Performance curves of the runs of each learner, by name.
    n_labelled : ndarray of shape (n_rounds + 1,)
        Number of labelled rows after each round, including the warm start. With costs,
        the amount that may be spent until then.
    baseline : str or None, default=None
        Name of the random baseline.
    score_name : str, default="Test score"
        Label of the vertical axis.
    include_warm_start : bool, default=False
        Whether the qualities in the legend are means over k = 0..K instead of over
        k = 1..K.
    axis_name : str, default="Labelled rows"
        Label of the horizontal axis.
    validation_curves : dict of str to ndarray of shape (n_runs, n_rounds + 1), \
            default=None
        Curves on the validation set, drawn in a panel of their own, on the left. Both
        panels have the same axes.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curves; with two panels, the panel on the right.
    axes_ : dict of str to matplotlib Axes
        The panels: "curves" and, to the left of it, "validation" if it is drawn.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    lines_ : dict of str to matplotlib Line2D
        Mean curves, by name.
    bands_ : dict of str to matplotlib collection
        Bands of the learners with several runs, by name.

    See Also
    --------
    SearchDisplay : Progress of a search.
    GainDisplay : Gains of distribution matching.

    References
    ----------
    Zhou et al., AISTATS 2021, Figs. 3 and 10.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import ActiveLearner, Margin, Random, run_seeds
    >>> from skal.plotting import PerformanceCurveDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> runs = {
    ...     name: run_seeds(ActiveLearner(GaussianNB(), strategy, batch_size=5,
    ...                                   n_rounds=4), X, y, seeds=3)
    ...     for name, strategy in {"random": Random(), "margin": Margin()}.items()
    ... }
    >>> display = PerformanceCurveDisplay.from_estimators(runs, baseline="random")
    >>> sorted(display.lines_)
    ['margin', 'random']
    """

    def __init__(
        self,
        curves,
        n_labelled,
        *,
        baseline=None,
        score_name="Test score",
        include_warm_start=False,
        axis_name=AMOUNT[False],
        validation_curves=None,
    ):
        self.curves = curves
        self.n_labelled = n_labelled
        self.baseline = baseline
        self.score_name = score_name
        self.include_warm_start = include_warm_start
        self.axis_name = axis_name
        self.validation_curves = validation_curves

    @classmethod
    def from_estimators(
        cls, learners, *, baseline=None, score_name="Test score", ax=None
    ):
        """Draw the curves of fitted learners.

        Parameters
        ----------
        learners : dict of str to ActiveLearner, list of ActiveLearner or SeedResults
            Fitted learners by name. Several learners under one name are runs with
            different seeds.
        baseline : str, default=None
            Name of the random baseline.
        score_name : str, default="Test score"
            Label of the vertical axis.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.

        Returns
        -------
        PerformanceCurveDisplay

        Raises
        ------
        ValueError
            If there are no learners, they differ in warm start, batch size or number of
            rounds, or `baseline` is not one of them.
        """
        runs = {name: _as_list(one) for name, one in learners.items()}
        if not runs or not all(runs.values()):
            raise ValueError(
                "There is nothing to draw: give learners, at least one for each name."
            )
        counts = {
            name: {_axis(learner) for learner in seeds} for name, seeds in runs.items()
        }
        if len(set().union(*counts.values())) != 1:
            raise ValueError(
                "The learners must label the same number of rows in each round, or "
                "spend the same amount: give all the same warm start, batch_size and "
                "n_rounds."
            )
        if baseline is not None and baseline not in runs:
            check_choice(baseline, "baseline", runs)
        ((axis_name, *n_labelled),) = next(iter(counts.values()))
        curves = {
            name: np.array([learner.curve_ for learner in seeds])
            for name, seeds in runs.items()
        }
        display = cls(
            curves,
            np.array(n_labelled),
            baseline=baseline,
            score_name=score_name,
            axis_name=axis_name,
        )
        return display.plot(ax=ax)

    @classmethod
    def from_study(
        cls,
        result,
        *,
        estimator=None,
        strategies=None,
        on="test",
        score_name=None,
        ax=None,
    ):
        """Draw the curves of a comparison.

        Each strategy has one run per seed; the baseline has one per seed and random
        order. On validation, a baseline with several orders only has their mean, which
        is drawn without a band.

        Parameters
        ----------
        result : Comparison
            As returned by `skal.studies.compare`.
        estimator : str, default=None
            Estimator whose curves are drawn. Optional if there is only one.
        strategies : list of str, default=None
            Strategies whose curves are drawn; by default, all.
        on : {"test", "validation", "both"}, default="test"
            Data set on which curves are scored. "both" draws two panels with the same
            axes, and lists the qualities on test.
        score_name : str, default=None
            Label of the vertical axis; by default, "Test score", "Validation score" or
            "Score".
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.

        Returns
        -------
        PerformanceCurveDisplay

        Raises
        ------
        ValueError
            If an estimator or strategy is unknown, `estimator` is missing and there are
            several, or the study has no validation set.
        """
        check_result(result, "result", "Comparison")
        check_choice(on, "on", ("test", "validation", "both"))
        index = choose("estimator", result.estimators, estimator)
        has_both = on == "both"
        display = cls(
            _single_curves(result, index, "test" if has_both else on),
            result.n_labelled,
            baseline=result.baseline,
            score_name=score_name
            or ("Score" if has_both else f"{on.capitalize()} score"),
            include_warm_start=result.include_warm_start,
            axis_name=AMOUNT[result.splits.example.costs is not None],
            validation_curves=(
                _single_curves(result, index, "validation") if has_both else None
            ),
        )
        return display.plot(names=strategies, ax=ax)

    def plot(self, *, names=None, ax=None):
        """Draw the curves.

        Parameters
        ----------
        names : list of str, default=None
            Learners whose curves are drawn; by default, all. The choice does not change
            the colour or marker of a curve.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.

        Returns
        -------
        PerformanceCurveDisplay

        Raises
        ------
        ValueError
            If a name is unknown.
        """
        names = choose_all("strategy", self.curves, names)
        panels = {"validation": self.validation_curves, "curves": self.curves}
        panels = {name: curves for name, curves in panels.items() if curves is not None}
        size = self._size(len(names), len(panels))
        frame, self.figure_ = get_axes(ax, "PerformanceCurveDisplay.plot", size)
        self.axes_ = split_axes(frame, dict.fromkeys(panels, 1))
        self.ax_ = self.axes_["curves"]
        styles = styles_of(self.curves, self.baseline)
        for panel, curves in panels.items():
            # The display keeps the lines of the last panel, which the legend lists.
            self.lines_, self.bands_ = {}, {}
            for name in sorted(names, key=self._quality, reverse=True):
                self._draw(self.axes_[panel], name, curves[name], styles[name])
        self._explain()
        return self

    def _size(self, n_lines, n_panels):
        """Return the width and height of a new figure, with room for the legend."""
        return 4 + 5.5 * n_panels, max(4.5, legend_height(n_lines + 3))

    def _quality(self, name):
        curves = np.asarray(self.curves[name])
        return np.mean(curves if self.include_warm_start else curves[:, 1:])

    def _draw(self, ax, name, curves, style):
        curves = np.asarray(curves)
        mean = curves.mean(axis=0)
        label = f"{plain(name)}: {self._quality(name):z.3f}"
        if len(self.curves[name]) > 1:
            label += f" (n={len(self.curves[name])})"
        (self.lines_[name],) = ax.plot(
            self.n_labelled, mean, markersize=4.5, linewidth=1.3, label=label, **style
        )
        if len(curves) > 1:
            spread = curves.std(axis=0, ddof=1)
            self.bands_[name] = ax.fill_between(
                self.n_labelled,
                mean - spread,
                mean + spread,
                color=style["color"],
                alpha=0.12,
                linewidth=0,
                zorder=0,
            )

    def _explain(self):
        for name, ax in self.axes_.items():
            ax.set_xlabel(self.axis_name)
            ax.xaxis.get_major_locator().set_params(integer=True)
            ax.grid(alpha=0.3)
            if len(self.axes_) > 1:
                title = "Validation" if name == "validation" else "Test"
                ax.set_title(title, fontsize="medium")
        panels = list(self.axes_.values())
        panels[0].set_ylabel(self.score_name)
        first = 0 if self.include_warm_start else 1
        title = "test, " * (len(panels) > 1) + f"mean over rounds {first} to K"
        if self.bands_:
            title += f"\n{BAND}"
        # Pass the labels: matplotlib omits labels that begin with an underscore.
        lines = list(self.lines_.values())
        legend_beside(
            panels,
            lines,
            [line.get_label() for line in lines],
            title=title,
            title_fontsize="small",
            alignment="left",
            handlelength=3,
        )


def _single_curves(result, index, on):
    """Return the curves of all runs with one estimator, by strategy."""
    curves = result.curves if on == "test" else result.validation_curves
    # With an empty warm start, index 0 is NaN on either set.
    if np.isnan(curves[index][..., 1:]).any():
        raise ValueError(
            f"The study has no {on} scores: give its problem a {on} set to draw them."
        )
    named = dict(zip(result.strategies, curves[index], strict=True))
    if result.baseline is not None:
        singles = result.single_curves(result.baseline)[index]
        if on == "test":
            named[result.baseline] = singles
        elif len(singles) > len(result.seeds):
            mean = named[result.baseline].mean(axis=0, keepdims=True)
            named[result.baseline] = mean
    return named


def _as_list(one):
    return list(getattr(one, "learners", one if isinstance(one, list) else [one]))


def _axis(learner):
    """Return the name of the horizontal axis, and the place of each round on it."""
    check_is_fitted(learner)
    if hasattr(learner, "spent_"):
        places = learner.batch_size * np.arange(len(learner.curve_))
        return AMOUNT[True], *places.tolist()
    acquired = np.bincount(learner.rounds_, minlength=len(learner.curve_))
    return AMOUNT[False], *(learner.n_warm_ + np.cumsum(acquired)).tolist()
