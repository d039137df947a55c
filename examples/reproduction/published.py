"""The published results, as the measures of `findings`.

They are computed from the released curves of the paper's runs. Without these, only the
numbers printed in the paper are available.
"""

import json
from collections import defaultdict

import numpy as np

from reproduction import findings
from reproduction.plan import MODELS, NAMES
from skal.studies import jackknife_pairs

# Numbers of Table 2, with the best heuristic by its name, and p-values of section 6.
TABLE_2 = {
    "oc": {"oracle": 0.761, "max-entropy": 0.682, "random": 0.698},
    "ic": {"oracle": 0.887, "bald": 0.858, "random": 0.816},
    "ner": {"oracle": 0.839, "min-confidence": 0.811, "random": 0.800},
}
P_VALUES = {"oc": 0.001, "ic": 0.003, "ner": None}


def measures(task, path=None):
    """Return the published measures, as `findings.summarize` does.

    Parameters
    ----------
    task : {"oc", "ic", "ner"}
    path : path-like, default=None
        The file with the published curves. By default, only the numbers printed in the
        paper are returned.
    """
    if path is None:
        return _printed(task)
    runs = _read(task, path)
    measured = {}
    for model in dict.fromkeys(run["model"] for run in runs if "model" in run):
        own = [run for run in runs if run.get("model") == model]
        measured |= {(name, model): one for name, one in _of_curves(own).items()}
    return findings.summarize(measured | _between(task, path))


def qualities(task, path=None):
    """Return the published mean quality of each model and strategy, k = 0..K."""
    if path is None:
        return {(MODELS[task][0], name): q for name, q in TABLE_2[task].items()}
    found = defaultdict(list)
    for run in _read(task, path):
        is_own = run.get("source_seed") == run.get("target_seed")
        if "model" in run and is_own:
            name = "oracle" if run["strategy"] == "optimal" else run["strategy"]
            found[run["model"], name].append(np.mean(run["curve"]))
    return {key: float(np.mean(values)) for key, values in found.items()}


def transfers(task, path=None):
    """Return the published qualities of orders of one model with another.

    Returns
    -------
    dict of (str, str) to dict
        By source and target: "oracle", "heuristic" (the source's best heuristic among
        those that were replayed) and "random" (the target's random orders).
    """
    if path is None:
        return {}
    runs, own = _read(task, path), defaultdict(dict)
    for run in runs:
        if "model" in run and run.get("seed") == 0:
            own[run["model"]][run["strategy"]] = {0: np.mean(run["curve"])}
    found = defaultdict(dict)
    for run in runs:
        if "source_model" in run:
            pair = run["source_model"], run["target_model"]
            found[pair][run["strategy"]] = float(np.mean(run["curve"]))
    return {
        (source, target): {
            "oracle": values["optimal"],
            "heuristic": values[_best({n: own[source].get(n, {0: 0}) for n in values})],
            "random": float(own[target]["random"][0]),
        }
        for (source, target), values in found.items()
    }


def _read(task, path):
    """Return the test curves of a task."""
    with open(path) as file:
        runs = json.load(file)["curves"]
    return [r for r in runs if (r["task"], r["split"]) == (NAMES[task], "test")]


def _printed(task):
    oracle, best, random = TABLE_2[task].values()
    gains = {
        "oracle-random": (oracle - random, None),
        "oracle-heuristic": (oracle - best, P_VALUES[task]),
    }
    return [
        {"measure": measure, "model": MODELS[task][0], "mean": mean, "p": p}
        for measure, (mean, p) in gains.items()
    ]


def _of_curves(runs):
    """Compute the measures of one model."""
    oracle, others = {}, defaultdict(dict)
    for run in runs:
        quality = np.mean(run["curve"])
        if run["strategy"] == "optimal":
            oracle[run["source_seed"], run["target_seed"]] = quality
        else:
            others[run["strategy"]][run["seed"]] = quality
    seeds = sorted({target for _, target in oracle})
    own = np.array([oracle[seed, seed] for seed in seeds])
    best = _best(others)
    random, heuristic = (
        np.array([others[name][seed] for seed in seeds]) for name in ("random", best)
    )
    measured = {
        "oracle-random": findings.Measured(own - random),
        "oracle-heuristic": findings.Measured(own - heuristic, best),
    }
    if len(seeds) > 1:
        pairs = [[oracle[source, target] for target in seeds] for source in seeds]
        measured["own-foreign"] = findings.Measured(_own_minus_foreign(own, pairs))
    return measured | _of_idmr(others, dict(zip(seeds, own, strict=True)))


def _own_minus_foreign(own, pairs):
    """Return one difference per seed, or a single one with two seeds (one pair)."""
    if len(own) == 2:
        return [own.mean() - (pairs[0][1] + pairs[1][0]) / 2]
    return own - jackknife_pairs(pairs)


def _of_idmr(strategies, oracle):
    bases = {n: q for n, q in strategies.items() if f"idmr-{n}" in strategies}
    if not bases:
        return {}
    name = _best(bases)
    led = strategies[f"idmr-{name}"]
    ahead = [oracle[seed] - quality for seed, quality in led.items()]
    gains = [led[seed] - quality for seed, quality in bases[name].items()]
    return {
        "oracle-idmr": findings.Measured(ahead, f"idmr-{name}"),
        "idmr": findings.Measured(gains, name),
    }


def _best(strategies):
    """Return the name of the best heuristic, by its mean quality."""
    names = [n for n in strategies if n not in ("random", "optimal")]
    names = [name for name in names if "dmr-" not in name]
    return max(names, key=lambda name: np.mean(list(strategies[name].values())))


def _between(task, path):
    """Compute the measures between models, for which there is one seed."""
    away = [
        values
        for (source, target), values in transfers(task, path).items()
        if source != target
    ]
    if not away:
        return {}
    measured = {}
    for name in ("random", "heuristic"):
        gains = np.array([values["oracle"] - values[name] for values in away])
        one = findings.Measured([gains.mean()], findings.count_pairs(gains))
        measured[f"transfer-{name}", "all"] = one
    return measured
