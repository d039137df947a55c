"""How a search for the optimal order went."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skal.oracle import read_journal
from skal.plotting._axes import get_axes
from skal.plotting._style import line_style


class SearchDisplay:
    """Quality of the current and of the best order, against trainings.

    Make one with `from_estimator`, or with `from_journal` while a search is running.

    Parameters
    ----------
    history : dict of str to ndarray
        `AnnealingOracle.history_`, or what `skal.oracle.read_journal` returns. Of
        several searches, the best order of each is drawn alone.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : dict of str to matplotlib Line2D
        "current" and "best"; of several searches, one line for each, by its seeds.

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
            If its strategy made no search, or was ended in its first step.
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
                "history_ must have a step to be drawn, got none: the search was ended "
                "in its first step, so let it go on for longer."
            )
        return cls(strategy.history_).plot(ax=ax)

    @classmethod
    def from_journal(cls, path, *, ax=None):
        """Draw the searches in a journal, also while they are running.

        Parameters
        ----------
        path : str or path-like
            What was given to `AnnealingOracle(journal=)`.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.

        Returns
        -------
        SearchDisplay

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is damaged, no journal, or no search in it has begun.
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
            Where to draw; a new figure by default.

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
    """Return the history of each search in a table, by its name."""
    if "xi" not in history:
        return {"search": history}
    # A search is all steps from one start to the next.
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
    """Return the share of steps that were accepted, without the start.

    A step is accepted if one of the moves that it proposes is; a blind one has one.
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
