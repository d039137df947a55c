import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skal import LabelingSession, Margin


@pytest.fixture(scope="session")
def data():
    """Two classes of 120 rows, which overlap a little."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    y = np.where(X[:, 0] + 0.3 * rng.normal(size=120) > 0, "ham", "spam")
    return X, y


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.db"


@pytest.fixture
def open_session(path, data):
    """Return a function that opens the session in the file, with all rows added."""
    opened = []

    def open_it(X=data[0], ids=None, estimator=None, strategy=None, **params):
        session = LabelingSession(
            LogisticRegression() if estimator is None else estimator,
            Margin() if strategy is None else strategy,
            **{"journal": path, "random_state": 0, **params},
        )
        opened.append(session)
        return session if X is None else session.add(X, ids)

    yield open_it
    with warnings.catch_warnings():
        for session in opened:
            session.close()
