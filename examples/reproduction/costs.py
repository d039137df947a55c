"""Costs of a study, and the machine and packages it ran with."""

import json
import os
import platform
from collections import defaultdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import skal

PACKAGES = "numpy", "scipy", "scikit-learn", "torch", "skorch", "matplotlib"
FILES = {"compare": "runs", "replays": "replays"}


def read(folder):
    """Return runs, trainings and hours by model and kind, as columns.

    Each run is a line in the folder of the study.
    """
    sums = defaultdict(lambda: [0, 0, 0.0])
    for kind, line in _lines(Path(folder)):
        role = kind if kind == "replays" else _role(line["strategy"])
        one = sums[line["estimator"], role]
        one[0] += 1
        one[1] += line.get("n_trainings") or 0
        one[2] += line.get("seconds") or 0
    rows = [[model, role, *one] for (model, role), one in sums.items()]
    total = [sum(one[i] for one in sums.values()) for i in range(3)]
    rows.append(["all", "", *total])
    names = "model", "kind", "runs", "trainings", "minutes"
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    columns["minutes"] = [round(seconds / 60, 1) for seconds in columns["minutes"]]
    return columns


def _lines(folder):
    for name in FILES:
        path = folder / f"{name}.jsonl"
        for text in path.read_text().splitlines() if path.exists() else []:
            try:
                yield name, json.loads(text)
            except ValueError:  # cut short by a kill
                continue


def _role(strategy):
    return strategy if strategy in ("oracle", "random") else "heuristics"


def environment(device):
    """Return versions and devices that the results may depend on."""
    import torch  # needed by a run, and not by the page of its results

    found = {
        "skal": skal.__version__,
        "Python": platform.python_version(),
        "system": platform.platform(),
        "processor": f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}",
        "cores": str(os.cpu_count()),
        "device": device,
    }
    if device.startswith("cuda"):  # the name given by its vendor
        found["device"] += f" ({torch.cuda.get_device_name(device)})"
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
