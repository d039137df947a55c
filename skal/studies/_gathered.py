"""The results of a comparison, gathered from its runs, and warnings about them."""

import warnings
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from skal.studies._comparison import Comparison
from skal.studies._spec import StudySpec
from skal.studies._tables import stacked
from skal.studies.running._jobs import Cell
from skal.studies.running._store import Run


def gather(study: StudySpec, runs: Mapping[Cell, Run]) -> Comparison:
    """Collect all runs in arrays; the orders of the baseline are averaged.

    Parameters
    ----------
    study : StudySpec
    runs : mapping of Cell to Run
        The run of every cell of the study.

    Returns
    -------
    Comparison
    """
    grouped: dict[tuple[str, str, int], list[Run]] = {}
    for cell, run in runs.items():
        grouped.setdefault(cell[:3], []).append(run)
    keys = [
        (estimator, strategy, seed)
        for estimator in study.estimators
        for strategy in study.strategies
        for seed in study.seeds
    ]
    shape = len(study.estimators), len(study.strategies), len(study.seeds), -1
    curves, validation_curves = (
        np.array(
            [np.mean([getattr(r, name) for r in grouped[k]], axis=0) for k in keys]
        ).reshape(shape)
        for name in ("curve", "validation_curve")
    )
    others = {key: grouped[key][0].other_curves for key in keys}
    n_trainings, seconds = (
        np.reshape([sum(getattr(r, name) for r in grouped[k]) for k in keys], shape[:3])
        for name in ("n_trainings", "seconds")
    )
    return Comparison(
        **{part.name: getattr(study, part.name) for part in fields(study)},
        curves=curves,
        validation_curves=validation_curves,
        orders={key: stacked([run.order for run in grouped[key]]) for key in keys},
        baseline_curves=_of_baseline(study, grouped),
        other_seeds={key: found for key, found in others.items() if found.size},
        n_trainings=n_trainings,
        seconds=seconds,
    )


def _of_baseline(
    study: StudySpec, grouped: Mapping[tuple[str, str, int], list[Run]]
) -> Any:
    """Return the curves of all orders of the baseline, or None without a baseline."""
    if study.baseline is None:
        return None
    return np.array(
        [
            [
                [run.curve for run in grouped[estimator, study.baseline, seed]]
                for seed in study.seeds
            ]
            for estimator in study.estimators
        ]
    )


def warn_of_chance(study: StudySpec, runs: Mapping[Cell, Run]) -> None:
    """Warn of strategies that end no better than a constant prediction.

    Parameters
    ----------
    study : StudySpec
    runs : mapping of Cell to Run
    """
    same = study.splits.example.target.constant
    for estimator in study.estimators:
        for strategy in study.strategies:
            of_pair = [r for c, r in runs.items() if c[:2] == (estimator, strategy)]
            score = float(np.mean([run.curve[-1] for run in of_pair]))
            chance = float(np.mean([run.chance for run in of_pair]))
            if score <= chance:
                plain = study.estimators[estimator]
                model = study.model_of(estimator, strategy)
                of = "" if model is plain else " Its model is the posterior estimator."
                warnings.warn(
                    f"{strategy} with {estimator} ends at chance: its last test score "
                    f"is {score:z.3f}, and always predicting the {same} scores "
                    f"{chance:z.3f}.{of} Train the model longer, or label more rows.",
                    stacklevel=3,
                )


def warn_of_repeats(found: Comparison) -> None:
    """Warn of strategies for which all seeds give the same run.

    Parameters
    ----------
    found : Comparison
    """
    names = [
        f"{strategy} with {estimator}"
        for strategy in found.strategies
        for estimator, repeats in zip(
            found.estimators, found.repeats(strategy), strict=True
        )
        if repeats
    ]
    if names:
        warnings.warn(
            f"Seeds do not differ for {', '.join(names)}: neither the strategy nor the "
            f"estimator draws random numbers, and all {len(found.seeds)} seeds share "
            "one split. Pass X and y to compare, so that each seed has its own split.",
            stacklevel=3,
        )
