"""What a training and a search cost in the code of the paper's authors."""

from itertools import combinations

import numpy as np
import original_cost
import original_cost_page
import pytest
from lines import append


def brute_force(n_rounds, batch_size):
    """Return the mean number of new prefixes per round: as tuples, and as sets."""
    n = n_rounds * batch_size
    order = list(range(n))

    def trained(new):
        ends = range(batch_size, n + 1, batch_size)
        as_tuples = [order[:end] != new[:end] for end in ends]
        as_sets = [set(order[:end]) != set(new[:end]) for end in ends]
        return as_tuples, as_sets

    def exchanged(i, j):
        new = [*order]
        new[i], new[j] = new[j], new[i]
        return trained(new)

    replaced = [trained([*order[:i], n, *order[i + 1 :]]) for i in range(n)]
    pairs = combinations(range(n), 2)
    swapped = [exchanged(i, j) for i, j in pairs if i // batch_size != j // batch_size]
    counts = [np.mean(moves, axis=0) for moves in (replaced, swapped)]
    return np.mean(counts, axis=0)


@pytest.mark.parametrize(("n_rounds", "batch_size"), [(2, 1), (3, 2), (8, 3)])
def test_trainings_of_a_step_are_those_of_all_moves(n_rounds, batch_size):
    found = original_cost_page.changed(n_rounds)
    np.testing.assert_allclose(found, brute_force(n_rounds, batch_size))


def test_a_training_of_a_step_costs_what_its_sizes_cost():
    chances = original_cost_page.changed(8)[0]
    sizes = 40 + 20 * np.arange(1, 9)
    costs = {n: 0.5 + 0.01 * n for n in (120, 200)}
    n_trainings, cost = original_cost_page.step(chances, "intent_classification", costs)
    assert n_trainings == pytest.approx(5.25)
    assert cost == pytest.approx(0.5 + 0.01 * np.average(sizes, weights=chances))
    constant = original_cost_page.step(chances, "intent_classification", {200: 3.0})
    assert constant == pytest.approx((5.25, 3.0))


def test_tables_compare_means_over_the_same_sets(tmp_path):
    path, case = tmp_path / "runs.csv", ["intent_classification", "lstm"]
    for n_rows, factor in ((120, 1), (200, 2)):
        for way, sets, seconds in [
            *[("original", "0", 6), ("original", "1", 10), ("fit", "0", 2)],
            *[("fit", "1", 2), ("side by side", "0-7", 1.0)],
        ]:
            values = [1, factor * seconds, 0.5, 40]
            row = [*case, n_rows, 0, way, sets, *values]
            append(path, original_cost.COLUMNS, row)
    found = original_cost_page.gather(path)
    first, second = original_cost_page.trainings(found)
    assert first[2:6] == ["8.00 s", "2.00 s", "1.000 s (8 sets)", "4.0, 8.0"]
    assert second[2:6] == ["16.00 s", "4.00 s", "2.000 s (8 sets)", "4.0, 8.0"]
    original, own = original_cost_page.searches(found)
    assert original[1] == "5.25"
    assert own[1] == "3.75"
    hours = [float(row[2]) * float(row[1]) * 30_000 / 3600 for row in (original, own)]
    assert [float(row[3]) for row in (original, own)] == pytest.approx(hours, rel=0.01)


def test_sizes_of_sets_are_read():
    assert [original_cost.size(text) for text in ("3", "0-15")] == [1, 16]


def test_a_folder_without_the_code_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="has no trainer"):
        original_cost.imported(tmp_path, {})


def test_the_code_is_imported_with_stand_ins_that_do_not_stay(tmp_path):
    (tmp_path / "trainer.py").write_text(
        "import missing_package\nx = missing_package.y"
    )
    module = original_cost.imported(tmp_path, {"missing_package": {"y": 3}})
    assert module.x == 3
    with pytest.raises(ImportError):
        __import__("missing_package")
