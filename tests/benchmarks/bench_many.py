"""Trainings side by side, against a loop of the estimator's own `fit`."""

import time

import numpy as np
import pytest
from _floor import floor_seconds, shares
from sklearn.base import clone

from skal import load_task
from skal._threads import single_threaded
from skal.inputs._containers import take
from skal.inputs._joining import concat

N_SETS = 6


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("intent_classification", "aoe"),
        ("intent_classification", "cnn"),
        ("intent_classification", "lstm"),
        ("named_entity_recognition", "lstm"),
    ],
)
def test_trainings_per_second(name, model, data_home):
    """Sets of all sizes of Table 1; scoring on validation included."""
    task = load_task(name, data_home=data_home)
    problem = task.problem
    net = clone(task.estimators[model]).set_params(random_state=0)
    X = concat(problem.X_warm, problem.X_pool)
    y = concat(problem.y_warm, problem.y_pool)
    held_out = {
        "X_val": problem.X_select,
        "y_val": problem.y_select,
        "classes": problem.classes,
    }
    rng = np.random.default_rng(0)
    n_warm = len(problem.X_warm)
    sizes = n_warm + problem.batch_size * np.arange(problem.n_rounds + 1)
    sets = [rng.permutation(len(X))[:n] for n in sizes for _ in range(N_SETS)]
    many = net.side_by_side(X, y, **held_out)
    judged = problem.X_val, problem.y_val, problem.scorer
    many.judge(sets[:2], *judged)

    with single_threaded():
        started = time.process_time()
        scores = [score for score, _ in many.judge(sets, *judged)]
        together = (time.process_time() - started) / len(sets)
        started = time.process_time()
        expected = []
        for rows in sets[::N_SETS]:
            fitted = clone(net).fit(take(X, rows), take(y, rows), **held_out)
            expected.append(problem.scorer(fitted, *judged[:2]))
        alone = (time.process_time() - started) / len(expected)
        few = sets[::N_SETS]
        floors = floor_seconds(lambda: many.judge(few, *judged), many.stack)
        of_products, of_adam = (seconds / len(few) for seconds in floors)
        parts = shares(lambda: many.judge(few, *judged))
    gap = np.abs(np.array(scores[::N_SETS]) - expected).max()
    floor = of_products + of_adam
    print(
        f"\n{name}, {model}: {1000 * together:.0f} ms side by side (width "
        f"{many.width}), {1000 * alone:.0f} ms alone: {alone / together:.1f} times "
        f"as fast; scores differ by at most {gap:.4f}."
    )
    print(
        f"  Floor: {1000 * of_products:.1f} ms of products, {1000 * of_adam:.1f} ms of "
        f"Adam, {floor / together:.0%} of the time side by side; there it would be "
        f"{alone / floor:.1f} times as fast."
    )
    print(
        "  Profile:", ", ".join(f"{part} {share:.0%}" for part, share in parts.items())
    )
    assert together < alone
