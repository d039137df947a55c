"""Modules side by side, against a loop of the estimator's own `fit`."""

import time

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import check_scoring

from skal import load_task
from skal._threads import single_threaded
from skal.inputs._joining import concat
from skal.nets import MLP, TorchClassifier


def compare(name, net, X, y, held_out, judged, sizes, n_sets):
    """Return how many times as fast trainings side by side are, scoring included."""
    rng = np.random.default_rng(0)
    sets = [rng.permutation(len(X))[:n] for n in sizes for _ in range(n_sets)]
    scorer = check_scoring(net, "accuracy")
    with single_threaded():
        started = time.process_time()
        many = net.side_by_side(X, y, **held_out)
        to_probe = time.process_time() - started
        many.judge(sets[:2], *judged, scorer)
        started = time.process_time()
        scores = [score for score, _ in many.judge(sets, *judged, scorer)]
        together = (time.process_time() - started) / len(sets)
        started = time.process_time()
        expected = [
            scorer(clone(net).fit(X[rows], y[rows], **held_out), *judged)
            for rows in sets[::n_sets]
        ]
        alone = (time.process_time() - started) / len(expected)
    print(
        f"\n{name}: {1000 * together:.0f} ms side by side (width {many.width}, "
        f"{1000 * to_probe:.0f} ms to begin with), {1000 * alone:.0f} ms alone: "
        f"{alone / together:.2f} times as fast; scores differ by at most "
        f"{np.abs(np.array(scores[::n_sets]) - expected).max():.4f}"
    )
    return alone / together


def test_a_small_network_on_digits():
    X, y = load_digits(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(X))
    X, y = X[rows] / 16, y[rows]
    held_out = {"X_val": X[800:950], "y_val": y[800:950], "classes": y}
    judged, sizes = (X[950:], y[950:]), range(40, 201, 20)
    for hidden, least in ((100, 2.5), (33, 1.2)):
        net = TorchClassifier(MLP, module_params={"hidden": hidden}, random_state=0)
        name = f"digits, {hidden} hidden units"
        args = name, net, X[:800], y[:800], held_out, judged, sizes, 6
        assert compare(*args) > least


def test_the_convolutional_network_of_object_classification(data_home):
    """Seven tenths of the time of `fit` are convolutions, which nothing speeds up."""
    task = load_task("object_classification", data_home=data_home)
    problem = task.problem
    held_out = {
        "X_val": problem.X_select,
        "y_val": problem.y_select,
        "classes": problem.classes,
    }
    net = clone(task.estimators["cnn"]).set_params(random_state=0)
    X = concat(problem.X_warm, problem.X_pool)
    y = concat(problem.y_warm, problem.y_pool)
    judged, sizes = (problem.X_val, problem.y_val), 50 + 75 * np.arange(5)
    assert compare("objects", net, X, y, held_out, judged, sizes, 1) > 0.9
