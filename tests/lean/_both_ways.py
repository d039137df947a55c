"""Random labelled sets, and what a lean form does otherwise than `fit` on one."""

import warnings

import numpy as np
from sklearn.base import BaseEstimator, clone

# Warned of once a run, when the first set is trained by `fit`.
MANY_CLASSES = "The number of unique classes"


def random_set(rng, max_rows=50, max_columns=20, max_classes=8):
    """Return rows, labels and rows to look at, of one of many kinds."""
    n_classes = int(rng.integers(2, max_classes + 1))
    n_rows = int(rng.integers(n_classes, max_rows + 1))
    codes = np.append(np.arange(n_classes), rng.integers(n_classes, size=n_rows))
    codes = rng.permutation(codes[:n_rows])
    n_columns = int(rng.choice([1, 2, rng.integers(3, max_columns + 1)]))
    X = random_rows(rng, np.append(codes, rng.integers(n_classes, size=20)), n_columns)
    X = X.astype(rng.choice([np.float64, np.float32]))
    X_new = np.concatenate([X[n_rows:], X[: n_rows // 3]])
    X_new = np.concatenate([X_new, (X[n_rows:] + X[:1]) / 2]).astype(X.dtype)
    return X[:n_rows].copy(), random_names(rng, n_classes)[codes], X_new


def random_rows(rng, codes, n_columns):
    """Return rows around a centre for each class."""
    centres = rng.normal(size=(codes.max() + 1, n_columns)) * rng.choice([0, 1, 5])
    X = centres[codes] + rng.normal(size=(len(codes), n_columns))
    kind = rng.integers(6)
    if kind == 1:  # many ties
        X = np.round(X)
    elif kind == 2:
        X = X * 10.0 ** rng.integers(-4, 5, size=n_columns)
    elif kind == 3:
        X = X + 1e4
    elif kind == 4:  # constant columns, in all rows or in a class
        X[:, rng.random(n_columns) < 0.4] = 3.0
        X[np.ix_(codes == 0, rng.random(n_columns) < 0.4)] = -1.5
    elif kind == 5:  # rows that occur several times
        X = X[rng.integers(len(X) // 2 + 1, size=len(X))]
    return X


def random_names(rng, n_classes):
    """Return names of classes, sorted."""
    names = np.sort(rng.choice(100, size=n_classes, replace=False))
    kinds = [
        names,
        names - 50,
        names.astype(np.int8),
        names.astype(float),
        np.sort([f"class {name}" for name in names]),
        np.array(sorted(f"class {name}" for name in names), dtype=object),
    ]
    return kinds[rng.integers(len(kinds))]


def differences_by_seed(form, make_estimator, n_seeds=200):
    """Return the differences of estimators and sets at random, by their seed."""
    found = {}
    for seed in range(n_seeds):
        rng = np.random.default_rng(seed)
        X, y, X_new = random_set(rng)
        estimator = make_estimator(rng, y)
        assert form.suits(estimator), f"seed {seed}: {estimator}"
        found[seed] = differences(form, estimator, X, y, X_new)
    return {seed: different for seed, different in found.items() if different}


def differences(form, estimator, X, y, X_new):
    """Return in what a lean form differs from `fit` and the estimator's answers."""
    classes, codes = np.unique(y, return_inverse=True)
    model, other = clone(estimator), clone(estimator)
    kept = X.copy()
    outcome = outcome_of(lambda: model.fit(X, y))
    other_outcome = outcome_of(lambda: form.fit(other, X, codes, classes))
    found = [] if np.array_equal(X, kept) else ["the rows were changed"]
    if outcome != other_outcome:
        return [*found, f"{outcome} by fit, {other_outcome} by the lean form"]
    if outcome[0]:
        return found
    found += [f"vars: {path}" for path in unlike(vars(model), vars(other))]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        seen = answer_or_error(form.look, other, X_new)
        if seen.dtype.kind == "U":
            return found + errors_unlike(form, model, X_new, seen)
        kept = seen.copy()
        for method in form.methods:
            expected = answer_or_error(getattr(model, method), X_new)
            answer = answer_or_error(form.answer, other, seen, method)
            tolerance = 0 if method == "predict" else form.tolerance
            if not agree(expected, answer, tolerance):
                found.append(f"answers of {method}")
    if not np.array_equal(seen, kept, equal_nan=True):
        found.append("what was seen has changed")
    return found


def outcome_of(call):
    """Return the error of a call, or None, and its warnings."""
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        try:
            call()
            error = None
        except Exception as raised:
            error = type(raised), str(raised)
    texts = {(w.category, str(w.message)) for w in caught}
    return error, {text for text in texts if not text[1].startswith(MANY_CLASSES)}


def errors_unlike(form, model, X_new, error):
    """Return which methods raise no or another error than the look of the lean form."""
    answers = {
        method: answer_or_error(getattr(model, method), X_new)
        for method in form.methods
    }
    return [
        f"error of {method}"
        for method, answer in answers.items()
        if not np.array_equal(answer, error)
    ]


def answer_or_error(call, *args):
    """Return what a call returns, or its error as an array."""
    try:
        return call(*args)
    except Exception as raised:
        return np.array([type(raised).__name__, str(raised)])


def agree(expected, answer, tolerance):
    """Return whether answers have the same type, and values within a tolerance."""
    if expected.dtype != answer.dtype or expected.shape != answer.shape:
        return False
    if not tolerance or expected.dtype.kind != "f":
        return np.array_equal(expected, answer, equal_nan=expected.dtype.kind == "f")
    finite = np.isfinite(expected)
    if not np.array_equal(finite, np.isfinite(answer)):
        return False
    scale = max(1e-300, np.abs(expected[finite]).max(initial=0))
    return np.abs(expected - answer)[finite].max(initial=0) <= tolerance * scale


def unlike(one, other, path=""):
    """Return the paths of all values in which two objects differ, to the bit."""
    if type(one) is not type(other):
        return [f"{path}: {type(one)} and {type(other)}"]
    if isinstance(one, np.ndarray):
        if one.dtype.names:
            return unlike(
                {n: one[n] for n in one.dtype.names},
                {n: other[n] for n in other.dtype.names},
                path,
            )
        equal = one.dtype == other.dtype and one.shape == other.shape
        nan = one.dtype.kind == "f"
        return [] if equal and np.array_equal(one, other, equal_nan=nan) else [path]
    if isinstance(one, dict):
        if list(sorted(one)) != list(sorted(other)):
            return [f"{path}: {set(one) ^ set(other)}"]
        return [p for key in one for p in unlike(one[key], other[key], f"{path}.{key}")]
    if isinstance(one, (list, tuple)):
        if len(one) != len(other):
            return [f"{path}: lengths"]
        pairs = enumerate(zip(one, other, strict=True))
        return [p for i, pair in pairs for p in unlike(*pair, f"{path}[{i}]")]
    if isinstance(one, BaseEstimator):
        return unlike(vars(one), vars(other), path)
    if hasattr(one, "__getstate__") and type(one).__module__.startswith("sklearn"):
        return unlike(one.__getstate__(), other.__getstate__(), path)
    return [] if one == other or (one != one and other != other) else [path]
