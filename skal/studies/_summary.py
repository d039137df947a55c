"""The printed summary of a comparison, and the share of the gap that is closed."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skal.studies._exports import Part
from skal.studies._paired import describe_tests, stars
from skal.studies._spec import samples_posterior
from skal.studies._statistics import DIGITS


def parts_of(found: Any) -> list[Part]:
    """Return a table for each estimator, the gains of the oracle, and notes.

    Parameters
    ----------
    found : Comparison

    Returns
    -------
    list of Part
    """
    parts = [
        Part(name, "", _ranked(found, i)) for i, name in enumerate(found.estimators)
    ]
    if found.oracle is not None and (found.baseline is not None or found.heuristics):
        parts.append(Part("The oracle", "", _oracle(found)))
    notes = [describe_tests(len(found.seeds), found.splits.overlap), *_notes(found)]
    return [*parts, Part("", "\n".join(notes), {})]


def summary_columns(found: Any) -> dict[str, Any]:
    """Return one table of all estimators: one row per strategy, best first.

    Parameters
    ----------
    found : Comparison

    Returns
    -------
    dict of str to list
    """
    ranked = [_ranked(found, i) for i in range(len(found.estimators))]
    n = len(found.strategies)
    names = [name for name in found.estimators for _ in range(n)]
    columns = {key: [v for one in ranked for v in one[key]] for key in ranked[0]}
    return {"estimator": names, **columns} if len(ranked) > 1 else columns


def _ranked(found: Any, i: int) -> dict[str, Any]:
    """Return the table of one estimator: one row per strategy, best first."""
    quality = found.qualities[i].mean(axis=1)
    columns: dict[str, Any] = {
        "strategy": np.array(list(found.strategies)),
        "quality": quality,
        "sd": _deviations(found, i),
        **_over_baseline(found, i),
    }
    if found.baseline is None:
        columns["validation"] = found.validation_qualities[i].mean(axis=1)
    ranking = np.argsort(-quality, kind="stable")
    return {name: values[ranking] for name, values in columns.items()}


def _deviations(found: Any, i: int) -> NDArray[np.float64]:
    """Return standard deviations over seeds; NaN if all seeds give the same run."""
    if len(found.seeds) < 2:
        return np.full(len(found.strategies), np.nan)
    repeated = [found.repeats(name)[i] for name in found.strategies]
    return np.where(repeated, np.nan, found.qualities[i].std(axis=1, ddof=1))


def _over_baseline(found: Any, i: int) -> dict[str, NDArray]:
    """Return the columns of gains over the baseline, with their p-values."""
    if found.baseline is None or len(found.strategies) < 2:
        return {}
    tests, names = found.against(), list(found.strategies)
    rows = [names.index(name) for name in tests.strategies]
    quality, low = found.qualities[i].mean(axis=1), found.of(found.baseline)[i].mean()
    p, holm = np.full((2, len(names)), np.nan)
    p[rows], holm[rows] = tests.t_pvalues[i], tests.t_holm[i]
    columns = {f"over {found.baseline}": quality - low, "p": p, "Holm": stars(holm)}
    if found.oracle is not None:
        high = found.of(found.oracle)[i].mean()
        elsewhere = found.other_seed_qualities(found.oracle)[i].mean()
        columns["gap closed"] = share_of_gap(quality, low, high)
        columns["(other seeds)"] = share_of_gap(quality, low, elsewhere)
    columns["optimism"] = found.optimism()[i].mean(axis=1)
    return columns


def _oracle(found: Any) -> dict[str, Any]:
    """Return the gains of the oracle, with those under other training seeds if any."""
    tests = found.oracle_gains()
    table = tests.table()
    columns = {name: table[name] for name in ("estimator", "reference", "gain")}
    columns["p"] = table["p_t"]
    if found.other_seeds:
        elsewhere = found.oracle_gains(other_seeds=True).table()
        columns["gain (other seeds)"] = elsewhere["gain"]
        columns["p (other seeds)"] = elsewhere["p_t"]
    return columns


def _notes(found: Any) -> Iterator[str]:
    """Yield the notes that explain columns and rows of the tables."""
    if found.baseline is not None and not np.isnan(found.validation_qualities).all():
        yield (
            f"optimism: gain over {found.baseline} on validation, minus that on test."
        )
    if found.other_seeds:
        yield "(other seeds): the oracle's orders, replayed with other training seeds."
    for name in found.strategies:
        yield from _notes_on(found, name)


def _notes_on(found: Any, name: str) -> Iterator[str]:
    repeated = found.repeats(name)
    for estimator in np.array(list(found.estimators))[repeated]:
        yield (
            f"{name} with {estimator}: all {len(found.seeds)} seeds gave the same run, "
            "so nothing is tested."
        )
    if samples_posterior(found.strategies[name]):
        for estimator, model in found.posterior_estimators.items():
            yield (
                f"{name} with {estimator}: trained and scored with its posterior "
                f"estimator, {type(model).__name__}."
            )


def share_of_gap(
    qualities: ArrayLike, baseline: ArrayLike, oracle: ArrayLike
) -> NDArray[np.float64]:
    """Return the share of the gap between baseline and oracle that is closed.

    Parameters
    ----------
    qualities, baseline, oracle : array-like
        Qualities, with shapes that broadcast.

    Returns
    -------
    ndarray
        0 at the baseline, 1 at the oracle; NaN if the oracle is not better.
    """
    q, low, high = (np.asarray(a, dtype=float) for a in (qualities, baseline, oracle))
    gap = high - low
    is_open = gap > 10.0**-DIGITS
    return np.where(is_open, (q - low) / np.where(is_open, gap, 1), np.nan)
