"""Fingerprints of the data, the problem and the code of a search or a study.

They are texts that are the same in every process. A journal or a study folder stores
them, and on resuming compares them with the current ones.
"""

import sys
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from typing import Any

from sklearn import get_config
from sklearn.utils.metadata_routing import get_routing_for_object
from threadpoolctl import ThreadpoolController

from skal._version import __version__
from skal.identity._describe import describe, digest, split_text
from skal.identity._kinds import params_of
from skal.identity._names import renamed_all
from skal.inputs._checks import uses_unlabelled
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

# Parameters that no score depends on. A training sets every random_state from xi.
WITHOUT_EFFECT = ("random_state", "n_jobs", "verbose", "cache_folder")
# The sets that a search depends on. The test set is not among them.
SETS = ("pool", "warm", "select", "val")
# Shown in messages in place of a missing value.
ABSENT = "absent"
# Number of characters above which a message shows only the part of a value that has
# changed, and number of characters that it shows before and after the first of these.
LONG, AROUND = 500, 60


def of_problem(problem: Problem) -> dict[str, str]:
    """Describe the parts of a problem that all searches in a journal share.

    Parameters
    ----------
    problem : Problem
        The problem to search on.

    Returns
    -------
    dict of str to str
        Estimator, scorer, B, K, and the number of rows of each data set.
    """
    sizes = {f"n_{name}": getattr(problem, f"X_{name}") for name in SETS}
    return {
        **_of_estimator(problem.estimator),
        **_of_routing(problem),
        "scoring": describe(problem.scorer, WITHOUT_EFFECT),
        "batch_size": str(problem.batch_size),
        "n_rounds": str(problem.n_rounds),
        **({} if problem.costs is None else {"costs": digest(problem.costs)}),
        # Journals from before unlabelled rows were shown hold other scores.
        **({"unlabelled": "shown"} if uses_unlabelled(problem.estimator) else {}),
        **{name: str(0 if X is None else n_rows(X)) for name, X in sizes.items()},
    }


def of_data(problem: Problem) -> dict[str, str]:
    """Describe the data of a problem, except for the test set.

    Parameters
    ----------
    problem : Problem
        The problem to search on.

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
    """Return the versions of the packages that scores depend on, and the processor.

    Returns
    -------
    dict of str to str
        Versions by package. torch is included if it is imported. "processor" is the
        kind that the BLAS library has chosen its code for, if it tells.
    """
    packages = ["numpy", "scipy", "scikit-learn"]
    if "torch" in sys.modules:
        packages.append("torch")
    found = {name: metadata.version(name) for name in packages}
    return {"skal": __version__, **found, **_processor()}


@cache
def _processor() -> dict[str, str]:
    """Return the kind of processor; empty if no BLAS library tells.

    Its vector instructions decide how sums are rounded. After some hundred epochs, the
    accuracy of a convolutional net differs by as much as with another seed.
    """
    libraries = ThreadpoolController().select(user_api="blas").info()
    kinds = [one["architecture"] for one in libraries if one.get("architecture")]
    return {"processor": kinds[0]} if kinds else {}


def _of_routing(problem: Problem) -> dict[str, str]:
    """Describe which step gets which argument of `fit`, if metadata is routed."""
    if not (problem.fit_params and get_config()["enable_metadata_routing"]):
        return {}
    return {"routing": repr(get_routing_for_object(problem.estimator))}


def _of_estimator(estimator: Any) -> dict[str, str]:
    """Describe the class of an estimator, and each parameter by itself."""
    params = params_of(estimator, deep=True)
    described = {
        # The parameters of a nested estimator are listed under their own names.
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
    """Describe the first difference between a stored description and the current one.

    Parameters
    ----------
    before : mapping of str to str
        The stored description. A class that was moved since counts as the same.
    now : mapping of str to str
        The current description.
    place : str
        The place where `before` is stored, such as "in the journal".

    Returns
    -------
    str or None
        A phrase such as "n_steps=40 in the journal, n_steps=41 now" or "the code of
        mine.Est has changed". None if the descriptions are equal.
    """
    before, now = renamed_all(before), renamed_all(now)
    for name in [*now, *(name for name in before if name not in now)]:
        pair = before.get(name, ABSENT), now.get(name, ABSENT)
        if pair[0] != pair[1]:
            return _difference_of_texts(name, *pair, place)
    return None


def _difference_of_texts(name: str, before: str, now: str, place: str) -> str:
    """Describe how two different texts differ, in values or in code."""
    (plain, parts), (plain_now, parts_now) = split_text(before), split_text(now)
    if plain != plain_now:
        return _spelled(name, plain, plain_now, place)
    changed = [key for key in parts_now if parts.get(key) != parts_now[key]]
    changed = changed or [key for key in parts if key not in parts_now]
    # An edited class or function explains more than the globals that it reads.
    key = min(changed, key=lambda key: (not key.startswith("code of "), key))
    if not parts:
        return f"the {key} is not kept {place}" if "code of" in key else key
    return _spelled(key, parts.get(key, ABSENT), parts_now.get(key, ABSENT), place)


def _spelled(name: str, before: str, now: str, place: str) -> str:
    """Describe a difference by both values; without them if they are digests."""
    if name.startswith("code of ") and ABSENT not in (before, now):
        return f"the {name} has changed"
    if "<digest" in before + now and ABSENT not in (before, now) and "rows" not in now:
        return f"{name} has changed"
    pairs = enumerate(zip(before, now, strict=False))
    first = next((i for i, (a, b) in pairs if a != b), min(len(before), len(now)))
    before, now = _part(before, first), _part(now, first)
    return f"{name}={before} {place}, {name.rpartition(': ')[2]}={now} now"


def _part(text: str, first: int) -> str:
    """Return a text, or of a long one the part around its first changed character."""
    if len(text) <= LONG:
        return text
    start, stop = max(0, first - AROUND), first + AROUND
    return f"{'...' * (start > 0)}{text[start:stop]}{'...' * (stop < len(text))}"


def other_versions(before: Mapping[str, str], place: str) -> str | None:
    """Describe the first package whose version has changed, or the processor.

    Parameters
    ----------
    before : mapping of str to str
        The stored versions, as returned by `versions`. A key that is known only then,
        or only now, is ignored.
    place : str
        The place where they are stored, such as "in the journal".

    Returns
    -------
    str or None
        A phrase such as "numpy=1.26.0 in the journal, numpy=2.0.0 now". None if all
        versions are equal.
    """
    now = versions()
    shared = [name for name in now if name in before]
    found, used = ({name: known[name] for name in shared} for known in (before, now))
    return difference(found, used, place)
