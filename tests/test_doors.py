"""Whatever is passed to `fit`: it runs, or says in one sentence why it does not.

The inputs are drawn by hypothesis, from `_doors`; `bench_doors.py` among the benchmarks
draws more of them.
"""

import numpy as np
import pytest

hypothesis = pytest.importorskip("hypothesis", reason="hypothesis is not installed")

from _doors import (  # noqa: E402
    ESTIMATORS,
    calls,
    is_taken,
    outcome,
    pairs,
)
from hypothesis import HealthCheck, given, settings  # noqa: E402
from scipy import sparse  # noqa: E402

from skal import ActiveLearner, Random  # noqa: E402
from skal.inputs._cells import is_missing  # noqa: E402

SAME_IN_EACH_RUN = settings(
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_anything_is_fitted_or_refused_before_training():
    seen = []

    @settings(SAME_IN_EACH_RUN, max_examples=500)
    @given(calls())
    def fit_or_refuse(call):
        seen.append(outcome(*call))

    fit_or_refuse()
    assert set(seen) == {"fit", "ValueError", "TypeError", "InvalidParameterError"}
    assert 0.1 < np.mean(np.array(seen) == "fit") < 0.9


@settings(SAME_IN_EACH_RUN, max_examples=150)
@given(pairs())
def test_what_cross_validation_takes_is_taken(drawn):
    name, X, y = drawn
    # Frames without columns and missing labels are always refused.
    is_refused = getattr(X, "shape", ())[1:] == (0,) or any(
        map(is_missing, [] if y is None else y)
    )
    # scipy 1.11 cannot index sparse rows of half precision.
    is_half = sparse.issparse(X) and X.dtype == np.float16
    if not (is_refused or is_half) and is_taken(ESTIMATORS[name](), X, y):
        learner = ActiveLearner(
            ESTIMATORS[name](), Random(), batch_size=3, n_rounds=2, warm_size=6,
            val_size=0, test_size=5, random_state=0,
        )  # fmt: skip
        assert outcome(learner, X, y, {}) == "fit"
