"""The runs that came with the paper, as skal ships them."""

from collections import Counter

import numpy as np
import pytest

from skal.datasets import load_published_runs

# Number of rows in the pool, of rows in an order, and of rounds.
SIZES = {
    "object_classification": (2000, 300, 12),
    "intent_classification": (800, 160, 8),
    "named_entity_recognition": (1000, 250, 10),
}


@pytest.mark.parametrize("task", SIZES)
def test_orders_are_distinct_rows_of_the_pool(task):
    n_pool, n_rows, n_rounds = SIZES[task]
    for run in load_published_runs(task):
        assert run.task == task
        assert run.on in ("valid", "test")
        assert run.curve.shape == (n_rounds + 1,)
        assert 0 < run.curve.min() < run.curve.max() < 1
        assert (run.order is None) == (run.strategy == "random")
        if run.order is not None:
            assert run.order.shape == (n_rows,)
            assert len(np.unique(run.order)) == n_rows
            assert 0 <= run.order.min() < run.order.max() < n_pool


def quality(task, strategy, model):
    """Return the mean quality of a strategy's own orders on test."""
    runs = load_published_runs(task)
    chosen = [
        r for r in runs if (r.strategy, r.model, r.on) == (strategy, model, "test")
    ]
    return np.mean([r.curve.mean() for r in chosen if r.is_own])


@pytest.mark.parametrize(
    ("task", "strategy", "model", "printed"),
    [
        ("object_classification", "optimal", "cnn", 0.761),
        ("object_classification", "max-entropy", "cnn", 0.682),
        ("object_classification", "random", "cnn", 0.698),
        ("intent_classification", "optimal", "lstm", 0.887),
        ("named_entity_recognition", "optimal", "lstm", 0.839),
        ("named_entity_recognition", "min-confidence", "lstm", 0.811),
    ],
)
def test_qualities_are_those_printed_in_table_2(task, strategy, model, printed):
    assert quality(task, strategy, model) == pytest.approx(printed, abs=0.0015)


def test_all_runs_are_those_of_the_tasks():
    runs = load_published_runs()
    assert len(runs) == 261
    assert Counter(run.task for run in runs) == {
        task: len(load_published_runs(task)) for task in SIZES
    }
    orders = {run.order.tobytes() for run in runs if run.order is not None}
    assert len(orders) == 93


def test_an_optimal_order_is_followed_with_other_seeds_and_models():
    runs = load_published_runs("intent_classification")
    optimal = [r for r in runs if r.strategy == "optimal" and r.on == "test"]
    seeds = {(r.source_seed, r.seed) for r in optimal if r.model == "lstm"}
    assert seeds >= {(source, seed) for source in range(5) for seed in range(5)}
    models = {(r.source_model, r.model) for r in optimal}
    assert len(models) == 16
    orders = {}
    for run in optimal:
        source = run.source_model, run.source_seed
        order = orders.setdefault(source, run.order)
        np.testing.assert_array_equal(run.order, order)


def test_dropout_shows_in_the_first_score():
    runs = load_published_runs("object_classification")
    first = {(r.dropout, r.seed, r.on): r.curve[0] for r in runs if r.order is not None}
    for run in runs:
        if run.order is not None and run.dropout is False:
            assert run.curve[0] == first[False, run.seed, run.on]
    assert {r.dropout for r in runs if r.strategy == "batchbald"} == {True}


def test_a_caller_may_change_what_it_got():
    first = load_published_runs("named_entity_recognition")[0]
    first.order[:] = 0
    again = load_published_runs("named_entity_recognition")[0]
    assert len(np.unique(again.order)) == 250


def test_unknown_tasks_are_refused():
    with pytest.raises(ValueError, match="'task' parameter of load_published_runs"):
        load_published_runs("oc")
