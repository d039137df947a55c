"""The paper's findings as differences that should be above zero, seed by seed.

The same measures are computed for our runs and for the published curves. A finding
holds if the mean difference is above zero and p < 0.05 in a paired t-test over seeds.
"""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
from scipy.stats import ttest_1samp

ALPHA = 0.05
# For each measure: the finding, where it is in the paper, and the difference.
MEASURES = {
    "oracle-random": (
        "The oracle is far above random orders",
        "Table 2, Fig. 3",
        "quality of the oracle minus that of random orders",
    ),
    "oracle-heuristic": (
        "The oracle is far above every heuristic",
        "Table 2, Fig. 3",
        "quality of the oracle minus that of the best heuristic, none led by IDMR",
    ),
    "oracle-idmr": (
        "The oracle is above heuristics that IDMR leads, too",
        "Fig. 10",
        "quality of the oracle minus that of the best heuristic led by IDMR",
    ),
    "own-foreign": (
        "Training stochasticity (xi) matters",
        "Fig. 4",
        "quality of a seed's own oracle order minus that of other seeds' orders",
    ),
    "transfer-random": (
        "Oracle orders of one model are good for others",
        "Fig. 5",
        "quality of other models' oracle orders minus that of random orders",
    ),
    "transfer-heuristic": (
        "The oracle transfers better than heuristics",
        "Fig. 5",
        "quality of other models' oracle orders minus that of the orders of their "
        "best heuristics",
    ),
    "overlap": (
        "Oracle orders of two models share fewer points than those of heuristics",
        "Fig. 6",
        "share of common points of heuristics minus that of the oracle",
    ),
    "inputs": (
        "The oracle matches the distribution of inputs, heuristics do not",
        "Figs. 7 to 9",
        "total variation to the test set, of the mean of heuristics without IDMR minus "
        "the oracle's",
    ),
    "labels": (
        "The oracle matches the distribution of labels, heuristics do not",
        "Figs. 7 to 9",
        "total variation to the test set, of the mean of heuristics without IDMR minus "
        "the oracle's",
    ),
    "idmr": (
        "IDMR helps the best heuristic that it was tried on",
        "Fig. 10",
        "quality of the best heuristic with IDMR minus that without",
    ),
}


class Measured(NamedTuple):
    """A measure: the difference for each seed, and remarks."""

    gains: list
    note: str = ""


def summarize(measured):
    """Return the mean, p-value, number of seeds and verdict, by measure."""
    rows, order = [], list(MEASURES)
    for (measure, model), (gains, note) in measured.items():
        gains = np.asarray(gains, dtype=float)
        row = {"measure": measure, "model": model, "seeds": len(gains)}
        mean, p = float(gains.mean()), p_value(gains)
        row |= {"mean": mean, "p": p, "verdict": judge(mean, p), "note": note}
        rows.append(row)
    return sorted(rows, key=lambda row: order.index(row["measure"]))


def p_value(gains):
    """Return p of a paired t-test; None if seeds are too few or all the same."""
    if len(gains) < 2 or np.ptp(gains) < 1e-12:
        return None
    return float(ttest_1samp(gains, 0).pvalue)


def judge(mean, p):
    """Return the verdict on a finding, in words."""
    is_clear = p is not None and p < ALPHA
    if mean <= 0:
        return "opposite" if is_clear else "does not hold"
    if p is None:
        return "same sign, not tested"
    return "holds" if is_clear else "same sign, not significant"


def of_studies(found):
    """Return our measures, by measure and model."""
    comparison = found.comparison
    measured = {}
    for i, model in enumerate(comparison.estimators):
        for name, one in _of_comparison(found, i).items():
            measured[name, model] = one
        if found.seeds is not None:
            gains = found.seeds.against_own().gains[i, 0]
            measured["own-foreign", model] = Measured(-gains)
        for name, study in (("inputs", found.inputs), ("labels", found.labels)):
            measured[name, model] = _of_distribution(found, study, i)
        measured["idmr", model] = _of_idmr(found, i)
    if found.models is not None:
        measured |= _of_transfer(found)
        measured["overlap", "all"] = _of_overlap(found)
    return measured


def _of_comparison(found, i):
    best, led = best_heuristic(found, i), _best(found, i, found.led)
    oracle, random, heuristic, idmr = (
        found.comparison.of(name)[i] for name in ("oracle", "random", best, led)
    )
    return {
        "oracle-random": Measured(oracle - random),
        "oracle-heuristic": Measured(oracle - heuristic, best),
        "oracle-idmr": Measured(oracle - idmr, led),
    }


def best_heuristic(found, i):
    """Return the heuristic with the best mean quality on test.

    Heuristics with IDMR are not considered, as in the paper's Table 2.
    """
    return _best(found, i, found.base)


def _best(found, i, names):
    return max(names, key=lambda name: found.comparison.of(name)[i].mean())


def _of_distribution(found, study, i):
    names = list(study.strategies)
    # The mean over rounds k = 1..K, for each strategy and seed.
    distances = study.distances[i, :, :, 1:].mean(axis=2)
    shown = ["oracle", "random", *found.base, *found.led]
    means = ", ".join(f"{n} {distances[names.index(n)].mean():.3f}" for n in shown)
    heuristics = distances[[names.index(name) for name in found.base]].mean(axis=0)
    return Measured(heuristics - distances[names.index("oracle")], means)


def _of_idmr(found, i):
    base = best_base(found, i)
    led, plain = (found.comparison.of(name)[i] for name in (f"idmr-{base}", base))
    return Measured(led - plain, base)


def best_base(found, i):
    """Return the best of the heuristics that were also run with IDMR."""
    return _best(found, i, [n for n in found.base if f"idmr-{n}" in found.led])


def _of_transfer(found):
    """Compare transferred orders with random orders and with heuristics' orders."""
    transfer, names = found.models, list(found.models.strategies)
    # Sources, targets and seeds.
    oracle = transfer.qualities[names.index("oracle")]
    best = [names.index(best_heuristic(found, i)) for i in range(len(oracle))]
    heuristic = np.array([transfer.qualities[s, i] for i, s in enumerate(best)])
    away = ~np.eye(len(oracle), dtype=bool)
    return {
        (name, "all"): Measured(gains[away].mean(axis=0), count_pairs(gains[away]))
        for name, gains in (
            ("transfer-random", oracle - transfer.baseline_qualities),
            ("transfer-heuristic", oracle - heuristic),
        )
    }


def count_pairs(gains):
    """Return in words for how many pairs of models the mean is at least zero."""
    means = np.reshape(gains, (len(gains), -1)).mean(axis=1)
    return f"at least equal in {np.sum(means >= 0)} of {len(means)} pairs of models"


def _of_overlap(found):
    """Compare the shares of common rows of the oracle and of the heuristics."""
    shares = defaultdict(list)
    for (_, strategy, seed), share in zip(
        found.overlap.first, found.overlap.shares, strict=True
    ):
        shares[strategy == "oracle", seed].append(share)
    seeds = found.comparison.seeds
    of_oracle, of_heuristics = (
        np.array([np.mean(shares[is_oracle, seed]) for seed in seeds])
        for is_oracle in (True, False)
    )
    note = (
        f"oracle {of_oracle.mean():.3f}, heuristics {of_heuristics.mean():.3f}, "
        f"by chance {found.overlap.chance:.3f}"
    )
    return Measured(of_heuristics - of_oracle, note)
