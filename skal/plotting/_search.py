"""Progress of a search for the optimal order."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skal.oracle import read_journal
from skal.plotting._axes import get_axes
from skal.plotting._style import line_style


class SearchDisplay:
    """Quality of the current and the best order against the number of trainings.

    Use `from_estimator` to create a display, or `from_journal` while a search is
    running.

    Parameters
    ----------
    history : dict of str to ndarray
        The history, as in `AnnealingOracle.history_` or as returned by
        `skal.oracle.read_journal`. With several searches, only the best order of each
        is drawn.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the lines.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    lines_ : dict of str to matplotlib Line2D
        The lines "current" and "best"; with several searches, one line per search,
        named by its seeds.

    See Also
    --------
    PerformanceCurveDisplay : The curve of an oracle, next to other strategies.

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
            The fitted learner or oracle.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.

        Returns
        -------
        SearchDisplay

        Raises
        ------
        ValueError
            If the strategy made no search, or its search ended in the first step.
        """
        check_is_fitted(learner)
        strategy = getattr(learner, "strategy_", learner)
        if not hasattr(strategy, "history_"):
            raise ValueError(
                f"{type(strategy).__name__} made no search that could be drawn: give a "
                "learner with AnnealingOracle as its strategy."
            )
        if not len(strategy.history_["step"]):
            raise ValueError(
                "history_ must have at least one step, got 0: the search ended in its "
                "first step, so let it run for longer."
            )
        return cls(strategy.history_).plot(ax=ax)

    @classmethod
    def from_journal(cls, path, *, ax=None):
        """Draw the searches in a journal, which may still be running.

        Parameters
        ----------
        path : str or path-like
            The `journal` of the `AnnealingOracle`.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.

        Returns
        -------
        SearchDisplay

        Raises
        ------
        FileNotFoundError
            If the file does not exist.
        ValueError
            If the file is damaged or not a journal, or its searches have not begun.
        """
        history = read_journal(path)
        if not len(history["step"]):
            raise ValueError(
                f"No search in {path} has scored its start yet: try again later."
            )
        return cls(history).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the search.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.

        Returns
        -------
        SearchDisplay
        """
        self.ax_, self.figure_ = get_axes(ax, "SearchDisplay.plot")
        searches = _searches(self.history)
        if len(searches) == 1:
            (history,) = searches.values()
            self.lines_ = {"current": _draw_current(self.ax_, history)}
            self.lines_["best"] = _draw_best(self.ax_, history, "best", 0)
        else:
            self.lines_ = {
                name: _draw_best(self.ax_, history, name, number)
                for number, (name, history) in enumerate(searches.items())
            }
        self.ax_.set(xlabel="Trainings", ylabel="xi-quality on validation")
        self.ax_.grid(alpha=0.3)
        self.ax_.legend(loc="lower right", frameon=False)
        return self


def _searches(history):
    """Return the history of each search in a journal, by its seeds."""
    if "xi" not in history:
        return {"search": history}
    # Each search begins with step 0.
    cuts = np.flatnonzero(history["step"] == 0)[1:]
    columns = {name: np.split(column, cuts) for name, column in history.items()}
    parts = [
        dict(zip(columns, part, strict=True))
        for part in zip(*columns.values(), strict=True)
    ]
    return {f"xi {part['xi'][0]}, seed {part['seed'][0]}": part for part in parts}


def _draw_current(ax, history):
    (line,) = ax.plot(
        history["n_trainings"],
        history["current"],
        drawstyle="steps-post",
        color="0.6",
        linewidth=0.8,
        label=f"current (accepted {_acceptance(history):.0%} of steps)",
    )
    return line


def _acceptance(history):
    """Return the share of accepted steps, without the start.

    A step is accepted if any of its proposed moves is accepted. Steps of the uniform
    search propose one move.
    """
    accepted = history["accepted"][history["step"] > 0]
    return accepted.mean() if len(accepted) else 0.0


def _draw_best(ax, history, name, number):
    # There are too many steps for markers.
    style = line_style(number) | {"marker": ""}
    (line,) = ax.plot(
        history["n_trainings"],
        history["best"],
        drawstyle="steps-post",
        label=f"{name}: {history['best'][-1]:.3f}",
        **style,
    )
    return line
