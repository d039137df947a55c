"""Performance curves of several learners in one picture."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skal.plotting._axes import get_axes


class PerformanceCurveDisplay:
    """Score against the number of labelled rows, for several learners.

    A learner with several seeds is drawn as the mean of its curves, in a band of one
    standard deviation. The random baseline is drawn in grey behind the others.

    Make one with `from_estimators`.

    Parameters
    ----------
    curves : dict of str to ndarray of shape (n_seeds, n_rounds + 1)
        Performance curves under the name of their learner.
    n_labelled : ndarray of shape (n_rounds + 1,)
        Rows labelled after each round, the warm start included.
    baseline : str or None, default=None
        Which of them is the random baseline.
    score_name : str, default="Test score"
        What the vertical axis shows.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : dict of str to matplotlib Line2D
    bands_ : dict of str to matplotlib collection
        Of the learners with several seeds.

    See Also
    --------
    SearchDisplay : How a search went.

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

    def __init__(self, curves, n_labelled, *, baseline=None, score_name="Test score"):
        self.curves = curves
        self.n_labelled = n_labelled
        self.baseline = baseline
        self.score_name = score_name

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
            If the learners differ in warm start, batch size or rounds, or `baseline` is
            none of them.
        """
        runs = {name: _as_list(one) for name, one in learners.items()}
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

    def plot(self, *, ax=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.

        Returns
        -------
        PerformanceCurveDisplay
        """
        ax = get_axes(ax, "PerformanceCurveDisplay.plot")
        self.ax_, self.figure_ = ax, ax.figure
        self.lines_, self.bands_ = {}, {}
        for name in self._by_quality():
            self._draw(name)
        ax.set(xlabel="Labelled rows", ylabel=self.score_name)
        ax.grid(alpha=0.3)
        ax.legend(title="mean over rounds 1 to K", loc="lower right", frameon=False)
        return self

    def _by_quality(self):
        """Return the names, best first: the legend then reads like the picture."""
        quality = {name: np.mean(curve[:, 1:]) for name, curve in self.curves.items()}
        return sorted(quality, key=quality.get, reverse=True)

    def _draw(self, name):
        curves = self.curves[name]
        mean = curves.mean(axis=0)
        is_baseline = name == self.baseline
        style = {"color": "0.5", "linestyle": "--", "zorder": 1} if is_baseline else {}
        label = f"{name}: {curves[:, 1:].mean():.3f}"
        if len(curves) > 1:
            label += f" (n={len(curves)})"
        (line,) = self.ax_.plot(
            self.n_labelled, mean, marker="o", markersize=3, label=label, **style
        )
        self.lines_[name] = line
        if len(curves) > 1:
            spread = curves.std(axis=0, ddof=1)
            self.bands_[name] = self.ax_.fill_between(
                self.n_labelled,
                mean - spread,
                mean + spread,
                color=line.get_color(),
                alpha=0.15,
                linewidth=0,
                zorder=0,
            )


def _as_list(one):
    return list(getattr(one, "learners", one if isinstance(one, list) else [one]))


def _labelled_counts(learner):
    check_is_fitted(learner)
    acquired = np.bincount(learner.rounds_, minlength=len(learner.curve_))
    return tuple((learner.n_warm_ + np.cumsum(acquired)).tolist())
