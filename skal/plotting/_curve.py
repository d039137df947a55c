"""Performance curves of several learners in one picture."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skal.plotting._axes import BESIDE, choose, choose_all, get_axes, plain
from skal.plotting._style import BASELINE, line_style

# Explains the bands and n in the legend.
BAND = "band: one standard deviation\nof single runs; n: runs"


class PerformanceCurveDisplay:
    """Score against the number of labelled rows, for several learners.

    A learner with several runs is drawn as the mean of their curves, in a band of one
    standard deviation of single runs on either side: how far one run lies from the
    mean. It is not the error of the mean, which is smaller. The random baseline is
    drawn in grey behind the others. The legend, at the right, holds the xi-quality of
    each, best first, and the number n of its runs.

    Make one with `from_estimators`, or with `from_study`.

    Parameters
    ----------
    curves : dict of str to ndarray of shape (n_runs, n_rounds + 1)
        Performance curves of single runs under the name of their learner.
    n_labelled : ndarray of shape (n_rounds + 1,)
        Rows labelled after each round, the warm start included.
    baseline : str or None, default=None
        Which of them is the random baseline.
    score_name : str, default="Test score"
        What the vertical axis shows.
    include_warm_start : bool, default=False
        Let the qualities in the legend be means over k = 0..K, not k = 1..K.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : dict of str to matplotlib Line2D
    bands_ : dict of str to matplotlib collection
        For learners with several runs.

    See Also
    --------
    SearchDisplay : How a search went.
    GainDisplay : What a strategy gains by distribution matching.

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
    ):
        self.curves = curves
        self.n_labelled = n_labelled
        self.baseline = baseline
        self.score_name = score_name
        self.include_warm_start = include_warm_start

    @classmethod
    def from_estimators(
        cls, learners, *, baseline=None, score_name="Test score", ax=None
    ):
        """Draw the curves of fitted learners.

        Parameters
        ----------
        learners : dict of str to ActiveLearner, list of them, or SeedResults
            Fitted learners under the name to show; several for one name are seeds.
        baseline : str, default=None
            The name of the random baseline.
        score_name : str, default="Test score"
            What the vertical axis shows.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.

        Returns
        -------
        PerformanceCurveDisplay

        Raises
        ------
        ValueError
            If there are no learners, they differ in warm start, batch size or rounds,
            or `baseline` is none of them.
        """
        runs = {name: _as_list(one) for name, one in learners.items()}
        if not runs or not all(runs.values()):
            raise ValueError(
                "There is nothing to draw: give learners, and at least one for each "
                "name."
            )
        counts = {
            name: {_labelled_counts(learner) for learner in seeds}
            for name, seeds in runs.items()
        }
        if len(set().union(*counts.values())) != 1:
            raise ValueError(
                "The learners label different numbers of rows per round, so their "
                "curves have no common axis: give all the same warm start, batch_size "
                "and n_rounds."
            )
        if baseline is not None and baseline not in runs:
            raise ValueError(
                f"baseline={baseline!r} is none of the learners: {', '.join(runs)}."
            )
        (n_labelled,) = next(iter(counts.values()))
        curves = {
            name: np.array([learner.curve_ for learner in seeds])
            for name, seeds in runs.items()
        }
        display = cls(
            curves, np.array(n_labelled), baseline=baseline, score_name=score_name
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

        There is a run per seed; for the baseline, one per seed and random order. On
        validation the single orders of a baseline are not known, so their mean is
        drawn without a band.

        Parameters
        ----------
        result : Comparison
            What `skal.studies.compare` returns.
        estimator : str, default=None
            Whose curves; may be left out where there is one.
        strategies : list of str, default=None
            Whose curves; all by default.
        on : {"test", "validation"}, default="test"
            The data that scores are of.
        score_name : str, default=None
            What the vertical axis shows: by default, a score on these data.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.

        Returns
        -------
        PerformanceCurveDisplay

        Raises
        ------
        ValueError
            If there is no such estimator or strategy, it is not said which of several
            estimators to draw, or the study had no validation set.
        """
        if on not in ("test", "validation"):
            raise ValueError(f'on must be "test" or "validation"; got {on!r}.')
        place = choose("estimator", result.estimators, estimator)
        display = cls(
            _single_curves(result, place, on),
            result.n_labelled,
            baseline=result.baseline,
            score_name=score_name or f"{on.capitalize()} score",
            include_warm_start=result.include_warm_start,
        )
        return display.plot(names=strategies, ax=ax)

    def plot(self, *, names=None, ax=None):
        """Draw the curves.

        Parameters
        ----------
        names : list of str, default=None
            Whose curves; all by default. A name has the same look with any others.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.

        Returns
        -------
        PerformanceCurveDisplay

        Raises
        ------
        ValueError
            If there is no such curve.
        """
        names = choose_all("strategy", self.curves, names)
        size = (9.5, 4.5)
        self.ax_, self.figure_ = get_axes(ax, "PerformanceCurveDisplay.plot", size)
        self.lines_, self.bands_ = {}, {}
        styles = self._styles()
        for name in sorted(names, key=self._quality, reverse=True):
            self._draw(name, styles[name])
        self.ax_.set(xlabel="Labelled rows", ylabel=self.score_name)
        self.ax_.xaxis.get_major_locator().set_params(integer=True)
        self.ax_.grid(alpha=0.3)
        self._explain()
        return self

    def _quality(self, name):
        curves = np.asarray(self.curves[name])
        return np.mean(curves if self.include_warm_start else curves[:, 1:])

    def _styles(self):
        """Return the look of each curve: the same in any picture of these names."""
        others = [name for name in self.curves if name != self.baseline]
        styles = {name: line_style(i) for i, name in enumerate(others)}
        return styles | {self.baseline: BASELINE}

    def _draw(self, name, style):
        curves = np.asarray(self.curves[name])
        mean = curves.mean(axis=0)
        label = f"{plain(name)}: {self._quality(name):.3f}"
        if len(curves) > 1:
            label += f" (n={len(curves)})"
        (self.lines_[name],) = self.ax_.plot(
            self.n_labelled, mean, markersize=4.5, linewidth=1.3, label=label, **style
        )
        if len(curves) > 1:
            spread = curves.std(axis=0, ddof=1)
            self.bands_[name] = self.ax_.fill_between(
                self.n_labelled,
                mean - spread,
                mean + spread,
                color=style["color"],
                alpha=0.12,
                linewidth=0,
                zorder=0,
            )

    def _explain(self):
        first = 0 if self.include_warm_start else 1
        title = f"mean over rounds {first} to K"
        if self.bands_:
            title += f"\n{BAND}"
        # By itself, it leaves out what begins with an underscore.
        lines = list(self.lines_.values())
        self.ax_.legend(
            lines,
            [line.get_label() for line in lines],
            title=title,
            title_fontsize="small",
            alignment="left",
            handlelength=3,
            **BESIDE,
        )


def _single_curves(result, place, on):
    """Return the curves of each run of a comparison with one estimator, by strategy."""
    curves = result.curves if on == "test" else result.validation_curves
    # Nothing is scored before the first round where the warm start is empty.
    if np.isnan(curves[place][..., 1:]).any():
        raise ValueError(f"The study has no {on} scores: its problem has no such set.")
    named = dict(zip(result.strategies, curves[place], strict=True))
    if result.baseline is not None:
        singles = result.single_curves(result.baseline)[place]
        if on == "test":
            named[result.baseline] = singles
        elif len(singles) > len(result.seeds):
            mean = named[result.baseline].mean(axis=0, keepdims=True)
            named[result.baseline] = mean
    return named


def _as_list(one):
    return list(getattr(one, "learners", one if isinstance(one, list) else [one]))


def _labelled_counts(learner):
    check_is_fitted(learner)
    acquired = np.bincount(learner.rounds_, minlength=len(learner.curve_))
    return tuple((learner.n_warm_ + np.cumsum(acquired)).tolist())
