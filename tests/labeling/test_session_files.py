"""Files: round trips, the exports of tools as they write them, and foreign files.

The files in `exports` follow the documented exports of Label Studio 1.x, doccano 1.8
and Argilla 2.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from test_targets_of_sessions import Lookup

from skal import LabelingSession, Random
from skal.labeling.files._spans import spans_of, tags_of

EXPORTS = Path(__file__).parent / "exports"
IDS = ["a", "b", "c", "d"]
TEXTS = ["win a prize now", "see you at noon", "x9 z0 q1", "not seen yet"]
SENTENCES = [["Anna", "left", "New", "York"], ["it", "rains"]]
TAGS = ["O", "B-NAME", "I-NAME", "B-PLACE", "I-PLACE"]
TAGGED = ["B-NAME", "O", "B-PLACE", "I-PLACE"]
MESSAGES = make_pipeline(CountVectorizer(), LogisticRegression())


@pytest.fixture
def opened(tmp_path):
    """Return a function that opens a session in a file of its own."""
    found = []

    def open_it(X, ids, estimator, **params):
        path = tmp_path / f"{len(found)}.db"
        session = LabelingSession(
            estimator, Random(), journal=path, random_state=0, **params
        )
        found.append(session.add(X, ids))
        return session

    yield open_it
    for session in found:
        session.close()


@pytest.fixture
def messages(opened):
    return lambda: opened(TEXTS, IDS, MESSAGES, classes=["ham", "spam"])


@pytest.fixture
def sentences(opened):
    given = {"target": "tags", "classes": TAGS}
    return lambda: opened(SENTENCES, ["s1", "s2"], Lookup(), **given)


FILES = ["labels.csv", "labels.parquet", "tasks.json", "lines.jsonl"]
ARGILLA = ["records.jsonl", "records.parquet"]


@pytest.mark.parametrize("name", [*FILES, *(f"argilla {name}" for name in ARGILLA)])
def test_a_round_trip_of_classes(messages, tmp_path, name):
    first, second = messages(), messages()
    kind, path = name.split()[0], tmp_path / name.split()[-1]
    given = "argilla" if kind == "argilla" else None
    first.tell("a", "spam", by="anna")
    first.tell("d", "ham")
    first.skip("c", "unreadable")
    assert first.export(path, given) == 3
    second.read(path)
    assert second.labels() == first.labels() == {"a": "spam", "d": "ham"}
    # doccano has no skips.
    assert second.progress().n_skipped == (0 if name == "lines.jsonl" else 1)
    before = second.history()["number"][-1]
    assert second.read(path) == 0
    assert second.history()["number"][-1] == before


@pytest.mark.parametrize("name", [*FILES, "tags.conll", "records.parquet"])
def test_a_round_trip_of_tags(sentences, tmp_path, name):
    first, second = sentences(), sentences()
    first.tell("s1", TAGGED)
    given = "argilla" if name == "records.parquet" else None
    first.export(tmp_path / name, given)
    second.read(tmp_path / name)
    assert second.labels() == {"s1": TAGGED}


@pytest.mark.parametrize("name", [*FILES, "records.parquet"])
def test_a_round_trip_of_several_labels(opened, tmp_path, name):
    forest = MultiOutputClassifier(LogisticRegression())
    given = {"target": "labels", "classes": ["x", "y", "z"]}
    sessions = [opened(np.eye(3), None, forest, **given) for _ in range(2)]
    sessions[0].tell(0, ["z", "x"])
    sessions[0].tell(1, ["y"])
    kind = "argilla" if name == "records.parquet" else None
    sessions[0].export(tmp_path / name, kind)
    sessions[1].read(tmp_path / name)
    assert sessions[1].labels() == {0: ["x", "z"], 1: ["y"]}


@pytest.mark.parametrize("name", ["n.csv", "n.parquet", "n.json", "argilla.parquet"])
def test_a_round_trip_of_numbers(opened, tmp_path, name):
    frame = pd.DataFrame({"width": [1.0, 2.5], "kind": [0, 1]})
    first, second = (opened(frame, ["x", "y"], LinearRegression()) for _ in range(2))
    first.tell("x", 0.1)
    first.tell("y", -3)
    first.export(tmp_path / name, "argilla" if name == "argilla.parquet" else None)
    second.read(tmp_path / name)
    assert second.labels() == {"x": 0.1, "y": -3.0}


def test_classes_that_are_numbers_stay_numbers(opened, tmp_path):
    sessions = [opened(np.eye(3), None, LogisticRegression()) for _ in range(2)]
    sessions[0].tell(0, 3)
    sessions[0].tell(1, 12)
    sessions[0].export(tmp_path / "labels.csv")
    sessions[1].read(tmp_path / "labels.csv")
    assert sessions[1].labels() == {0: 3, 1: 12}


def test_columns_of_a_frame_are_written_beside_labels(opened, tmp_path):
    frame = pd.DataFrame({"width": [1.0, 2.5], "label": [7, 9]})
    session = opened(frame, ["x", "y"], LogisticRegression())
    session.tell("y", "good", by="anna")
    session.export(tmp_path / "labels.csv")
    (record,) = pd.read_csv(tmp_path / "labels.csv").to_dict("records")
    assert (record["id"], record["label"], record["by"]) == ("y", "good", "anna")
    assert (record["width"], record["row_label"]) == (2.5, 9)


def test_questions_for_label_studio(messages, tmp_path):
    session = messages()
    session.tell("a", "spam")
    session.tell("b", "ham")
    questions = session.ask(2)
    session.export(tmp_path / "tasks.json", questions=questions)
    tasks = json.loads((tmp_path / "tasks.json").read_text())
    assert [task["meta"]["skal_id"] for task in tasks] == [q.id for q in questions]
    assert [task["predictions"][0]["score"] for task in tasks] == [1.0, 0.5]
    (result,) = tasks[0]["predictions"][0]["result"]
    assert result["value"]["choices"] == [questions[0].prediction]
    assert tasks[0]["data"]["text"] == questions[0].row


@pytest.mark.parametrize(
    ("name", "labels", "n_skipped"),
    [
        ("label_studio.json", {"a": "spam", "b": "ham"}, 1),
        ("doccano.jsonl", {"a": "spam", "b": "ham", "d": "ham"}, 0),
        ("argilla.jsonl", {"a": "spam", "b": "ham"}, 1),
    ],
)
def test_classes_of_other_tools(messages, name, labels, n_skipped):
    session = messages()
    assert session.read(EXPORTS / name) == len(labels) + n_skipped
    assert session.labels() == labels
    assert session.progress().n_skipped == n_skipped
    assert session.read(EXPORTS / name) == 0


def test_annotators_of_other_tools_are_kept_apart(messages):
    session = messages()
    session.read(EXPORTS / "label_studio.json")
    assert session.labels(by="bob@example.org") == {"b": "ham"}
    assert session.labels(by="1") == {"a": "spam"}


@pytest.mark.parametrize(
    ("name", "second"),
    [
        ("label_studio_spans.json", ["O", "O"]),
        ("label_studio.conll", ["O", "O"]),
        ("doccano_spans.jsonl", ["B-PLACE", "O"]),
    ],
)
def test_tags_of_other_tools(sentences, name, second):
    session = sentences()
    assert session.read(EXPORTS / name) == 2
    assert session.labels() == {"s1": TAGGED, "s2": second}


def test_a_corrected_export_replaces_and_an_old_one_does_not(messages, tmp_path):
    session, path = messages(), tmp_path / "tasks.json"
    text = (EXPORTS / "label_studio.json").read_text()
    session.read(EXPORTS / "label_studio.json")
    session.tell("b", "spam", by="bob@example.org")
    assert session.read(EXPORTS / "label_studio.json") == 0
    assert session.labels()["b"] == "spam"
    path.write_text(text.replace("10:16:30Z", "10:59:00Z"))
    assert session.read(path) == 1
    assert session.labels()["b"] == "ham"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.txt", "", "The format of .* is not known from the end '.txt'"),
        ("x.csv", "id,name\n1,2\n", "it has no column 'label', but id, name"),
        ("x.csv", "id,label\nq,ham\n", "was not read: No row has the id 'q'"),
        ("x.csv", "id,label\na,ham\nb,eggs\n", "'eggs' is not one of the classes"),
        ("x.json", "{", "it is not JSON"),
        ("x.json", '[{"text": "a", "label": "ham"}]', "it has no list of tasks"),
        ("x.jsonl", '{"text": "a"}\n', "line 1 has no `text` and `label`"),
        ("x.jsonl", '{"text": "new", "label": ["ham"]}\n', "the row 'new' has no id"),
        ("x.jsonl", "nothing\n", "line 1 is not JSON"),
        ("x.conll", "a\tO\n", "CoNLL holds tags of tokens, and each row has a class"),
        ("x.parquet", "PAR", "it is not Parquet"),
    ],
)
def test_foreign_files(messages, tmp_path, name, content, message):
    session, path = messages(), tmp_path / name
    session.tell("a", "ham")
    path.write_text(content)
    before = session.history()["number"][-1]
    with pytest.raises(ValueError, match=message):
        session.read(path)
    assert session.history()["number"][-1] == before
    assert session.labels() == {"a": "ham"}


def test_a_file_that_is_not_there(messages, tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist, so it cannot be read"):
        messages().read(tmp_path / "labels.csv")


def test_a_failed_export_leaves_the_old_file(messages, tmp_path):
    path = tmp_path / "labels.conll"
    path.write_text("kept")
    session = messages()
    session.tell("a", "ham")
    with pytest.raises(ValueError, match="cannot be written in this format"):
        session.export(path)
    assert [one.name for one in tmp_path.glob("*labels*")] == ["labels.conll"]
    assert path.read_text() == "kept"


@pytest.mark.parametrize(
    "tags",
    [["O", "O"], ["B-X", "I-X"], ["B-X", "B-X"], ["O", "B-Y"], ["B-X", "B-Y"]],
    ids="-".join,
)
def test_spans_and_tags(tags):
    tokens = ["ab", "cde"]
    assert tags_of(spans_of(tags, tokens), tokens) == tags


def test_spans_of_plain_tags():
    tokens = ["a", "dog", "barks"]
    spans = spans_of(["DET", "NOUN", "VERB"], tokens)
    assert spans == [(0, 1, "DET"), (2, 5, "NOUN"), (6, 11, "VERB")]
    assert tags_of(spans, tokens, is_bio=False) == ["DET", "NOUN", "VERB"]
