"""The data, the problem and the code that a search or a study was given, as texts.

They are the same in every process, so that a journal or the folder of a study can tell
whether it is gone on with as it was begun.
"""

import sys
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from sklearn import get_config
from sklearn.utils.metadata_routing import get_routing_for_object

from skal._version import __version__
from skal.identity._describe import describe, digest, split_text
from skal.identity._names import renamed_all
from skal.inputs._containers import n_rows
from skal.problem import Problem

__all__ = [
    "describe",
    "difference",
    "digest",
    "of_data",
    "of_problem",
    "other_versions",
    "versions",
]

# Parameters that a training does not depend on: xi replaces every random_state.
WITHOUT_EFFECT = ("random_state", "n_jobs", "verbose")
SETS = ("pool", "warm", "select", "val")
ABSENT = "absent"
# A longer value is not shown in a message.
LONG = 100


def of_problem(problem: Problem) -> dict[str, str]:
    """Describe what all searches in a journal share.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    dict of str to str
        Estimator, scorer, B, K, and how many rows each data set has.
    """
    sizes = {f"n_{name}": getattr(problem, f"X_{name}") for name in SETS}
    return {
        **_of_estimator(problem.estimator),
        **_of_routing(problem),
        "scoring": describe(problem.scorer, WITHOUT_EFFECT),
        "batch_size": str(problem.batch_size),
        "n_rounds": str(problem.n_rounds),
        **{name: str(0 if X is None else n_rows(X)) for name, X in sizes.items()},
    }


def of_data(problem: Problem) -> dict[str, str]:
    """Describe what a problem trains and validates on; test is none of it.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    dict of str to str
        A digest of each data set, of the class list, and of each of `fit_params`.
    """
    names = [f"{letter}_{name}" for name in SETS for letter in "Xy"]
    values = {name: getattr(problem, name) for name in [*names, "classes"]}
    return {name: digest(value) for name, value in values.items()} | {
        f"fit: {name}": digest(value) for name, value in problem.fit_params.items()
    }


def versions() -> dict[str, str]:
    """Return the versions of the packages that compute the scores."""
    packages = ["numpy", "scipy", "scikit-learn"]
    if "torch" in sys.modules:
        packages.append("torch")
    return {"skal": __version__, **{name: metadata.version(name) for name in packages}}


def _of_routing(problem: Problem) -> dict[str, str]:
    """Describe which step is given what, where arguments of `fit` are routed."""
    if not (problem.fit_params and get_config()["enable_metadata_routing"]):
        return {}
    return {"routing": repr(get_routing_for_object(problem.estimator))}


def _of_estimator(estimator: Any) -> dict[str, str]:
    params = estimator.get_params(deep=True)
    described = {
        # The parameters of a nested estimator have names of their own.
        name: describe(type(value))
        if hasattr(value, "get_params")
        else describe(value, WITHOUT_EFFECT)
        for name, value in sorted(params.items())
        if name.rpartition("__")[2] not in WITHOUT_EFFECT
    }
    named = {f"estimator: {name}": value for name, value in described.items()}
    return {"estimator": describe(type(estimator)), **named}


def difference(
    before: Mapping[str, str], now: Mapping[str, str], place: str
) -> str | None:
    """Name the first difference between two descriptions; None if there is none.

    Parameters
    ----------
    before : mapping of str to str
        The stored one. Names of classes that have moved since are told as the same.
    now : mapping of str to str
    place : str
        Where the first is, such as "in the journal".

    Returns
    -------
    str or None
        Such as "n_steps=40 in the journal, n_steps=41 now" or "the code of mine.Est
        has changed".
    """
    before, now = renamed_all(before), renamed_all(now)
    for name in [*now, *(name for name in before if name not in now)]:
        pair = before.get(name, ABSENT), now.get(name, ABSENT)
        if pair[0] != pair[1]:
            return _difference_of_texts(name, *pair, place)
    return None


def _difference_of_texts(name: str, before: str, now: str, place: str) -> str:
    (plain, parts), (plain_now, parts_now) = split_text(before), split_text(now)
    if plain != plain_now:
        return _spelled(name, plain, plain_now, place)
    changed = [key for key in parts_now if parts.get(key) != parts_now[key]]
    changed = changed or [key for key in parts if key not in parts_now]
    # An edited class or function says more than the globals that it brings along.
    key = min(changed, key=lambda key: (not key.startswith("code of "), key))
    if not parts:
        return f"the {key} is not kept {place}" if "code of" in key else key
    return _spelled(key, parts.get(key, ABSENT), parts_now.get(key, ABSENT), place)


def _spelled(name: str, before: str, now: str, place: str) -> str:
    """Return both values, unless they are digests or long."""
    if name.startswith("code of ") and ABSENT not in (before, now):
        return f"the {name} has changed"
    if "<digest" in before + now and ABSENT not in (before, now) and "rows" not in now:
        return f"{name} has changed"
    return f"{name}={before} {place}, {name.rpartition(': ')[2]}={now} now"


def other_versions(before: Mapping[str, str], place: str) -> str | None:
    """Name the first package that had another version; None if there is none.

    Parameters
    ----------
    before : mapping of str to str
        As `versions` returned it. A package that only one of both has loaded makes no
        difference.
    place : str
        Where they are kept, such as "in the journal".

    Returns
    -------
    str or None
    """
    now = versions()
    shared = [name for name in now if name in before]
    found, used = ({name: known[name] for name in shared} for known in (before, now))
    return difference(found, used, place)
