"""MaxVariance: the variance over members, or the one that a regressor returns."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import make_friedman1
from sklearn.ensemble import (
    BaggingRegressor,
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingRegressor,
)
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.linear_model import ARDRegression, BayesianRidge, LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skal import MaxVariance

X, Y = make_friedman1(80, noise=0.5, random_state=0)
TWO = np.column_stack([Y, X[:, 0]])
KERNEL = RBF(length_scale=np.ones(10)) + WhiteKernel()
STD = [
    BayesianRidge(),
    ARDRegression(),
    GaussianProcessRegressor(KERNEL, optimizer=None, random_state=0),
]
COMMITTEES = [
    RandomForestRegressor(8, random_state=0),
    ExtraTreesRegressor(8, bootstrap=True, random_state=0),
    BaggingRegressor(
        KNeighborsRegressor(3), 8, max_features=0.5, max_samples=15, random_state=0
    ),
    BaggingRegressor(make_pipeline(StandardScaler(), Ridge()), 8, random_state=0),
    VotingRegressor([("a", Ridge()), ("b", KNeighborsRegressor())]),
]


def ranking(model, rows=X, n=30):
    return MaxVariance(random_state=0).fit(rows).select(model, rows, n).tolist()


def highest(values, n=30):
    return np.argsort(-values, kind="stable")[:n].tolist()


@pytest.mark.parametrize("model", STD, ids=lambda model: type(model).__name__)
def test_the_std_that_predict_returns(model):
    model = model.fit(X[:30], Y[:30])
    assert ranking(model) == highest(model.predict(X, return_std=True)[1])


@pytest.mark.parametrize("model", COMMITTEES, ids=lambda model: type(model).__name__)
def test_the_variance_over_members(model):
    model = model.fit(X[:30], Y[:30])
    columns = getattr(model, "estimators_features_", [np.arange(10)] * 8)
    found = [
        member.predict(X[:, own])
        for member, own in zip(model.estimators_, columns, strict=False)
    ]
    variance = np.mean((found - np.mean(found, axis=0)) ** 2, axis=0)
    picked = ranking(model)
    assert np.allclose(variance[picked], np.sort(variance)[::-1][:30])


@pytest.mark.parametrize(
    "model", [*STD, *COMMITTEES], ids=lambda model: type(model).__name__
)
def test_inside_a_pipeline_and_a_search(model):
    scaled = StandardScaler().fit(X[:30])
    inner = model.fit(scaled.transform(X[:30]), Y[:30])
    expected = ranking(inner, scaled.transform(X))
    pipeline = make_pipeline(StandardScaler(), model).fit(X[:30], Y[:30])
    assert ranking(pipeline) == expected
    search = GridSearchCV(make_pipeline(StandardScaler(), model), {}, cv=3)
    assert ranking(search.fit(X[:30], Y[:30])) == expected


@pytest.mark.parametrize(
    "model",
    [
        RandomForestRegressor(8, random_state=0),
        GaussianProcessRegressor(KERNEL, optimizer=None),
    ],
)
def test_variances_are_summed_over_outputs(model):
    model = model.fit(X[:30], TWO[:30])
    if isinstance(model, RandomForestRegressor):
        found = [tree.predict(X) for tree in model.estimators_]
        variance = np.var(found, axis=0).sum(axis=1)
    else:
        variance = (model.predict(X, return_std=True)[1] ** 2).sum(axis=1)
    assert np.allclose(variance[ranking(model)], np.sort(variance)[::-1][:30])


@pytest.mark.parametrize("container", [pd.DataFrame, sparse.csr_matrix])
def test_containers_of_rows(container):
    rows = container(X)
    model = RandomForestRegressor(8, random_state=0).fit(rows[:30], Y[:30])
    variance = np.var([tree.predict(X) for tree in model.estimators_], axis=0)
    assert np.allclose(variance[ranking(model, rows)], np.sort(variance)[::-1][:30])


@pytest.mark.parametrize(
    "model",
    [LinearRegression(), GradientBoostingRegressor(), RandomForestClassifier(5)],
)
def test_a_model_that_shows_no_uncertainty_is_refused(model):
    model = model.fit(X, Y > 15)
    message = r"needs the variance of its predicted numbers, .*BaggingRegressor makes"
    with pytest.raises(TypeError, match=message):
        ranking(model)
