"""Coverage of the pool: the same rows as the definitions choose on small pools."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import euclidean_distances, rbf_kernel
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import FunctionTransformer, StandardScaler, normalize
from sklearn.tree import DecisionTreeClassifier

from skal import IDMR, ActiveLearner, Herding, Margin, ProbCover, Then
from skal.seeding import Stream, stream
from skal.strategies import Labelled, _coverage
from skal.strategies._coverage import Coverage, ball, gaussian
from skal.strategies._temperature import calibration_error, fit_temperature, tempered

AS_THEY_ARE = FunctionTransformer()


def pool(seed, n=80, n_columns=5):
    X, y = make_blobs(n, n_columns, centers=4, cluster_std=3.0, random_state=seed)
    return X, y


def some_labelled(X, y, rows):
    rows = np.asarray(rows, dtype=np.int64)
    return Labelled(X[rows], y[rows], rows)


def greedy(K, covered, weights, n, candidates, priority):
    """Choose by the definition: scan all candidates for each row.

    `K` has shape (n_pool, n_pool). Gains are compared after rounding, since single
    precision cannot tell them apart either.
    """
    chosen = []
    for _ in range(n):
        left = [i for i in candidates if i not in chosen]
        gain = {i: (weights * np.maximum(K[i] - covered, 0)).sum() for i in left}
        best = max(left, key=lambda i: (round(gain[i], 5), -priority[i]))
        chosen.append(int(best))
        covered = np.maximum(covered, K[best])
    return chosen


def expected(strategy, K, K_known, n, candidates, weights=None):
    priority = stream(strategy.seed_, Stream.TIES).permutation(len(K))
    covered = K_known.max(axis=0, initial=0) if len(K_known) else np.zeros(len(K))
    weights = np.ones(len(K)) if weights is None else weights
    return greedy(K, covered, weights, n, candidates, priority)


@pytest.mark.parametrize("n_labelled", [0, 5])
@pytest.mark.parametrize("seed", range(4))
def test_herding_is_greedy_on_the_mean_coverage(seed, n_labelled):
    X, y = pool(seed)
    labelled = some_labelled(X, y, range(n_labelled))
    strategy = Herding(random_state=seed).fit(X)
    candidates = np.arange(n_labelled, len(X))
    found = strategy.select(None, X, 12, candidates=candidates, labelled=labelled)
    U = normalize(StandardScaler(with_std=False).fit_transform(X))
    K = rbf_kernel(U, gamma=1)
    assert found.tolist() == expected(strategy, K, K[:n_labelled], 12, candidates)


@pytest.mark.parametrize("seed", range(4))
def test_probcover_is_greedy_on_the_balls(seed):
    X, y = pool(seed)
    labelled = some_labelled(X, y, [3, 4])
    strategy = ProbCover(0.7, embedding=AS_THEY_ARE, random_state=seed).fit(X)
    candidates = np.arange(5, len(X))
    found = strategy.select(None, X, 15, candidates=candidates, labelled=labelled)
    K = (euclidean_distances(normalize(X)) < 0.7).astype(float)
    assert found.tolist() == expected(strategy, K, K[3:5], 15, candidates)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("weight", ["margin", "entropy"])
def test_uncertainty_herding_weights_rows_and_narrows_the_kernel(seed, weight):
    X, y = pool(seed)
    rows = np.arange(0, len(X), 4)
    labelled = some_labelled(X, y, rows)
    model = LogisticRegression(C=0.01).fit(X[rows], y[rows])
    strategy = Herding(
        weight, temperature=2.0, embedding=AS_THEY_ARE, random_state=seed
    ).fit(X)
    candidates = np.setdiff1d(np.arange(len(X)), rows)
    found = strategy.select(model, X, 10, candidates=candidates, labelled=labelled)

    logits = model.decision_function(X) / 2
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    ranked = np.sort(p, axis=1)
    u = {
        "margin": 1 - (ranked[:, -1] - ranked[:, -2]),
        "entropy": -(p * np.log(p)).sum(axis=1),
    }[weight]
    D = euclidean_distances(normalize(X))
    radius = min(D[a, b] for a in rows for b in rows if a != b)
    K = np.exp(-((D / radius) ** 2))
    assert found.tolist() == expected(strategy, K, K[rows], 10, candidates, u)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("block", [1, 300, 2**20])
def test_lazy_steps_are_greedy_steps(seed, block, monkeypatch):
    """Also with duplicates, references that are no points, and weights of zero."""
    monkeypatch.setattr(_coverage, "BLOCK", block)
    monkeypatch.setattr(_coverage, "MIN_ROWS", 1)
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(60, 3)).astype(np.float32)
    points[40:] = points[:20]
    references = rng.normal(size=(25, 3)).astype(np.float32)
    weights = rng.integers(3, size=25) / 2
    for kernel, K in (
        (
            gaussian(1.5),
            np.exp(-((euclidean_distances(points, references) / 1.5) ** 2)),
        ),
        (ball(1.5), (euclidean_distances(points, references) < 1.5) * 1.0),
    ):
        coverage = Coverage(points, references, kernel, weights)
        coverage.add(points[:2])
        rows = rng.permutation(np.arange(2, 60))
        priority = np.argsort(np.r_[[0, 1], rows])
        chosen = greedy(K, K[:2].max(axis=0), weights, 30, rows, priority)
        if kernel.__qualname__.startswith("ball"):
            assert coverage.choose(30, rows).tolist() == chosen
        else:
            # Rounding may tell duplicates apart, but they cover the same.
            found = coverage.choose(30, rows)
            np.testing.assert_allclose(
                [K[found[:k]].max(axis=0) @ weights for k in range(1, 31)],
                [K[chosen[:k]].max(axis=0) @ weights for k in range(1, 31)],
                rtol=1e-5,
            )


def test_all_bounds_that_are_zero_cost_nothing(monkeypatch):
    """Equal rows are covered by the first one; the rest follows by priority."""
    points = np.ones((500, 2), dtype=np.float32)
    rows, scored = np.random.default_rng(0).permutation(500), []
    plain = Coverage.gains
    monkeypatch.setattr(
        Coverage, "gains", lambda self, r: scored.append(len(r)) or plain(self, r)
    )
    coverage = Coverage(points, points, gaussian(1.0))
    assert coverage.choose(400, rows).tolist() == rows[:400].tolist()
    assert sum(scored) <= 1000


@pytest.mark.parametrize("purity", [0.8, 0.95, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_the_radius_is_the_largest_one_with_pure_balls(seed, purity):
    X, _ = pool(seed, 100)
    strategy = ProbCover(
        n_clusters=4, purity=purity, embedding=AS_THEY_ARE, random_state=seed
    ).fit(X)
    U = normalize(X.astype(np.float32))
    clusters = KMeans(4, n_init=10, random_state=strategy.seed_).fit_predict(U)
    D, differ = euclidean_distances(U.astype(float)), clusters[:, None] != clusters

    def share(delta):
        return 1 - ((delta > D) & differ).any(axis=1).mean()

    assert share(strategy.delta_ - 1e-5) >= purity
    assert share(strategy.delta_ + 1e-5) < purity


def test_the_number_of_clusters_is_that_of_the_classes():
    X, y = pool(0, 150)
    learner = ActiveLearner(
        LogisticRegression(), ProbCover(), warm_size=0, batch_size=4, n_rounds=3
    )
    by_classes = learner.set_params(random_state=0).fit(X, y)
    given = learner.set_params(strategy=ProbCover(n_clusters=4)).fit(X, y)
    assert by_classes.order_.tolist() == given.order_.tolist()


@pytest.mark.parametrize("strategy", [Herding(), Herding("margin"), ProbCover()])
def test_a_learner_begins_with_nothing(strategy):
    X, y = pool(1, 150)
    learner = ActiveLearner(
        LogisticRegression(max_iter=500),
        strategy,
        warm_size=0,
        batch_size=4,
        n_rounds=4,
        random_state=0,
    ).fit(X, y)
    assert len(set(learner.order_.tolist())) == 16
    assert np.isfinite(learner.curve_[1:]).all()


def test_weights_count_only_once_there_is_a_model():
    X, y = pool(2, 150)
    orders = [
        ActiveLearner(
            LogisticRegression(max_iter=500),
            Herding(weight, random_state=0),
            warm_size=0,
            batch_size=6,
            n_rounds=3,
            random_state=0,
        )
        .fit(X, y)
        .order_.tolist()
        for weight in (None, "margin")
    ]
    assert orders[0][:6] == orders[1][:6]
    assert orders[0][6:] != orders[1][6:]


def test_a_model_that_is_certain_of_all_rows_gives_equal_weights():
    X, y = pool(3)
    rows = np.arange(0, len(X), 3)
    labelled, tree = some_labelled(X, y, rows), DecisionTreeClassifier()
    args = {
        "candidates": np.setdiff1d(np.arange(len(X)), rows),
        "labelled": labelled,
    }
    tree.fit(X[rows], y[rows])
    weighted = Herding("margin", random_state=0).fit(X).select(tree, X, 8, **args)
    plain = Herding(random_state=0).fit(X).select(None, X, 8, **args)
    assert weighted.tolist() == plain.tolist()


def test_sampled_references_are_drawn_by_the_seed():
    X, _ = pool(4, 300)

    def choose(seed, n_references):
        strategy = Herding(n_references=n_references, random_state=seed).fit(X)
        return strategy.select(None, X, 10).tolist()

    assert choose(0, 40) == choose(0, 40)
    assert choose(0, 40) != choose(1, 40)
    assert choose(0, 300) == choose(0, None) == choose(0, 1000)
    U = normalize(X - X.mean(axis=0))
    K = rbf_kernel(U, gamma=1)
    coverage = {
        n: np.mean([K[choose(s, n)].max(axis=0).mean() for s in range(5)])
        for n in (1, 60, None)
    }
    assert coverage[1] < coverage[60] < coverage[None] + 1e-9
    assert coverage[60] > 0.95 * coverage[None]


@pytest.mark.parametrize("strategy", [Herding, ProbCover])
class TestEdges:
    def test_duplicates_only(self, strategy):
        X = np.ones((30, 3))
        found = strategy(random_state=0).fit(X).select(None, X, 12)
        assert len(set(found.tolist())) == 12

    def test_a_constant_column_changes_nothing(self, strategy):
        X, _ = pool(5)
        wide = np.column_stack([X, np.full(len(X), 7.0)])
        by_both = [
            strategy(random_state=0).fit(rows).select(None, rows, 10).tolist()
            for rows in (X, wide)
        ]
        assert by_both[0] == by_both[1]

    def test_one_candidate_and_all_of_them(self, strategy):
        X, _ = pool(6, 20)
        fitted = strategy(random_state=0).fit(X)
        assert fitted.select(None, X, 1, candidates=[7]).tolist() == [7]
        assert sorted(fitted.select(None, X, 20)) == list(range(20))
        one = strategy(random_state=0).fit(X[:1])
        assert one.select(None, X[:1], 1).tolist() == [0]

    def test_a_row_that_is_zero(self, strategy):
        X, _ = pool(7, 40)
        X[5] = 0
        fitted = strategy(embedding=AS_THEY_ARE, random_state=0).fit(X)
        assert len(set(fitted.select(None, X, 30).tolist())) == 30

    def test_an_embedding_with_a_missing_number(self, strategy):
        X, _ = pool(8)
        broken = FunctionTransformer(lambda X: np.where(X > 9, np.nan, X))
        with pytest.raises(ValueError, match="have missing or infinite numbers: let"):
            strategy(embedding=broken).fit(X).select(None, X, 5)

    def test_rows_that_are_truly_sparse(self, strategy):
        X = sparse.random(90, 30, density=0.1, format="csr", random_state=1)
        by_both = [
            strategy(random_state=0).fit(rows).select(None, rows, 9).tolist()
            for rows in (X, X.toarray())
        ]
        assert by_both[0] == by_both[1]

    def test_followed_within_bins(self, strategy):
        X, y = pool(9, 150)
        learner = ActiveLearner(
            LogisticRegression(max_iter=500),
            IDMR(Then(strategy(), Margin()), n_bins=3),
            warm_size=0,
            batch_size=4,
            n_rounds=3,
            random_state=0,
        ).fit(X, y)
        assert len(set(learner.order_.tolist())) == 12


def test_labelled_rows_that_are_equal_leave_the_radius_of_others():
    X, y = pool(0)
    X[1] = X[0]
    rows = np.array([0, 1, 10, 20])
    model = LogisticRegression(C=0.01).fit(X[:40], y[:40])

    def choose(rows, **params):
        strategy = Herding("margin", temperature=1.0, random_state=0, **params).fit(X)
        candidates = np.arange(30, len(X))
        labelled = some_labelled(X, y, rows)
        return strategy.select(
            model, X, 8, candidates=candidates, labelled=labelled
        ).tolist()

    assert choose(rows) == choose(rows[1:])
    # No two of them differ.
    assert choose(rows[:2]) == choose(rows[:2], radius=1.0)


def test_weights_that_are_no_numbers_are_named():
    class Lost(LogisticRegression):
        def predict_proba(self, X):
            return np.where(X[:, :1] > 0, np.nan, super().predict_proba(X))

    X, y = pool(1)
    model = Lost().fit(X, y)
    for weight in ("margin", "entropy"):
        strategy = Herding(weight, temperature=1.0).fit(X)
        with pytest.raises(ValueError, match=r"finds no weight for .* since Lost"):
            strategy.select(model, X, 3, labelled=some_labelled(X, y, range(9)))


def test_a_radius_that_cannot_be_chosen_is_refused(monkeypatch):
    X = np.repeat(np.eye(3), 10, axis=0)
    monkeypatch.setattr(
        "skal.strategies._prob_cover.cluster", lambda X, n, seed: np.arange(len(X)) % 2
    )
    with pytest.raises(ValueError, match="finds no radius at which 95% of the balls"):
        ProbCover(embedding=AS_THEY_ARE).fit(X)


@pytest.mark.parametrize(
    ("strategy", "name"),
    [
        (Herding(radius=0), "radius"),
        (Herding("distance"), "weight"),
        (Herding(n_references=0), "n_references"),
        (Herding(temperature=-1.0), "temperature"),
        (ProbCover(0.0), "delta"),
        (ProbCover(purity=1.2), "purity"),
    ],
)
def test_a_parameter_out_of_range(strategy, name):
    with pytest.raises(ValueError, match=f"The '{name}' parameter"):
        strategy.fit(np.ones((5, 2)))


def test_weights_need_probabilities():
    class Mute(KNeighborsClassifier):
        predict_proba = None

        def __getattribute__(self, name):
            if name == "predict_proba":
                raise AttributeError(name)
            return super().__getattribute__(name)

    X, y = pool(0)
    with pytest.raises(TypeError, match="Herding needs class probabilities"):
        ActiveLearner(Mute(), Herding("margin"), n_rounds=2).fit(X, y)


@pytest.mark.filterwarnings("ignore:The maximum purity was")
@pytest.mark.parametrize("n_labelled", [0, 20])
@pytest.mark.parametrize("name", ["MaxHerding", "ProbCover"])
def test_the_rows_of_scikit_activeml(name, n_labelled):
    """2,000 rows, and among equals the row that the rival has drawn."""
    rivals = pytest.importorskip("skactiveml.pool", reason="needs scikit-activeml")
    X, _ = make_blobs(2000, 64, centers=20, cluster_std=8.0, random_state=0)
    X = normalize(X)
    y = np.full(len(X), np.nan)
    y[:n_labelled] = 0
    if name == "MaxHerding":
        rival = rivals.MaxHerding(metric_dict={"gamma": 1.0}, random_state=0)
        strategy = Herding(embedding=AS_THEY_ARE, random_state=0)
    else:
        rival = rivals.ProbCover(n_classes=2, deltas=[0.9], random_state=0)
        strategy = ProbCover(0.9, embedding=AS_THEY_ARE, random_state=0)
    chosen = rival.query(X, y, batch_size=25)
    known = some_labelled(X, y, range(n_labelled))
    fitted = strategy.fit(X)
    fitted._priority[chosen] = np.arange(25) - 25
    candidates = np.arange(n_labelled, len(X))
    found = fitted.select(None, X, 25, candidates=candidates, labelled=known)
    assert found.tolist() == chosen.tolist()


class TestTemperature:
    def test_of_logits(self):
        logits = np.random.default_rng(0).normal(size=(20, 4)) * 5
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        q = np.exp(logits / 3) / np.exp(logits / 3).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(tempered(p, 3.0), q)
        assert tempered([[1.0, 0.0], [0.0, 0.0]], 9.0).tolist() == [[1, 0], [0, 0]]

    def test_of_probabilities_of_lower_precision(self):
        p = np.random.default_rng(0).dirichlet(np.ones(4), 20).astype(np.float32)
        assert (tempered(p, 3.0) == tempered(p.astype(np.float64), 3.0)).all()

    def test_the_error_of_calibration_by_bins(self):
        rng = np.random.default_rng(1)
        p = rng.dirichlet([1, 1, 1], 300)
        codes = rng.integers(3, size=300)
        error, confidence = 0.0, p.max(axis=1)
        for b in range(15):
            is_in = (confidence > b / 15) & (confidence <= (b + 1) / 15)
            if is_in.any():
                right = (p.argmax(axis=1) == codes)[is_in].mean()
                error += is_in.mean() * abs(right - confidence[is_in].mean())
        assert calibration_error(p, codes) == pytest.approx(error)

    def fit(self, model, X, y, seed=0):
        """Return the temperature, and the training that was used."""
        strategy = Herding("margin", random_state=0).fit(X)
        strategy._training.estimator = model
        labelled = some_labelled(X, y, range(len(X)))
        return fit_temperature(strategy._training, labelled, seed), strategy

    def test_a_model_that_is_too_sure_is_made_less_so(self):
        X, y = make_blobs(200, 5, centers=4, cluster_std=12.0, random_state=0)
        sure, _ = self.fit(LogisticRegression(C=1e4, max_iter=5000), X, y)
        X, y = make_blobs(200, 5, center_box=(-90, 90), random_state=0)
        calm, _ = self.fit(LogisticRegression(C=1e-6), X, y)
        assert sure > calm == 1.0

    def test_it_is_one_if_it_cannot_be_fitted(self):
        X, y = pool(0)
        one_class = np.zeros(20, dtype=int)
        for model, rows, labels in (
            (LogisticRegression(), X[:20], one_class),
            (LogisticRegression(), X[:1], y[:1]),
            (KNeighborsClassifier(5), X[:5], y[:5]),
        ):
            assert self.fit(model, rows, labels)[0] == 1.0

    def test_one_training_a_round_that_counts(self):
        X, y = pool(3, 200)
        learner = ActiveLearner(
            LogisticRegression(max_iter=500),
            IDMR(Herding("margin"), n_bins=3),
            warm_size=10,
            batch_size=6,
            n_rounds=4,
            random_state=0,
        ).fit(X, y)
        assert learner.n_trainings_ == 5 + 4
        fixed = learner.set_params(strategy=Herding("margin", temperature=1.0))
        assert fixed.fit(X, y).n_trainings_ == 5
