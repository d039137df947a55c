"""Embeddings of rows: of models, of rows alone, and by a transformer of the user's."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    OneHotEncoder,
    StandardScaler,
)

from skal import ActiveLearner, Herding, Margin, Problem, Then
from skal.answers._constant import ConstantModel
from skal.answers._embedding import as_embedding, embedding, has_embedding
from skal.answers._fixed_classes import FixedClasses
from skal.answers._methods import with_methods
from skal.datasets import make_intents
from skal.strategies import EmbeddingStrategy

LOGISTIC = LogisticRegression(max_iter=500)


class Seen(EmbeddingStrategy):
    """Takes the first candidates, and keeps the embeddings that it is given."""

    def __init__(self, *, embedding=None, random_state=None):
        self.embedding = embedding
        self.random_state = random_state

    def _select(self, estimator, X, n, candidates, labelled):
        self.seen_ = self._embed(estimator, X, candidates)
        return candidates[:n]


def seen(X, model=None, problem=None, rows=None, **params):
    strategy = Seen(random_state=0, **params).fit(X, problem=problem)
    strategy.select(model, X, 1, candidates=rows)
    return strategy.seen_


def problem_of(X, y, estimator, n_warm=0, n=30):
    """Return the problem of a pool of `n` rows, and a warm start that may be empty."""
    ends = {"": n, "_warm": n + n_warm, "_val": n + n_warm + 10, "_test": len(X)}
    sets, start = {}, 0
    for name, end in ends.items():
        sets |= {f"X{name}": X[start:end], f"y{name}": y[start:end]}
        start = end
    return Problem.from_sets(sets, estimator, batch_size=4, n_rounds=3)


def is_plain(found, shape):
    return (
        type(found) is np.ndarray and found.dtype == np.float32 and found.shape == shape
    )


@pytest.fixture
def intents():
    X, y = make_intents(60, random_state=0)
    return list(X), np.asarray(y)


class TestOfModels:
    def test_of_a_net_the_hidden_layer(self, blobs):
        pytest.importorskip("skorch", reason="skorch is an extra")
        from skal.nets import MLP, TorchClassifier

        X, y = blobs
        X = X.astype(np.float32)
        net = TorchClassifier(MLP, max_epochs=2, random_state=0).fit(X, y)
        layers = list(net.module_.modules())
        last = [one for one in layers if type(one).__name__ == "Linear"][-1]
        found = seen(X, net)
        assert is_plain(found, (120, last.in_features))
        logits = found @ last.weight.detach().numpy().T + last.bias.detach().numpy()
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(p, net.predict_proba(X), atol=1e-5)
        # Within a Pipeline, the net sees the transformed rows.
        inside = make_pipeline(FunctionTransformer(lambda X: X / 2), net)
        np.testing.assert_array_equal(seen(X, inside), net.embed(X / 2))

    def test_of_a_pipeline_what_its_last_step_sees(self, blobs):
        X, y = blobs
        steps = make_pipeline(StandardScaler(), PCA(1), LOGISTIC).fit(X, y)
        expected = steps[:-1].transform(X).astype(np.float32)
        search = GridSearchCV(
            make_pipeline(StandardScaler(), PCA(1), LOGISTIC),
            {"logisticregression__C": [1.0]},
        ).fit(X, y)
        for model in (
            steps,
            FixedClasses(steps, np.arange(5)),
            Pipeline([("all", steps)]),
            search,
            FixedClasses(search, np.arange(4)),
            with_methods(FixedClasses(steps, np.arange(5)), ("coef_",)),
        ):
            assert has_embedding(model)
            np.testing.assert_allclose(seen(X, model), expected, atol=1e-6)

    def test_any_other_model_has_none(self, blobs):
        X, y = blobs
        one_step = make_pipeline(LOGISTIC).fit(X, y)
        for model in (None, LOGISTIC, one_step, GridSearchCV(LOGISTIC, {"C": [1]})):
            assert not has_embedding(model)
            np.testing.assert_array_equal(seen(X, model), seen(X))

    def test_a_constant_model_has_learned_nothing(self, blobs):
        X, y = blobs
        constant = ConstantModel(make_pipeline(PCA(1), LOGISTIC)).fit(X[:2], y[[0, 0]])
        for model in (constant, FixedClasses(constant, np.arange(3))):
            assert not has_embedding(model)
            assert seen(X, model).shape == (120, 2)

    def test_a_model_with_a_method_embed(self, blobs):
        class Own(LogisticRegression):
            def embed(self, X):
                # A table in a form of its own: further axes, and double precision.
                return np.stack([X, 2 * X], axis=2)

        X, y = blobs
        found = embedding(Own().fit(X, y), X)
        assert is_plain(found, (120, 4))
        np.testing.assert_allclose(found[:, 1], 2 * X[:, 0], rtol=1e-6)


class TestOfRowsAlone:
    def test_columns_of_different_units_are_scaled(self, blobs):
        X = np.column_stack([blobs[0], 1000 * blobs[0][:, :1] ** 2])
        expected = StandardScaler().fit_transform(X)
        np.testing.assert_allclose(seen(X), expected, atol=1e-4)
        # The warm start and a part of the pool are scaled as the pool is.
        rows = np.arange(20, 50)
        np.testing.assert_allclose(seen(X, rows=rows), expected[rows], atol=1e-4)

    def test_columns_of_one_unit_are_centred(self, blobs):
        X = np.column_stack([blobs[0], 4 * blobs[0][:, 0]])
        np.testing.assert_allclose(seen(X), X - X.mean(axis=0), atol=1e-4)

    def test_the_order_of_rows_and_constant_columns_decide_nothing(self, blobs):
        X = np.column_stack([blobs[0], np.full(120, 1e6), np.zeros(120)])
        np.testing.assert_allclose(seen(X)[:, :2], seen(blobs[0]), atol=1e-6)
        np.testing.assert_array_equal(seen(X)[:, 2:], 0)
        np.testing.assert_allclose(seen(X[::-1])[::-1], seen(X), atol=1e-5)

    @pytest.mark.parametrize("unit", [1.0, 1000.0])
    def test_sparse_rows_are_not_centred_in_any_container(self, unit):
        X = sparse.random(90, 8, density=0.3, format="csr", random_state=1)
        X = (X @ sparse.diags([unit] + [1.0] * 7)).tocsr()
        expected = X if unit == 1 else MaxAbsScaler().fit_transform(X)
        assert sparse.issparse(seen(X))
        assert seen(X).dtype == np.float32
        for found in (seen(X).toarray(), seen(X.tocoo()).toarray(), seen(X.toarray())):
            np.testing.assert_allclose(found, expected.toarray(), rtol=1e-5)

    def test_a_sparse_matrix_without_zeros_is_centred_as_an_array(self, blobs):
        found = seen(sparse.csr_array(blobs[0]))
        np.testing.assert_array_equal(found, seen(blobs[0]))

    @pytest.mark.parametrize("kind", ["frame", "list", "int", "images"])
    def test_other_containers(self, blobs, kind):
        X = np.round(blobs[0])
        rows = {
            "frame": pd.DataFrame(X),
            "list": X.tolist(),
            "int": X.astype(np.int64),
            "images": X.reshape(120, 1, 2),
        }[kind]
        np.testing.assert_array_equal(seen(rows), seen(X))

    def test_a_configuration_with_frames(self, blobs):
        with config_context(transform_output="pandas"):
            found = seen(blobs[0])
            by_name = seen(blobs[0], embedding=StandardScaler())
        assert is_plain(found, (120, 2))
        assert is_plain(by_name, (120, 2))

    def test_they_can_be_asked_for_in_spite_of_a_pipeline(self, blobs):
        X, y = blobs
        model = make_pipeline(PCA(1), LOGISTIC).fit(X, y)
        np.testing.assert_array_equal(seen(X, model, embedding="rows"), seen(X))

    def test_missing_numbers_become_means(self, blobs):
        X = blobs[0].copy()
        X[::9, 0] = np.nan
        expected = np.where(np.isnan(X), np.nanmean(X, axis=0), X)
        np.testing.assert_allclose(seen(X), seen(expected), atol=1e-5)

    def test_other_rows_are_prepared_by_the_first_steps_of_the_pipeline(self, intents):
        X, y = intents
        steps = [TfidfVectorizer(), LOGISTIC]
        found = seen(X[:30], problem=problem_of(X, y, make_pipeline(*steps)))
        expected = TfidfVectorizer().fit_transform(X[:30])
        np.testing.assert_allclose(found.toarray(), expected.toarray(), atol=1e-6)

    def test_a_frame_with_categories(self):
        rng = np.random.default_rng(0)
        X = pd.DataFrame({"a": rng.normal(size=60), "b": rng.choice(list("xyz"), 60)})
        y = rng.integers(2, size=60)
        columns = make_column_transformer(
            (OneHotEncoder(), ["b"]), remainder="passthrough", sparse_threshold=0
        )
        problem = problem_of(X, y, make_pipeline(columns, LOGISTIC))
        assert is_plain(seen(X[:30], problem=problem), (30, 4))
        with pytest.raises(
            ValueError, match="Set `embedding` of Seen to a transformer"
        ):
            seen(X)


class TestByTransformer:
    def test_it_is_fitted_to_the_pool_and_serves_any_model(self, blobs):
        X, y = blobs
        model = make_pipeline(StandardScaler(), LOGISTIC).fit(X, y)
        expected = PCA(1).fit(X).transform(X)
        for one in (None, model):
            found = seen(X, one, embedding=PCA(1))
            np.testing.assert_allclose(found, expected, atol=1e-5)

    def test_text(self, intents):
        X, _ = intents
        assert sparse.issparse(seen(X, embedding=TfidfVectorizer()))
        by_both = make_pipeline(TfidfVectorizer(), TruncatedSVD(3))
        assert is_plain(seen(X, embedding=by_both), (60, 3))

    def test_it_is_cloned_and_seeded(self, intents):
        X, _ = intents
        steps = make_pipeline(TfidfVectorizer(), TruncatedSVD(3, n_iter=1))
        np.testing.assert_array_equal(
            seen(X, embedding=steps), seen(X, embedding=steps)
        )
        assert not hasattr(steps[0], "vocabulary_")

    def test_labels_are_not_shown(self, blobs):
        class Curious(TransformerMixin, BaseEstimator):
            def fit(self, X, y=None):
                assert y is None
                return self

            def transform(self, X):
                return X

        X, y = blobs
        seen(X[:30], problem=problem_of(X, y, LOGISTIC), embedding=Curious())

    def test_a_word_that_is_not_known(self, blobs):
        with pytest.raises(ValueError, match="The 'embedding' parameter of Seen must"):
            seen(blobs[0], embedding="hidden")


class TestRefusals:
    def test_text_that_nothing_prepares(self, intents):
        X, _ = intents
        with pytest.raises(
            ValueError, match=r"they are words\. Set `embedding` of Seen to a trans"
        ):
            seen(X)

    def test_a_net_that_is_to_be_trained_first(self, intents):
        pytest.importorskip("skorch", reason="skorch is an extra")
        from skal.nets import EmbeddingBagClassifier

        X, y = intents
        net = EmbeddingBagClassifier(max_epochs=1)
        with pytest.raises(ValueError, match="Set `embedding` of Seen"):
            seen(X[:30], problem=problem_of(X, y, net))
        problem = problem_of(X, y, net, n_warm=8)
        with pytest.raises(ValueError, match="cannot embed the rows before a net is"):
            seen(X[:30], problem=problem)
        model = net.fit(X, y)
        found = seen(X[:30], model, problem=problem)
        np.testing.assert_array_equal(found, net.embed(X[:30]))

    @pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
    def test_numbers_that_are_missing_or_infinite(self, value):
        for table in (np.array([[1.0, value]]), sparse.csr_array([[1.0, value]])):
            with pytest.raises(ValueError, match="of PCA have missing or infinite"):
                as_embedding(table, "PCA")

    def test_words(self):
        with pytest.raises(ValueError, match="The embeddings of Own must be numbers"):
            as_embedding([["a", "b"]], "Own")

    def test_a_last_step_that_sees_words(self, intents):
        X, y = intents
        upper = FunctionTransformer(lambda X: [x.upper() for x in X])
        text = make_pipeline(TfidfVectorizer(), LOGISTIC)
        model = make_pipeline(upper, text).fit(X, y)
        with pytest.raises(ValueError, match=r"must be numbers: .* Set `embedding`"):
            seen(X[:30], model, problem=problem_of(X, y, text))

    def test_no_rows_and_one_column(self):
        assert as_embedding(np.empty((0, 3, 2)), "").shape == (0, 6)
        assert as_embedding([1, 2, 3], "").shape == (3, 1)


@pytest.mark.parametrize("first", [Herding(), Seen()])
def test_a_learner_of_sentences_begins_with_nothing(intents, first):
    X, y = intents
    learner = ActiveLearner(
        make_pipeline(TfidfVectorizer(), LOGISTIC),
        Then(first, Margin()),
        warm_size=0,
        batch_size=5,
        n_rounds=3,
        random_state=0,
    ).fit(X, y)
    assert len(set(learner.order_.tolist())) == 15
