import random

import numpy as np
import pytest
from sklearn.base import clone

from skal import ActiveLearner, MaxEntropy, load_task
from skal.datasets import load_published_runs
from skal.inputs._tags import flatten, is_tags
from skal.studies._published_split import PublishedSplit

pytest.importorskip("torch")

SIZES = {
    "object_classification": (2000, 50, 150, 4000, 4000, 25, 12, 10),
    "intent_classification": (800, 40, 100, 4000, 4000, 20, 8, 7),
    "named_entity_recognition": (1000, 50, 200, 3000, 3000, 25, 10, 17),
}


@pytest.fixture
def load(data_home):
    def load(name, **params):
        return load_task(name, data_home=data_home, download_if_missing=False, **params)

    return load


@pytest.mark.parametrize("name", SIZES)
def test_the_sizes_of_table_1(load, name):
    task = load(name)
    problem = task.problem
    sets = problem.sets
    names = ("X", "X_warm", "X_select", "X_val", "X_test")
    sizes = [len(sets[key]) for key in names]
    assert sizes == [len(sets[key.replace("X", "y")]) for key in names]
    found = *sizes, problem.batch_size, problem.n_rounds, len(problem.classes)
    assert found == SIZES[name]
    assert is_tags(problem.y_pool) == (name == "named_entity_recognition")


def test_the_estimators_and_strategies_have_the_published_names(load):
    objects, intents, entities = (load(name) for name in SIZES)
    assert list(objects.estimators) == ["cnn"]
    assert list(intents.estimators) == ["lstm", "cnn", "aoe", "roberta"]
    assert list(entities.estimators) == ["lstm"]
    assert list(objects.strategies) == [
        *("random", "max-entropy", "bald", "batchbald"),
        *("idmr-max-entropy", "idmr-bald", "idmr-batchbald"),
    ]
    assert set(intents.strategies) > {"bald", "idmr-bald", "max-entropy"}
    assert set(entities.strategies) > {"longest", "idmr-normalized-min-confidence"}
    assert objects.strategies["idmr-bald"].bins == "tsne"
    assert intents.strategies["idmr-bald"].bins == "length"


@pytest.mark.parametrize("name", SIZES)
def test_training_is_that_of_the_paper(load, name):
    task = load(name)
    for label, estimator in task.estimators.items():
        params = estimator.get_params()
        assert params["lr"] == (1e-4 if label == "roberta" else 1e-3)
        assert params["batch_size"] == task.problem.batch_size
        assert (params["max_epochs"], params["patience"]) == (100, 20)
        assert params["scoring"] == task.scoring
        assert params["dropout"] in (0, None)
    assert task.scoring == ("accuracy" if name[0] == "o" else "f1_weighted")


def test_posterior_samples_need_dropout(load):
    task = load("intent_classification")
    for strategy, dropout in {"max-entropy": 0, "bald": 0.5, "idmr-bald": 0.5}.items():
        learner = task.learner(strategy, "aoe", random_state=3)
        assert learner.estimator.dropout == dropout
        assert (learner.batch_size, learner.n_rounds, learner.random_state) == (
            20,
            8,
            3,
        )
    assert task.estimators["aoe"].dropout == 0
    own = clone(task.estimators["cnn"]).set_params(dropout=0.1)
    assert task.learner("bald", own).estimator.dropout == 0.1


def test_the_word_vectors_are_those_of_the_tasks_words(load):
    task = load("intent_classification")
    vectors = task.estimators["lstm"].vectors
    texts = " ".join(task.problem.X_test + task.problem.X_pool).lower()
    assert 1000 < len(vectors["words"]) < 2000
    assert sum(word in texts for word in vectors["words"]) > 0.8 * len(vectors["words"])


def test_the_data_seed_decides_how_the_data_are_cut(load):
    name = "intent_classification"
    first, again, other = load(name), load(name, data_seed=0), load(name, data_seed=1)
    assert first.problem.X_pool == again.problem.X_pool
    np.testing.assert_array_equal(first.problem.y_val, again.problem.y_val)
    assert first.problem.X_pool != other.problem.X_pool


@pytest.mark.parametrize("name", SIZES)
def test_the_published_split_has_the_sizes_of_table_1(load, name):
    sets = load(name, split="published").problem.sets
    names = ("X", "X_warm", "X_select", "X_val", "X_test")
    assert tuple(len(sets[key]) for key in names) == SIZES[name][:5]


def test_the_published_order_of_longest_sentences_goes_from_long_to_short(load):
    name = "named_entity_recognition"
    (order,) = {
        tuple(run.order)
        for run in load_published_runs(name)
        if run.strategy == "longest"
    }
    pool = load(name, split="published").problem.X_pool
    lengths = [len(pool[row]) for row in order]
    assert lengths == sorted(map(len, pool), reverse=True)[: len(order)]
    elsewhere = load(name).problem.X_pool
    assert [len(elsewhere[row]) for row in order] != sorted(lengths, reverse=True)


def test_the_warm_starts_of_the_paper(load):
    objects = load("object_classification", split="published").problem
    assert np.bincount(objects.y_warm).tolist() == [5, 3, 5, 3, 5, 8, 10, 5, 5, 1]
    intents = load("intent_classification", split="published").problem
    counts = dict(zip(*np.unique(intents.y_warm, return_counts=True), strict=True))
    assert counts == {
        **{"CREATE_ALARM": 25, "GET_ALARM": 7, "DELETE_ALARM": 3, "UPDATE_ALARM": 3},
        **{"SNOOZE_ALARM": 1, "UNSUPPORTED_ALARM": 1},
    }


def test_a_published_split_is_cut_from_one_shuffle():
    cut = PublishedSplit("all", ("b", "a"), left_out=(0, 9)).cut(10, {"a": 3, "b": 2})
    assert list(cut) == ["a", "b"]
    rows = [*cut["b"], *cut["a"]]
    shuffled = list(range(1, 9))
    random.Random(0).shuffle(shuffled)
    assert rows == shuffled[:5]


def test_a_run_of_intents(load):
    task = load("intent_classification")
    learner = task.learner("max-entropy", "aoe", random_state=0)
    learner.set_params(n_rounds=2, estimator__max_epochs=30)
    learner.fit(**task.problem.sets)
    assert learner.curve_.shape == (3,)
    assert learner.curve_[-1] > learner.curve_[0] > 0.3


def test_a_run_of_tags_is_scored_tag_by_tag(load):
    task = load("named_entity_recognition")
    learner = task.learner("longest", random_state=0)
    learner.set_params(n_rounds=1, estimator__max_epochs=3)
    sets = task.problem.sets
    learner.fit(**sets)
    predicted = flatten(learner.predict(sets["X_test"]))
    truth = flatten(sets["y_test"])
    assert task.problem.scorer(learner, sets["X_test"], sets["y_test"]) == (
        pytest.approx(learner.curve_[-1])
    )
    assert np.mean(predicted == truth) > 0.5


def test_unknown_names_are_refused(load):
    with pytest.raises(ValueError, match="'name' parameter of load_task"):
        load("image_segmentation")
    with pytest.raises(ValueError, match="'split' parameter of load_task"):
        load("intent_classification", split="theirs")
    task = load("named_entity_recognition")
    with pytest.raises(ValueError, match="no strategy 'bald': choose one of random"):
        task.learner("bald")
    with pytest.raises(ValueError, match="no estimator 'aoe': choose one of lstm"):
        task.learner("longest", "aoe")


def test_missing_data_say_where_they_were_looked_for(tmp_path):
    with pytest.raises(OSError, match="mit_restaurant"):
        load_task(
            "named_entity_recognition", data_home=tmp_path, download_if_missing=False
        )


def test_ones_own_strategy_and_estimator(load):
    task = load("intent_classification")
    learner = task.learner(MaxEntropy(random_state=1))
    assert isinstance(learner, ActiveLearner)
    assert learner.strategy.random_state == 1
    assert type(learner.estimator).__name__ == "BiLSTMClassifier"
