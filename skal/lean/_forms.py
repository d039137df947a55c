"""Which classifiers have a lean form."""

from typing import Any

from sklearn import get_config
from sklearn.pipeline import Pipeline

from skal.lean._copies import is_of_sklearn
from skal.lean._discriminant import LeanDiscriminant
from skal.lean._forest import LeanDecisionTree, LeanExtraTrees, LeanRandomForest
from skal.lean._form import LeanForm
from skal.lean._logistic import LeanLogisticRegression
from skal.lean._naive_bayes import LeanGaussianNB
from skal.lean._nearest_centroid import LeanNearestCentroid
from skal.lean._neighbours import LeanKNeighbors
from skal.lean._ridge import LeanRidgeClassifier
from skal.lean._svc import LeanSVC

FORMS: dict[type, LeanForm] = {
    form.kind: form
    for form in (
        LeanDecisionTree(),
        LeanDiscriminant(),
        LeanExtraTrees(),
        LeanGaussianNB(),
        LeanKNeighbors(),
        LeanLogisticRegression(),
        LeanNearestCentroid(),
        LeanRandomForest(),
        LeanRidgeClassifier(),
        LeanSVC(),
    )
}
# Settings of scikit-learn that change what its estimators return.
USUAL = {"transform_output": "default", "array_api_dispatch": False}


def steps_of(estimator: Any) -> list[Any]:
    """Return the steps of a Pipeline, or an estimator as the only step."""
    if type(estimator) is Pipeline:
        return [step for _, step in estimator.steps]
    return [estimator]


def form_of(estimator: Any) -> LeanForm | None:
    """Return the lean form of an estimator.

    Parameters
    ----------
    estimator : estimator
        A classifier, or a Pipeline of scikit-learn's own transformers that ends in one.
        Fitted or not.

    Returns
    -------
    LeanForm or None
        None if it has none: it is of another class, has other parameters, has
        callbacks, or calls code of the user's.
    """
    last = steps_of(estimator)[-1]
    form = FORMS.get(type(last))
    if form is None or hasattr(last, "_skl_callbacks") or not form.suits(last):
        return None
    if any(get_config()[name] != value for name, value in USUAL.items()):
        return None
    return form if last is estimator or _is_usual(estimator) else None


def _is_usual(pipeline: Pipeline) -> bool:
    """Return whether a Pipeline has no cache and no code of the user's."""
    params = pipeline.get_params(deep=True)
    is_plain = params["memory"] is None and not params["verbose"]
    return (
        is_plain
        and not params["transform_input"]
        and all(map(_is_known, params.values()))
    )


def _is_known(value: Any) -> bool:
    """Return whether a parameter neither is nor contains code of the user's."""
    if isinstance(value, list | tuple):
        return all(map(_is_known, value))
    if hasattr(value, "get_params"):
        return is_of_sklearn(value)
    # Such as the score function of a feature selection.
    module = getattr(value, "__module__", None) or ""
    return not callable(value) or module.startswith("sklearn.")
