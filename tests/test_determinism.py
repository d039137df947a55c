"""The same seed gives the same result, wherever and however it is computed."""

import json
import os
import pickle
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.linear_model import LogisticRegression

from skal import ActiveLearner, AnnealingOracle, MaxEntropy, Random, run_seeds

SCRIPT = """
from tests.test_determinism import fit, learners
import json
print(json.dumps({name: fit(one).order_.tolist() for name, one in learners().items()}))
"""


def learners():
    params = {"batch_size": 10, "n_rounds": 4, "random_state": 0}
    trees = ExtraTreesClassifier(n_estimators=5, max_depth=4)
    return {
        "search": ActiveLearner(
            LogisticRegression(C=0.1), AnnealingOracle(n_steps=25), **params
        ),
        "entropy": ActiveLearner(trees, MaxEntropy(), **params),
        "random": ActiveLearner(trees, Random(), **params),
        "numbers": ActiveLearner(
            ExtraTreesRegressor(n_estimators=3, max_depth=4),
            AnnealingOracle(n_steps=10),
            **params,
        ),
    }


def fit(learner):
    X, y = load_digits(return_X_y=True)
    return learner.fit(X[:600] / 16, y[:600])


@pytest.fixture(scope="module", params=sorted(learners()))
def reference(request):
    learner = learners()[request.param]
    return request.param, fit(learner)


def assert_same(first, second):
    assert first.order_.tolist() == second.order_.tolist()
    assert first.curve_.tolist() == second.curve_.tolist()
    assert first.validation_curve_.tolist() == second.validation_curve_.tolist()


def test_again_and_after_pickling(reference):
    name, fitted = reference
    assert_same(fitted, fit(learners()[name]))
    assert_same(fitted, fit(clone(fitted)))
    assert_same(fitted, fit(pickle.loads(pickle.dumps(learners()[name]))))


def test_another_seed_gives_another_order(reference):
    name, fitted = reference
    other = fit(learners()[name].set_params(random_state=1))
    assert other.order_.tolist() != fitted.order_.tolist()


@cache
def orders_elsewhere(hash_seed, n_threads):
    """Return the order of each learner, found in another process."""
    env = os.environ | {"PYTHONHASHSEED": hash_seed}
    env |= {"OPENBLAS_NUM_THREADS": n_threads, "OMP_NUM_THREADS": n_threads}
    output = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(output.stdout)


@pytest.mark.parametrize(("hash_seed", "n_threads"), [("0", "1"), ("4711", "2")])
def test_another_process_hash_seed_and_number_of_threads(
    reference, hash_seed, n_threads
):
    name, fitted = reference
    assert orders_elsewhere(hash_seed, n_threads)[name] == fitted.order_.tolist()


@pytest.mark.parametrize("name", sorted(learners()))
def test_global_state_is_left_alone_and_does_not_matter(name, global_state):
    np.random.seed(5)  # noqa: NPY002
    before = global_state()
    first = fit(learners()[name])
    assert global_state() == before
    np.random.seed(6)  # noqa: NPY002
    assert_same(first, fit(learners()[name]))


def test_torch_state_is_left_alone():
    torch = pytest.importorskip("torch", reason="torch is an extra")
    before = torch.random.get_rng_state()
    fit(learners()["entropy"])
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.fixture(scope="module")
def search():
    return fit(learners()["search"])


def test_any_number_of_jobs(search):
    two = fit(learners()["search"].set_params(strategy__n_jobs=2))
    assert_same(search, two)
    for name, column in search.strategy_.history_.items():
        np.testing.assert_array_equal(column, two.strategy_.history_[name])


def test_threads_do_as_processes(search, global_state):
    before = global_state()
    with parallel_config(backend="threading"):
        threads = fit(learners()["search"].set_params(strategy__n_jobs=2))
    assert_same(search, threads)
    assert global_state() == before


def test_seed_loops_on_any_number_of_jobs(digits):
    X, y = digits[0][:600], digits[1][:600]
    learner = learners()["entropy"]
    one = run_seeds(learner, X, y, seeds=3)
    two = run_seeds(learner, X, y, seeds=3, n_jobs=2)
    np.testing.assert_array_equal(one.curves, two.curves)
    alone = clone(learner).set_params(random_state=2).fit(X, y)
    np.testing.assert_array_equal(one.curves[2], alone.curve_)
