import numpy as np

from skal.information import entropy


def test_entropy_against_hand_computed_values():
    probs = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.25, 0.25, 0.5]]
    np.testing.assert_allclose(entropy(probs), [0.0, np.log(2), 1.5 * np.log(2)])


def test_entropy_against_the_plain_sum_and_leaves_its_input():
    probs = np.random.default_rng(0).dirichlet(np.ones(5), size=50)
    probs.setflags(write=False)
    plain = [-sum(p * np.log(p) for p in row) for row in probs]
    np.testing.assert_allclose(entropy(probs), plain)
