"""The best order under a budget of cost, by dynamic programming over sets."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

Positions = tuple[int, ...]


def affordable_sets(costs: NDArray[np.float64], limit: float) -> Iterator[Positions]:
    """Yield all sets of rows that cost at most an amount, the empty one included.

    Parameters
    ----------
    costs : ndarray of shape (n,)
        The cost of each row.
    limit : float
        The amount.

    Yields
    ------
    tuple of int
        Ascending.
    """
    # Cheap rows come first, so that no dearer one fits where one does not.
    order = np.argsort(costs, kind="stable").tolist()
    stack: list[tuple[Positions, int, float]] = [((), 0, 0.0)]
    while stack:
        rows, start, spent = stack.pop()
        yield tuple(sorted(rows))
        for i in range(start, len(order)):
            more = spent + costs[order[i]]
            if more > limit:
                break
            stack.append(((*rows, order[i]), i + 1, more))


def chains(
    costs: NDArray[np.float64], limits: NDArray[np.float64]
) -> list[dict[Positions, list[Positions]]]:
    """Return which sets can be labelled after each round, and the sets before them.

    A round ends where the next row of the order does not fit. So a set stays the same
    from round to round until a row is added that did not fit before.

    Parameters
    ----------
    costs : ndarray of shape (n,)
        The cost of each row.
    limits : ndarray of shape (n_rounds + 1,)
        The amounts that may be spent after k = 0..K rounds.

    Returns
    -------
    list of dict of tuple to list of tuple, of length n_rounds
        For each round the sets after it, and the possible sets before it.
    """
    levels: list[dict[Positions, list[Positions]]] = []
    before: list[Positions] = [()]
    for k, limit in enumerate(limits[1:]):
        level: dict[Positions, list[Positions]] = {}
        for rows in before:
            for grown in _grown(rows, costs, limits[k], limit):
                level.setdefault(grown, []).append(rows)
        levels.append(level)
        before = list(level)
    # After the last round, too, the next row does not fit, if there is one.
    levels[-1] = {
        rows: sources
        for rows, sources in levels[-1].items()
        if _spent(costs, rows) + _dearest_left(costs, rows) > limits[-1]
    }
    return levels


def _grown(
    rows: Positions, costs: NDArray[np.float64], limit: float, next_limit: float
) -> Iterator[Positions]:
    """Yield the sets that may follow a set, itself included."""
    spent = _spent(costs, rows)
    others = np.setdiff1d(np.arange(len(costs)), rows)
    for added in affordable_sets(costs[others], next_limit - spent):
        dearest = max((costs[others[i]] for i in added), default=np.inf)
        if spent + dearest > limit:
            yield tuple(sorted((*rows, *(int(others[i]) for i in added))))


def _spent(costs: NDArray[np.float64], rows: Positions) -> float:
    return float(costs[list(rows)].sum())


def _dearest_left(costs: NDArray[np.float64], rows: Positions) -> float:
    """Return the highest cost of the other rows; infinite without other rows."""
    left = np.delete(costs, list(rows))
    return float(left.max()) if len(left) else np.inf


def best_order(
    levels: list[dict[Positions, list[Positions]]],
    scores: Mapping[Positions, float],
    costs: NDArray[np.float64],
) -> tuple[list[int], float]:
    """Return the order with the highest sum of scores of its labelled sets.

    Parameters
    ----------
    levels : list of dict
        As `chains` returns them.
    scores : mapping of tuple of int to float
        The score of each set.
    costs : ndarray of shape (n,)
        The cost of each row.

    Returns
    -------
    order : list of int
        All rows. In each batch the dearest comes first, and the others are ascending.
    total : float
        The sum of the scores.
    """
    best: dict[Positions, tuple[float, list[int]]] = {(): (0.0, [])}
    for level in levels:
        grown = {}
        for rows, sources in level.items():
            source = max(sources, key=lambda one: best[one][0])
            total, order = best[source]
            batch = _dearest_first(set(rows) - set(source), costs)
            grown[rows] = (total + scores[rows], order + batch)
        best = grown
    total, order = max(best.values(), key=lambda found: found[0])
    rest = _dearest_first(set(range(len(costs))) - set(order), costs)
    return order + rest, total


def _dearest_first(rows: set[int], costs: NDArray[np.float64]) -> list[int]:
    if not rows:
        return []
    first = max(sorted(rows), key=lambda row: costs[row])
    return [first, *sorted(rows - {first})]
