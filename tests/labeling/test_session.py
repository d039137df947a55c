"""A session: questions, answers, corrections, several annotators, resuming."""

import numpy as np
import pytest
from _answers import answer
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from skal import Herding, Random, Then

KINDS = ["began", "settings", "settings", "added"]


def test_answers_are_labels_of_a_model(open_session, data):
    X, y = data
    session = open_session()
    asked = answer(session, y, 5, rounds=4)
    assert session.labels() == {i: y[i] for i in sorted(asked)}
    assert session.model_.score(X, y) > 0.8
    assert session.progress().n_labelled == 20


def test_the_first_questions_are_random_and_then_a_tenth(open_session, data):
    session = open_session()
    first = session.ask(10)
    assert [question.is_audit for question in first] == [True] + [False] * 9
    assert first[1].why == "drawn at random, since nothing is labelled yet"
    answer(session, data[1], 10)
    second = session.ask(10)
    assert [question.is_audit for question in second] == [True] + [False] * 9
    assert second[1].why == "Margin, rank 1"
    assert second[1].prediction in ("ham", "spam")
    assert 0.5 <= second[1].probability < 0.9


def test_a_strategy_that_needs_no_model_begins(open_session):
    session = open_session(strategy=Then(Herding(), Random()))
    assert [question.is_audit for question in session.ask(10)] == [True] + [False] * 9


def test_an_audit_of_one_question_at_a_time_has_its_share(open_session, data):
    session = open_session()
    for question in session.ask(20):
        session.tell(question.id, data[1][question.id])
    flags = []
    for _ in range(20):
        (question,) = session.ask()
        flags.append(question.is_audit)
        session.tell(question.id, data[1][question.id])
    assert flags.count(True) == 2


def test_open_questions_are_asked_again(open_session, data):
    session = open_session()
    first = session.ask(5)
    session.tell(first[1].id, "ham")
    left = [question.id for question in first if question is not first[1]]
    assert [question.id for question in session.ask(5)] == left
    assert [question.id for question in session.ask(2)] == left[:2]
    answer(session, data[1], 5)
    assert not set(left) & {question.id for question in session.ask(5)}


def test_a_session_goes_on_in_the_same_way(open_session, data, tmp_path):
    other = {"journal": tmp_path / "other.db"}
    whole = open_session(**other)
    expected = answer(whole, data[1], 5, rounds=3)
    session = open_session()
    found = answer(session, data[1], 5)
    session.close()
    session = open_session(random_state=None)
    asked = [question.id for question in session.ask(5)]
    session.close()
    session = open_session()
    assert [question.id for question in session.ask(5)] == asked
    found += answer(session, data[1], 5, rounds=2)
    assert found == expected
    assert np.array_equal(session.model_.coef_, whole.model_.coef_)


def test_corrections_stay_in_the_history(open_session):
    session = open_session()
    session.tell(7, "spam", by="anna", seconds=4.1)
    session.tell(7, "ham", by="anna")
    session.tell(7, "ham", by="anna")  # the same once more
    assert session.labels() == {7: "ham"}
    session.withdraw(7)
    assert session.labels() == {}
    history = session.history()
    assert history["kind"][-3:] == ["told", "told", "withdrawn"]
    assert history["id"][-1] == 7
    assert history["value"][-3] == {"label": "spam", "seconds": 4.1}
    assert history["number"] == list(range(1, len(history["number"]) + 1))


def test_a_skipped_row_is_not_asked_until_it_is_withdrawn(open_session, data):
    session = open_session()
    first = session.ask(3)
    session.skip(first[0], "unreadable")
    assert first[0].id not in answer(session, data[1], 30, rounds=5)
    assert session.ask(1) == []
    session.withdraw(first[0].id)
    assert [question.id for question in session.ask(1)] == [first[0].id]


def test_a_skip_takes_the_label_of_the_same_annotator(open_session):
    session = open_session()
    session.tell(1, "ham", by="anna")
    session.skip(1, by="anna")
    assert session.labels() == {}
    session.tell(1, "spam", by="bob")
    assert session.labels() == {1: "spam"}
    assert session.progress().n_skipped == 0


def test_equal_rows_share_an_answer(open_session, data):
    X = np.concatenate([data[0][:20], data[0][:20]])
    session = open_session(X)
    asked = answer(session, data[1], 50)
    assert sorted(asked) == list(range(20))
    assert session.labels() == {i: data[1][i % 20] for i in range(40)}
    session.withdraw(25)
    assert set(session.labels()) == set(range(40)) - {5, 25}


def test_annotators_are_asked_different_rows(open_session, path):
    anna, bob = open_session(), open_session()
    of_anna = {question.id for question in anna.ask(5, by="anna")}
    of_bob = {question.id for question in bob.ask(5, by="bob")}
    assert not of_anna & of_bob
    assert {question.id for question in bob.ask(5, by="anna")} == of_anna


def test_an_open_question_expires_for_others_only(open_session, monkeypatch):
    session = open_session(timeout=60, audit=0)
    of_anna = {question.id for question in session.ask(5, by="anna")}
    now = session.history()["time"][-1] + 61
    monkeypatch.setattr("skal.labeling._log.clock", lambda: now)
    monkeypatch.setattr("skal.labeling._session.clock", lambda: now)
    assert {question.id for question in session.ask(5, by="anna")} == of_anna
    assert {question.id for question in session.ask(5, by="bob")} == of_anna
    assert session.history()["kind"].count("expired") == 5


@pytest.mark.parametrize(
    ("rule", "label"), [("last", "spam"), ("majority", "ham"), ("ask", "ham")]
)
def test_annotators_who_disagree(open_session, rule, label):
    session = open_session(resolve=rule)
    for by, given in [("anna", "ham"), ("bob", "ham"), ("carl", "spam")]:
        session.tell(3, given, by=by)
    assert session.labels() == {3: label}
    assert session.labels(by="carl") == {3: "spam"}
    assert session.progress().n_disagreeing == 1


def test_a_row_without_a_majority_is_asked_of_a_third(open_session):
    session = open_session(resolve="ask")
    session.tell(3, "ham", by="anna")
    session.tell(3, "spam", by="bob")
    assert session.labels() == {}
    assert session.ask(1, by="anna")[0].id != 3
    (question,) = session.ask(1, by="carl")
    assert (question.id, question.why) == (3, "annotators disagree")
    session.tell(3, "spam", by="carl")
    assert session.labels() == {3: "spam"}


def test_labels_that_exist_are_added_once(open_session, data, path):
    X, y = data
    known = [y[i] if i < 10 else None for i in range(len(y))]
    session = open_session(None).add(X, y=known)
    session.tell(0, "other")
    session.close()
    again = open_session(None).add(X, y=known)
    assert again.labels() == {i: y[i] for i in range(10)} | {0: "other"}
    assert again.history()["kind"].count("imported") == 10


def test_a_pool_may_grow(open_session, data):
    X, y = data
    session = open_session(X[:60])
    answer(session, y, 10, rounds=2)
    session.add(X[60:], ids=range(60, 120))
    asked = answer(session, y, 20, rounds=2)
    assert max(asked) >= 60
    assert session.progress().n_rows == 120


def test_rows_may_be_added_in_another_order(open_session, data):
    X, y = data
    session = open_session()
    answer(session, y, 10)
    session.close()
    order = np.random.default_rng(1).permutation(len(X))
    again = open_session(X[order[:70]], order[:70]).add(X[order[70:]], order[70:])
    expected = open_session().ask(5)
    found = again.ask(5)
    assert [q.id for q in found] == [q.id for q in expected]
    assert all(np.array_equal(X[q.id], q.row) for q in found)


def test_a_model_is_trained_after_some_answers(open_session, data):
    session = open_session(retrain_every=15)
    answer(session, data[1], 10, rounds=4)
    assert session.history()["kind"].count("refit") == 1
    session.refit()
    assert session.refit().score(*data) > 0.8
    assert session.history()["kind"].count("refit") == 2


def test_a_training_that_fails_leaves_random_questions(open_session, data):
    session = open_session(estimator=KNeighborsClassifier(n_neighbors=15))
    answer(session, data[1], 10)
    with pytest.warns(FitFailedWarning, match="labels so far"):
        (question,) = session.ask()
    assert question.why == "drawn at random, since the training failed"


def test_another_estimator_is_in_the_history(open_session, data):
    open_session().close()
    session = open_session(estimator=LogisticRegression(C=0.1))
    changed = session.history()["value"][-1]
    assert list(changed) == ["estimator"]
    assert "C=0.1" in changed["estimator"]


def test_progress_is_a_sentence(open_session, data):
    session = open_session(classes=["ham", "spam"])
    answer(session, data[1], 5)
    session.ask(2)
    text = str(session.progress())
    assert text.startswith("5 of 120 rows are labelled, 0 of them as an audit; 0 were")
    assert "2 are open. Classes: ham: " in text
