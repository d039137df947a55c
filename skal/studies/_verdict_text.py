"""The sentences of a verdict."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from skal.studies._tables import spell

# Fewest seeds that a verdict does not call too few.
ENOUGH_SEEDS = 5


def headline(found: Any) -> str:
    """Return the answer of a verdict in one sentence.

    Parameters
    ----------
    found : Verdict

    Returns
    -------
    str
    """
    if found.answer == "better":
        return f"Yes: choosing rows by {found.strategy} is better than random here."
    if found.answer == "worse":
        which = "every strategy tried" if found.n_tested > 1 else found.strategy
        return f"No: {which} is worse than random rows here."
    subject = "no strategy is" if found.n_tested > 1 else f"{found.strategy} is not"
    return f"Not shown: {subject} clearly better than random rows here."


def sentences(found: Any) -> Iterator[str]:
    """Yield the sentences that explain the answer of a verdict.

    Parameters
    ----------
    found : Verdict

    Yields
    ------
    str
    """
    yield _gain(found)
    yield _ends(found)
    if found.answer == "unclear":
        yield from _limits(found)
    yield _saved(found)
    if found.bound is not None:
        yield _left(found)
        yield _optimism(found.bound)
    yield from found.notes
    if found.n_trainings:
        seconds = f"{found.seconds:.0f}" if found.seconds >= 10 else "under 10"
        yield f"It took {found.n_trainings:,} trainings and {seconds} seconds."


def _gain(found: Any) -> str:
    comparison = found.comparison
    n = comparison.n_labelled
    start, end = int(n[0 if comparison.include_warm_start else 1]), int(n[-1])
    subject = found.strategy
    if found.n_tested > 1:
        subject = f"the best of {found.n_tested} strategies, {subject},"
    text = (
        f"Averaged over {_rounds(comparison)}, from {start:,} to {count(end, found)}, "
        f"{subject} scores {_by(found.gain)} than random rows"
    )
    seeds = len(comparison.seeds)
    kind = "random split" if comparison.splits.vary else "seed"
    of_seeds = f"{seeds} {kind}{'s' * (seeds > 1)}"
    if np.isnan(found.p_value):
        same = "which all gave the same run" if seeds > 1 else "which is no test"
        return f"{text} ({of_seeds}, {same})."
    choice = ", both corrected for the choice"
    return (
        f"{text} ({100 * found.level:.0f} % interval {_signed(found.low)} to "
        f"{_signed(found.high)}; p = {spell(found.p_value)}"
        f"{choice * (found.n_tested > 1)}; {of_seeds})."
    ).replace("p = <", "p < ")


def _rounds(comparison: Any) -> str:
    """Return the number of rounds of a comparison in words."""
    n = len(comparison.n_labelled) - 1
    return f"{n} round{'s' * (n > 1)}"


def count(n: float, found: Any) -> str:
    """Return a number of labels, or a cost, with its unit.

    Parameters
    ----------
    n : float
    found : Verdict

    Returns
    -------
    str
    """
    unit = "labels" if found.comparison.splits.example.costs is None else "of cost"
    return f"{n:,.0f} {unit}"


def _ends(found: Any) -> str:
    return (
        f"With {count(found.n_labels, found)} {found.strategy} reaches a score of "
        f"{show(found.score)}; as many random ones give {show(found.random)}."
    )


def _limits(found: Any) -> Iterator[str]:
    """Yield how large a gain could be without being seen."""
    n = len(found.comparison.seeds)
    if n < ENOUGH_SEEDS:
        yield f"Only {n} seed{'s' * (n > 1)}: too few to tell. Give at least 5."
    if found.comparison.splits.vary and found.p_same_rows < 1 - found.level:
        what = "gain" if found.gain > 0 else "loss"
        yield (
            f"New splits of these same rows would show a {what} again "
            f"(p = {spell(found.p_same_rows)}), but other rows of the kind may not."
        ).replace("p = <", "p < ")
    if np.isfinite(found.detectable):
        yield (
            f"A study like this one finds a gain of {show(found.detectable)} four "
            "times out of five; a smaller gain may have been missed."
        )


def _saved(found: Any) -> str:
    saved, unit = found.saved, found.comparison.splits.example.costs
    noun, name = "Labels saved" if unit is None else "Cost saved", found.strategy
    goal = f"for a score of {show(saved.target)}"
    if np.isinf(saved.random) and np.isinf(saved.strategy):
        return (
            f"{noun}: neither random rows nor {name} reach a score of "
            f"{show(saved.target)} with {count(found.n_labels, found)}."
        )
    if np.isinf(saved.strategy):
        return (
            f"{noun}: none. Random rows need {count(saved.random, found)} {goal}; "
            f"{name} does not reach it with {count(found.n_labels, found)}"
            f"{_range(saved)}."
        )
    if np.isinf(saved.random):
        return (
            f"{noun}: {name} needs {count(saved.strategy, found)} {goal}; random rows "
            f"do not reach it with {count(found.n_labels, found)}{_range(saved)}."
        )
    share = "" if np.isnan(saved.share) else f" ({100 * abs(saved.share):.0f} %)"
    direction = "more" if saved.saved < 0 else "fewer"
    return (
        f"{noun}: {goal} random rows need {count(saved.random, found)}, {name} "
        f"{saved.strategy:,.0f}: {abs(saved.saved):,.0f}{share} {direction}"
        f"{_range(saved)}."
    )


def _range(saved: Any) -> str:
    """Return the interval of labels saved, in parentheses."""
    low, high = saved.low, saved.high
    if np.isnan([low, high]).any() or (low == -np.inf and high == np.inf):
        return ""
    if low == -np.inf:
        most = f"at most {high:,.0f} saved" if high > 0 else "more are needed"
        return f" (interval: {most})"
    if high == np.inf:
        return "" if low == np.inf else f" (interval: at least {low:,.0f} saved)"
    return f" (interval {low:+,.0f} to {high:+,.0f} saved)"


def _left(found: Any) -> str:
    bound = found.bound
    n = f"{bound.n_seeds} seed{'s' * (bound.n_seeds > 1)}"
    if not bound.gain > 0:
        return (
            f"What is left: nothing that {bound.oracle} could find. Its orders are "
            f"not better than random ones on the test set ({n})."
        )
    closed = f"{found.strategy} has {100 * bound.closed:.0f} % of that"
    if bound.closed < 0:
        closed = f"{found.strategy} has none of that"
    text = (
        f"What is left: the best orders that {bound.oracle} finds gain "
        f"{show(bound.gain)} over random rows ({n}); {closed}"
    )
    if bound.left <= 0:
        return f"{text}."
    return f"{text}, and {show(bound.left)} is left."


def _optimism(bound: Any) -> str:
    if np.isnan(bound.optimism):
        return "Without a validation set, the search cannot be checked for optimism."
    return (
        f"On the validation set that it searches on, it gains "
        f"{show(bound.validation_gain)}; {show(max(0.0, bound.optimism))} of that is "
        "optimism, which other data do not show."
    )


def show(value: float) -> str:
    """Return a score or a gain as a text of about three digits.

    Parameters
    ----------
    value : float

    Returns
    -------
    str
        Never "-0.000".
    """
    return f"{value:z.3f}" if abs(value) < 100 else f"{value:,.0f}"


def _signed(value: float) -> str:
    text = show(value)
    return (
        text
        if text.startswith("-") or float(text.replace(",", "")) == 0
        else f"+{text}"
    )


def _by(gain: float) -> str:
    return f"{show(abs(gain))} {'lower' if gain < 0 else 'higher'}"
