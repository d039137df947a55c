"""The text of a question, for a terminal and for a notebook."""

from skal.labeling._questions import Question
from skal.labeling.files._records import columns_of


def lines_of(question: Question) -> list[str]:
    """Return a row as lines: a text itself, or a line for each column.

    Parameters
    ----------
    question : Question

    Returns
    -------
    list of str
    """
    columns = columns_of(question.row)
    if list(columns) == ["text"]:
        return [str(columns["text"])]
    if list(columns) == ["tokens"]:
        return [" ".join(columns["tokens"])]
    return [f"{name}: {part}" for name, part in columns.items()]


def reason_of(question: Question) -> str:
    """Return why a row is asked, and what the model thinks unless it is an audit.

    An annotator who saw the prediction for an audit would agree too often.

    Parameters
    ----------
    question : Question

    Returns
    -------
    str
    """
    if question.prediction is None or question.is_audit:
        return question.why
    sure = "" if question.probability is None else f" ({question.probability:.2f})"
    return f"{question.why} - the model says {question.prediction}{sure}"
