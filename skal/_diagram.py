"""The diagram of a learner in notebooks."""

from typing import Any

from skal._sklearn import _VisualBlock


def diagram(learner: Any) -> Any:
    """Return the estimator and the strategy of a learner, drawn side by side.

    Parameters
    ----------
    learner : ActiveLearner
        If it is fitted, the fitted ones are drawn.

    Returns
    -------
    block of scikit-learn's diagrams
    """
    is_fitted = hasattr(learner, "estimator_")
    parts = {
        "estimator": learner.estimator_ if is_fitted else learner.estimator,
        "strategy": learner.strategy_ if is_fitted else learner.strategy,
    }
    return _VisualBlock(
        "parallel",
        list(parts.values()),
        names=[f"{name}: {type(part).__name__}" for name, part in parts.items()],
        name_details=[str(part) for part in parts.values()],
    )
