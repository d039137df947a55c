"""Labels that a strategy may not see cannot be found in anything that it is given."""

from collections.abc import Mapping

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from skal import ActiveLearner, NoisyLabels
from skal.seeding import stream
from skal.strategies import BaseStrategy

N_POOL, N_HELD_OUT, BATCH = 60, 40, 10


def reachable(thing, seen):
    """Yield every array and list that can be reached through attributes and items."""
    if id(thing) in seen or isinstance(thing, (str, bytes, type, int, float)):
        return
    seen[id(thing)] = thing  # kept alive, so that its id is not used again
    if isinstance(thing, np.ndarray):
        yield thing
        parts = thing.ravel() if thing.dtype == object else [thing.base]
    elif isinstance(thing, Mapping):
        parts = [*thing.keys(), *thing.values()]
    elif isinstance(thing, (list, tuple, set, frozenset)):
        yield thing
        parts = thing
    else:
        parts = attributes(thing)
    for part in parts:
        yield from reachable(part, seen)


def attributes(thing):
    """Return what an object holds, what it is bound to, and a closure's values."""
    found = [*getattr(thing, "__dict__", {}).values(), getattr(thing, "__self__", None)]
    found += [cell.cell_contents for cell in getattr(thing, "__closure__", None) or ()]
    for one in type(thing).__mro__:
        slots = one.__dict__.get("__slots__", ())
        names = [slots] if isinstance(slots, str) else slots
        found += [getattr(thing, name, None) for name in names]
    return found


def tells(found, labels):
    """Return whether an array holds the labels, as they are or as other values."""
    try:
        values = np.asarray(found)
    except ValueError:  # of rows of different lengths
        return False
    if values.ndim != 1 or len(values) < len(labels):
        return False
    windows = np.lib.stride_tricks.sliding_window_view(values, len(labels))
    return any(same_partition(window, labels) for window in windows)


def same_partition(values, labels):
    """Return whether equal values stand for equal labels, and the other way round."""
    pairs = set(zip(values.tolist(), labels.tolist(), strict=True))
    n_labels = len(set(labels.tolist()))
    return len(pairs) == n_labels == len({value for value, _ in pairs})


class Spy(BaseStrategy):
    """Selects the first candidates, and looks for labels that it may not see."""

    needs = ()
    needs_labelled = True

    def __init__(self, secrets, peeks=False):
        self.secrets = secrets
        self.peeks = peeks

    def __sklearn_clone__(self):
        return self

    def _fit(self, X, y, problem):
        self.found = {name: [] for name in self.secrets}
        self.look("fit", X, y, problem)

    def _select(self, estimator, X, n, candidates, labelled):
        open_labels = self.secrets["pool"][candidates]
        self.look("select", X, candidates, labelled, estimator, pool=open_labels)
        return candidates[:n]

    def look(self, where, *given, **secrets):
        seen = {id(self): self, id(self.secrets): self.secrets}
        arrays = [one for thing in given for one in reachable(thing, seen)]
        for name, labels in {**self.secrets, **secrets}.items():
            if any(tells(one, labels) for one in arrays):
                self.found[name].append(where)


@pytest.fixture
def sets():
    rng = np.random.default_rng(0)
    n = {"": N_POOL, "_warm": 12, "_select": N_HELD_OUT}
    n |= {"_val": N_HELD_OUT + 1, "_test": N_HELD_OUT + 2}
    made = {}
    for name, rows in n.items():
        y = rng.permutation(np.resize(["a", "b", "c"], rows))
        made[f"y{name}"] = y
        made[f"X{name}"] = rng.normal(size=(rows, 2)) + (y == "a")[:, None]
    return made


def spy_on(sets, peeks=False, noise=None):
    """Run a spy, and return where it found which labels."""
    secrets = {name: sets[f"y_{name}"] for name in ("val", "test")}
    secrets["pool"] = sets["y"]
    spy = Spy(secrets, peeks)
    ActiveLearner(
        GaussianNB(), spy, batch_size=BATCH, n_rounds=3, noise=noise, random_state=0
    ).fit(**sets)
    return spy.found


def test_a_heuristic_finds_no_label_that_it_may_not_see(sets):
    assert spy_on(sets) == {"val": [], "test": [], "pool": []}


def test_an_oracle_finds_all_but_those_of_the_test_set(sets):
    found = spy_on(sets, peeks=True)
    assert found["test"] == []
    assert "fit" in found["val"]
    assert "fit" in found["pool"]


def test_true_labels_are_hidden_behind_noisy_ones(sets):
    noise = NoisyLabels(0.3, random_state=0)
    assert spy_on(sets, noise=noise) == {"val": [], "test": [], "pool": []}


def test_the_spy_finds_labels_wherever_they_are(sets):
    y = sets["y"]
    codes = np.searchsorted(np.unique(y), y)

    class Holder:
        __slots__ = ("held",)

    holder = Holder()
    holder.held = {"codes": [codes]}
    shown = stream(0).permutation(N_POOL)
    hiding_places = [
        *(y, list(y), codes, {"deep": [(codes,)]}, holder, lambda: codes),
        np.concatenate([[5, 5], codes]),
        holder.__getattribute__,
    ]
    for place in hiding_places:
        assert any(tells(one, y) for one in reachable([place], {})), place
    assert not any(tells(one, y) for one in reachable([y[shown], y[:-1].copy()], {}))
