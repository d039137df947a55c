"""How a search for the optimal order went."""

from sklearn.utils.validation import check_is_fitted

from skal.plotting._axes import get_axes


class SearchDisplay:
    """Quality of the current and of the best order, against trainings.

    Make one with `from_estimator`.

    Parameters
    ----------
    history : dict of str to ndarray
        `AnnealingOracle.history_`.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : dict of str to matplotlib Line2D
        "current" and "best".

    See Also
    --------
    PerformanceCurveDisplay : What a search found, next to other strategies.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import ActiveLearner, AnnealingOracle
    >>> from skal.plotting import SearchDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(GaussianNB(), AnnealingOracle(n_steps=50),
    ...                         batch_size=5, n_rounds=4, random_state=0).fit(X, y)
    >>> sorted(SearchDisplay.from_estimator(learner).lines_)
    ['best', 'current']
    """

    def __init__(self, history):
        self.history = history

    @classmethod
    def from_estimator(cls, learner, *, ax=None):
        """Draw the search of a fitted learner or oracle.

        Parameters
        ----------
        learner : ActiveLearner or AnnealingOracle
            Fitted.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.

        Returns
        -------
        SearchDisplay

        Raises
        ------
        ValueError
            If its strategy made no search.
        """
        check_is_fitted(learner)
        strategy = getattr(learner, "strategy_", learner)
        if not hasattr(strategy, "history_"):
            raise ValueError(
                f"{type(strategy).__name__} made no search that could be drawn: give a "
                "learner with AnnealingOracle as its strategy."
            )
        return cls(strategy.history_).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the search.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.

        Returns
        -------
        SearchDisplay
        """
        ax = get_axes(ax, "SearchDisplay.plot")
        self.ax_, self.figure_ = ax, ax.figure
        history, trainings = self.history, self.history["n_trainings"]
        (current,) = ax.plot(
            trainings,
            history["current"],
            color="C0",
            alpha=0.5,
            linewidth=0.8,
            label=f"current (accepted {history['accepted'][1:].mean():.0%} of steps)",
        )
        (best,) = ax.plot(
            trainings,
            history["best"],
            color="C1",
            drawstyle="steps-post",
            label=f"best: {history['best'][-1]:.3f}",
        )
        self.lines_ = {"current": current, "best": best}
        ax.set(xlabel="Trainings", ylabel="xi-quality on validation")
        ax.grid(alpha=0.3)
        ax.legend(loc="lower right", frameon=False)
        return self
