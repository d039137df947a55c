from collections import Counter
from itertools import islice, product

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.naive_bayes import GaussianNB

from skal import ActiveLearner, AnnealingOracle
from skal.oracle.annealing._chain import accepts
from skal.oracle.annealing._lookahead import acceptance_rate, likely_paths, needed_gain
from skal.oracle.annealing._uniform import UniformChain, _Future
from skal.oracle.evaluation import _objective
from skal.oracle.evaluation import _workers as _jobs
from skal.oracle.evaluation._objective import Objective
from skal.training import Trainer

BASE = {"batch_size": 3, "n_rounds": 5, "warm_size": 10, "random_state": 0}
SHORT = {"n_steps": 40, "n_greedy": 15}


def fit(data, oracle, **params):
    return ActiveLearner(GaussianNB(), oracle, **BASE | params).fit(*data).strategy_


def assert_same(first, second):
    assert first.order_.tolist() == second.order_.tolist()
    assert first.quality_ == second.quality_
    assert first.n_trainings_ == second.n_trainings_
    for name, column in first.history_.items():
        np.testing.assert_array_equal(column, second.history_[name])


@pytest.fixture
def batches(monkeypatch):
    """The sets of each batch of trainings."""
    batches = []
    train = Objective._train_and_score

    def watch(self, sets):
        batches.append([frozenset(s.tolist()) for s in sets.values()])
        return train(self, sets)

    monkeypatch.setattr(Objective, "_train_and_score", watch)
    return batches


@pytest.mark.parametrize("seed", range(5))
def test_the_likeliest_paths_come_first_and_all_of_them_come(seed):
    rates = np.random.default_rng(seed).random(6)

    def probability(path):
        return np.prod([r if a else 1 - r for a, r in zip(path, rates)])  # noqa: B905

    expected = [p for n in range(1, 7) for p in product((False, True), repeat=n)]
    found, probabilities = zip(*likely_paths(rates.__getitem__, 6), strict=True)
    assert sorted(found) == sorted(expected)
    descending = sorted(map(probability, expected), reverse=True)
    np.testing.assert_allclose(list(map(probability, found)), descending)
    np.testing.assert_allclose(probabilities, descending)


@pytest.mark.parametrize(("rate", "decision"), [(0.02, False), (0.98, True)])
def test_where_nearly_all_is_rejected_or_accepted_the_tree_is_a_path(rate, decision):
    found = [path for path, _ in islice(likely_paths(lambda i: rate, 100), 20)]
    assert found == [(decision,) * n for n in range(1, 21)]


def test_no_step_is_rated_before_it_is_reached():
    rated = []
    list(islice(likely_paths(lambda i: rated.append(i) or 0.1, 1000), 3))
    assert rated == [0, 1, 2]


def test_the_gain_that_is_needed_is_that_which_is_accepted():
    rng = np.random.default_rng(0)
    for beta in (None, 0.0, 0.3, 50.0):
        for gain, uniform in zip(rng.normal(size=500), rng.random(500), strict=True):
            expected = gain > needed_gain(uniform, beta)
            assert accepts(gain, beta, uniform) == expected
    assert needed_gain(0.0, 1.0) == -np.inf


def test_the_rate_is_the_share_of_recent_gains_and_never_certain():
    assert acceptance_rate([], 0.0) == 0.5
    assert acceptance_rate([-1.0, 0.0, 1.0], 0.0) == pytest.approx(2 / 5)
    assert 0 < acceptance_rate([-1.0] * 100, 0.0) < 0.02
    assert 0.98 < acceptance_rate([1.0] * 100, 0.0) < 1


@pytest.fixture(scope="module")
def references(request):
    return {}


PROBLEMS = {
    "annealing": SHORT,
    "greedy": {"n_steps": 0, "n_greedy": 40},
    "hot": {"n_steps": 40, "n_greedy": 0, "gamma": 0.0},
    "cold": {"n_steps": 40, "n_greedy": 0, "gamma": 1e12},
    "limited": SHORT | {"max_trainings": 70},
    "repetitive": {"n_steps": 150},
}


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("prefetch", [1, 5, 50, "auto"])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_chain_is_the_sequential_one(blobs, references, name, prefetch, n_jobs):
    small = {"batch_size": 1, "n_rounds": 2} if name == "repetitive" else {}

    def search(**params):
        return fit(
            blobs,
            AnnealingOracle(proposal="uniform", **PROBLEMS[name], **params),
            **small,
        )

    if name not in references:
        references[name] = search(prefetch=0)
    assert references[name].n_speculative_ == 0
    assert_same(references[name], search(prefetch=prefetch, n_jobs=n_jobs))


@pytest.mark.parametrize("prefetch", [0, 4, 30])
def test_no_set_is_trained_on_twice(blobs, batches, prefetch):
    oracle = fit(
        blobs, AnnealingOracle(proposal="uniform", n_steps=60, prefetch=prefetch)
    )
    trained = [s for batch in batches for s in batch]
    assert len(trained) == len(set(trained))
    assert len(trained) == oracle.n_trainings_ + oracle.n_speculative_
    assert (oracle.n_speculative_ > 0) == (prefetch > 0)


def test_a_single_job_trains_nothing_ahead(blobs, batches):
    oracle = fit(blobs, AnnealingOracle(proposal="uniform", **SHORT))
    assert sum(map(len, batches)) == oracle.n_trainings_
    assert oracle.n_speculative_ == 0


@pytest.mark.parametrize(("milliseconds", "size"), [(0, 16), (5, 8), (1000, 6)])
def test_two_jobs_are_filled_up(blobs, batches, monkeypatch, milliseconds, size):
    """Quick trainings fill 20 ms for each job, slow ones an even number."""
    train = _jobs.train_and_judge

    def pretend(trainer, evaluation, sets):
        moments.append(moments[-1] + milliseconds / 1000 * len(sets) + 1e-9)
        return train(trainer, evaluation, sets)

    moments = [0.0]
    monkeypatch.setattr(_jobs, "train_and_judge", pretend)
    monkeypatch.setattr(_jobs, "_train_in_worker", timed(moments, pretend))
    with parallel_config(backend="sequential"):
        monkeypatch.setattr(_jobs, "effective_n_jobs", lambda n_jobs: n_jobs)
        oracle = fit(blobs, AnnealingOracle(proposal="uniform", **SHORT, n_jobs=2))
    assert oracle.n_speculative_ > 0
    sizes = [len(batch) for batch in batches[1:-8]]
    assert max(sizes) == size
    assert all(n % 2 == 0 for n in sizes)


def timed(moments, train):
    """Return a worker that takes its time from the clock of the trainings."""
    known = {}

    def train_in_worker(key, work, sets):
        known.setdefault(key, work)
        scores = train(*known[key], sets)
        return _jobs.ShareResult(scores, moments[-1] - moments[-2])

    return train_in_worker


def test_a_wide_trainer_is_filled_up(blobs, batches, monkeypatch):
    alone = fit(blobs, AnnealingOracle(proposal="uniform", **SHORT, prefetch=0))
    n_alone = len(batches)
    batches.clear()
    monkeypatch.setattr(Trainer, "width", 16)
    monkeypatch.setattr(_objective, "MIN_CHANCE", 0.0)
    wide = fit(blobs, AnnealingOracle(proposal="uniform", **SHORT))
    assert_same(alone, wide)
    middle = [len(batch) for batch in batches[1:-6]]
    assert set(middle) == {16}
    assert len(batches) < 0.6 * n_alone


def test_a_wide_trainer_is_not_filled_up_with_what_is_hardly_asked_for(
    blobs, batches, monkeypatch
):
    monkeypatch.setattr(Trainer, "width", 16)
    wasted, sizes = [], []
    for least in (0.0, 0.4, 1.0):
        batches.clear()
        monkeypatch.setattr(_objective, "MIN_CHANCE", least)
        wasted.append(
            fit(blobs, AnnealingOracle(proposal="uniform", **SHORT)).n_speculative_
        )
        sizes.append(np.mean([len(batch) for batch in batches]))
    assert sizes[0] > sizes[1] > sizes[2]
    assert wasted[0] > 2 * wasted[1]
    assert wasted[2] == 0


def test_a_number_is_trained_ahead_whatever_its_chance(blobs, batches, monkeypatch):
    fit(blobs, AnnealingOracle(proposal="uniform", **SHORT, prefetch=12))
    narrow = list(batches)
    batches.clear()
    monkeypatch.setattr(Trainer, "width", 16)
    fit(blobs, AnnealingOracle(proposal="uniform", **SHORT, prefetch=12))
    assert batches == narrow


def test_a_number_is_what_is_trained_ahead_at_most(blobs, batches):
    fit(blobs, AnnealingOracle(proposal="uniform", **SHORT, prefetch=3))
    ahead = [len(batch) - 3 for batch in batches]
    assert max(ahead) <= BASE["n_rounds"]
    batches.clear()
    fit(blobs, AnnealingOracle(proposal="uniform", **SHORT, prefetch=0))
    assert max(map(len, batches)) <= BASE["n_rounds"]


def test_what_was_trained_ahead_is_used(blobs, batches):
    """Cold chains stay where they are, so nearly all predictions are right."""
    cold = AnnealingOracle(proposal="uniform", n_steps=0, n_greedy=150, prefetch=10)
    oracle = fit(blobs, cold)
    n_ahead = sum(map(len, batches)) - len(batches)
    assert oracle.n_speculative_ < 0.15 * n_ahead


def test_nothing_is_trained_for_after_the_last_step(blobs, batches):
    one = AnnealingOracle(proposal="uniform", n_steps=1, n_greedy=0, prefetch=50)
    assert fit(blobs, one).n_speculative_ == 0
    two = AnnealingOracle(proposal="uniform", n_steps=2, n_greedy=0, prefetch=50)
    assert fit(blobs, two).n_speculative_ <= 2 * BASE["n_rounds"]


def test_nothing_is_trained_that_the_limit_forbids(blobs):
    free = fit(
        blobs, AnnealingOracle(proposal="uniform", **SHORT, prefetch=0)
    ).history_["n_trainings"]
    step = int(np.flatnonzero(np.diff(free) > 0)[3]) + 1
    limit = {"max_trainings": int(free[step]), "prefetch": 50}
    cut = fit(blobs, AnnealingOracle(proposal="uniform", **SHORT, **limit))
    assert cut.history_["n_trainings"].tolist() == free[: step + 1].tolist()
    # After the first step that trains, the next one would be too much.
    limit["max_trainings"] = int(free[np.flatnonzero(np.diff(free) > 0)[0] + 1])
    assert (
        fit(blobs, AnnealingOracle(proposal="uniform", **SHORT, **limit)).n_speculative_
        == 0
    )


@pytest.mark.parametrize("gamma", [0.0, "auto", 1e12])
def test_what_is_foreseen_is_what_comes_if_the_decision_does(blobs, monkeypatch, gamma):
    take, n_accepted = UniformChain.step, []

    def check(chain, t):
        now = _Future(chain.current.order, chain.best.order, 0)
        before = chain.n_accepted
        moved = take(chain, t)
        accepted = chain.n_accepted > before
        foreseen = chain._after(now, t, accepted)
        if t > chain.schedule.n_steps:
            assert foreseen.best.tolist() == chain.best.order.tolist()
            n_accepted.append(accepted)
        else:
            assert foreseen.current.tolist() == chain.current.order.tolist()
        return moved

    monkeypatch.setattr(UniformChain, "step", check)
    fit(
        blobs, AnnealingOracle(proposal="uniform", n_steps=20, n_greedy=60, gamma=gamma)
    )
    assert 0 < sum(n_accepted) < len(n_accepted)


@pytest.mark.parametrize("one_by_one", [False, True])
def test_a_training_that_fails_and_is_never_asked_for_does_no_harm(
    blobs, batches, monkeypatch, one_by_one
):
    if one_by_one:  # then those that are asked for arrive before one fails

        def turns(self, sets):
            return ({key: one} for key, one in sets.items())

        monkeypatch.setattr(Objective, "_turns", turns)
    alone = fit(blobs, AnnealingOracle(proposal="uniform", **SHORT, prefetch=0))
    asked, n_alone = {s for batch in batches for s in batch}, len(batches)
    train, failures, trained = _jobs.train_and_judge, [], set()

    def fragile(trainer, evaluation, sets):
        if any(frozenset(s.tolist()) not in asked for s in sets):
            failures.append((len(batches), set(trained)))
            raise FloatingPointError("diverged")
        trained.update(frozenset(s.tolist()) for s in sets)
        return train(trainer, evaluation, sets)

    monkeypatch.setattr(_jobs, "train_and_judge", fragile)
    ahead = fit(blobs, AnnealingOracle(proposal="uniform", **SHORT, prefetch=10))
    assert_same(alone, ahead)
    assert failures
    # The next batch has the rest of what is asked for.
    assert all(known.isdisjoint(batches[i]) for i, known in failures)
    tried = Counter(s for batch in batches[n_alone:] for s in batch if s not in asked)
    assert set(tried.values()) == {1}


def test_a_training_that_fails_and_is_asked_for_is_an_error(
    blobs, batches, monkeypatch
):
    fit(blobs, AnnealingOracle(proposal="uniform", **SHORT, prefetch=0))
    last = batches[-1][0]
    train = _jobs.train_and_judge

    def fragile(trainer, evaluation, sets):
        if any(frozenset(s.tolist()) == last for s in sets):
            raise FloatingPointError("diverged")
        return train(trainer, evaluation, sets)

    monkeypatch.setattr(_jobs, "train_and_judge", fragile)
    for prefetch in (0, 10):
        with pytest.raises(FloatingPointError, match="diverged"):
            fit(blobs, AnnealingOracle(proposal="uniform", **SHORT, prefetch=prefetch))


@pytest.mark.parametrize("failing", [1, 3])
def test_what_arrived_before_a_failure_is_kept(make_problem, monkeypatch, failing):
    """Sets 0 and 1 are asked for, 2 and 3 are trained ahead."""
    sets = [np.array([i, i + 1]) for i in range(4)]
    likely = [(0.9, sets[2:3]), (0.8, sets[3:])]
    failures, trained, train = {failing}, [], _jobs.train_and_judge

    def fragile(trainer, evaluation, sets):
        if sets[0][0] in failures:
            raise FloatingPointError("diverged")
        trained.append(sets[0][0])
        return train(trainer, evaluation, sets)

    monkeypatch.setattr(_jobs, "train_and_judge", fragile)
    monkeypatch.setattr(
        Objective, "_turns", lambda self, sets: ({k: one} for k, one in sets.items())
    )
    with Objective(make_problem(GaussianNB()), prefetch=2) as objective:
        if failing == 1:
            with pytest.raises(FloatingPointError, match="diverged"):
                objective.scores(sets[:2], likely)
        else:
            objective.scores(sets[:2], likely)
        assert trained == [i for i in range(4) if i < failing]
        failures.clear()
        objective.scores(sets)
    assert sorted(trained) == [0, 1, 2, 3]


@pytest.mark.parametrize("prefetch", [-1, 2.5, "much"])
def test_prefetch_is_a_number_or_auto(blobs, prefetch):
    with pytest.raises(ValueError, match="'prefetch' parameter of AnnealingOracle"):
        fit(blobs, AnnealingOracle(proposal="uniform", prefetch=prefetch))
