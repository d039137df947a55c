"""
Are the p-values of `compare` valid?
====================================

Compares strategies on many generated problems, and counts how often p is below 0.05. If
the two strategies are equally good, this should happen in at most 5 % of the problems;
if one of them is better by 0.02, as often as possible.

- `permuted`: random labels; margin against random.
- `disguised`: real labels; random against itself under another name.
- `mirrored`: rows that are as likely as their mirror images; a strategy that labels the
  rightmost rows against one that labels the leftmost. Each strategy labels the same
  rows in most splits, so splits repeat each other.
- `better`: some rows have a random label. One strategy can identify them, avoids them,
  and is better by 0.02.
- `larger`: the same, with 2,000 rows.

Each problem adds its lines to a file, and a second run resumes where the first ended.
`page` writes the table of this file to a page.

    python examples/p_values.py run --kinds permuted disguised better
    python examples/p_values.py page docs/p_values.md
"""

import argparse
from pathlib import Path

import numpy as np
from lines import append, read
from sklearn.datasets import make_blobs
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skal import Margin, Random, compare
from skal.strategies import RankingStrategy
from skal.studies._statistics import paired_t

N_PROBLEMS = 200
# Numbers of seeds to test with. A test over n seeds takes the first n.
N_SEEDS = (5, 10, 20)
# Rows of a problem, and the sizes of its runs.
N_ROWS, USUAL_ROWS = {"larger": 2000}, 400
USUAL_SIZES = {"warm_size": 10, "n_rounds": 4, "batch_size": 5}
SIZES = {"larger": {"warm_size": 20, "n_rounds": 8, "batch_size": 10}}
# Share of rows with a random label, tuned such that the gain is 0.02.
NOISE = {"better": 0.19, "larger": 0.22}
OUT = Path("docs/runs/p_values.csv")
TITLES = {
    "permuted": "nothing to win: margin, labels permuted",
    "disguised": "nothing to win: random under another name",
    "mirrored": "nothing to win: rightmost against leftmost rows",
    "better": "one is better, 400 rows",
    "larger": "one is better, 2,000 rows",
}
COLUMNS = ["kind", "problem", "n_seeds", "gain", "p", "p_uncorrected"]


class Disguised(RankingStrategy):
    """Selects rows at random, like `Random`."""

    _parameter_constraints: dict = {"random_state": ["random_state"]}

    def __init__(self, random_state=None):
        self.random_state = random_state

    def _utility(self, estimator, X, candidates):
        return np.zeros(len(candidates))  # ties are broken at random


class Rightmost(Disguised):
    """Selects rows by the largest first feature; with `sign=-1`, by the smallest."""

    def __init__(self, sign=1, random_state=None):
        self.sign = sign
        self.random_state = random_state

    def _utility(self, estimator, X, candidates):
        return self.sign * X[candidates, 0]


class Clean(Disguised):
    """Avoids rows with a random label, which are marked in the last column."""

    def _utility(self, estimator, X, candidates):
        return -X[candidates, -1]


def without_last(X):
    """Return all columns but the last, which models must not see."""
    return X[:, :-1]


def pose(kind, seed):
    """Return rows and labels, the strategy, and the reference strategy."""
    rng, n = np.random.default_rng(seed), N_ROWS.get(kind, USUAL_ROWS)
    X, y = make_blobs(n, centers=4, n_features=4, cluster_std=4.0, random_state=seed)
    noisy = rng.random(n) < NOISE.get(kind, 0)
    if kind == "mirrored":
        X = rng.normal(size=(n, 4))
        y = (0.8 * abs(X[:, 0]) + X[:, 1] + rng.normal(size=n) > 0.7).astype(int)
        return np.column_stack([X, noisy]), y, Rightmost(), Rightmost(sign=-1)
    if kind == "permuted":
        y = rng.permutation(y)
    y = np.where(noisy, rng.integers(4, size=n), y)
    strategies = {"permuted": Margin, "disguised": Disguised}
    return np.column_stack([X, noisy]), y, strategies.get(kind, Clean)(), Random()


def run(kind, seed):
    """Return a line for each number of seeds."""
    X, y, strategy, reference = pose(kind, seed)
    found = compare(
        *(X, y, make_pipeline(FunctionTransformer(without_last), GaussianNB())),
        {"strategy": strategy, "reference": reference},
        baseline="reference",
        seeds=max(N_SEEDS),
        n_orders=5 if isinstance(reference, Random) else 1,
        val_size=0,
        **SIZES.get(kind, USUAL_SIZES),
    )
    own, low = found.of("strategy")[0], found.of("reference")[0]
    for n in N_SEEDS:
        gain = (own - low)[:n].mean()
        p = paired_t(own[:n], low[:n], found.splits.overlap)
        uncorrected = paired_t(own[:n], low[:n])
        yield [kind, seed, n, *(f"{x:.6f}" for x in (gain, p, uncorrected))]


def work(kinds, problems, path):
    """Run all problems that are not in the file yet, and add their lines."""
    done = {(row["kind"], int(row["problem"])) for row in read(path)}
    for seed in range(problems):
        for kind in kinds:
            if (kind, seed) not in done:
                # Compute all lines first, so that a kill leaves no partial problem.
                for line in list(run(kind, seed)):
                    append(path, COLUMNS, line)


def summarize(rows):
    """Return the lines of a table: how often p is below 0.05, by kind and seeds."""
    lines = [
        "| | seeds | problems | gain | p < 0.05 | without correction |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for kind in TITLES:
        for n in N_SEEDS:
            chosen = [r for r in rows if (r["kind"], int(r["n_seeds"])) == (kind, n)]
            if chosen:
                lines.append(_line(kind, n, chosen))
    return "\n".join(lines)


def _line(kind, n, rows):
    gains = np.array([float(row["gain"]) for row in rows])
    shares = [
        np.mean([float(row[name]) < 0.05 for row in rows])
        for name in ("p", "p_uncorrected")
    ]
    error = gains.std(ddof=1) / np.sqrt(len(gains))
    cells = [
        *(TITLES[kind], str(n), str(len(rows)), f"{gains.mean():z.4f} ± {error:.4f}"),
        *(f"{share:.1%}" for share in shares),
    ]
    return f"| {' | '.join(cells)} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("what", choices=["run", "page"])
    parser.add_argument("page", nargs="?", type=Path, default=Path("docs/p_values.md"))
    parser.add_argument("--kinds", nargs="+", choices=TITLES, default=list(TITLES))
    parser.add_argument("--problems", type=int, default=N_PROBLEMS)
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    if args.what == "run":
        work(args.kinds, args.problems, args.out)
        return
    begin, end = "<!-- table -->", "<!-- end of the table -->"
    before, rest = args.page.read_text().split(begin)
    _, after = rest.split(end)
    table = summarize(read(args.out))
    args.page.write_text(f"{before}{begin}\n{table}\n{end}{after}")


if __name__ == "__main__":
    main()
