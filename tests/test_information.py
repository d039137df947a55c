from itertools import product

import numpy as np
import pytest
from scipy.special import rel_entr

from skal.information import (
    batchbald,
    entropy,
    epig,
    joint_entropy,
    kl_to_consensus,
    mutual_information,
    variation_ratio,
    vote_entropy,
)
from skal.information._batchbald import _Outcomes


def make_probs(n_rows, n_samples=5, n_classes=3, sharpness=1.0, seed=0):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(n_classes) / sharpness, size=(n_rows, n_samples))


def plain_joint_entropy(probs_B_T_C):
    """Walk through all joint outcomes."""
    total = 0.0
    for labels in product(range(probs_B_T_C.shape[2]), repeat=len(probs_B_T_C)):
        per_sample = np.prod([p[:, c] for p, c in zip(probs_B_T_C, labels)], axis=0)  # noqa: B905
        p = per_sample.mean()
        total -= p * np.log(p) if p > 0 else 0.0
    return total


def plain_batchbald_value(probs_B_T_C):
    noise = entropy(probs_B_T_C).mean(axis=1).sum()
    return plain_joint_entropy(probs_B_T_C) - noise


def test_entropy_against_hand_computed_values():
    probs = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.25, 0.25, 0.5]]
    np.testing.assert_allclose(entropy(probs), [0.0, np.log(2), 1.5 * np.log(2)])


def test_entropy_against_the_plain_sum_and_leaves_its_input():
    probs = np.random.default_rng(0).dirichlet(np.ones(5), size=50)
    probs.setflags(write=False)
    plain = [-sum(p * np.log(p) for p in row) for row in probs]
    np.testing.assert_allclose(entropy(probs), plain)


def test_mutual_information_against_hand_computed_values():
    probs = [
        [[1.0, 0.0], [0.0, 1.0]],  # both sure, of different classes
        [[0.5, 0.5], [0.5, 0.5]],  # both unsure
        [[0.8, 0.2], [0.8, 0.2]],  # both the same
        [[1.0, 0.0], [0.5, 0.5]],
    ]
    mixed = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25)) - np.log(2) / 2
    np.testing.assert_allclose(
        mutual_information(probs), [np.log(2), 0, 0, mixed], atol=1e-12
    )


@pytest.mark.parametrize("max_bytes", [1, 2000, 2**27])
def test_mutual_information_is_the_same_in_any_memory(max_bytes):
    probs = make_probs(50)
    probs.setflags(write=False)
    expected = [plain_joint_entropy(row[None]) - entropy(row).mean() for row in probs]
    found = mutual_information(probs, max_bytes=max_bytes)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_information_is_never_negative():
    same = np.repeat(make_probs(200, 1, 10), 7, axis=1)
    assert (mutual_information(same) >= 0).all()
    assert (batchbald(same, 6)[1] >= 0).all()


def test_variation_ratio_against_counted_votes():
    probs = make_probs(100, 7, 4)
    for row, found in zip(probs, variation_ratio(probs), strict=True):
        votes = row.argmax(axis=1).tolist()
        most = max(votes.count(c) for c in range(4))
        assert found == pytest.approx(1 - most / 7)


@pytest.mark.parametrize("n_rows", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_joint_entropy_is_exact_while_it_fits(n_rows, dtype):
    for seed in range(5):
        probs = make_probs(n_rows, seed=seed).astype(dtype)
        probs[0, 0] = [1.0, 0.0, 0.0]
        found = joint_entropy(probs, n_configurations=3**n_rows, random_state=0)
        tolerance = 1e-10 if dtype == np.float64 else 1e-5
        assert found == pytest.approx(plain_joint_entropy(probs), abs=tolerance)


def test_joint_entropy_is_close_where_it_is_sampled():
    probs = make_probs(7, sharpness=3.0)
    exact = plain_joint_entropy(probs)
    found = [
        joint_entropy(probs, n_configurations=200, random_state=seed)
        for seed in range(30)
    ]
    assert np.std(found) > 0
    # The mean of 30 is within five standard errors of the truth.
    assert abs(np.mean(found) - exact) < 5 * np.std(found) / np.sqrt(30) + 1e-3
    assert np.std(found) < 0.03 * exact


def test_joint_entropy_depends_on_its_seed_alone(global_state):
    probs, before = make_probs(9), global_state()

    def found(seed):
        return joint_entropy(probs, n_configurations=50, random_state=seed)

    assert found(0) == found(0) != found(1)
    assert global_state() == before


def test_beliefs_are_the_posterior():
    probs = make_probs(2, n_samples=4)
    outcomes = _Outcomes(4, np.float64)
    for row in probs:
        outcomes.extend(row, 100, None)
    assert outcomes.weight_M.sum() == pytest.approx(1)
    expected = np.einsum("tc,td->cdt", *probs).reshape(9, 4) / 4
    np.testing.assert_allclose(outcomes.weight_M, expected.sum(axis=1))
    np.testing.assert_allclose(
        outcomes.belief_M_T, expected / expected.sum(axis=1, keepdims=True)
    )


def test_batchbald_against_a_plain_greedy_walk():
    for seed in range(10):
        probs = make_probs(12, n_samples=4, sharpness=3.0, seed=seed)
        rows, gains = batchbald(probs, 4)
        taken, value = [], 0.0
        for row, gain in zip(rows.tolist(), gains, strict=True):
            values = {
                r: plain_batchbald_value(probs[[*taken, r]])
                for r in range(12)
                if r not in taken
            }
            assert values[row] == pytest.approx(max(values.values()), abs=1e-9)
            assert gain == pytest.approx(values[row] - value, abs=1e-9)
            taken, value = [*taken, row], values[row]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_configurations", [50, 1000])
@pytest.mark.parametrize("seed", range(8))
def test_lazy_picks_what_full_greedy_picks(seed, n_configurations, dtype):
    probs = make_probs(300, 10, 5, sharpness=4.0, seed=seed).astype(dtype)
    kwargs = {"n_configurations": n_configurations, "random_state": seed}
    lazy, lazy_gains = batchbald(probs, 12, **kwargs)
    full, full_gains = batchbald(probs, 12, **kwargs, lazy=False)
    assert lazy.tolist() == full.tolist()
    np.testing.assert_allclose(lazy_gains, full_gains, atol=2e-6)


def test_lazy_looks_at_few_rows(monkeypatch):
    seen = []
    plain = _Outcomes._conditional_entropy

    def watch(self, probs_N_T_C):
        if len(self.weight_M) == 500:
            seen.append(len(probs_N_T_C))
        return plain(self, probs_N_T_C)

    monkeypatch.setattr(_Outcomes, "_conditional_entropy", watch)
    batchbald(make_probs(2000, 10, 5, sharpness=4.0), 10, n_configurations=500)
    assert sum(seen) < 0.25 * 10 * 2000


def test_a_twin_of_a_sure_row_is_picked_last():
    sure = np.eye(3)[np.random.default_rng(0).integers(3, size=(5, 8))]
    probs = np.repeat(sure, 2, axis=0)
    rows, gains = batchbald(probs, 10)
    n_informative = np.count_nonzero(gains)
    assert len(set(rows[:n_informative] // 2)) == n_informative
    assert gains.sum() == pytest.approx(plain_joint_entropy(sure))


def test_merged_outcomes_bound_the_entropy_from_above():
    rng = np.random.default_rng(0)
    for seed in range(5):
        probs = make_probs(200, 8, 4, sharpness=3.0, seed=seed)
        outcomes = _Outcomes(8, np.float64)
        for row in probs[:6]:
            outcomes.extend(row, 300, rng)
        merged = outcomes.merged()
        assert len(merged.weight_M) <= 24
        np.testing.assert_allclose(merged.belief_M_T.sum(axis=1), 1)
        bound = merged.conditional_entropy(probs)
        assert (bound >= outcomes.conditional_entropy(probs) - 1e-12).all()


def test_batchbald_of_one_is_bald():
    probs = make_probs(100)
    rows, gains = batchbald(probs, 1)
    bald = mutual_information(probs)
    assert rows[0] == bald.argmax()
    assert gains[0] == pytest.approx(bald.max())


@pytest.mark.parametrize("max_bytes", [1, 10_000])
def test_batchbald_is_the_same_in_any_memory_and_leaves_its_input(max_bytes):
    probs = make_probs(60, sharpness=3.0)
    probs.setflags(write=False)
    expected = batchbald(probs, 6, n_configurations=30, random_state=0)[0]
    found = batchbald(
        probs, 6, n_configurations=30, random_state=0, max_bytes=max_bytes
    )[0]
    assert found.tolist() == expected.tolist()


def test_all_rows_and_none_can_be_picked():
    probs = make_probs(5)
    assert sorted(batchbald(probs, 5)[0].tolist()) == list(range(5))
    assert batchbald(probs, 0)[0].shape == (0,)
    with pytest.raises(ValueError, match="number of rows, 5, got 6"):
        batchbald(probs, 6)
    with pytest.raises(ValueError, match="have the shape"):
        batchbald(probs[0], 1)


# Committees


def test_kl_to_consensus_is_the_mutual_information():
    for seed, dtype in product(range(5), (np.float64, np.float32)):
        probs = make_probs(30, 7, 4, sharpness=3.0, seed=seed).astype(dtype)
        probs[:3, :, 0] = 0  # a class that no member thinks possible
        probs[:3] /= probs[:3].sum(axis=2, keepdims=True)
        plain = [
            np.mean([sum(rel_entr(p, row.mean(axis=0))) for p in row])
            for row in probs.astype(np.float64)
        ]
        np.testing.assert_allclose(kl_to_consensus(probs), plain, atol=1e-12)
        np.testing.assert_allclose(
            kl_to_consensus(probs), mutual_information(probs), atol=1e-7
        )
        for max_bytes in (1, 5000):
            small = kl_to_consensus(probs, max_bytes=max_bytes)
            np.testing.assert_array_equal(small, kl_to_consensus(probs))


def test_vote_entropy_against_counted_votes():
    for seed in range(5):
        probs = make_probs(40, 7, 4, seed=seed)
        expected = []
        for row in probs:
            shares = np.bincount(row.argmax(axis=1), minlength=4) / 7
            expected.append(-sum(p * np.log(p) for p in shares if p > 0))
        np.testing.assert_allclose(vote_entropy(probs), expected, atol=1e-12)
        assert vote_entropy(probs).max() <= np.log(4)


# Expected predictive information gain


def plain_epig(probs_N_T_C, targets_J_T_C):
    """Sum over the labels of a row and a target, as in the paper."""
    found = np.zeros((len(probs_N_T_C), len(targets_J_T_C)))
    for i, row in enumerate(probs_N_T_C):
        for j, target in enumerate(targets_J_T_C):
            for c, d in product(range(row.shape[1]), range(target.shape[1])):
                joint = np.mean(row[:, c] * target[:, d])
                alone = np.mean(row[:, c]) * np.mean(target[:, d])
                found[i, j] += joint * np.log(joint / alone) if joint > 0 else 0.0
    return found.mean(axis=1)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("max_bytes", [1, 3000, 2**27])
def test_epig_against_a_sum_over_labels(seed, max_bytes):
    probs = make_probs(12, 6, 3, sharpness=4.0, seed=seed)
    targets = make_probs(5, 6, 3, sharpness=4.0, seed=seed + 100)
    probs[0] = probs[0, 0]  # samples that agree tell nothing
    targets[0] = [1, 0, 0]
    found = epig(probs, targets, max_bytes=max_bytes)
    np.testing.assert_allclose(found, plain_epig(probs, targets), atol=1e-12)
    assert found[0] == pytest.approx(0, abs=1e-12)
    single = epig(probs.astype(np.float32), targets.astype(np.float32))
    np.testing.assert_allclose(single, found, atol=1e-6)


def test_epig_is_at_most_bald():
    probs = make_probs(50, 8, 4, sharpness=3.0)
    assert (epig(probs, probs[:20]) <= mutual_information(probs) + 1e-12).all()


def test_epig_of_targets_from_other_models_is_refused():
    probs = make_probs(4, 6, 3)
    for targets in (make_probs(4, 5, 3), make_probs(4, 6, 2), probs[:0]):
        with pytest.raises(ValueError, match=r"must have shape \(n_targets, 6, 3\)"):
            epig(probs, targets)
    with pytest.raises(ValueError, match="must be numbers, got NaN"):
        epig(probs, np.full((2, 6, 3), np.nan))
