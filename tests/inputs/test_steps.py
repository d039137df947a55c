"""The lists of what scikit-learn's steps take are right for this scikit-learn."""

import warnings
from contextlib import suppress

import numpy as np
import pytest
from sklearn.utils import all_estimators, get_tags

from skal.inputs._steps import is_known, passes_missing, takes_infinity, takes_words


def steps():
    """Return the transformers and classifiers that have default parameters."""
    found = all_estimators("transformer") + all_estimators("classifier")
    made = []
    for _, kind in sorted(set(found), key=lambda item: item[0]):
        # Some need an estimator, even to have tags.
        with warnings.catch_warnings(), suppress(TypeError, AttributeError):
            warnings.simplefilter("ignore", FutureWarning)
            step = kind()
            made += [step] if is_known(step) else []
    return made


def result(step, bad):
    """Return the output for a table of numbers with a bad cell; None if refused."""
    X = np.random.default_rng(0).random((40, 3)).round(1)
    X = X.astype(object) if isinstance(bad, str) else X
    X[3, 1] = bad
    return output(step, X)


def output(step, X):
    try:
        step.fit(X, np.arange(40) % 2)
        given = step.transform(X) if hasattr(step, "transform") else step.predict(X)
    except (ValueError, TypeError, AttributeError):
        return None
    return given.toarray() if hasattr(given, "toarray") else np.asarray(given)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("step", steps(), ids=lambda step: type(step).__name__)
def test_steps_take_what_skal_thinks_they_take(step):
    if result(step, 0.5) is None:  # takes something else, such as texts
        return
    gaps = result(step, np.nan)
    if not get_tags(step).input_tags.allow_nan:
        assert gaps is None
    elif hasattr(step, "transform"):
        is_passed = gaps.dtype.kind == "f" and bool(np.isnan(gaps).any())
        assert passes_missing(step) == is_passed
    if not takes_infinity(step):
        assert result(step, np.inf) is None
    if not takes_words(step):
        assert result(step, "word") is None
    elif hasattr(step, "transform"):
        words = np.array(["a", "b", "c", "d"], dtype=object)[np.arange(120) % 4]
        assert output(step, words.reshape(40, 3)) is not None
