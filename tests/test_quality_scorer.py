"""A grid search over strategies ranks them by xi-quality, if it is asked to."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skal import ActiveLearner, Margin, Random, quality_scorer


def learner():
    return ActiveLearner(
        GaussianNB(), Random(), batch_size=3, n_rounds=3, random_state=0
    )


def test_a_grid_search_ranks_qualities(blobs):
    grid = GridSearchCV(
        learner(),
        {"strategy": [Random(), Margin()]},
        scoring={"quality": quality_scorer, "final": "accuracy"},
        refit="quality",
        cv=2,
    ).fit(*blobs)
    found = cross_validate(
        learner().set_params(strategy=Margin()),
        *blobs,
        scoring=quality_scorer,
        cv=2,
        return_estimator=True,
    )
    qualities = [one.quality_ for one in found["estimator"]]
    np.testing.assert_array_equal(found["test_score"], qualities)
    assert grid.cv_results_["mean_test_quality"][1] == pytest.approx(np.mean(qualities))
    finals = grid.cv_results_["mean_test_final"]
    assert not np.allclose(finals, grid.cv_results_["mean_test_quality"])
    assert quality_scorer(grid.best_estimator_) == grid.best_estimator_.quality_


def test_a_learner_may_be_the_last_step_of_a_pipeline(blobs):
    pipeline = make_pipeline(StandardScaler(), learner()).fit(*blobs)
    assert quality_scorer(pipeline, *blobs) == pipeline[-1].quality_


def test_another_estimator_is_refused(blobs):
    with pytest.raises(TypeError, match="a fitted ActiveLearner, got GaussianNB"):
        quality_scorer(GaussianNB().fit(*blobs))
