import random
import sys
import threading

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline

from skal import AnnealingOracle, Margin, Random, seeding
from skal.seeding import (
    Stream,
    as_seed,
    fresh_seed,
    isolated,
    set_random_states,
    stream,
)


def test_streams_depend_on_seed_and_key_alone():
    def draw(*key):
        return stream(*key).integers(2**60, size=4).tolist()

    assert draw(0, 1, 2) == draw(0, 1, 2)
    assert len({tuple(draw(*key)) for key in [(0, 1, 2), (0, 1, 3), (1, 1, 2)]}) == 3


def test_the_streams_of_stored_results_keep_their_numbers():
    """Another number, or one that two purposes share, would change what seeds give."""
    numbers = {one.name: one.value for one in Stream}
    assert numbers == {
        **{"SPLIT": 0, "ROW_PRIORITY": 1, "ESTIMATOR": 2, "TRAINING": 3, "STRATEGY": 4},
        **{"TIES": 5, "START": 6, "STEP": 7, "GENERATED": 8, "CONFIGURATIONS": 9},
        **{"POSTERIOR": 10, "DROPOUT": 11, "CANDIDATES": 12, "SAMPLE": 13},
        **{"OTHER_SEEDS": 14, "NOISE": 15, "AUDIT": 16, "FOLDS": 17, "BOOTSTRAP": 18},
        "REPLAY": 19,
    }


def test_as_seed_leaves_the_global_state_alone(global_state):
    before = global_state()
    assert fresh_seed() != fresh_seed()
    assert as_seed(None) != as_seed(None)
    assert as_seed(7) == 7
    assert as_seed(np.random.RandomState(0)) == as_seed(np.random.RandomState(0))
    assert global_state() == before


def test_every_random_state_gets_an_integer_of_its_own():
    nested = make_pipeline(CalibratedClassifierCV(SGDClassifier(random_state=5)))
    set_random_states(nested, stream(0))
    first = nested.get_params()["calibratedclassifiercv__estimator__random_state"]
    set_random_states(nested, stream(1))
    second = nested.get_params()["calibratedclassifiercv__estimator__random_state"]
    assert first not in (5, second)


def test_a_strategy_keeps_the_seed_it_was_given():
    oracle = AnnealingOracle(start=Random(random_state=3))
    set_random_states(oracle, stream(0), only_unset=True)
    assert oracle.start.random_state == 3
    assert oracle.random_state is not None


def test_what_is_kept_does_not_shift_what_is_drawn():
    free = set_random_states(
        AnnealingOracle(start=Margin()), stream(0), only_unset=True
    )
    kept = AnnealingOracle(start=Margin(random_state=1))
    set_random_states(kept, stream(0), only_unset=True)
    assert free.random_state == kept.random_state


def test_isolated_blocks_are_seeded_and_leave_no_trace(global_state):
    def draw(seed):
        with isolated(seed):
            return np.random.rand(), random.random()  # noqa: NPY002

    before, python_before = global_state(), random.getstate()
    assert draw(0) == draw(0) != draw(1)
    assert (global_state(), random.getstate()) == (before, python_before)
    with pytest.raises(ZeroDivisionError), isolated(0):
        1 / 0  # noqa: B018
    assert (global_state(), random.getstate()) == (before, python_before)


def test_the_second_of_two_normal_numbers_is_not_lost(global_state):
    np.random.normal()  # noqa: NPY002
    before = global_state()
    with isolated(0):
        np.random.normal()  # noqa: NPY002
    assert global_state() == before


def test_isolated_blocks_nest():
    def draw():
        return np.random.rand()  # noqa: NPY002

    with isolated(0):
        expected = [draw(), draw()]
    with isolated(0):
        first = draw()
        with isolated(1):
            inner = draw()
            with isolated(2):
                draw()
        assert [first, draw()] == expected
    with isolated(1):
        assert draw() == inner


def test_isolated_blocks_in_threads_do_not_mix(global_state):
    before, drawn = global_state(), {}

    def work(seed):
        with isolated(seed):
            drawn[seed] = [np.random.rand() for _ in range(2000)]  # noqa: NPY002

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in range(4):
        with isolated(seed):
            expected = [np.random.rand() for _ in range(2000)]  # noqa: NPY002
        assert drawn[seed] == expected
    assert global_state() == before


def test_torch_is_seeded_and_put_back_when_it_is_there():
    torch = pytest.importorskip("torch", reason="torch is an extra")
    before = torch.random.get_rng_state()
    with isolated(0):
        first = torch.rand(3)
    with isolated(0):
        assert torch.equal(first, torch.rand(3))
    assert torch.equal(before, torch.random.get_rng_state())


def test_torch_is_seeded_as_it_seeds_itself():
    torch = pytest.importorskip("torch", reason="torch is an extra")
    for seed in (0, 7):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            expected = torch.rand(3)
        with isolated(seed):
            assert torch.equal(torch.rand(3), expected)


def test_all_gpus_are_put_back_without_a_warning(monkeypatch):
    torch = pytest.importorskip("torch", reason="torch is an extra")
    states = ["of the first", "of the second"]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_rng_state", states.__getitem__)
    monkeypatch.setattr(
        torch.cuda, "set_rng_state", lambda state, i: states.__setitem__(i, state)
    )
    with isolated(0):
        states[:] = ["drawn from", "drawn from"]
    assert states == ["of the first", "of the second"]


def test_an_estimator_without_random_state_is_fine():
    assert set_random_states(LogisticRegression(), stream(0)).random_state is not None


def all_states(torch):
    """Return the states of all global generators."""
    numpy_state = np.random.get_state(legacy=False)  # noqa: NPY002
    of_torch = torch.get_rng_state().numpy().tobytes() if torch else None
    return random.getstate(), numpy_state, of_torch


def interrupt_at(number, work):
    """Run a function, with Ctrl-C at the given line or call within `seeding`.

    Returns
    -------
    bool
        Whether there are as many.
    """
    n_met = 0

    def trace(frame, event, arg):
        nonlocal n_met
        if frame.f_code.co_filename != seeding.__file__:
            return None
        if event in ("call", "line"):
            n_met += 1
            if n_met == number:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
    return n_met >= number


@pytest.mark.parametrize("has_torch", [False, True])
def test_ctrl_c_at_any_line_leaves_the_global_states_alone(monkeypatch, has_torch):
    torch = pytest.importorskip("torch") if has_torch else None
    monkeypatch.setitem(sys.modules, "torch", torch)
    # Of a generator of the user's own, and with a second number of a pair at hand.
    user, numpys = np.random.PCG64(5), np.random.get_bit_generator()
    np.random.set_bit_generator(user)
    np.random.normal()  # noqa: NPY002

    def work():
        with isolated(3):
            random.random()
            np.random.normal()  # noqa: NPY002
            if torch:
                torch.rand(2)

    try:
        for number in range(1, 1000):
            before = all_states(torch)
            is_interrupted = interrupt_at(number, work)
            assert all_states(torch) == before, number
            assert np.random.get_bit_generator() is user
            # The next block would forget this one.
            seeding._before.clear()
            # A trace function can raise where a signal cannot: as a lock is released.
            while seeding._globals_lock._is_owned():
                seeding._globals_lock.release()
            if not is_interrupted:
                break
    finally:
        np.random.set_bit_generator(numpys)
    assert 30 < number < 999
