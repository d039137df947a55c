"""20,000 calls of `fit` with anything: how many run, and how many are refused."""

from collections import Counter

from _doors import calls, outcome
from hypothesis import HealthCheck, given, settings

N_CALLS = 20_000


def test_anything_is_fitted_or_refused_before_training():
    seen = Counter()

    @settings(
        max_examples=N_CALLS,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(calls())
    def count(call):
        seen[outcome(*call)] += 1

    count()
    n_refused = sum(seen.values()) - seen["fit"]
    print(f"\n{sum(seen.values())} calls: {seen['fit']} fitted, {n_refused} refused")
    print(dict(seen))
    assert seen["fit"] > N_CALLS / 10
