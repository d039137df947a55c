"""A check that a function was given the result of the right study."""

from typing import Any

# The results of studies by the names of their classes, and what returns them.
MAKERS = {
    "Comparison": "skal.compare",
    "OrderOverlap": "skal.order_overlap",
    "PairedTests": "regularization_gain or a method of a Comparison",
    "Distribution": "input_distribution or label_distribution",
    "SeedTransfer": "skal.seed_transfer",
    "ModelTransfer": "skal.model_transfer",
    "StrategyRanks": "skal.studies.rank_strategies",
    "Verdict": "skal.worth_it or the method verdict of a Comparison",
}


def check_result(value: Any, name: str, *kinds: str) -> None:
    """Refuse an argument that is not the result of a study of the right kind.

    Parameters
    ----------
    value : object
        The argument.
    name : str
        Its name, for the message.
    *kinds : str
        Names of the classes that it may have.

    Raises
    ------
    TypeError
        If it has none of them.
    """
    if not any(cls.__name__ in kinds for cls in type(value).__mro__):
        raise TypeError(
            f"{name} must be a {' or '.join(kinds)}, got {type(value).__name__}: give "
            f"what {' or '.join(MAKERS[kind] for kind in kinds)} returns."
        )
