"""The answers of a fitted model, checked where they are read.

A model of one label per row is expected here: a row's class probabilities sum to one,
each column belongs to a class, and there is one prediction per row. Anything else would
be ranked without a word; `_labels.py` reads the answers of models of several labels.
"""

import numpy as np

from skal.answers._errors import explained
from skal.answers._wrapper import name_of
from skal.inputs._containers import n_rows
from skal.inputs._tags import is_tags

# Wide enough for half precision and for rounded probabilities. A multilabel model is
# further off in most rows.
TOLERANCE = 0.01
ONE_LABEL = (
    "one label per row is expected here, so choose a classifier that is trained on one "
    "label per row, or set `over_labels` of a strategy that has it"
)


def probabilities(model, X):
    """Return a model's class probabilities, after a check.

    Parameters
    ----------
    model : fitted classifier
        Has a method `predict_proba`.
    X : rows, n_rows of them
        Rows to predict.

    Returns
    -------
    ndarray of shape (n_rows, n_classes)

    Raises
    ------
    ValueError
        If the array has another shape, or a row does not sum to one. NaN and rows of
        zeros are let through.
    """
    with explained(model):
        found = model.predict_proba(X)
    found = checked_probabilities(found, model, n_rows(X))
    n_classes = len(getattr(model, "classes_", ()))
    if found.shape[1] < n_classes:
        raise ValueError(
            f"{name_of(model)}.predict_proba must return a column for each of its "
            f"{n_classes} classes, got {found.shape[1]}: let `classes_` name the "
            "columns."
        )
    return found


def checked_probabilities(found, model, n, method="predict_proba"):
    """Return class probabilities after a check of their shape and sums.

    Parameters
    ----------
    found : array-like of shape (n_rows, n_classes) or (n_rows, n_samples, n_classes)
        The answers to check.
    model : fitted classifier
        The model that gave them.
    n : int
        The number of rows that it was asked about.
    method : {"predict_proba", "sample_proba"}, default="predict_proba"
        The method that returned them. The second one returns samples.

    Returns
    -------
    ndarray
        The answers.

    Raises
    ------
    ValueError
        If they have another shape, or do not sum to one along the last axis.
    """
    check_one_output(model)
    said = f"{name_of(model)}.{method}"
    if isinstance(found, list) and getattr(found[:1] and found[0], "ndim", 1) == 2:
        raise ValueError(f"{said} returns a list of {len(found)} arrays: {ONE_LABEL}.")
    found = np.asarray(found)
    axes = ["n_classes"] if method == "predict_proba" else ["n_samples", "n_classes"]
    if found.ndim != 1 + len(axes) or len(found) != n:
        raise ValueError(
            f"{said} must return an array of shape ({n}, {', '.join(axes)}), got shape "
            f"{found.shape}: return a column for each of `classes_`."
        )
    # Several times as fast as `sum`, and without a copy of a float32 array.
    sums = found @ np.ones(found.shape[-1], np.result_type(found, np.float32))
    # A row of zeros is an outlier of RadiusNeighborsClassifier; NaN is checked later.
    wrong = (np.abs(sums - 1) > TOLERANCE) & (sums != 0)
    if wrong.any():
        example = found[wrong][0].round(3).tolist()
        raise ValueError(
            f"{said} must sum to one in each row, got {example}: {ONE_LABEL}, and "
            "gives a probability to each class."
        )
    return found


def check_columns(n_columns, model):
    """Check that `classes_` tells which column of a model's answers is which class.

    Parameters
    ----------
    n_columns : int
    model : fitted classifier

    Raises
    ------
    ValueError
        If there are more columns than classes, unless the classes number the columns.
    """
    classes = np.asarray(model.classes_)
    if n_columns != len(classes) and not _are_numbers(classes):
        raise ValueError(
            f"{name_of(model)} gives {n_columns} columns, and its `classes_` name "
            f"{len(classes)}: let `classes_` name a class for each column."
        )


def _are_numbers(classes):
    """Return whether the classes are 0, 1, 2, ..., so that they number the columns."""
    return np.array_equal(classes, np.arange(len(classes)))


def check_one_output(model):
    """Check that a model was trained on one label per row.

    Parameters
    ----------
    model : fitted classifier

    Raises
    ------
    ValueError
        If its `classes_` is a list of arrays, one for each of several labels, or its
        attribute `multilabel_` is True.
    """
    classes = getattr(model, "classes_", None)
    is_list = isinstance(classes, list) and any(np.ndim(part) for part in classes)
    # The second is how OneVsRestClassifier says so.
    if is_list or getattr(model, "multilabel_", False) is True:
        raise ValueError(
            f"{name_of(model)} was trained on {len(classes)} labels per row: "
            f"{ONE_LABEL}."
        )


def token_log_probabilities(model, X):
    """Return a tagger's log-probabilities, one array per sentence.

    Parameters
    ----------
    model : fitted tagger
        Has a method `predict_token_log_proba`.
    X : list of n_rows sentences
        Sentences to predict.

    Returns
    -------
    list of ndarray of shape (n_tokens, n_tags)

    Raises
    ------
    ValueError
        If there are more or fewer arrays than sentences, or one has another shape.
    """
    found = model.predict_token_log_proba(X)
    if len(found) != n_rows(X) or any(np.ndim(rows) != 2 for rows in found):
        raise ValueError(
            f"{name_of(model)}.predict_token_log_proba must return an array of shape "
            f"(n_tokens, n_tags) for each of the {n_rows(X)} sentences, got "
            f"{len(found)} arrays, of {sorted({np.ndim(rows) for rows in found})} "
            "dimensions: return a list with one such array per sentence."
        )
    return found


def predicted_tags(model, X):
    """Return a tagger's predictions, one list of tags per sentence.

    Parameters
    ----------
    model : fitted tagger
    X : list of n_rows sentences
        Sentences to predict.

    Returns
    -------
    list of n_rows sequences of tags

    Raises
    ------
    ValueError
        If there are more or fewer lists than sentences, or one label per sentence.
    """
    found = list(model.predict(X))
    if len(found) != n_rows(X) or (found and not is_tags(found)):
        raise ValueError(
            f"{name_of(model)}.predict must return a list of tags for each of the "
            f"{n_rows(X)} sentences, got {found[:1]!r:.60} for the first of "
            f"{len(found)}: choose a tagger, such as skal.nets.BiLSTMTagger."
        )
    return found


def predictions(model, X):
    """Return a model's predictions, one label per row.

    Parameters
    ----------
    model : fitted classifier
        May return a column, as CatBoostClassifier does.
    X : rows, n_rows of them
        Rows to predict.

    Returns
    -------
    ndarray of shape (n_rows,)

    Raises
    ------
    ValueError
        If there are several labels per row, or more or fewer labels than rows.
    """
    with explained(model):
        found = np.asarray(model.predict(X))
    if found.shape == (n_rows(X), 1):
        return found[:, 0]
    if found.shape != (n_rows(X),):
        raise ValueError(
            f"{name_of(model)}.predict must return one label for each of the "
            f"{n_rows(X)} rows, got shape {found.shape}: {ONE_LABEL}."
        )
    return found


def predicted_codes(model, X, classes):
    """Return the position of each prediction in a class list.

    Parameters
    ----------
    model : fitted classifier
    X : rows, n_rows of them
        Rows to predict.
    classes : ndarray of shape (n_classes,)
        The class list, sorted.

    Returns
    -------
    ndarray of shape (n_rows,), dtype int64

    Raises
    ------
    ValueError
        If a prediction is not in the class list.
    """
    found = predictions(model, X)
    codes = codes_of(found, classes)
    if (codes < 0).any():
        raise ValueError(
            f"{name_of(model)}.predict returns {found[codes < 0][0]!r}, which is not "
            f"among the classes {classes.tolist()}: let it return labels, such as "
            "`self.classes_[numbers]`, and not their numbers."
        )
    return codes


def codes_of(labels, classes):
    """Return the position of each label in the class list; -1 if it is missing.

    Parameters
    ----------
    labels : ndarray of shape (n_labels,)
    classes : ndarray of shape (n_classes,)
        Sorted.

    Returns
    -------
    ndarray of shape (n_labels,), dtype int64
    """
    codes = np.searchsorted(classes, labels)
    codes[codes == len(classes)] = 0
    return np.where(classes[codes] == labels, codes, -1)


def column_codes(model, n_columns, classes, labelled=None):
    """Return the class of each column of a model's answers, as a position.

    Parameters
    ----------
    model : fitted classifier
        Its `classes_` name the columns.
    n_columns : int
        Number of columns of the answers.
    classes : ndarray of shape (n_classes,)
        The class list of the run, sorted.
    labelled : ndarray, default=None
        The labels that the model was trained on, if they are known.

    Returns
    -------
    ndarray of shape (n_columns,), dtype int64
        Positions in `classes`. If the model has a column for each class of the run,
        and the classes are 0, 1, 2, ..., column i is class i, whatever the model was
        trained on: such is a net with one output per class.

    Raises
    ------
    ValueError
        If `classes_` do not name the columns, or are not labels of the run.
    """
    check_one_output(model)
    known = np.asarray(model.classes_)
    if n_columns == len(classes) != len(known) and _are_numbers(classes):
        return np.arange(n_columns)
    name = name_of(model)
    if n_columns != len(known):
        raise ValueError(
            f"{name} gives {n_columns} columns, and its `classes_` name {len(known)} "
            f"of the {len(classes)} classes of the run, the labelled ones: let "
            "`classes_` name a class for each column, such as by "
            f"NeuralNetClassifier(classes={classes.tolist()})."
        )
    codes = codes_of(known, classes)
    if (codes < 0).any() or (
        labelled is not None and not np.isin(labelled, known).all()
    ):
        trained = classes if labelled is None else labelled
        raise ValueError(
            f"{name}.classes_ is {known.tolist()}, and the labels are "
            f"{trained.tolist()}: let `fit` set `classes_` to the labels it is given, "
            "such as np.unique(y), and not to their numbers."
        )
    return codes
