"""What a second process brings to trainings side by side, at the sizes of Table 1.

The seconds that both are busy tell what is lost by how the work is shared out; the wall
clock tells also what other programs take.
"""

import os
import time
from dataclasses import replace

import numpy as np
import pytest
from sklearn.utils.parallel import Parallel, delayed

from skal import AnnealingOracle, load_task
from skal._threads import single_threaded
from skal.judging import Evaluation
from skal.oracle.evaluation import _workers as _jobs
from skal.oracle.evaluation._workers import Jobs
from skal.training import Trainer

N_SETS, N_REPEATS = 96, 3


@pytest.fixture(scope="module")
def task():
    home = os.environ.get("SKAL_DATA_HOME")
    if not home:
        pytest.skip("needs the real data sets: set SKAL_DATA_HOME to their folder")
    return load_task("intent_classification", data_home=home)


def test_trainings_per_second(task):
    """Batches as large as a search with two jobs trains at once.

    Beside it, two processes that share nothing: what the machine has to give.
    """
    problem = replace(task.problem, estimator=task.estimators["aoe"])
    rng = np.random.default_rng(0)
    sizes = 20 * rng.integers(1, problem.n_rounds + 1, size=N_SETS)
    sets = [rng.permutation(problem.n_pool)[:n] for n in sizes]
    results = {n_jobs: measure(problem, sets, n_jobs) for n_jobs in (1, 2)}
    ratio = results[1][0] / results[2][0]
    limit = 2 * apart(problem, sets, 1) / apart(problem, sets, 2)
    print(
        f"Two processes are {ratio:.2f} times as fast as one; two that share nothing "
        f"get {limit:.2f} times as much done as one."
    )
    assert results[1][1] == results[2][1]
    assert ratio > 1.8


def measure(problem, sets, n_jobs):
    """Return the seconds that all sets take, at best, and their scores."""
    trainer = Trainer(problem)
    evaluation = Evaluation(problem.X_val, problem.y_val, problem.scorer)
    at_once = n_jobs * trainer.width
    batches = [sets[i : i + at_once] for i in range(0, len(sets), at_once)]
    seconds, busy = [], []
    with single_threaded(), Jobs(trainer, evaluation, n_jobs) as jobs:
        jobs.run(sets[:4])
        for _ in range(N_REPEATS):
            started, busy_now, scores = time.perf_counter(), 0.0, []
            for batch in batches:
                scores += jobs.run(batch)
                busy_now += jobs.seconds * len(batch)
            seconds.append(time.perf_counter() - started)
            busy.append(busy_now / n_jobs)
    share = busy[int(np.argmin(seconds))] / min(seconds)
    detail = f", both busy {share:.0%} of the time" if n_jobs > 1 else ""
    print(
        f"\n{n_jobs} jobs: {len(sets) / min(seconds):.1f} trainings per second, the "
        f"best of {N_REPEATS} (median {len(sets) / np.median(seconds):.1f}){detail}; "
        f"load {os.getloadavg()[0]:.1f}"
    )
    return min(seconds), scores


def apart(problem, sets, n_processes):
    """Return the seconds that each of some processes takes for all sets, at best.

    They begin at the same time, when all have started.
    """
    start = time.time() + 20
    found = Parallel(n_processes + 1)(
        delayed(_measure_at)(start, problem, sets) for _ in range(n_processes)
    )
    return float(np.mean(found))


def _measure_at(start, problem, sets):
    measure(problem, sets[:16], 1)
    time.sleep(max(0, start - time.time()))
    return measure(problem, sets, 1)[0]


def test_a_search(task, monkeypatch):
    """What is trained ahead in vain counts against two jobs, which look further."""
    n_steps = 120
    shared, send = [], Jobs._send

    def watch(self, shares, work):
        started = time.perf_counter()
        answers = send(self, shares, work)
        told = [answer for answer in answers if answer is not None]
        shared.append((sum(a.seconds for a in told), time.perf_counter() - started))
        return answers

    monkeypatch.setattr(_jobs.Jobs, "_send", watch)

    def search(n_jobs, n_steps=n_steps):
        shared.clear()
        learner = task.learner("random", "aoe", random_state=0)
        learner.set_params(
            strategy=AnnealingOracle(n_steps=n_steps, proposal="uniform", n_jobs=n_jobs)
        )
        started = time.perf_counter()
        learner.fit(**task.problem.sets)
        return learner, time.perf_counter() - started

    search(2, n_steps=2)  # starts the workers
    one, alone = search(1)
    two, together = search(2)
    busy, wall = np.sum(shared, axis=0)
    trained = [
        o.strategy_.n_trainings_ + o.strategy_.n_speculative_ for o in (one, two)
    ]
    print(
        f"\nA search of {n_steps} steps: {alone:.1f} s with one job, {together:.1f} s "
        f"with two, {alone / together:.2f} times as fast; {trained[0]} and "
        f"{trained[1]} trainings, for {one.n_trainings_} that were needed, so "
        f"{alone / together * trained[1] / trained[0]:.2f} times as many trainings per "
        f"second. Both were busy {busy / 2 / wall:.0%} of the batches' time, which is "
        f"{wall / together:.0%} of the search's; load {os.getloadavg()[0]:.1f}"
    )
    assert one.order_.tolist() == two.order_.tolist()
    assert alone / together > 1.2
