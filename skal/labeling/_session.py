"""LabelingSession: people label what a strategy asks, and nothing is lost."""

import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.exceptions import FitFailedWarning
from sklearn.utils.validation import check_scalar

from skal._choices import check_choice
from skal.identity._describe import describe
from skal.inputs._containers import n_rows, take
from skal.inputs._scoring import check_signature
from skal.labeling._checks import check_strategy, class_names
from skal.labeling._events import as_json
from skal.labeling._exchange import Exchange
from skal.labeling._figures import Figures
from skal.labeling._labels import target_named
from skal.labeling._log import EventLog, clock
from skal.labeling._models import Models
from skal.labeling._pool import Pool
from skal.labeling._questions import Question, choose
from skal.labeling._rows import Rows
from skal.labeling._state import State

RULES = "last", "majority", "ask"


class LabelingSession(Pool, Exchange, Figures):
    """Label a pool with people: a strategy asks, and a file keeps all that happens.

    Each call appends events to one file, and the state of the session is computed from
    them. Nothing is ever overwritten, so labels can be corrected and taken back, and
    the history says which label came when, by whom. Whenever the process is killed,
    the file holds all of a call or nothing. The same script, run again, goes on where
    it was: rows and labels that are known already are not added twice.

    The n-th call of `ask` depends on the events before it and the seed alone, so the
    same file gives the same questions in any process.

    Parameters
    ----------
    estimator : estimator
        Any estimator that `ActiveLearner` takes.
    strategy : strategy
        Chooses the rows to ask. If it needs a model, rows are drawn at random until
        something is labelled.
    journal : str or path-like
        The file of the session, on a local disk. It is created if it does not exist.
        It holds ids, labels and a digest of each row, but not the rows.
    classes : list, default=None
        The classes, or the names of the labels that a row may have. A label that is
        not one of them is refused. By default, any label is a class.
    target : str, default=None
        The kind of labels: "class", "tags" (one for each token), "number", "labels" (a
        list of the names of all labels that the row has), "classes" or "numbers" (one
        per column). By default "number" for a regressor, "tags" for a tagger and
        "class" otherwise.
    audit : float, default=0.1
        Share of the questions that are drawn at random, out of the same share of the
        pool, which is kept back for them. They take the place of a test set: without
        them, nothing says how good the model is. `model_` is trained on them, too, but
        the strategy does not know of them.
    resolve : {"last", "majority", "ask"}, default="last"
        The label of a row that has different ones by several annotators: the latest
        one; the most frequent one (for numbers, the median); or the most frequent one
        if it is alone, while others ask the row again.
    retrain_every : int, default=1
        Number of new answers after which `ask` trains a new model.
    timeout : float, default=3600
        Seconds after which a question that was not answered is open to others.
    scoring : str, callable or None, default=None
        The metric, as in `ActiveLearner`.
    random_state : int, RandomState instance or None, default=None
        Determines all that is random. A session that is opened again keeps its seed.

    Raises
    ------
    TypeError
        If the estimator lacks a method that the strategy needs, or takes other targets.
    ValueError
        If a parameter is out of range, or does not suit the session in the file.
    OSError
        If the file cannot be opened or written.

    See Also
    --------
    skal.ActiveLearner : Simulates what a session does, where labels are known.
    skal.compare : Compares strategies, where labels are known.

    Notes
    -----
    Equal rows are one question, and share its answer. Ids are compared as texts.

    A call holds the lock of the file only while it writes, and `ask` also while the
    strategy selects; models are trained before.

    Examples
    --------
    >>> import os, tempfile
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skal import LabelingSession, Margin
    >>> X, y = load_iris(return_X_y=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "labels.db")
    ...     session = LabelingSession(LogisticRegression(max_iter=500), Margin(),
    ...                               journal=path, random_state=0).add(X)
    ...     for _ in range(3):
    ...         for question in session.ask(10):
    ...             session.tell(question.id, int(y[question.id]))
    ...     session.close()
    >>> session.progress().n_labelled
    30
    >>> session.model_.predict(X[:2])
    array([0, 0])
    """

    def __init__(
        self,
        estimator: Any,
        strategy: Any,
        *,
        journal: Any,
        classes: Any = None,
        target: str | None = None,
        audit: float = 0.1,
        resolve: str = "last",
        retrain_every: int = 1,
        timeout: float = 3600,
        scoring: Any = None,
        random_state: Any = None,
    ) -> None:
        self.estimator, self.strategy = estimator, strategy
        self.scoring, self.timeout = scoring, timeout
        self.retrain_every = retrain_every
        kind = target_named(target, estimator)
        check_scalar(audit, "audit", Real, min_val=0, max_val=1)
        check_scalar(retrain_every, "retrain_every", Integral, min_val=1)
        check_scalar(timeout, "timeout", Real, min_val=0)
        check_choice(resolve, "resolve", RULES)
        check_strategy(strategy, estimator, kind)
        check_signature(scoring)
        names = [] if classes is None else class_names(classes, kind)
        settings = {
            "estimator": describe(estimator),
            "strategy": describe(strategy),
            "audit": float(audit),
            "resolve": resolve,
        }
        if classes is not None:
            settings["is_closed"] = True
        self._log, self._state = EventLog(journal), State()
        try:
            self._begin(kind, random_state, settings, names)
        except BaseException:
            self._log.close()
            raise
        self._rows = Rows(estimator)
        self._models = Models(estimator, strategy, scoring, self._state.seed, kind)

    def ask(self, n: int = 1, by: str = "") -> list[Question]:
        """Return the next rows to label.

        While questions are open to this annotator, they are asked again, and no new
        ones: they are open until they are answered, skipped or withdrawn, or another
        annotator asks after `timeout` seconds.

        Parameters
        ----------
        n : int, default=1
            Number of questions.
        by : str, default=""
            The annotator. Each row is open to one of them at a time.

        Returns
        -------
        list of Question
            At most n: fewer if fewer are open, or no more rows are left.

        Raises
        ------
        ValueError
            If rows of the session were not added in this process.

        Warns
        -----
        FitFailedWarning
            If the model cannot be trained. Questions are drawn at random then.
        """
        check_scalar(n, "n", Integral, min_val=1)
        with self._writing() as state:
            X = self._rows.pool(state.ids)
            if state.open_to(by):
                return self._questions(state.open_to(by)[:n])
            self._expire(state)
            if state.n_news >= self.retrain_every and state.labels:
                self._log.append("refit")
        while True:
            trained = self._latest_refit()
            model = self._latest_model(X)
            with self._writing() as state:
                if self._latest_refit() != trained or len(state.ids) != n_rows(X):
                    X = self._rows.pool(state.ids)
                    continue  # another process has trained meanwhile
                for group, value in choose(state, self._models, model, X, n, by):
                    batch = state.n_batches + 1
                    self._log.append("asked", by, group, batch=batch, **value)
            return self._questions(self._state.open_to(by)[:n])

    def _expire(self, state: State) -> None:
        """Take back questions that others did not answer in time."""
        now = clock()
        for group, lease in state.leases.items():
            if now - lease.time > self.timeout:
                self._log.append("expired", lease.by, group)

    def _latest_refit(self) -> int:
        return self._state.refits[-1].number if self._state.refits else 0

    def _latest_model(self, X: Any) -> Any:
        """Return the latest model to choose by; None before the first one."""
        state = self._state
        labels = state.for_choice
        if not labels:
            return None
        try:
            model = self._models.model(X, labels, state.classes)
            # Some need more rows only when they predict, such as nearest neighbours.
            model.predict(take(X, np.arange(1)))
            return model
        except Exception as error:
            warnings.warn(
                f"The model cannot be trained on the {len(state.labels)} labels so far "
                f"({type(error).__name__}: {error}), so questions are drawn at random.",
                FitFailedWarning,
                stacklevel=3,
            )
            return None

    def _questions(self, groups: list[int]) -> list[Question]:
        found = []
        for group in groups:
            lease = self._state.leases[group]
            value = lease.value
            found.append(
                Question(
                    self._id(group),
                    self._rows.row(group),
                    value["prediction"],
                    value["probability"],
                    value["why"],
                    value["draw"] == "audit",
                    lease.by,
                )
            )
        return found

    def tell(
        self, id: Any, label: Any, *, by: str = "", seconds: float | None = None
    ) -> None:
        """Keep a label. It is on the disk when the call returns.

        Parameters
        ----------
        id : str, int or Question
            The row, whether it was asked or not.
        label : label
            The label. It replaces an earlier one by the same annotator, which stays in
            the history. The same label once more changes nothing.
        by : str, default=""
            The annotator.
        seconds : float, default=None
            The time that it took, for the history.

        Raises
        ------
        ValueError
            If the id is unknown, or the label is not one of the session.
        """
        if seconds is not None:
            seconds = float(check_scalar(seconds, "seconds", Real, min_val=0))
        with self._writing() as state:
            row = self._position(id)
            label = self._checked(label, self._rows.row(row))
            group = state.group[row]
            given = state.answers.get(group, {}).get(by)
            if given is None or as_json(given.label) != as_json(label):
                self._log.append("told", by, row, label=label, seconds=seconds)

    def skip(self, id: Any, reason: str = "", *, by: str = "") -> None:
        """Leave a row without a label; it is not asked again until `withdraw`.

        Parameters
        ----------
        id : str, int or Question
            The row.
        reason : str, default=""
            The reason, for the history.
        by : str, default=""
            The annotator.

        Raises
        ------
        ValueError
            If the id is unknown.
        """
        with self._writing() as state:
            row = self._position(id)
            if state.skipped.get(state.group[row]) != str(reason):
                self._log.append("skipped", by, row, reason=str(reason))

    def withdraw(self, id: Any, *, by: str | None = None) -> None:
        """Take back labels or a skip of a row, which may then be asked again.

        Parameters
        ----------
        id : str, int or Question
            The row.
        by : str or None, default=None
            The annotator whose label is taken back; None for all labels.

        Raises
        ------
        ValueError
            If the id is unknown, or the row has neither a label nor a skip.
        """
        with self._writing() as state:
            row = self._position(id)
            group = state.group[row]
            answers = state.answers.get(group, {})
            known = bool(answers) if by is None else by in answers
            if not known and group not in state.skipped:
                whose = "" if by is None else f" by {by!r}"
                raise ValueError(
                    f"The row with id {self._id(row)!r} has no label{whose} and was "
                    "not skipped, so there is nothing to withdraw."
                )
            self._log.append("withdrawn", by or "", row, all=by is None)

    def refit(self) -> Any:
        """Train a model on all labels now, also for the next questions.

        Returns
        -------
        fitted estimator
            The same as `model_`.

        Raises
        ------
        ValueError
            If nothing is labelled, or rows were not added in this process.
        """
        model = self.model_
        with self._writing() as state:
            if state.n_news:
                self._log.append("refit")
        return model
