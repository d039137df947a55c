"""The next questions: some drawn at random as an audit, the others by a strategy."""

from math import floor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skal._threads import single_threaded
from skal.answers._needs import works_from_nothing
from skal.inputs._containers import take
from skal.inputs._targets import Target
from skal.labeling._models import Models
from skal.labeling._state import State
from skal.strategies._batches import ask


class Question(NamedTuple):
    """A row that an annotator is asked to label.

    Parameters
    ----------
    id : str or int
        The user's id of the row.
    row : object
        The row itself: a dict of its columns if rows are a data frame.
    prediction : label or None
        The label that the model predicts; None without a model.
    probability : float or None
        The highest class probability; None if the model has none.
    why : str
        The reason why this row is asked.
    is_audit : bool
        Whether it was drawn at random, to tell how good models are.
    by : str
        The annotator who is asked.

    See Also
    --------
    LabelingSession.ask : Returns questions.
    LabelingSession.tell : Takes the answer.

    Examples
    --------
    >>> import os, tempfile
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skal import LabelingSession, Margin
    >>> X, y = load_iris(return_X_y=True)
    >>> folder = tempfile.TemporaryDirectory()
    >>> session = LabelingSession(GaussianNB(), Margin(), audit=0.5, random_state=0,
    ...                           journal=os.path.join(folder.name, "labels.db")).add(X)
    >>> question = session.ask(1, by="anna")[0]
    >>> question.by, question.row.shape, question.prediction is None
    ('anna', (4,), True)
    >>> folder.cleanup()
    """

    id: Any
    row: Any
    prediction: Any
    probability: float | None
    why: str
    is_audit: bool
    by: str


def choose(
    state: State, models: Models, model: Any, X: Any, n: int, by: str
) -> list[tuple[int, dict[str, Any]]]:
    """Choose rows to ask: a function of events, seed and pool alone.

    Parameters
    ----------
    state : State
    models : Models
    model : fitted estimator or None
        The latest model; None without labels, or if it could not be trained.
    X : rows of the pool
    n : int
        Number of questions; fewer are chosen if there are no more rows.
    by : str
        The annotator. A row about which others disagree is not asked of one of them.

    Returns
    -------
    list of (int, dict)
        The group of each question, and the value of its event.
    """
    again = _to_ask_again(state, by)[:n]
    audit, others, n_others = _draw_audit(state, n - len(again))
    is_lost = model is None and (
        bool(state.labels) or not works_from_nothing(models.given)
    )
    n_random = n_others if is_lost else 0
    random, left = others[:n_random], np.sort(others[n_random:])
    chosen = _chosen(state, models, model, X, n_others - n_random, left)
    name = type(models.given).__name__
    reasons = [
        *(("again", "annotators disagree") for _ in again),
        *(("audit", "audit, drawn at random") for _ in audit),
        *(("random", _why_random(state)) for _ in random),
        *(("chosen", f"{name}, rank {i}") for i in range(1, len(chosen) + 1)),
    ]
    groups = [*again, *np.concatenate([audit, random, chosen]).tolist()]
    answers = _predictions(state, model, X, groups)
    return [
        (group, {"draw": draw, "why": why, "prediction": label, "probability": p})
        for group, (draw, why), (label, p) in zip(groups, reasons, answers, strict=True)
    ]


def _draw_audit(
    state: State, n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return rows to audit, all rows for other questions, and the number of these.

    Rows are in random order. Each has a number that decides whether it is kept for the
    audit, so that no strategy ever selects it.
    """
    free = candidates(state)
    n = min(n, len(free))
    free = free[np.argsort(state.luck[free], kind="stable")]
    is_kept = state.luck[free] < state.settings.get("audit", 0.0)
    reserve, others = free[is_kept], free[~is_kept]
    n_audit = min(len(reserve), max(audits(state, n), n - len(others)))
    return reserve[:n_audit], others, n - n_audit


def _why_random(state: State) -> str:
    reason = "the training failed" if state.labels else "nothing is labelled yet"
    return f"drawn at random, since {reason}"


def audits(state: State, n: int) -> int:
    """Return how many of the next questions are drawn at random.

    Parameters
    ----------
    state : State
    n : int
        Number of questions.

    Returns
    -------
    int
        So that the share of all questions is kept, also with one question at a time.
    """
    share = state.settings.get("audit", 0.0)
    # A product such as 0.1 * 30 may be slightly too small.
    before, after = (
        floor(share * m + 1e-9) for m in (state.n_asked, state.n_asked + n)
    )
    return after - before


def candidates(state: State) -> NDArray[np.int64]:
    """Return the groups that may be asked: not answered, skipped or asked already.

    Parameters
    ----------
    state : State

    Returns
    -------
    ndarray of int64, ascending
    """
    group = np.array(state.group, dtype=np.int64)
    is_free = group == np.arange(len(group))
    for taken in (state.answers, state.skipped, state.leases):
        is_free[np.array(list(taken), dtype=np.int64)] = False
    return np.flatnonzero(is_free)


def _to_ask_again(state: State, by: str) -> list[int]:
    """Return the groups without a label since annotators other than `by` disagree."""
    if state.rule != "ask":
        return []
    return [
        group
        for group in state.disagreeing
        if group not in state.labels
        and group not in state.leases
        and by not in state.answers[group]
    ]


def _chosen(
    state: State,
    models: Models,
    model: Any,
    X: Any,
    n: int,
    left: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the rows that the strategy selects."""
    if n <= 0:
        return left[:0]
    latest = state.for_choice
    strategy = models.strategy(models.problem(X, latest, state.classes))
    labelled = models.labelled(X, latest, state.classes)
    with single_threaded():
        return ask(strategy, model, X, n, left, labelled)


def _predictions(
    state: State, model: Any, X: Any, groups: list[int]
) -> list[tuple[Any, float | None]]:
    """Return the label that a model predicts for each row, and its probability."""
    if model is None or not groups:
        return [(None, None)] * len(groups)
    rows = take(X, np.array(groups))
    labels = named(model.predict(rows), state)
    if state.target is Target.CLASS and hasattr(model, "predict_proba"):
        highest = model.predict_proba(rows).max(axis=1)
        return list(zip(labels, (round(float(p), 6) for p in highest), strict=True))
    return [(label, None) for label in labels]


def named(predicted: Any, state: State) -> list[Any]:
    """Return predictions as labels of a session, by name.

    Parameters
    ----------
    predicted : ndarray or list
        As an estimator predicts them.
    state : State

    Returns
    -------
    list of labels
    """
    if state.target is Target.TAGS:
        return [[str(tag) for tag in row] for row in predicted]
    if state.target is Target.LABELS:
        return [
            [state.classes[j] for j in np.flatnonzero(row) if j < len(state.classes)]
            for row in np.asarray(predicted)
        ]
    return np.asarray(predicted).tolist()
