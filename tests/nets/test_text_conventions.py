"""What scikit-learn asks of estimators, of those that take text.

Its own generator of checks passes over them: the checks here need no rows.
"""

import pytest

pytest.importorskip("torch", reason="torch is an extra")
pytest.importorskip("skorch", reason="skorch is an extra")

from sklearn.base import is_classifier
from sklearn.utils import estimator_checks, get_tags

from skal.nets import (
    BiLSTMClassifier,
    BiLSTMTagger,
    EmbeddingBagClassifier,
    TextCNNClassifier,
    TransformerClassifier,
    Vocabulary,
)

CLASSIFIERS = [
    BiLSTMClassifier,
    BiLSTMTagger,
    EmbeddingBagClassifier,
    TextCNNClassifier,
    TransformerClassifier,
]


@pytest.mark.parametrize("estimator", [*CLASSIFIERS, Vocabulary])
@pytest.mark.parametrize(
    "check",
    [
        "check_parameters_default_constructible",
        "check_get_params_invariance",
        "check_set_params",
        "check_no_attributes_set_in_init",
        "check_do_not_raise_errors_in_init_or_set_params",
        "check_estimator_cloneable",
        "check_estimator_repr",
        "check_valid_tag_types",
    ],
)
def test_the_conventions_of_scikit_learn(estimator, check):
    getattr(estimator_checks, check)(estimator.__name__, estimator())


@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_it_is_taken_for_a_classifier_of_text(classifier):
    tags = get_tags(classifier()).input_tags
    assert is_classifier(classifier())
    assert tags.string
    assert not tags.two_d_array
