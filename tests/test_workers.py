"""Worker processes of joblib that are replaced while there is work."""

import subprocess
import sys

SCRIPT = """
import builtins, os, time, warnings
import numpy as np
from sklearn.datasets import make_blobs
from sklearn.naive_bayes import GaussianNB
from skal import ActiveLearner, Random, run_seeds

MAIN = os.getpid()

class Growing(GaussianNB):
    # In a worker, its trainings keep memory and take a moment: joblib looks at the
    # memory of a worker once a second, and replaces it after 300 MB.
    def fit(self, X, y):
        if os.getpid() != MAIN:
            builtins.kept = [*getattr(builtins, "kept", []), np.ones(25_000_000)]
            time.sleep(0.6)
        return super().fit(X, y)

X, y = make_blobs(80, centers=2, random_state=0)
learner = ActiveLearner(Growing(), Random(), batch_size=4, n_rounds=1)
print(len(run_seeds(learner, X, y, seeds=5, n_jobs=2).learners))
"""


def test_a_worker_is_replaced_although_warnings_are_errors():
    """The warning would end the thread that waits for the results."""
    found = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", SCRIPT],
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert found.stdout.split() == ["5"], found.stderr
