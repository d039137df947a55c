"""Kill a simulated annotator at random moments, and look for what was lost.

Each child goes on with one session in one file, by actions that follow from the state
of the session alone: it asks, labels, makes mistakes and withdraws them, skips, imports
a file and trains. It is killed by SIGKILL after a random time, and the next child goes
on. All events must be those of a session that was never disturbed, and none that a
child has reported may be missing.

    python tests/benchmarks/bench_labeling_kills.py --kills 1000
"""

import argparse
import os
import random
import signal
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from skal import LabelingSession, Margin

N_ROWS, UNDONE = 150, "withdrawn"
# Rows whose labels come from a file, in the midst of the session.
FROM_FILE = range(3, N_ROWS, 20)


def data():
    """Return rows and labels of two classes, which overlap a little."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_ROWS, 3))
    return X, np.where(X[:, 0] + 0.3 * rng.normal(size=N_ROWS) > 0, "ham", "spam")


def opened(path):
    """Open the session, and add all rows, some of them with labels."""
    X, y = data()
    session = LabelingSession(
        LogisticRegression(), Margin(), journal=path, random_state=0, resolve="last"
    )
    return session.add(X, y=[y[i] if i % 50 == 0 else None for i in range(N_ROWS)])


def act(session, y, export):
    """Do the next thing, which follows from the state of the session.

    Each branch appends events after which it is not taken again, whatever call the
    process was killed in.
    """
    labels, history = session.labels(), session.history()
    kinds = history["kind"]
    wrong = [id for id, label in labels.items() if label != y[id]]
    if wrong:
        return session.withdraw(wrong[0])
    if kinds[-1] == "told" and kinds.count("told") % 9 == 0:
        return session.refit()
    if kinds.count("told") >= 20 and not set(FROM_FILE) <= set(labels):
        return read_file(session, y, export)
    withdrawn = {i for i, k in zip(history["id"], kinds, strict=True) if k == UNDONE}
    for question in session.ask(5):
        if question.id % 13 == 0:
            session.export(export)
            return session.skip(question.id, "unreadable")
        label = y[question.id]
        if question.id % 7 == 0 and question.id not in withdrawn:
            label = "ham" if label == "spam" else "spam"
        return session.tell(question.id, label)
    return None


def read_file(session, y, export):
    """Read labels of some rows from a file, all at once."""
    path = export.with_suffix(".in.csv")
    lines = [f"{i},{y[i]}" for i in FROM_FILE]
    path.write_text("\n".join(["id,label", *lines, ""]))
    return session.read(path)


def events(session):
    """Return all events without their times."""
    history = session.history()
    del history["time"]
    return list(zip(*history.values(), strict=True))


def annotate(path, export, n_events, report=None):
    """Go on until there are so many events, and report each that is on the disk."""
    _, y = data()
    with opened(path) as session:
        while (n := len(session.history()["number"])) < n_events:
            if report is not None:
                os.write(report, n.to_bytes(8, "big"))
            act(session, y, export)


def killed_run(path, export, n_events, n_kills, rng):
    """Kill children until the session is complete, or there were enough kills.

    Yields
    ------
    acknowledged : int
        Number of events that the child has reported before it was killed.
    """
    for _ in range(n_kills):
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            annotate(path, export, n_events, write)
            os._exit(0)
        os.close(write)
        time.sleep(rng.uniform(0, 0.12))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(read, "rb") as pipe:
            reports = pipe.read()
        yield int.from_bytes(reports[-8:], "big")


def compare_runs(folder, n_events, n_kills, seed=0):
    """Kill a session many times, and compare it with an undisturbed one.

    Returns
    -------
    n_kills, n_lost, n_different : int
        Kills that were made; acknowledged events that were missing after one; and
        kills after which the events were not those of the undisturbed session.
    is_same : bool
        Whether the next questions and the model are the same in the end.
    """
    whole = Path(folder, "whole.db")
    annotate(whole, Path(folder, "whole.csv"), n_events)
    with opened(whole) as session:
        expected, rng = events(session), random.Random(seed)
        n_lost = n_different = done = n_files = 0
        while done < n_kills:
            n_files += 1
            path, export = (Path(folder, f"{n_files}.{end}") for end in ("db", "csv"))
            left = n_kills - done
            for acknowledged in killed_run(path, export, n_events, left, rng):
                done += 1
                if not path.exists():
                    n_lost += acknowledged
                    continue
                with opened(path) as again:
                    found = events(again)
                n_lost += max(0, acknowledged - len(found))
                n_different += found[: len(expected)] != expected[: len(found)]
                if len(found) >= n_events:
                    break
            print(f"{done} kills, {n_lost} lost, {n_different} different", flush=True)
        annotate(path, export, n_events)
        with opened(path) as again:
            same = [q.id for q in again.ask(20)] == [q.id for q in session.ask(20)]
            coefs = again.model_.coef_, session.model_.coef_
            return done, n_lost, n_different, same and np.array_equal(*coefs)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--events", type=int, default=250)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        done, n_lost, n_different, is_same = compare_runs(
            folder, args.events, args.kills
        )
        print(
            f"{done} kills in {time.perf_counter() - start:.0f} s: {n_lost} "
            f"acknowledged events lost, {n_different} times other events; questions "
            f"and model {'the same' if is_same else 'DIFFERENT'} in the end"
        )


if __name__ == "__main__":
    main()
