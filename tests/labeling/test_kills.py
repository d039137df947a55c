"""A simulated annotator that is killed at random moments loses nothing."""

import multiprocessing
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "benchmarks" / "bench_labeling_kills.py"


@pytest.fixture(scope="module")
def bench():
    spec = spec_from_file_location("bench_labeling_kills", BENCH)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_nothing_is_lost_by_kills(bench, tmp_path):
    assert bench.compare_runs(tmp_path, 60, n_kills=12) == (12, 0, 0, True)


def _label(bench, path, by, queue, barrier):
    with bench.opened(path) as session:
        asked = []
        barrier.wait(60)
        session.ask(4, by=by)
        barrier.wait(60)
        while questions := session.ask(4, by=by):
            for question in questions:
                session.tell(question, "ham", by=by)
                asked.append(question.id)
        queue.put(asked)


def test_two_annotators_in_two_processes_get_each_row_once(bench, tmp_path):
    path, context = tmp_path / "labels.db", multiprocessing.get_context("fork")
    queue, barrier = context.Queue(), context.Barrier(2)
    both = [
        context.Process(target=_label, args=(bench, path, by, queue, barrier))
        for by in ("anna", "bob")
    ]
    for process in both:
        process.start()
    asked = [queue.get(timeout=60), queue.get(timeout=60)]
    for process in both:
        process.join()
    known = range(0, bench.N_ROWS, 50)
    expected = sorted(set(range(bench.N_ROWS)) - set(known))
    assert sorted(asked[0] + asked[1]) == expected
