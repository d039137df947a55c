"""Studies that are killed, interrupted or fail, and go on."""

import os
import signal
import time

import numpy as np
import pytest
from _small_study import (
    SEEDS,
    TWO_SEEDS_ARE_ENOUGH,
    accuracy,
    assert_same,
    pose,
    processes,
    scored,
    study,
)
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB

from skal import BALD, AnnealingOracle, Margin, compare

pytestmark = TWO_SEEDS_ARE_ENOUGH


def study_and_die(path, last):
    scored.update(n=0, last=last)
    study(path)


# In a random order; in two searches; at the end of one and in the replays.
@pytest.mark.parametrize("shares", [(0.02, 0.01), (0.08, 0.1), (0.3, 0.5), (0.8, 0.18)])
def test_two_kills_give_the_table_of_an_undisturbed_run(
    undisturbed, tmp_path, lines, shares
):
    tables, n_scored = undisturbed
    n_lines = [0]
    for share in shares:
        process = processes.Process(
            target=study_and_die, args=(tmp_path, int(share * n_scored))
        )
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        files = [tmp_path / f"{name}.jsonl" for name in ("compare", "replays")]
        n_lines.append(sum(len(lines(file)) for file in files))
    assert n_lines[0] <= n_lines[1] <= n_lines[2]
    assert n_lines[2] > 0
    scored.update(n=0, last=None)
    assert_same(study(tmp_path)[0], tables)
    # At most what was under way is done again; of a search, a round of its start, and
    # the models that strategies are asked about.
    lost = 2 * (2 * 4 + 16 + 3)
    assert scored["n"] <= n_scored - sum(int(s * n_scored) for s in shares) + lost
    scored.update(n=0)
    assert_same(study(tmp_path)[0], tables)
    assert scored["n"] == 0


def slow_accuracy(model, X, y):
    time.sleep(0.003)
    return accuracy(model, X, y)


def study_in_parallel(path):
    os.setsid()  # so that its workers are killed with it
    study(path, pose(scoring=slow_accuracy), n_jobs=2)


def test_a_kill_with_workers(undisturbed, tmp_path, lines):
    process = processes.Process(target=study_in_parallel, args=(tmp_path,))
    process.start()
    while process.is_alive() and len(lines(tmp_path / "compare.jsonl")) < 2:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not (tmp_path / "replays.jsonl").exists()
    tables, _ = study(tmp_path, pose(scoring=slow_accuracy))
    assert_same(tables, undisturbed[0])


def test_a_line_that_is_cut_anywhere(undisturbed, tmp_path, lines):
    study(tmp_path)
    for name in ("compare", "replays"):
        file = tmp_path / f"{name}.jsonl"
        whole = file.read_bytes()
        end = whole.rindex(b"\n", 0, -1) + 1  # of the last line but one
        for cut in (end, end + 1, (end + len(whole)) // 2, len(whole) - 2):
            file.write_bytes(whole[:cut])
            n_before = len(lines(file))
            assert_same(study(tmp_path)[0], undisturbed[0])
            # What was cut is left alone, and a whole line is added.
            assert len(lines(file)) == n_before + 1 + (cut > end)
        # Without its line feed, the last line is still whole.
        file.write_bytes(whole[:-1])
        assert_same(study(tmp_path)[0], undisturbed[0])
        assert file.read_bytes() == whole[:-1]


def interrupt(model, X, y):
    """Press Ctrl-C in the middle of a search."""
    scored["n"] += 1
    if scored["n"] == scored["last"]:
        raise KeyboardInterrupt
    return float(np.mean(model.predict(X) == y))


def test_a_search_that_is_interrupted_is_not_taken_for_a_whole_one(tmp_path, lines):
    scored.update(n=0, last=None)
    oracle = {"oracle": AnnealingOracle(n_steps=30)}
    problem = pose(scoring=interrupt)
    expected = compare(problem, oracle, seeds=SEEDS)
    scored.update(n=0, last=30)
    with pytest.raises(KeyboardInterrupt):
        compare(problem, oracle, seeds=SEEDS, path=tmp_path / "study")
    assert lines(tmp_path / "study" / "compare.jsonl") == []
    found = compare(problem, oracle, seeds=SEEDS, path=tmp_path / "study")
    assert_same([found.table()], [expected.table()])


class Moody(Margin):
    """Chooses as told, or not at all."""

    def __init__(self, fails=False, random_state=None):
        super().__init__(random_state=random_state)
        self.fails = fails

    def _select(self, *args):
        if self.fails:
            raise ValueError("in no mood to choose")
        return super()._select(*args)


class Untrainable(RandomForestClassifier):
    def fit(self, X, y):
        raise ValueError("cannot be trained")


def test_what_failed_at_its_first_run_can_be_put_right(tmp_path):
    def run(fails):
        strategies = {"margin": Margin(), "moody": Moody(fails)}
        return compare(pose(), strategies, path=tmp_path, seeds=SEEDS)

    with pytest.raises(ValueError, match="in no mood"):
        run(True)
    assert run(False).curves.shape == (1, 2, 2, 4)
    with (
        pytest.warns(UserWarning, match="strategy 'moody' has changed"),
        pytest.raises(ValueError, match="in no mood"),
    ):
        run(True)


def test_a_posterior_estimator_that_failed_can_be_put_right(tmp_path):
    def run(sampled):
        return compare(
            pose(),
            {"margin": Margin(), "bald": BALD()},
            estimators={"forest": RandomForestClassifier(3)},
            posterior_estimators={"forest": sampled},
            path=tmp_path,
            seeds=SEEDS,
        )

    with pytest.raises(ValueError, match="cannot be trained"):
        run(Untrainable(3))
    assert run(RandomForestClassifier(3, max_depth=1)).curves.shape == (1, 2, 2, 4)
    with pytest.warns(UserWarning, match="posterior estimator 'forest' has changed"):
        run(RandomForestClassifier(3))


def test_a_search_that_was_cut_short_does_not_bind_the_next(tmp_path):
    def run(model=None, n_steps=20, **params):
        oracle = AnnealingOracle(n_steps=n_steps, n_greedy=4, **params)
        estimators = {"bayes": GaussianNB() if model is None else model}
        compare(
            *(pose(), {"oracle": oracle}),
            estimators=estimators,
            path=tmp_path,
            seeds=SEEDS,
        )
        (tmp_path / "compare.jsonl").unlink()  # as where it ends before the first cell
        return len(list((tmp_path / "searches").glob("*.db")))

    assert run() == 2
    assert run(n_steps=25) == 4
    assert run(GaussianNB(var_smoothing=0.1)) == 6
    assert run(max_time=1000.0) == 6  # the first ones go on
