"""
The page on skal against BSO
============================

Makes tables of the results of `bso.py`, and inserts them into a page between the lines
`<!-- tables -->` and `<!-- end of tables -->`.

    python examples/bso_page.py docs/bso.md
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from bso import BSO, RANDOM, SHARES, n_of_bso
from keel import N_WARM, NAMES
from lines import read
from pages import insert, table

from skal import optimism

# Rows of each data set, and means of BSO over 100 splits, as Lu et al. (TMLR 2025) have
# published them.
N_ROWS = {
    "sonar": 208,
    "heart": 270,
    "haberman": 306,
    "ionosphere": 351,
    "wdbc": 569,
    "breast": 683,
    "australian": 690,
    "diabetes": 768,
    "mammographic": 830,
    "tic": 958,
    "german": 1000,
}
PUBLISHED = {
    "sonar": 0.8840,
    "heart": 0.8930,
    "haberman": 0.7896,
    "ionosphere": 0.9545,
    "wdbc": 0.9841,
    "breast": 0.9760,
    "australian": 0.9046,
    "diabetes": 0.8257,
    "mammographic": 0.8503,
    "tic": 0.9077,
    "german": 0.8208,
}
# Means of random orders over these splits, from the same table.
PUBLISHED_RANDOM = {
    "sonar": 0.7463,
    "heart": 0.8051,
    "haberman": 0.7308,
    "ionosphere": 0.9180,
    "wdbc": 0.9539,
    "breast": 0.9616,
    "australian": 0.8483,
    "diabetes": 0.7424,
    "mammographic": 0.8130,
    "tic": 0.8718,
    "german": 0.7340,
}


def gather(rows):
    """Return all runs: by data set, rows and method, then by seed."""
    found = defaultdict(dict)
    for row in rows:
        found[row["data"], row["rows"], row["method"]][int(row["seed"])] = row
    return found


def column(runs, name, seeds=None):
    """Return the values of a column, one for each of the seeds in turn."""
    return np.array([float(runs[s][name]) for s in sorted(seeds or runs)])


def spell(values):
    """Format a mean, and the standard deviation and number of several values."""
    if len(values) == 0:
        return ""
    spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.4f}{spread} ({len(values)})"


def mark(found, name, method):
    """Return the mean of a search and that of BSO, on the same splits if it has run.

    Otherwise, BSO's is the published mean over other splits.
    """
    runs, bso = found[name, "all", method], found[name, "all", BSO]
    shared = sorted(runs.keys() & bso.keys())
    if shared:
        both = (np.mean(column(one, "searched", shared)) for one in (runs, bso))
        return (*both, True)
    return np.mean(column(runs, "searched")), PUBLISHED[name], False


def reached(found, name):
    """Return the smallest share of BSO's trainings with which its mean is reached."""
    is_ours = True
    for method in SHARES:
        if found[name, "all", method]:
            ours, aim, is_ours = mark(found, name, method)
            if ours >= aim:
                return method.removeprefix("skal "), is_ours
    return None, is_ours


def spell_share(found, name):
    """Format the share of BSO's trainings with which its mean is reached."""
    if not tried(found, name):
        return ""
    share, is_ours = reached(found, name)
    against = "" if is_ours else ", against the published mean"
    return f"{share or 'not reached'}{against}"


def searches(found):
    """Return the searches of skal that have run on all test rows of a data set."""
    return [m for m in SHARES if any(found[name, "all", m] for name in NAMES)]


def as_published(found):
    """Return the table of searches on all test rows."""
    ours = searches(found)
    header = ["data", "pool", "trainings of BSO", "random", *ours]
    header += ["BSO", "BSO, published", "BSO reached with"]
    rows = []
    for name, n_rows in N_ROWS.items():
        n = int(0.6 * n_rows) - N_WARM  # rows of the pool
        methods = [RANDOM, *ours, BSO]
        runs = [column(found[name, "all", m], "searched") for m in methods]
        cells = [name, str(n), f"{n_of_bso(n):,}", *map(spell, runs)]
        rows.append([*cells, f"{PUBLISHED[name]:.4f}", spell_share(found, name)])
    return table(header, rows)


def gains(found):
    """Return the table of gains over random orders, on the same splits."""
    ours = searches(found)
    header = ["data", *ours, BSO, "BSO, published"]
    rows = []
    for name in N_ROWS:
        random = found[name, "all", RANDOM]
        own = [gain(found[name, "all", m], random) for m in [*ours, BSO]]
        if any(own):
            published = PUBLISHED[name] - PUBLISHED_RANDOM[name]
            rows.append([name, *own, f"{published:+z.4f}"])
    return table(header, rows)


def gain(runs, random):
    """Format the mean gain over random orders, and the number of splits."""
    if not (seeds := sorted(runs.keys() & random.keys())):
        return ""
    found = column(runs, "searched", seeds) - column(random, "searched", seeds)
    return f"{np.mean(found):+z.4f} ({len(seeds)})"


def count(found):
    """Return the line that counts the data sets on which BSO's mean is reached."""
    shares = [reached(found, name)[0] for name in NAMES if tried(found, name)]
    parts, allowed = [], []
    for method in searches(found):
        allowed.append(method.removeprefix("skal "))
        n = sum(share in allowed for share in shares)
        parts.append(f"{n} with at most {allowed[-1]}")
    n = len(shares)
    return f"BSO's mean is reached on {', '.join(parts)} of its trainings, of {n} sets."


def tried(found, name):
    """Return whether a search of skal has run on a data set, on all test rows."""
    return any(found[name, "all", method] for method in SHARES)


def honest(found):
    """Return the table of searches on half of the test rows."""
    header = ["data", "method", "splits", "searched half", "other half"]
    header += ["gain there over random", "optimism"]
    rows = []
    for name in NAMES:
        random = found[name, "half", RANDOM]
        for method in [*SHARES, BSO]:
            runs = found[name, "half", method]
            if seeds := sorted(runs.keys() & random.keys()):
                rows.append([name, method, str(len(seeds)), *luck(runs, random, seeds)])
    return table(header, rows)


def luck(runs, random, seeds):
    """Return the means on both halves, the gain on the other one, and the optimism."""
    both = [
        [np.mean(column(one, half, seeds)) for half in ("searched", "unseen")]
        for one in (runs, random)
    ]
    (searched, unseen), (_, random_unseen) = both
    found = optimism(*both[0], *both[1])
    cells = [f"{searched:.4f}", f"{unseen:.4f}"]
    return [*cells, f"{unseen - random_unseen:+z.4f}", f"{found:.4f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("page", type=Path)
    parser.add_argument("--runs", type=Path, default=Path("docs/runs"))
    args = parser.parse_args()
    found = gather(read(args.runs / "bso.csv"))
    parts = ["### On all test rows, as published", count(found)]
    parts += [as_published(found)]
    parts += ["### Gains over random orders, on all test rows", gains(found)]
    parts += ["### On half of the test rows", honest(found)]
    insert(args.page, parts)


if __name__ == "__main__":
    main()
