"""
The page on strategies for named entities
=========================================

Inserts the tables of the runs of `ner_strategies.py` into a page between the lines
`<!-- tables -->` and `<!-- end of tables -->`.

    python examples/ner_strategies_page.py docs/ner_strategies.md

A quality by sentences is the mean score over the rounds k = 0..K, as in the published
tables. A quality by tokens is the area under the score over the number of labelled
tokens, divided by the length of the interval. It reaches from the warm start to the
number of tokens that all runs of a seed have labelled, and the score is interpolated
between rounds. The score at equal tokens is the one at the end of the interval.
"""

from collections import defaultdict

import numpy as np
from lines import read
from ner_strategies import NEW, OUT
from pages import insert, run, table
from scipy.integrate import trapezoid
from scipy.stats import ttest_rel

MEASURES = ("sentences", "tokens", "at equal tokens", "last", "labelled")
SENTENCES, TOKENS, EQUAL, LAST, LABELLED = MEASURES
MEANS = ["strategy", "seeds", "by sentences", "over random", "by tokens"]
MEANS += ["over random", "score at equal tokens", "last score", "tokens labelled"]
RIVALS = ["random", "min-confidence", "normalized-min-confidence", "longest"]
RIVALS += ["token-entropy", "idmr-min-confidence", "oracle"]


def by_tokens(tokens, curve, end):
    """Return the mean height of the curve up to a number of labelled tokens."""
    at = np.append(tokens[tokens < end], end)
    return trapezoid(np.interp(at, tokens, curve), at) / (end - tokens[0])


def gather(rows):
    """Return each measure by strategy, as a dict from seed to the mean over orders."""
    runs = defaultdict(list)
    for row in rows:
        values = (np.array(row[c].split(), dtype=float) for c in ("tokens", "curve"))
        runs[int(row["seed"])].append((row["strategy"], *values))
    found = {measure: defaultdict(lambda: defaultdict(list)) for measure in MEASURES}
    for seed, of_seed in runs.items():
        end = min(tokens[-1] for _, tokens, _ in of_seed)
        for name, tokens, curve in of_seed:
            height, at = by_tokens(tokens, curve, end), np.interp(end, tokens, curve)
            numbers = curve.mean(), height, at, curve[-1], tokens[-1]
            for measure, number in zip(MEASURES, numbers, strict=True):
                found[measure][name][seed].append(number)
    return {
        measure: {
            name: {seed: np.mean(orders) for seed, orders in sorted(seeds.items())}
            for name, seeds in strategies.items()
        }
        for measure, strategies in found.items()
    }


def gain(first, second):
    """Return the mean gain over the seeds of both, and p of a paired t-test."""
    seeds = sorted({*first} & {*second})
    pairs = np.array([[first[seed], second[seed]] for seed in seeds])
    mean = pairs[:, 0].mean() - pairs[:, 1].mean()
    p = ttest_rel(*pairs.T).pvalue
    return f"{mean:+z.3f} (p {f'{p:.3f}' if p >= 0.001 else '<0.001'})"


def spelled(seeds, digits=3):
    """Return the mean over seeds and its standard deviation."""
    values = list(seeds.values())
    return f"{np.mean(values):.{digits}f} ± {np.std(values, ddof=1):.{digits}f}"


def means(found):
    """Yield a row for each strategy, the best by sentences first."""
    order = sorted(
        found[SENTENCES], key=lambda s: -np.mean([*found[SENTENCES][s].values()])
    )
    for name in order:
        cells = [name, str(len(found[SENTENCES][name]))]
        for measure in (SENTENCES, TOKENS):
            own, random = found[measure][name], found[measure]["random"]
            over = "" if name == "random" else gain(own, random)
            cells += [spelled(own), over]
        cells += [spelled(found[measure][name]) for measure in (EQUAL, LAST)]
        yield [*cells, spelled(found[LABELLED][name], 0)]


def gains(found, measure):
    """Yield the gains of the new strategies over each of the others."""
    of = found[measure]
    new = [name for name in NEW if name != "token-entropy"]
    for rival in RIVALS:
        yield [rival, *(gain(of[name], of[rival]) for name in new)]


def write(page, runs):
    """Write the tables between two marks of a page."""
    found = gather(read(runs))
    parts = [table(MEANS, means(found))]
    for measure in (SENTENCES, TOKENS):
        header = [f"gain over, by {measure}", "tag-count", "fluctuation"]
        parts.append(table(header, gains(found, measure)))
    insert(page, parts)


if __name__ == "__main__":
    run(write, OUT, __doc__)
