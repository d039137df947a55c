import io
import re

import numpy as np
import pytest
from rich.console import Console
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB

from skal import ActiveLearner, AnnealingOracle, Margin, Random, compare, run_seeds
from skal.utils._bars import Bar, spell_clock, spell_duration
from skal.utils._display import Notebook
from skal.utils.progress import ProgressBar, _Monitor, _monitors


def console(monkeypatch, **params):
    text = io.StringIO()
    shown = Console(file=text, width=80, **params)
    monkeypatch.setattr("rich.progress.get_console", lambda: shown)
    return text


@pytest.fixture
def log(monkeypatch):
    """The text that a file would hold."""
    return console(monkeypatch)


@pytest.fixture
def terminal(monkeypatch):
    """The text that is sent to a terminal of 80 columns."""
    return console(monkeypatch, force_terminal=True, _environ={"TERM": "xterm"})


@pytest.fixture(params=["log", "terminal"])
def screen(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def reports(monkeypatch):
    """The reports that the bar of a search gets, training by training."""
    reports, hear = [], Bar.hear

    def watch(self, report):
        if "share" in report:
            reports.append(report)
        hear(self, report)

    monkeypatch.setattr(Bar, "hear", watch)
    return reports


def lines(text):
    """Return what is shown, without the control characters of a terminal."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text.getvalue()).split("\n")


def learner(strategy):
    return ActiveLearner(
        GaussianNB(), strategy, batch_size=5, n_rounds=4, random_state=0
    )


def test_a_search_shows_rounds_steps_quality_and_acceptance(screen, blobs):
    oracle = AnnealingOracle(n_steps=20, proposal="uniform")
    fitted = learner(oracle).set_callbacks(ProgressBar())
    fitted.fit(*blobs)
    shown = "\n".join(lines(screen))
    assert "ActiveLearner: fit" in shown
    assert "6/6" in shown
    assert "AnnealingOracle: search" in shown
    assert "24/24" in shown
    accepted = fitted.strategy_.history_["accepted"][1:].mean()
    assert f"accepted {accepted:.0%}" in shown
    assert f"best {fitted.strategy_.quality_:.4f}" in shown
    assert f"quality {fitted.quality_:.4f}" in shown


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_seeds_nest_from_any_process(screen, blobs, n_jobs):
    loop = learner(AnnealingOracle(n_steps=10)).set_callbacks(ProgressBar())
    results = run_seeds(loop, *blobs, seeds=[4, 2], n_jobs=n_jobs)
    shown = "\n".join(lines(screen))
    for line in ("SeedLoop: seeds", "seed 4", "seed 2", "AnnealingOracle: search"):
        assert line in shown
    assert "2/2" in shown
    assert any(f"quality {q:.4f}" in shown for q in results.qualities)


def test_other_meta_estimators_show_the_bars_of_a_learner(log, blobs):
    search = GridSearchCV(
        learner(Margin()), {"estimator__var_smoothing": [1e-9, 1e-3]}, cv=3
    )
    search.set_callbacks(ProgressBar()).fit(*blobs)
    assert log.getvalue().count("ActiveLearner") == 7


def test_where_there_are_many_the_bars_of_those_that_are_done_go(screen, blobs):
    loop = learner(Margin()).set_callbacks(ProgressBar())
    run_seeds(loop, *blobs, seeds=21)
    last = "\n".join(lines(screen)).rstrip().split("\n")[-1]
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


class Recorded(ProgressBar):
    """Keeps what share of the whole is done at the end of each task."""

    def __init__(self, costs=None):
        super().__init__(costs=costs)
        self.shares, self.costs_seen = [], {}

    def setup(self, estimator, context):
        super().setup(estimator, context)
        monitor = _monitors[context.root_uuid]
        end = monitor._end

        def watch(message):
            end(message)
            first = monitor.bars[message["path"][:1]]
            self.costs_seen = first.costs
            if len(message["path"]) == 2:
                self.shares.append(first.share)

        monitor._end = watch


@pytest.fixture
def study(make_problem):
    problem = make_problem()

    def run(bar, seeds, strategies, **params):
        with pytest.warns(UserWarning, match="too small to test"):
            compare(
                problem,
                strategies,
                estimators={"tree": problem.estimator},
                seeds=seeds,
                n_orders=1,
                callbacks=[bar],
                **params,
            )

    return run


def test_a_bar_that_knows_what_its_steps_cost(screen, study, tmp_path):
    strategies = {"random": Random(), "oracle": AnnealingOracle(n_steps=20)}
    costs = {"tree random 0": 1, "tree oracle 0": 8}
    costs |= {"tree random 1": 1, "tree oracle 1": 10}
    shares = []
    for seeds in ([0], [0, 1]):
        bar = Recorded(costs=costs)
        study(bar, seeds, strategies, path=tmp_path)
        shares.append(bar.shares)
    # What was done in the first call counts as done in the second.
    np.testing.assert_allclose(shares[0], [1 / 20, 9 / 20])
    np.testing.assert_allclose(shares[1], [1 / 20, 9 / 20, 10 / 20, 1])


def test_cells_are_weighed_by_their_trainings(screen, study):
    oracle = AnnealingOracle(n_steps=20, proposal="uniform")
    strategies = {"random": Random(), "margin": Margin(), "oracle": oracle}
    bar = Recorded()
    study(bar, [0], strategies)
    n_rounds = bar.costs_seen["tree random 0"]
    expected = bar.costs_seen["tree oracle 0"]
    assert bar.costs_seen["tree margin 0"] == n_rounds
    assert expected > 8 * n_rounds
    whole = expected + 2 * n_rounds
    shares = [n_rounds / whole, 2 * n_rounds / whole, 1]
    np.testing.assert_allclose(bar.shares, shares)


def test_a_search_is_most_of_a_learner(screen, blobs, reports):
    bar, shares, move = ProgressBar(), [], Bar.move_to

    def watch(self, share):
        move(self, share)
        if self.above is None:
            shares.append((self.n_done, self.share))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bar, "move_to", watch)
        learner(AnnealingOracle(n_steps=20)).set_callbacks(bar).fit(*blobs)
    assert max(share for n_done, share in shares if n_done == 1) > 0.95
    assert shares[-1][1] == pytest.approx(1)


def test_the_bar_moves_while_the_start_is_searched(screen, blobs, reports):
    learner(AnnealingOracle(n_steps=20)).set_callbacks(ProgressBar()).fit(*blobs)
    start = [report for report in reports if report["is_start"]]
    assert len(start) >= 8  # in each round a model, and what is tried
    shares = [report["share"] for report in reports]
    assert np.all(np.diff(shares) >= 0)
    assert start[0]["share"] < 0.02
    assert start[-1]["share"] > 0.3
    assert shares[-1] == 1


def test_the_share_is_that_of_the_limit_that_comes_first(screen, blobs, reports):
    oracle = AnnealingOracle(n_steps=10**6, proposal="uniform", max_trainings=60)
    learner(oracle).set_callbacks(ProgressBar()).fit(*blobs)
    assert all(report["is_limited"] for report in reports)
    assert reports[-1]["share"] > 0.9
    assert any("%" in line for line in lines(screen) if "AnnealingOracle" in line)
    assert all(report["expected_trainings"] <= 60 for report in reports)


@pytest.mark.parametrize("limit", [{"max_time": 1.0}, {"max_trainings": 60}])
def test_a_search_that_only_a_limit_ends(screen, blobs, reports, limit):
    oracle = AnnealingOracle(start="random", **limit)
    fitted = learner(oracle).set_callbacks(ProgressBar()).fit(*blobs)
    assert all(report["is_limited"] for report in reports)
    assert reports[-1]["share"] > 0.8
    left = [report["seconds_left"] for report in reports]
    assert left[-1] < left[0]
    shown = [line for line in lines(screen) if "AnnealingOracle" in line]
    n_steps = len(fitted.strategy_.history_["step"]) - 1
    assert any(f"{n_steps} steps" in line for line in shown)
    assert f"best {fitted.strategy_.quality_:.4f}" in "\n".join(shown)


def test_after_the_first_training_an_estimate(log, blobs):
    oracle = AnnealingOracle(n_steps=20, start="random")
    learner(oracle).set_callbacks(ProgressBar()).fit(*blobs)
    first = lines(log)[0]
    assert re.fullmatch(
        r"AnnealingOracle: search: about 1\d0 trainings of \S+ s, \S+ \w+ left", first
    )
    assert sum("about" in line for line in lines(log)) == 1


def test_a_log_is_plain_and_short(log, blobs):
    oracle = AnnealingOracle(n_steps=200, n_greedy=0, proposal="uniform")
    learner(oracle).set_callbacks(ProgressBar()).fit(*blobs)
    text = log.getvalue()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)
    shown = [line for line in text.split("\n") if "AnnealingOracle: search" in line]
    tenths = [int(re.search(r"(\d+)%", line)[1]) // 10 for line in shown[1:-1]]
    assert tenths == sorted(set(tenths))
    assert 7 <= len(tenths) <= 9
    assert "done, 200/200, took" in shown[-1]
    assert "ActiveLearner: fit: done, 6/6, took" in text


def test_a_log_of_heuristics_has_a_line_for_each(log, study):
    study(ProgressBar(), [0, 1], {"random": Random(), "margin": Margin()})
    shown = lines(log)[:-1]
    assert sum("ActiveLearner: tree" in line for line in shown) == 4
    assert len(shown) <= 4 + 10


def test_a_line_fits_a_terminal(terminal, study):
    names = {"a rather long name": Random(), "oracle": AnnealingOracle(n_steps=5)}
    study(ProgressBar(), [0, 1], names)
    shown = [line for line in lines(terminal) if "quality" in line]
    assert shown
    for line in shown:
        for part in line.split("\r"):
            assert len(part.rstrip()) <= 80
    whole = "\n".join(lines(terminal))
    assert "tree a rather long name 0" in whole


def test_the_end_of_a_search_fits_a_terminal(terminal, blobs):
    learner(AnnealingOracle(n_steps=5)).set_callbacks(ProgressBar()).fit(*blobs)
    last = [line for line in lines(terminal) if "Oracle: search" in line][-1]
    assert re.search(r"6/6 0:00:\d\d best [01]\.\d{4}, accepted \d+%$", last.rstrip())


class TestBar:
    def bar(self, monkeypatch, **message):
        self.now = 0.0
        monkeypatch.setattr("skal.utils._bars.time", self)
        usual = {"path": (0,), "label": "Search: search", "name": "search"}
        return Bar(usual | {"total": 10, "costs": {}} | message, None)

    def monotonic(self):
        return self.now

    def test_time_that_is_left(self, monkeypatch):
        bar = self.bar(monkeypatch)
        assert bar.left is None
        self.now = 5.0
        bar.advance("step", 1)
        assert bar.left == pytest.approx(45)

    def test_what_was_done_before_tells_nothing_of_it(self, monkeypatch):
        bar = self.bar(monkeypatch)
        for _ in range(5):
            bar.advance("step", 1)
        bar.rest()
        self.now = 7.0
        bar.advance("step", 1)
        assert bar.left == pytest.approx(4 * 7)

    def test_a_search_knows_by_itself(self, monkeypatch):
        bar, report = self.bar(monkeypatch), {"share": 0.2, "step": 3}
        report |= {"is_start": False, "is_limited": False, "seconds_left": 90.0}
        bar.hear(report)
        self.now = 30.0
        assert bar.left == 60
        assert bar.count == "3/10"
        bar.hear(report | {"is_limited": True})
        assert bar.count == "20%"
        bar.hear(report | {"is_limited": True, "is_start": True})
        assert bar.count == "start"

    def test_a_level_search(self, monkeypatch):
        bar, report = self.bar(monkeypatch), {"best_quality": 0.5, "level_for": 2000}
        bar.hear(report)
        assert bar.texts == "best 0.5000, level for 2,000 trainings"
        assert bar.short_texts == "best 0.5000, level for 2,000"


@pytest.mark.parametrize(
    ("seconds", "spelled", "clock"),
    [
        (0.453, "0.45 s", "0:00:00"),
        (75.0, "75 s", "0:01:15"),
        (4200.0, "70 minutes", "1:10:00"),
        (16_083.0, "4.5 hours", "4:28:03"),
        (1e6, "12 days", "277:46:40"),
    ],
)
def test_durations(seconds, spelled, clock):
    assert spell_duration(seconds) == spelled
    assert spell_clock(seconds) == clock


CELL = """
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB
from skal import ActiveLearner, AnnealingOracle
from skal.utils.progress import ProgressBar
learner = ActiveLearner(GaussianNB(), AnnealingOracle(max_trainings=200),
                        batch_size=2, n_rounds=4, random_state=0)
learner = learner.set_callbacks(ProgressBar()).fit(*load_iris(return_X_y=True))
print("done")
"""


def test_a_notebook_has_one_output_that_is_updated():
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    client = pytest.importorskip("nbclient", reason="nbclient is not installed")
    from nbformat import v4

    sent = []

    class Client(client.NotebookClient):
        def process_message(self, msg, cell, cell_index):
            sent.append(msg["msg_type"])
            return super().process_message(msg, cell, cell_index)

    book = v4.new_notebook(cells=[v4.new_code_cell(CELL), v4.new_code_cell("1")])
    Client(book, timeout=120, kernel_name="python3").execute()
    bars, text = book.cells[0].outputs
    assert text["text"] == "done\n"
    assert sent.count("display_data") == 1
    assert 1 <= sent.count("update_display_data") < 100
    plain = bars["data"]["text/plain"].splitlines()
    assert re.match(r"ActiveLearner: fit 100% 6/6 \d:\d\d:\d\d taken quality", plain[0])
    assert re.match(r"  AnnealingOracle: search 100% .* taken best 0\.\d+", plain[1])
    assert bars["data"]["text/html"].count('<progress value="1.0000"') == 2


class Output:
    """Takes what a notebook would show."""

    def __init__(self):
        self.shown = []

    def update(self, bundle, raw):
        self.shown.append(bundle)


def test_bars_in_a_notebook_are_nested_and_escaped():
    shown = Notebook(None)
    shown._output, shown.least = Output(), 0
    params = {"total": 2, "costs": {}}
    outer = Bar({"path": (0,), "label": "a <b>", "name": "fit"} | params, None)
    other = Bar({"path": (0, 1), "label": "", "name": "seed 1"} | params, outer)
    inner = Bar({"path": (0, 0), "label": "", "name": "seed 0"} | params, outer)
    below = Bar({"path": (0, 1, 0), "label": "", "name": "x"} | params, other)
    for bar in (outer, other, inner, below):
        shown.begin(bar)
    inner.move_to(1.0)
    shown.show(inner)
    latest = shown._output.shown[-1]
    names = [line.split(" 0%")[0] for line in latest["text/plain"].splitlines()]
    assert names[1:3] == ["  seed 1", "    x"]
    assert names[0].startswith("a <b> 50%")
    assert "a &lt;b&gt;" in latest["text/html"]
    shown.remove(below)
    shown.tick()
    assert len(shown._output.shown[-1]["text/plain"].splitlines()) == 3


def test_the_time_goes_on_while_nothing_is_reported():
    ticks = []

    class Display:
        pause = 0.01

        def tick(self):
            ticks.append(1)
            if len(ticks) == 3:
                monitor.queue.put("message")

    monitor = _Monitor()
    monitor.display = Display()
    assert monitor._next_message() == "message"
    assert len(ticks) == 3
