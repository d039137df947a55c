import pytest

from skal import split
from skal.oracle.evaluation._objective import Objective

pytest.register_assert_rewrite("_small_search")


@pytest.fixture
def sets(blobs):
    return split(*blobs, warm_size=10, val_size=30, test_size=30, random_state=0)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "search.db"


@pytest.fixture
def trained(monkeypatch):
    """The sets that are trained on."""
    trained = []
    train = Objective._train_and_score

    def watch(self, sets):
        trained.extend(frozenset(s.tolist()) for s in sets.values())
        return train(self, sets)

    monkeypatch.setattr(Objective, "_train_and_score", watch)
    return trained
