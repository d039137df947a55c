"""The command line, and the console loop at a real pseudo-terminal."""

import csv
import os
import pty
import select
import signal
import sys
import time

import pytest

from skal import LabelingSession, Random
from skal.labeling._commands import main
from skal.labeling._keys import CLASS_KEYS, keys_of
from skal.labeling._table import Table, model_for, opened, table_in

N = 60


def text_of(i):
    return f"message {i} {'prize money' if i % 3 == 0 else 'lunch meeting'}"


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "rows.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "message", "size", "price"])
        writer.writerows([f"m{i}", text_of(i), i, i / 2] for i in range(N))
    return path


@pytest.fixture
def begin(tmp_path, table):
    """Begin a session, and return its file."""
    journal = tmp_path / "labels.db"
    options = ["--id", "name", "--text", "message", "--classes", "ham,spam"]
    assert main(["init", str(journal), str(table), *options]) == 0
    return journal


class Terminal:
    """A process of its own at a pseudo-terminal."""

    def __init__(self, *arguments):
        self.printed = ""
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            # pytest has put other files in their place.
            sys.stdin, sys.stdout = os.fdopen(0), os.fdopen(1, "w", buffering=1)
            os._exit(main(arguments))

    def wait_for(self, text, n=1):
        """Read until a text was printed `n` times."""
        end = time.monotonic() + 60
        while self.printed.count(text) < n:
            assert time.monotonic() < end, self.printed
            if select.select([self.descriptor], [], [], 1)[0]:
                self.printed += os.read(self.descriptor, 4096).decode()
        return self.printed

    def press(self, key):
        os.write(self.descriptor, key.encode())

    def ended(self):
        _, status = os.waitpid(self.pid, 0)
        os.close(self.descriptor)
        return os.waitstatus_to_exitcode(status)


def reopened(journal):
    return opened(journal, *table_in(journal), is_new=False)


def test_labelling_at_a_terminal(begin):
    terminal = Terminal("label", str(begin), "--by", "anna")
    terminal.wait_for("[q] quit")
    assert "[1] ham  [2] spam" in terminal.printed
    terminal.press("1")
    terminal.wait_for("[q] quit", 2)
    terminal.press("2")
    terminal.wait_for("[q] quit", 3)
    terminal.press("u")  # the second row once more
    terminal.wait_for("[q] quit", 4)
    terminal.press("x")
    terminal.wait_for("'x' is not a key")
    terminal.press("1")
    terminal.wait_for("[q] quit", 5)
    terminal.press("s")
    terminal.wait_for("[q] quit", 6)
    terminal.press("q")
    terminal.wait_for("1 were skipped")
    assert terminal.ended() == 0
    with reopened(begin) as session:
        assert list(session.labels(by="anna").values()) == ["ham", "ham"]
        kinds = [k for k in session.history()["kind"] if k not in ("asked", "added")]
        assert kinds[-5:] == ["told", "told", "withdrawn", "told", "skipped"]
        assert session.history()["value"][-1] == {"reason": ""}


def test_a_terminal_that_is_killed_goes_on(begin):
    terminal = Terminal("label", str(begin))
    terminal.wait_for("[q] quit")
    terminal.press("2")
    terminal.wait_for("[q] quit", 2)
    row = terminal.printed.split("row ")[-1].split()[0]
    os.kill(terminal.pid, signal.SIGKILL)
    terminal.ended()
    again = Terminal("label", str(begin))
    again.wait_for("[q] quit")
    assert f"row {row} " in again.printed
    again.press("q")
    again.wait_for("1 of 60 rows are labelled")
    assert again.ended() == 0


def test_labels_that_are_typed(tmp_path, table):
    journal = str(tmp_path / "numbers.db")
    begun = ["--id", "name", "--text", "message", "--target", "number"]
    terminal = Terminal("label", journal, str(table), *begun)
    terminal.wait_for("type a label and Enter")
    terminal.press("many\n")
    terminal.wait_for("could not convert")
    terminal.press("2.5\n")
    terminal.wait_for("[q] quit", 2)
    terminal.press("q\n")
    assert terminal.ended() == 0
    with reopened(tmp_path / "numbers.db") as session:
        assert list(session.labels().values()) == [2.5]


def test_from_a_table_to_a_verdict(begin, tmp_path, monkeypatch, capsys):
    questions, answers = tmp_path / "questions.csv", tmp_path / "answers.csv"
    for _ in range(3):
        assert main(["next", str(begin), str(questions), "-n", "18"]) == 0
        with questions.open() as file:
            records = list(csv.DictReader(file))
        with answers.open("w") as file:
            print("id,label", file=file)
            for record in records:
                is_spam = "prize" in record["text"]
                print(f"{record['id']},{'spam' if is_spam else 'ham'}", file=file)
        assert main(["import", str(begin), str(answers), "--by", "anna"]) == 0
    assert "18 answers are new. 54 of 60 rows are labelled" in capsys.readouterr().out
    assert main(["status", str(begin), "--goal", "0.5"]) == 0
    printed = capsys.readouterr().out
    assert "With 54 labels the score is" in printed
    assert "stop, since the score is at least 0.5" in printed
    assert main(["export", str(begin), str(tmp_path / "labels.json")]) == 0
    assert capsys.readouterr().out.startswith("54 rows are in")
    monkeypatch.setattr(LabelingSession, "verdict", lambda session: "It has paid.")
    assert main(["verdict", str(begin)]) == 0
    assert capsys.readouterr().out == "It has paid.\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["status", "nowhere.db"], "The session 'nowhere.db' does not exist: begin it"),
        (["init", "new.db", "nothing.csv"], "nothing.csv' does not exist"),
        (["init", "new.db", "rows.csv", "--text", "x"], "has no column 'x', but name"),
        (
            ["init", "new.db", "rows.csv", "--id", "name"],
            "columns that are not numbers",
        ),
        (
            ["init", "new.db", "rows.csv", "--text", "message", "--strategy", "X"],
            "skal.strategies has no strategy 'X'",
        ),
        (["import", "labels.db", "nothing.csv"], "'nothing.csv' does not exist"),
        (["export", "labels.db", "x.txt"], "not known from the end '.txt'"),
        (["label", "script.db"], "is the session of a script"),
    ],
)
def test_mistakes_are_one_line(
    begin, tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.chdir(tmp_path)
    estimator, _ = model_for(Table("rows.csv", text="message"))
    LabelingSession(estimator, Random(), journal="script.db").close()
    assert main(arguments) == 1
    printed = capsys.readouterr().err
    assert message in printed
    assert printed.startswith("skal: ")
    assert printed.count("\n") == 1


def test_a_table_of_numbers_with_labels(tmp_path, capsys):
    path = tmp_path / "numbers.csv"
    lines = [f"{i},{i % 7},{'yes' if i < 20 else ''}" for i in range(40)]
    path.write_text("\n".join(["size,price,known", *lines, "40,,no"]) + "\n")
    journal = tmp_path / "numbers.db"
    main(["init", str(journal), str(path), "--label", "known", "--audit", "0.5"])
    assert "21 of 41 rows are labelled" in capsys.readouterr().out
    with reopened(journal) as session:
        assert session.labels()["40"] == "no"
        assert [q.is_audit for q in session.ask(4)].count(True) == 2
        assert session.history()["kind"].count("settings") == 2


def test_keys_of_classes():
    assert keys_of(["a", "b"]) == {"1": "a", "2": "b"}
    assert keys_of(list(range(len(CLASS_KEYS) + 1))) == {}
    assert not set(CLASS_KEYS) & set("usq")
