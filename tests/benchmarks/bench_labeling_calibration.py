"""Whether the figures of a session keep their promises, with simulated annotators.

Each run labels a random pool by margin. It then counts how often the interval of the
audit holds the accuracy on fresh rows, how often the forecast of 100 more labels holds
what they bring, and how often the replay verdict has the sign that `compare` finds on
fresh data.

    python tests/benchmarks/bench_labeling_calibration.py digits --runs 100
    python tests/benchmarks/bench_labeling_calibration.py alarm --runs 100
"""

import argparse
import tempfile
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skal import LabelingSession, Margin, Problem, Random, compare
from skal.inputs._containers import take

N_POOL, N_LABELS, N_MORE, BATCH = 1000, 200, 100, 20


def digits():
    """Return rows, labels and an estimator for the digits of scikit-learn."""
    X, y = load_digits(return_X_y=True)
    return X / 16, y, LogisticRegression(max_iter=200)


def alarm():
    """Return sentences, intents and an estimator for the alarm domain of TOPv2."""
    from skal.datasets import fetch_topv2

    X, y = fetch_topv2(return_X_y=True)
    X, y = list(X), np.asarray(y)
    rows = np.random.default_rng(0).permutation(len(X))[:5000]
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression(C=10, max_iter=200))
    return take(X, rows), y[rows], pipeline


def label(session, y, n):
    """Answer questions until there are `n` labels."""
    while (done := session.progress().n_labelled) < n:
        for question in session.ask(min(BATCH, n - done)):
            session.tell(question.id, y[question.id])


def one_run(X, y, estimator, seed, folder, has_verdict):
    """Return which promises one session has kept, and the widths of its bands."""
    rows = np.random.default_rng(seed).permutation(len(y))
    pool, fresh = rows[:N_POOL], rows[N_POOL:]
    X_fresh, y_fresh = take(X, fresh), y[fresh]
    with LabelingSession(
        estimator, Margin(), journal=Path(folder, f"{seed}.db"), random_state=seed
    ) as session:
        session.add(take(X, pool))
        label(session, y[pool], N_LABELS)
        before = session.model_.score(X_fresh, y_fresh)
        estimate, forecast = session.estimate(), session.forecast(N_MORE)
        verdict = session.verdict() if has_verdict else None
        label(session, y[pool], N_LABELS + N_MORE)
        after = session.model_.score(X_fresh, y_fresh)
    return {
        "audit": estimate.low <= before <= estimate.high,
        "score": forecast.low <= after <= forecast.high,
        "audit rows": estimate.n,
        "audit bias": estimate.score - before,
        "forecast bias": forecast.score - after,
        "audit width": estimate.high - estimate.low,
        "score width": forecast.high - forecast.low,
        "gain width": forecast.gain_high - forecast.gain_low,
        "gain": np.nan if verdict is None else verdict.gain,
        "significant": verdict is not None and verdict.is_significant,
        "gain held": forecast.gain_low <= after - before <= forecast.gain_high,
    }


def on_fresh_data(X, y, estimator):
    """Return the gain of margin over random choice on splits of all rows."""

    def pose(seed):
        rows = np.random.default_rng(1000 + seed).permutation(len(y))
        parts = {"": rows[:N_POOL], "_test": rows[N_POOL:]}
        sets = {f"X{name}": take(X, part) for name, part in parts.items()}
        sets |= {f"y{name}": y[part] for name, part in parts.items()}
        sets["X_warm"], sets["y_warm"] = take(sets["X"], np.arange(20)), sets["y"][:20]
        sets["X"], sets["y"] = take(sets["X"], np.arange(20, N_POOL)), sets["y"][20:]
        problem = Problem.from_sets(sets, estimator, batch_size=BATCH, n_rounds=9)
        return replace(problem, seed=seed)

    strategies = {"margin": Margin(), "random": Random()}
    tests = compare(pose, strategies, seeds=10, n_orders=3).against()
    return tests.gains.mean(), float(tests.t_pvalues[0, 0])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", choices=["digits", "alarm"])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--no-verdict", action="store_true")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    X, y, estimator = globals()[args.data]()
    start, found = time.perf_counter(), []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(args.runs):
            run = one_run(X, y, estimator, seed, folder, not args.no_verdict)
            found.append(run)
            kept = [str(int(run[name])) for name in ("audit", "score", "gain held")]
            print(
                f"run {seed}: {' '.join(kept)}, verdict {run['gain']:+.3f}", flush=True
            )
    runs = {name: np.array([run[name] for run in found]) for name in found[0]}
    print(f"{args.data}, {args.runs} runs, {time.perf_counter() - start:.0f} s")
    print(f"audit interval holds the accuracy: {runs['audit'].sum()}")
    print(f"forecast band of the score holds: {runs['score'].sum()}")
    print(f"forecast band of the gain holds: {runs['gain held'].sum()}")
    names = "audit rows", "audit bias", "audit width", "forecast bias", "score width"
    for name in (*names, "gain width"):
        print(f"{name}: {runs[name].mean():.3f}")
    if not args.no_verdict:
        gain, p = on_fresh_data(X, y, estimator)
        is_clear = runs["significant"]
        same = np.sign(runs["gain"]) == np.sign(gain)
        print(f"on fresh data, the gain of margin is {gain:+.4f} (p = {p:.4f})")
        print(f"verdicts of this sign: {same.sum()} of {len(same)}")
        print(f"of {is_clear.sum()} significant ones: {same[is_clear].sum()}")


if __name__ == "__main__":
    main()
