"""The published results, as the measures of `findings`.

They are computed from the released curves of the paper's runs.
"""

from collections import defaultdict

import numpy as np

from reproduction import findings
from reproduction.plan import NAMES
from skal.datasets import load_published_runs
from skal.studies import jackknife_pairs


def measures(task):
    """Return the published measures, as `findings.summarize` does.

    Parameters
    ----------
    task : {"oc", "ic", "ner"}
    """
    runs = _read(task)
    measured = {}
    for model in dict.fromkeys(run.model for run in runs):
        own = [run for run in runs if run.model == model and is_of_one_model(run)]
        measured |= {(name, model): one for name, one in _of_curves(own).items()}
    return findings.summarize(measured | _between(task))


def qualities(task):
    """Return the published mean quality of each model and strategy, k = 0..K."""
    found = defaultdict(list)
    for run in _read(task):
        if is_of_one_model(run) and run.is_own:
            name = "oracle" if run.strategy == "optimal" else run.strategy
            found[run.model, name].append(run.curve.mean())
    return {key: float(np.mean(values)) for key, values in found.items()}


def transfers(task):
    """Return the published qualities of orders of one model with another.

    Returns
    -------
    dict of (str, str) to dict
        By source and target: "oracle", "heuristic" (the source's best heuristic among
        those that were replayed) and "random" (the target's random orders).
    """
    runs, own = [run for run in _read(task) if run.seed == 0], defaultdict(dict)
    for run in runs:
        if is_of_one_model(run) and run.is_own:
            own[run.model][run.strategy] = {0: run.curve.mean()}
    plain = [run for run in runs if run.source_seed == 0 and not run.dropout]
    carried = {(r.source_model, r.strategy) for r in plain if r.source_model != r.model}
    found = defaultdict(dict)
    for run in plain:
        if (run.source_model, run.strategy) in carried:
            pair = run.source_model, run.model
            found[pair][run.strategy] = float(run.curve.mean())
    return {
        (source, target): {
            "oracle": values["optimal"],
            "heuristic": values[_best({n: own[source].get(n, {0: 0}) for n in values})],
            "random": float(own[target]["random"][0]),
        }
        for (source, target), values in found.items()
    }


def _read(task):
    """Return the runs of a task on test."""
    return [run for run in load_published_runs(NAMES[task]) if run.on == "test"]


def is_of_one_model(run):
    """Return whether an order was followed by the model that it was made with.

    BALD chooses with dropout; without, its order is carried to a plain net.
    """
    is_plain_bald = "bald" in run.strategy and not run.dropout
    return run.source_model == run.model and not is_plain_bald


def _of_curves(runs):
    """Compute the measures of one model."""
    oracle, others = {}, defaultdict(dict)
    for run in runs:
        quality = run.curve.mean()
        if run.strategy == "optimal":
            oracle[run.source_seed, run.seed] = quality
        else:
            others[run.strategy][run.seed] = quality
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


def _between(task):
    """Compute the measures between models, for which there is one seed."""
    away = [
        values
        for (source, target), values in transfers(task).items()
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
