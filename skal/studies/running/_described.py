"""Descriptions of everything that the cells of a study depend on."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from skal.answers._needs import strategy_peeks
from skal.identity import _fingerprint
from skal.problem import Problem
from skal.studies._spec import StudySpec, samples_posterior

DATA = "data"
# Subject of what no run depends on, but a study that is opened without its data does.
SETTINGS = "study"
# Parameters of a strategy that do not change the order it finds.
WITHOUT_EFFECT = ("n_jobs", "verbose", "journal", "prefetch")
# Entry of an estimator's description: the number of rows that orders may index, if the
# pool was carved out of more rows than it has.
N_ROWS = "n_rows_of_X"

Given = Mapping[str, Mapping[str, str]]


def describe_study(study: StudySpec) -> Given:
    """Describe everything that the cells of a study depend on, except for the seeds.

    Parameters
    ----------
    study : StudySpec

    Returns
    -------
    mapping of str to mapping of str to str
        Descriptions by subject: data, versions, estimators and strategies.
    """
    example = study.splits.example
    n_rows = int(example.pool_rows.max()) + 1
    carved = {N_ROWS: str(n_rows)} if n_rows > example.n_pool else {}
    given = {
        **_describe_data(study),
        "versions": _fingerprint.versions(),
        SETTINGS: _describe_settings(study),
    }
    kinds = {"estimator": study.estimators}
    if any(map(samples_posterior, study.strategies.values())):
        # Without a posterior estimator, the posterior of the estimator is sampled.
        sampled = {**study.estimators, **study.posterior_estimators}
        kinds["posterior estimator"] = sampled
    for kind, models in kinds.items():
        for name, model in models.items():
            problem = replace(example, estimator=model)
            given[f"{kind} {name!r}"] = _fingerprint.of_problem(problem) | carved
            if problem.error_score is not None:
                score = str(problem.error_score)
                given[f"{kind} {name!r}"]["error_score"] = score
    for name, strategy in study.strategies.items():
        text = _fingerprint.describe(strategy, WITHOUT_EFFECT)
        model = "posterior estimator" if samples_posterior(strategy) else "estimator"
        given[subject_of(name)] = {"strategy": text, "model": model}
    return given


def subject_of(strategy: str) -> str:
    """Return the subject that describes the strategy of a name."""
    return f"strategy {strategy!r}"


def _describe_settings(study: StudySpec) -> dict[str, str]:
    """Describe the roles of the strategies, and what qualities are means over."""
    peeking = [name for name, one in study.strategies.items() if strategy_peeks(one)]
    settings = {
        "baseline": study.baseline,
        "oracle": study.oracle,
        "peeking": peeking,
        "include_warm_start": study.include_warm_start,
    }
    return _as_texts(settings)


def _as_texts(settings: Mapping[str, Any]) -> dict[str, str]:
    return {name: json.dumps(value) for name, value in settings.items()}


def settings_in(given: Given) -> dict[str, Any]:
    """Return the roles of the strategies, and what qualities are means over.

    Parameters
    ----------
    given : mapping of str to mapping of str to str
        Descriptions by subject.

    Returns
    -------
    dict of str to object
        "baseline" and "oracle" are names or None, "peeking" is a list of names, and
        "include_warm_start" is a bool. Empty if the descriptions have none of them, as
        in the oldest folders.
    """
    return {name: json.loads(text) for name, text in given.get(SETTINGS, {}).items()}


def add_roles(given: Given, stored: Given) -> Given:
    """Add the roles of strategies that are in a folder, but not in the current study.

    The folder keeps their runs, and `open_study` shows them. An oracle must still be
    known as one there.

    Parameters
    ----------
    given, stored : mapping of str to mapping of str to str
        Descriptions of the current study, and those in the folder.

    Returns
    -------
    mapping of str to mapping of str to str
        The descriptions of the current study, with these roles.
    """
    before, now = settings_in(stored), settings_in(given)
    if not before:
        return given
    others = {
        name
        for name in (before["baseline"], before["oracle"], *before["peeking"])
        if subject_of(name) not in given
    }
    for role in ("baseline", "oracle"):
        if now[role] is None and before[role] in others:
            now[role] = before[role]
    now["peeking"] += [name for name in before["peeking"] if name in others]
    return {**given, SETTINGS: _as_texts(now)}


def _describe_data(study: StudySpec) -> dict[str, dict[str, str]]:
    """Describe the data sets, either shared by all seeds or one for each seed."""
    if not study.splits.vary:
        return {DATA: _of_sets(study.problem)}
    return {DATA: {"split": "one for each seed"}} | {
        f"{DATA}, seed {seed}": _of_sets(study.splits.problem_of(seed))
        for seed in study.seeds
    }


def _of_sets(problem: Problem) -> dict[str, str]:
    held_out = {name: getattr(problem, name) for name in ("X_test", "y_test")}
    digests = {name: _fingerprint.digest(part) for name, part in held_out.items()}
    return _fingerprint.of_data(problem) | digests


def is_data(subject: str) -> bool:
    """Return whether a description is one of data sets."""
    return subject == DATA or subject.startswith(f"{DATA}, seed ")
