"""The oracle and its rivals on digits: 2,000 steps, five seeds, 100 random orders."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skal import (
    ActiveLearner,
    AnnealingOracle,
    LeastConfidence,
    Margin,
    MaxEntropy,
    Random,
    optimism,
)

N_ROUNDS = 8


def run(strategy, seed):
    X, y = load_digits(return_X_y=True)
    learner = ActiveLearner(
        make_pipeline(StandardScaler(), LogisticRegression()),
        strategy,
        batch_size=20,
        n_rounds=N_ROUNDS,
        warm_size=40,
        val_size=478,
        test_size=479,  # which leaves a pool of 800
        random_state=seed,
    )
    return learner.fit(X, y)


@pytest.mark.parametrize("seed", range(5))
def test_the_oracle_beats_random_orders_and_every_heuristic(seed):
    oracle = run(AnnealingOracle(n_steps=2000, proposal="uniform"), seed)
    search = oracle.strategy_
    runs = [run(Random(random_state=i), seed) for i in range(100)]
    randoms = [random.quality_ for random in runs]
    on_val = np.mean([random.validation_quality_ for random in runs])
    luck = optimism(
        oracle.validation_quality_, oracle.quality_, on_val, np.mean(randoms)
    )
    rivals = {
        type(strategy).__name__: run(strategy, seed).quality_
        for strategy in (MaxEntropy(), LeastConfidence(), Margin())
    }
    n_steps = len(search.history_["step"]) - 1
    per_step = (search.n_trainings_ - N_ROUNDS) / n_steps
    expected = 5 * (N_ROUNDS + 1) / 12
    print(
        f"\nseed {seed}: oracle {oracle.quality_:.4f} "
        f"(validation {oracle.validation_quality_:.4f}), "
        f"random {np.mean(randoms):.4f} (best {max(randoms):.4f}; validation "
        f"{on_val:.4f}), luck {luck:.4f}, "
        + ", ".join(f"{name} {value:.4f}" for name, value in rivals.items())
        + f"; {per_step:.3f} trainings per step, {per_step / expected - 1:+.1%} of 3.75"
    )
    assert oracle.quality_ >= np.mean(randoms) + 0.02
    assert oracle.quality_ > max(rivals.values())
    assert per_step == pytest.approx(expected, rel=0.04)
