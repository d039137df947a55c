"""A guided search against a uniform one for regressors, at equal trainings.

Three data sets, three models, five seeds. Prints the mean quality on validation, where
both search, and on test.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from skal import ActiveLearner, AnnealingOracle, Random

N_TRAININGS, N_SEEDS = 300, 5
# Steps that a uniform search has time for: it trains on about three sets in a step.
N_STEPS = N_TRAININGS * 5 // 6 // 3


def make_housing(n: int = 600, seed: int = 7) -> tuple[NDArray, NDArray]:
    """Return generated prices of houses: skewed, capped, higher near two cities."""
    rng = np.random.default_rng(seed)
    income, age = rng.lognormal(1.2, 0.45, n), rng.uniform(1, 52, n)
    rooms = rng.normal(5.4, 1, n).clip(1) + 0.3 * income
    latitude = rng.choice([34, 37.5], n) + rng.normal(0, 0.5, n)
    longitude = -121 + 0.7 * (36 - latitude) + rng.normal(0, 0.4, n)
    occupants = rng.lognormal(1, 0.2, n)
    near = sum(
        np.exp(-((latitude - a) ** 2 + (longitude - b) ** 2) / 0.4)
        for a, b in ((34, -118.3), (37.6, -122.2))
    )
    price = 0.45 * income + 1.2 * near + 0.004 * age - 0.25 * occupants
    price += 0.1 * rooms + 0.002 * income * age
    columns = income, age, rooms, latitude, longitude, occupants
    return np.column_stack(columns), (price * np.exp(rng.normal(0, 0.2, n))).clip(
        0.15, 5
    )


DATA: dict[str, Callable[[], tuple[NDArray, NDArray]]] = {
    "diabetes": lambda: load_diabetes(return_X_y=True),
    "friedman1": lambda: make_friedman1(400, noise=1.0, random_state=0),
    "housing": make_housing,
}
SCALED_SVR = TransformedTargetRegressor(SVR(C=3.0), transformer=StandardScaler())
MODELS = {
    "ridge": make_pipeline(StandardScaler(), Ridge(1.0)),
    "svr": make_pipeline(StandardScaler(), SCALED_SVR),
    "forest": RandomForestRegressor(8, min_samples_leaf=2),
}
SEARCHES = {
    "random": Random(),
    "uniform": AnnealingOracle(
        proposal="uniform", n_steps=N_STEPS, max_trainings=N_TRAININGS
    ),
    "guided": AnnealingOracle(max_trainings=N_TRAININGS),
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("data", DATA)
def test_guided_against_uniform(data: str, model: str) -> None:
    X, y = DATA[data]()
    found: dict[str, Any] = {name: [] for name in SEARCHES}
    for seed in range(N_SEEDS):
        for name, strategy in SEARCHES.items():
            learner = ActiveLearner(
                MODELS[model],
                strategy,
                batch_size=5,
                n_rounds=8,
                warm_size=10,
                random_state=seed,
            ).fit(X, y)
            found[name].append((learner.validation_quality_, learner.quality_))
    print(f"\n{data} {model}: mean R2 on validation and test over {N_SEEDS} seeds")
    for name, qualities in found.items():
        print("  {:8} {:7.3f} {:7.3f}".format(name, *np.mean(qualities, axis=0)))
    gains = np.subtract(found["guided"], found["uniform"])[:, 0]
    assert gains.mean() > 0
