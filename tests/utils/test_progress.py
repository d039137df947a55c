import io

import pytest
from rich.console import Console
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB

from skal import ActiveLearner, AnnealingOracle, Margin, Random, compare, run_seeds
from skal.utils.progress import ProgressBar, _monitors


@pytest.fixture
def screen(monkeypatch):
    """What a terminal of 80 columns would show."""
    text = io.StringIO()
    console = Console(file=text, width=80)
    monkeypatch.setattr("rich.progress.get_console", lambda: console)
    return text


def learner(strategy):
    return ActiveLearner(
        GaussianNB(), strategy, batch_size=5, n_rounds=4, random_state=0
    )


def test_a_search_shows_rounds_steps_quality_and_acceptance(screen, blobs):
    oracle = AnnealingOracle(n_steps=20, proposal="uniform")
    fitted = learner(oracle).set_callbacks(ProgressBar())
    fitted.fit(*blobs)
    shown = screen.getvalue()
    assert "ActiveLearner: fit" in shown
    assert "6/6" in shown
    assert "AnnealingOracle: search" in shown
    assert "24/24" in shown
    accepted = fitted.strategy_.history_["accepted"][1:].mean()
    assert f"accepted {accepted:.0%}" in shown
    assert f"best {fitted.strategy_.quality_:.4f}" in shown
    assert f"score {fitted.curve_[-1]:.4f}" in shown


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_seeds_nest_from_any_process(screen, blobs, n_jobs):
    loop = learner(AnnealingOracle(n_steps=10)).set_callbacks(ProgressBar())
    results = run_seeds(loop, *blobs, seeds=[4, 2], n_jobs=n_jobs)
    shown = screen.getvalue()
    for line in ("SeedLoop: seeds", "seed 4", "seed 2", "AnnealingOracle: search"):
        assert line in shown
    assert "2/2" in shown
    assert any(f"quality {q:.4f}" in shown for q in results.qualities)


def test_other_meta_estimators_show_the_bars_of_a_learner(screen, blobs):
    search = GridSearchCV(
        learner(Margin()), {"estimator__var_smoothing": [1e-9, 1e-3]}, cv=3
    )
    search.set_callbacks(ProgressBar()).fit(*blobs)
    assert screen.getvalue().count("ActiveLearner") == 7


def test_where_there_are_many_the_bars_of_those_that_are_done_go(screen, blobs):
    loop = learner(Margin()).set_callbacks(ProgressBar())
    run_seeds(loop, *blobs, seeds=21)
    last = screen.getvalue().rstrip().split("\n")[-1]
    assert "SeedLoop: seeds" in last
    assert "21/21" in last


def test_progress_does_not_change_the_result(screen, blobs):
    with_bars = learner(AnnealingOracle(n_steps=20)).set_callbacks(ProgressBar())
    plain = learner(AnnealingOracle(n_steps=20)).fit(*blobs)
    assert with_bars.fit(*blobs).order_.tolist() == plain.order_.tolist()


def test_a_callback_can_stop_a_search(blobs):
    class StopAt:
        max_propagation_depth = None

        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context):
            return context.task_name == "step" and context.task_id == 6

    fitted = learner(AnnealingOracle(n_steps=50)).set_callbacks(StopAt()).fit(*blobs)
    assert len(fitted.strategy_.history_["step"]) == 8


def test_a_bar_closes_when_a_fit_fails(screen, blobs):
    X, y = blobs
    bars = ProgressBar()
    with pytest.raises(ValueError, match="'batch_size' parameter"):
        learner(Margin()).set_params(batch_size=0).set_callbacks(bars).fit(X, y)
    assert bars._listener_handles == {}


def test_a_bar_that_knows_what_its_steps_cost(screen, make_problem, tmp_path):
    strategies = {"random": Random(), "oracle": AnnealingOracle(n_steps=20)}
    costs = {"tree random 0": 1, "tree oracle 0": 8}
    costs |= {"tree random 1": 1, "tree oracle 1": 10}
    problem, done = make_problem(), []

    class Recorded(ProgressBar):
        def teardown(self, estimator, context):
            monitor = _monitors[context.root_uuid]
            super().teardown(estimator, context)
            done.append(list(monitor.done.values()))

    for seeds in ([0], [0, 1]):
        with pytest.warns(UserWarning, match="too small to test"):
            compare(
                problem,
                strategies,
                estimators={"tree": problem.estimator},
                seeds=seeds,
                n_orders=1,
                path=tmp_path,
                callbacks=[Recorded(costs=costs)],
            )
    # In percent; what was done in the first call counts as done in the second.
    assert done == [[5, 40], [5, 40, 5, 50]]
    assert "100/100" in screen.getvalue()
