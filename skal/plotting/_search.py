"""Progress of a search for the optimal order."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skal.oracle import read_journal
from skal.plotting._axes import choose, get_axes, legend_beside, plain, split_axes
from skal.plotting._style import line_style, styles_of
from skal.studies._kinds import check_result
from skal.studies.running._store import find_journal

# Widths of the panels: the search on validation, and what its result gives on test.
WIDTHS = {"search": 5, "test": 1}


class SearchDisplay:
    """Quality of the current and the best order against the number of trainings.

    The search takes place on the validation set. To see what it wins, give
    `references`: other strategies, whose qualities are drawn as horizontal lines. A
    narrow panel on the right shows the qualities of all of them on the test set, on the
    same axis. There, the best order is usually worse than where it was searched for.

    Use `from_estimator` or `from_study` to create a display, or `from_journal` while a
    search is running.

    Parameters
    ----------
    history : dict of str to ndarray
        The history, as in `AnnealingOracle.history_` or as returned by
        `skal.oracle.read_journal`. With several searches, only the best order of each
        is drawn.
    references : dict of str to (float, float), default=None
        Qualities of other strategies on validation and test, by name.
    test_quality : float, default=None
        Quality on test of the best order of the search.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the lines of the search.
    axes_ : dict of str to matplotlib Axes
        The panels: "search" and, if a quality on test is known, "test".
    figure_ : matplotlib Figure
        Figure that contains the axes.
    lines_ : dict of str to matplotlib Line2D
        The lines "current" and "best"; with several searches, one line per search,
        named by its seeds.
    reference_lines_ : dict of str to matplotlib Line2D
        Lines of the references on validation, by name.
    test_lines_ : dict of str to matplotlib Line2D
        Lines of the qualities on test, by name; "best" is the order that was found.

    See Also
    --------
    PerformanceCurveDisplay : The curve of an oracle, next to other strategies.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import ActiveLearner, AnnealingOracle, Margin, Random
    >>> from skal.plotting import SearchDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> strategies = {"oracle": AnnealingOracle(n_steps=50), "random": Random(),
    ...               "margin": Margin()}
    >>> runs = {
    ...     name: ActiveLearner(GaussianNB(), strategy, batch_size=5, n_rounds=4,
    ...                         random_state=0).fit(X, y)
    ...     for name, strategy in strategies.items()
    ... }
    >>> display = SearchDisplay.from_estimator(runs.pop("oracle"), references=runs)
    >>> sorted(display.lines_), sorted(display.reference_lines_)
    (['best', 'current'], ['margin', 'random'])
    """

    def __init__(self, history, *, references=None, test_quality=None):
        self.history = history
        self.references = references
        self.test_quality = test_quality

    @classmethod
    def from_estimator(cls, learner, *, references=None, ax=None):
        """Draw the search of a fitted learner or oracle.

        Parameters
        ----------
        learner : ActiveLearner or AnnealingOracle
            The fitted learner or oracle.
        references : dict of str to ActiveLearner, list of ActiveLearner or \
                SeedResults, default=None
            Fitted learners with other strategies, on the same sets, by name. Several
            learners under one name are runs with different seeds.
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
        return cls(
            strategy.history_,
            references=_read_learners(references),
            test_quality=getattr(learner, "quality_", None)
            if learner is not strategy
            else None,
        ).plot(ax=ax)

    @classmethod
    def from_journal(cls, path, *, references=None, ax=None):
        """Draw the searches in a journal, which may still be running.

        The journal is only read, and a search that writes to it is not disturbed.

        Parameters
        ----------
        path : str or path-like
            The `journal` of the `AnnealingOracle`.
        references : dict of str to ActiveLearner, list of ActiveLearner or \
                SeedResults, default=None
            Fitted learners with other strategies, on the same sets, by name. Several
            learners under one name are runs with different seeds.
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
        return cls(history, references=_read_learners(references)).plot(ax=ax)

    @classmethod
    def from_study(cls, result, path, *, estimator=None, seed=None, ax=None):
        """Draw a search of a study, with its baseline and its best heuristic.

        Parameters
        ----------
        result : Comparison
            As returned by `skal.studies.compare` or `skal.studies.open_study`, with an
            oracle. The references are its baseline and the heuristic with the highest
            mean quality on test.
        path : str or path-like
            The `path` of the study, in which the oracle kept its journals.
        estimator : str, default=None
            Estimator of the search. Optional if there is only one.
        seed : int, default=None
            Seed of the search; by default, the first.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.

        Returns
        -------
        SearchDisplay

        Raises
        ------
        ValueError
            If the study has no oracle, or a name is unknown.
        FileNotFoundError
            If the folder has no journal of this search.
        """
        check_result(result, "result", "Comparison")
        if result.oracle is None:
            raise ValueError(
                "The study has no search to draw: add an AnnealingOracle to its "
                "strategies."
            )
        index = choose("estimator", result.estimators, estimator)
        place = 0 if seed is None else choose("seed", result.seeds, seed)
        cell = list(result.estimators)[index], result.oracle, result.seeds[place], 0
        qualities = _read_comparison(result, index, place)
        _, found = qualities.pop(result.oracle)
        history = read_journal(find_journal(path, cell))
        is_own = history["xi"] == cell[2]
        history = {name: column[is_own] for name, column in history.items()}
        display = cls(history, references=qualities, test_quality=found)
        return display.plot(ax=ax)

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
        frame, self.figure_ = get_axes(ax, "SearchDisplay.plot", (9.5, 4.5))
        searches = _searches(self.history)
        on_test = self._on_test(searches)
        widths = {name: WIDTHS[name] for name in ("search", *["test"] * bool(on_test))}
        self.axes_ = split_axes(frame, widths)
        self.ax_ = self.axes_["search"]
        self.reference_lines_ = self._draw_references()
        if len(searches) == 1:
            (history,) = searches.values()
            self.lines_ = {"current": _draw_current(self.ax_, history)}
            self.lines_["best"] = _draw_best(self.ax_, history, "best", 0)
        else:
            self.lines_ = {
                name: _draw_best(self.ax_, history, name, number)
                for number, (name, history) in enumerate(searches.items())
            }
        self.test_lines_ = self._draw_test(on_test)
        self._explain(on_test)
        return self

    def _on_test(self, searches):
        """Return the known qualities on test, by name."""
        known = {name: test for name, (_, test) in (self.references or {}).items()}
        if self.test_quality is not None and len(searches) == 1:
            known["best"] = self.test_quality
        return {name: test for name, test in known.items() if np.isfinite(test)}

    def _styles(self):
        """Return the styles of horizontal lines; that of the oracle is taken."""
        styles = styles_of(["oracle", *(self.references or {})])
        return {name: look | {"marker": ""} for name, look in styles.items()}

    def _draw_references(self):
        styles = self._styles()
        return {
            name: self.ax_.axhline(
                quality, label=plain(name), linewidth=1.3, **styles[name]
            )
            for name, (quality, _) in (self.references or {}).items()
        }

    def _draw_test(self, on_test):
        styles = self._styles()
        styles["best"] = styles["oracle"]
        return {
            name: self.axes_["test"].axhline(quality, linewidth=1.3, **styles[name])
            for name, quality in on_test.items()
        }

    def _explain(self, on_test):
        self.ax_.set(xlabel="Trainings", ylabel="xi-quality")
        if not on_test:
            self.ax_.set_ylabel("xi-quality on validation")
        for name, ax in self.axes_.items():
            ax.grid(alpha=0.3)
            if on_test:
                title = "Validation" if name == "search" else "Test"
                ax.set_title(title, fontsize="medium")
        if on_test:
            self.axes_["test"].set_xticks([])
        lines = self.lines_ | self.reference_lines_
        labels = [_label(name, line, on_test) for name, line in lines.items()]
        legend_beside(list(self.axes_.values()), list(lines.values()), labels)


def _label(name, line, on_test):
    """Return the name of a line with its qualities."""
    if name == "current":
        return line.get_label()
    label = f"{plain(name)}: {line.get_ydata()[-1]:z.3f}"
    return f"{label}, test {on_test[name]:z.3f}" if name in on_test else label


def _read_learners(references):
    """Return mean qualities on validation and test, by name."""
    found = {}
    for name, one in (references or {}).items():
        runs = getattr(one, "learners", one if isinstance(one, list) else [one])
        for run in runs:
            check_is_fitted(run)
        found[name] = (
            float(np.mean([run.validation_quality_ for run in runs])),
            float(np.mean([run.quality_ for run in runs])),
        )
    return found


def _read_comparison(result, index, place):
    """Return qualities of the oracle, the baseline and the best heuristic, by name."""
    names = [name for name in (result.oracle, result.baseline) if name is not None]
    if result.heuristics:
        means = {name: result.of(name)[index].mean() for name in result.heuristics}
        names.append(max(means, key=means.get))
    strategies = list(result.strategies)
    on_both = result.validation_qualities, result.qualities
    return {
        name: tuple(float(q[index, strategies.index(name), place]) for q in on_both)
        for name in names
    }


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
        **style,
    )
    return line
