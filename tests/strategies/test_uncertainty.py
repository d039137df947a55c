import numpy as np
import pytest

from skal import LeastConfidence, Margin, MaxEntropy


class Mock:
    """A model with given class probabilities."""

    def __init__(self, probs):
        self.probs = np.array(probs)

    def predict_proba(self, X):
        return self.probs[np.asarray(X).ravel()]


PROBS = [
    [0.5, 0.5, 0.0],  # smallest margin
    [0.4, 0.3, 0.3],  # highest entropy, least confidence
    [0.6, 0.2, 0.2],
    [0.55, 0.45, 0.0],
    [1.0, 0.0, 0.0],
]
ROWS = np.arange(5)[:, None]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        # Entropies: 0.693, 1.089, 0.950, 0.688, 0.
        (MaxEntropy(), [1, 2, 0, 3, 4]),
        # Highest probabilities: 0.5, 0.4, 0.6, 0.55, 1.
        (LeastConfidence(), [1, 0, 3, 2, 4]),
        # Margins: 0, 0.1, 0.4, 0.1 (a hair less than row 1's), 1.
        (Margin(), [0, 1, 3, 2, 4]),
    ],
)
def test_ranking_against_hand_computed_values(strategy, expected):
    chosen = strategy.fit(ROWS).select(Mock(PROBS), ROWS, 5)
    if isinstance(strategy, Margin):
        assert set(chosen[1:3].tolist()) == {1, 3}
        chosen[1:3] = [1, 3]
    assert chosen.tolist() == expected


def test_two_classes_rank_alike():
    rng = np.random.default_rng(0)
    p = rng.random(30)
    model, rows = Mock(np.column_stack([p, 1 - p])), np.arange(30)[:, None]
    rankings = {
        tuple(strategy.fit(rows).select(model, rows, 30).tolist())
        for strategy in (MaxEntropy(), LeastConfidence(), Margin())
    }
    assert rankings == {tuple(np.argsort(abs(p - 0.5)).tolist())}


@pytest.mark.parametrize("strategy", [MaxEntropy(), LeastConfidence(), Margin()])
def test_a_single_class_is_a_tie(strategy):
    model = Mock(np.ones((8, 1)))
    rows = np.arange(8)[:, None]
    choices = {
        tuple(strategy.set_params(random_state=seed).fit(rows).select(model, rows, 8))
        for seed in range(5)
    }
    assert len(choices) > 1


def test_selection_against_a_full_sort():
    rng = np.random.default_rng(1)
    for _ in range(50):
        probs = rng.multinomial(10, rng.dirichlet(np.ones(3)), 40) / 10  # many ties
        rows = np.arange(40)[:, None]
        strategy = LeastConfidence(random_state=0).fit(rows)
        everything = strategy.select(Mock(probs), rows, 40)
        value = 1 - probs.max(axis=1)[everything]
        assert (np.diff(value) <= 0).all()
        for n in (1, 7, 39):
            assert strategy.select(Mock(probs), rows, n).tolist() == (
                everything[:n].tolist()
            )


def test_candidates_limit_the_choice():
    strategy = MaxEntropy().fit(ROWS)
    chosen = strategy.select(Mock(PROBS), ROWS, 2, candidates=[4, 3, 0])
    assert chosen.tolist() == [0, 3]
