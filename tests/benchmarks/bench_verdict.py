"""Whether verdicts are right, judged by 50 fresh seeds on each of 21 problems.

On each problem five verdicts are given, each on ten splits of its own, and the best
strategy of each is then judged on 50 other splits of the same rows. A verdict that
speaks ("better" or "worse") is right if the mean gain on these has the sign it claims.
Its interval of labels saved is right if it holds the value on these.

Each problem adds its lines to a file, and a second run resumes where the first ended.
The summary is printed at the end.

    python tests/benchmarks/bench_verdict.py --out docs/runs/verdict.csv \\
        --page docs/worth_it.md
"""

import argparse
import csv
import time
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
    make_blobs,
    make_classification,
    make_friedman1,
    make_moons,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skal import worth_it
from skal.datasets import make_intents
from skal.studies import labels_saved

KINDS = ("better", "worse", "unclear")
HEADER = (
    *("problem", "gain on fresh seeds", '"better"', '"worse"', '"unclear"', "right"),
    *("gain held", "labels saved held"),
)
N_VERDICTS, N_SEEDS, N_FRESH = 5, 10, 50
# Test rows to all other rows, by default and without a validation set.
OVERLAP = 0.25 / 0.75
SIZES = {"n_rounds": 6, "n_orders": 5, "oracle": None}
COLUMNS = (
    *("problem", "verdict", "answer", "strategy", "gain", "low", "high", "p"),
    *("fresh_gain", "fresh_error", "saved", "saved_low", "saved_high", "fresh_saved"),
    "n_labels",
)


def scaled_logistic():
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))


def digits_of(classes, n):
    """Return pictures of some digits."""
    X, y = load_digits(return_X_y=True)
    rows = np.flatnonzero(np.isin(y, classes))[:n]
    return X[rows], y[rows]


def permuted(X, y):
    """Return the data with labels that say nothing."""
    return X, np.random.default_rng(0).permutation(y)


def generated(**params):
    """Return generated rows of numbers with two or more classes."""
    return make_classification(500, n_features=12, random_state=0, **params)


def texts(model):
    return make_pipeline(TfidfVectorizer(), model)


PROBLEMS = {
    "digits, four classes": (
        partial(digits_of, [3, 5, 8, 9], 500),
        scaled_logistic(),
    ),
    "digits, naive Bayes": (partial(digits_of, range(10), 1000), GaussianNB()),
    "digits 1 and 8, neighbours": (
        partial(digits_of, [1, 8], 300),
        KNeighborsClassifier(3),
    ),
    "wine": (partial(load_wine, return_X_y=True), scaled_logistic()),
    "wine, naive Bayes": (partial(load_wine, return_X_y=True), GaussianNB()),
    "iris": (partial(load_iris, return_X_y=True), scaled_logistic()),
    "breast cancer": (partial(load_breast_cancer, return_X_y=True), scaled_logistic()),
    "breast cancer, naive Bayes": (
        partial(load_breast_cancer, return_X_y=True),
        GaussianNB(),
    ),
    "breast cancer, labels permuted": (
        lambda: permuted(*load_breast_cancer(return_X_y=True)),
        scaled_logistic(),
    ),
    "digits, labels permuted": (
        lambda: permuted(*digits_of([3, 5, 8, 9], 500)),
        GaussianNB(),
    ),
    "generated, easy": (partial(generated, class_sep=3.0), scaled_logistic()),
    "generated, wrong labels": (
        partial(generated, class_sep=0.7, flip_y=0.3),
        scaled_logistic(),
    ),
    "generated, four classes": (
        partial(generated, n_classes=4, n_informative=6),
        scaled_logistic(),
    ),
    "generated, one class in ten": (
        partial(generated, weights=[0.9], class_sep=1.5, flip_y=0.0),
        scaled_logistic(),
    ),
    "generated, one class in ten, neighbours": (
        partial(generated, weights=[0.9], n_informative=5),
        KNeighborsClassifier(),
    ),
    "blobs": (
        lambda: make_blobs(500, centers=6, cluster_std=2.0, random_state=0),
        GaussianNB(),
    ),
    "moons, support vectors": (
        lambda: make_moons(400, noise=0.2, random_state=0),
        SVC(),
    ),
    "intents": (
        lambda: make_intents(500, random_state=0),
        texts(LogisticRegression(C=10, max_iter=200)),
    ),
    "intents, naive Bayes": (
        lambda: make_intents(500, n_classes=8, random_state=1),
        texts(MultinomialNB()),
    ),
    "diabetes": (partial(load_diabetes, return_X_y=True), Ridge()),
    "friedman1": (
        lambda: make_friedman1(500, noise=1.0, random_state=0),
        make_pipeline(StandardScaler(), Ridge()),
    ),
}


def part(found, seeds):
    """Return a comparison with some of its seeds."""
    at = [found.seeds.index(seed) for seed in seeds]
    return replace(
        found,
        seeds=tuple(seeds),
        curves=found.curves[:, :, at],
        validation_curves=found.validation_curves[:, :, at],
        baseline_curves=found.baseline_curves[:, at],
        n_trainings=found.n_trainings[:, :, at],
        seconds=found.seconds[:, :, at],
    )


def judged(verdict, fresh):
    """Return the gain, its standard error and the labels saved on fresh seeds."""
    names = list(fresh.strategies)
    chosen, random = (
        fresh.curves[0, names.index(name)] for name in (verdict.strategy, "random")
    )
    gains = fresh.quality_of(chosen) - fresh.quality_of(random)
    saved = labels_saved(fresh.n_labelled, chosen, random).saved
    return gains.mean(), gains.std(ddof=1) / np.sqrt(len(gains)), saved


def lines_of(name):
    """Yield one line for each verdict on a problem."""
    make, estimator = PROBLEMS[name]
    X, y = make()
    n_seeds = N_VERDICTS * N_SEEDS + N_FRESH
    whole = worth_it(X, y, estimator, seeds=n_seeds, **SIZES).comparison
    fresh = part(whole, range(N_VERDICTS * N_SEEDS, n_seeds))
    for number in range(N_VERDICTS):
        found = part(whole, range(number * N_SEEDS, (number + 1) * N_SEEDS)).verdict()
        saved = found.saved
        values = (
            *(name, number, found.answer, found.strategy),
            *(found.gain, found.low, found.high, found.p_value),
            *judged(found, fresh)[:2],
            *(saved.saved, saved.low, saved.high, judged(found, fresh)[2]),
            found.n_labels,
        )
        shown = (f"{v:.5g}" if isinstance(v, float) else v for v in values)
        yield dict(zip(COLUMNS, shown, strict=True))


def read(path):
    """Return the lines of a file, without a problem that was cut short."""
    if not path.exists():
        return []
    with path.open() as file:
        lines = list(csv.DictReader(file))
    names = [line["problem"] for line in lines]
    return [line for line in lines if names.count(line["problem"]) == N_VERDICTS]


def write(path, lines):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


def is_right(line):
    """Return whether the gain on fresh seeds has the sign that a verdict claims."""
    sign = {"better": 1, "worse": -1}[line["answer"]]
    return sign * float(line["fresh_gain"]) > 0


def holds(line, column=""):
    """Return whether an interval holds the value on fresh seeds."""
    value = line["fresh_saved" if column else "fresh_gain"]
    ends = line[f"{column}low"], line[f"{column}high"]
    return float(ends[0]) <= float(value) <= float(ends[1])


def same_rows(line):
    """Return whether a verdict speaks without the correction for overlap; is right."""
    gain, half = float(line["gain"]), (float(line["high"]) - float(line["low"])) / 2
    narrower = half * np.sqrt(1 / N_SEEDS / (1 / N_SEEDS + OVERLAP))
    return abs(gain) > narrower, gain * float(line["fresh_gain"]) > 0


def rows_of(lines):
    """Yield the cells of the table: one row for each problem, and one for all."""
    names = list(dict.fromkeys(line["problem"] for line in lines))
    for name in [*names, "all"]:
        some = [line for line in lines if name in ("all", line["problem"])]
        spoken = [line for line in some if line["answer"] != "unclear"]
        gain = np.mean([float(line["fresh_gain"]) for line in some])
        yield (
            name,
            "" if name == "all" else f"{gain:+z.3f}",
            *(sum(one["answer"] == kind for one in some) for kind in KINDS),
            sum(map(is_right, spoken)) if spoken else "",
            sum(map(holds, some)),
            sum(holds(line, "saved_") for line in some),
        )


def write_table(path, lines):
    """Write the table of all problems to a page, between its marks."""
    rows = [HEADER, ["---"] * len(HEADER), *rows_of(lines)]
    table = "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)
    start, end = "<!-- table -->\n", "<!-- end of the table -->"
    before, _, rest = path.read_text().partition(start)
    after = rest.partition(end)[2]
    path.write_text(f"{before}{start}{table}\n{end}{after}")


def summary(lines):
    """Print how often verdicts speak, and how often they are right."""
    spoken = [line for line in lines if line["answer"] != "unclear"]
    n_right = sum(map(is_right, spoken))
    print(f"{len(spoken)} of {len(lines)} verdicts speak, {n_right} are right")
    plain = [right for speaks, right in map(same_rows, lines) if speaks]
    print(f"without the correction {len(plain)} would speak, {sum(plain)} are right")
    for column, about in (("", "the gain"), ("saved_", "labels saved")):
        held = sum(holds(line, column) for line in lines)
        print(f"intervals of {about} that hold: {held} of {len(lines)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/runs/verdict.csv"))
    parser.add_argument("--page", type=Path, help="page whose table to write")
    args = parser.parse_args()
    out = args.out
    lines = read(out)
    done = {line["problem"] for line in lines}
    for name in PROBLEMS:
        if name not in done:
            begin = time.perf_counter()
            with warnings.catch_warnings():
                # Warnings of chance: labels that say nothing are part of the bench.
                warnings.simplefilter("ignore")
                lines += lines_of(name)
            write(out, lines)
            print(f"{name}: {time.perf_counter() - begin:.0f} s", flush=True)
    summary(lines)
    if args.page:
        write_table(args.page, lines)


if __name__ == "__main__":
    main()
