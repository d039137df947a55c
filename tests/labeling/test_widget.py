"""The notebook widget, driven through its buttons."""

import pytest
from sklearn.linear_model import LinearRegression

from skal import Random

pytest.importorskip("ipywidgets", reason="ipywidgets is not installed")

from skal.labeling.widget import LabelingWidget


def texts(widget):
    return [child.description for child in widget._answers.children]


def click(widget, name):
    boxes = (*widget._answers.children, *widget._commands.children)
    next(one for one in boxes if one.description == name).click()


def test_answers_by_buttons(open_session):
    session = open_session(classes=["ham", "spam"])
    widget = LabelingWidget(session, by="anna")
    assert texts(widget) == ["ham", "spam"]
    first = widget.annotator.question.id
    assert f"row {first}" in widget._row.value
    click(widget, "spam")
    second = widget.annotator.question.id
    click(widget, "Skip")
    assert session.labels(by="anna") == {first: "spam"}
    assert "1 were skipped" in widget._message.value
    click(widget, "Undo")
    assert widget.annotator.question.id == second
    click(widget, "Undo")
    assert widget.annotator.question.id == first
    assert session.labels() == {}
    click(widget, "ham")
    assert widget.annotator.question.id == second
    click(widget, "ham")
    assert session.labels() == {first: "ham", second: "ham"}


def test_nothing_to_undo(open_session):
    widget = LabelingWidget(open_session(classes=["ham", "spam"]))
    click(widget, "Undo")
    assert widget._message.value == "There is nothing to undo."


def test_typed_labels(open_session, data):
    session = open_session(
        data[0][:2], estimator=LinearRegression(), strategy=Random(), audit=0
    )
    widget = LabelingWidget(session)
    (field,) = widget._answers.children
    field.value = "many"
    assert "could not convert" in widget._message.value
    field.value = " 2.5 "
    assert list(session.labels().values()) == [2.5]
    click(widget, "Skip")
    assert widget._row.value == "Nothing is left to label."
    click(widget, "Skip")
    assert session.progress().n_skipped == 1


def test_rows_are_shown_as_text(open_session):
    session = open_session(["<b>bold</b>", "plain"], estimator=words())
    widget = LabelingWidget(session)
    shown = widget._row.value
    click(widget, "Skip")
    assert "&lt;b&gt;bold&lt;/b&gt;" in shown + widget._row.value


def words():
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.pipeline import make_pipeline

    return make_pipeline(CountVectorizer(), MultinomialNB())
