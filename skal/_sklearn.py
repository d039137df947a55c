"""Private names of scikit-learn that skal uses. Only this module imports them.

None of them has a public counterpart in scikit-learn 1.9. If a later release moves one,
adapt this module.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from sklearn.base import _fit_context as _sklearn_fit_context
from sklearn.callback._callback_context import get_context_path
from sklearn.callback._transport import close_listener, open_listener, send
from sklearn.multiclass import _ConstantPredictor
from sklearn.utils import _safe_indexing
from sklearn.utils._indexing import _get_column_indices
from sklearn.utils._missing import is_pandas_na, is_scalar_nan
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
)
from sklearn.utils._param_validation import validate_params as _sklearn_validate_params
from sklearn.utils._repr_html.estimator import _VisualBlock
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import (
    _check_method_params,
    _check_sample_weight,
    _num_features,
    _num_samples,
)

from skal._choices import suggest


@contextmanager
def suggesting() -> Iterator[None]:
    """Add what was probably meant to errors about strings that are no valid choice."""
    try:
        yield
    except InvalidParameterError as error:
        error.args = (_with_suggestion(str(error)),)
        raise


def _with_suggestion(text: str) -> str:
    found = re.search(r"a str among \{(.*?)\}.*Got '([^']*)' instead\.$", text, re.S)
    if found is None:
        return text
    return text + suggest(found[2], re.findall("'([^']*)'", found[1]))


def validate(estimator: Any) -> None:
    """Check the parameters of an estimator, with suggestions.

    Parameters
    ----------
    estimator : BaseEstimator

    Raises
    ------
    ValueError
        If a parameter is invalid.
    """
    with suggesting():
        estimator._validate_params()


def _fit_context(*, prefer_skip_nested_validation: bool) -> Callable[..., Any]:
    """Return scikit-learn's decorator of `fit`, with suggestions."""
    context = _sklearn_fit_context(
        prefer_skip_nested_validation=prefer_skip_nested_validation
    )
    return lambda method: suggesting()(context(method))


def validate_params(
    constraints: dict[str, Any], *, prefer_skip_nested_validation: bool
) -> Callable[..., Any]:
    """Return scikit-learn's decorator that checks arguments, with suggestions."""
    check = _sklearn_validate_params(
        constraints, prefer_skip_nested_validation=prefer_skip_nested_validation
    )
    return lambda function: suggesting()(check(function))


# The compiled trees that the lean forms of trees and forests grow. Without them, these
# classifiers are trained by their own `fit`.
trees: Any
try:
    from sklearn.tree._classes import CRITERIA_CLF, DENSE_SPLITTERS
    from sklearn.tree._tree import BestFirstTreeBuilder, DepthFirstTreeBuilder, Tree

    trees = SimpleNamespace(
        criteria=CRITERIA_CLF,
        splitters=DENSE_SPLITTERS,
        best_first=BestFirstTreeBuilder,
        depth_first=DepthFirstTreeBuilder,
        tree=Tree,
    )
except ImportError:
    trees = None

# Compiled code of linear classifiers, for their lean forms (see `skal.lean`). Without
# it, these classifiers are trained by their own `fit`.
linear: Any
try:
    from sklearn._loss import HalfBinomialLoss, HalfMultinomialLoss
    from sklearn.linear_model._logistic import _LOGISTIC_SOLVER_CONVERGENCE_MSG
    from sklearn.utils.optimize import _check_optimize_result

    linear = SimpleNamespace(
        binomial_loss=HalfBinomialLoss().closs,
        multinomial_loss=HalfMultinomialLoss().closs,
        check_optimize_result=_check_optimize_result,
        LOGISTIC_MESSAGE=_LOGISTIC_SOLVER_CONVERGENCE_MSG,
    )
except (ImportError, AttributeError):
    linear = None

# The compiled search for neighbours that `skal.lean` calls; without it, `fit` serves.
arg_k_min: Any
try:
    from sklearn.metrics._pairwise_distances_reduction import ArgKmin

    arg_k_min = ArgKmin
except ImportError:
    arg_k_min = None

# The compiled support vector machines of `skal.lean`; without them, `fit` serves.
libsvm: Any
try:
    from sklearn.svm import _libsvm

    libsvm = _libsvm
except ImportError:
    libsvm = None

__all__ = [
    "HasMethods",
    "Interval",
    "Options",
    "StrOptions",
    "_BaseComposition",
    "_ConstantPredictor",
    "_VisualBlock",
    "_check_method_params",
    "_check_sample_weight",
    "_fit_context",
    "_get_column_indices",
    "_num_features",
    "_num_samples",
    "_safe_indexing",
    "arg_k_min",
    "close_listener",
    "get_context_path",
    "is_pandas_na",
    "is_scalar_nan",
    "libsvm",
    "linear",
    "open_listener",
    "send",
    "suggesting",
    "trees",
    "validate",
    "validate_params",
]
