from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from skal import Problem, Random, compare
from skal.plotting import EmbeddingDisplay
from skal.studies import input_distribution, label_distribution
from skal.studies._spec import Splits


@pytest.fixture
def inputs(comparison):
    return input_distribution(comparison, lambda X: X, reference="test")


def test_each_round_is_discs_with_its_number(comparison, inputs):
    display = EmbeddingDisplay.from_study(
        inputs, comparison, estimator="naive", strategies=["oracle", "random"], seed=3
    )
    assert list(display.axes_) == ["oracle", "random"]
    for name, ax in display.axes_.items():
        order = comparison.orders["naive", name, 3][0]
        drawn = [discs.get_offsets() for discs in display.discs_[name]]
        assert [len(part) for part in drawn] == [5] * 4
        np.testing.assert_allclose(np.concatenate(drawn), inputs.points["pool"][order])
        numbers = {text.xy: text.get_text() for text in map(_place, ax.texts)}
        expected = [str(number) for number in np.repeat([1, 2, 3, 4], 5)]
        assert [numbers[tuple(p)] for p in np.concatenate(drawn)] == expected


def test_orders_of_a_pool_that_was_carved(blobs):
    problem = Problem.from_data(
        *blobs, GaussianNB(), batch_size=4, n_rounds=3, warm_size=10, random_state=0
    )
    comparison = compare(problem, {"random": Random()}, n_orders=1)
    inputs = input_distribution(comparison, lambda X: X)
    display = EmbeddingDisplay.from_study(inputs, comparison, strategies="random")
    drawn = [discs.get_offsets() for discs in display.discs_["random"]]
    rows = comparison.orders["GaussianNB", "random", 0][0]
    np.testing.assert_allclose(np.concatenate(drawn), blobs[0][rows])


def _place(text):
    text.xy = tuple(text.xy)
    return text


def test_colours_are_labels(comparison, inputs):
    display = EmbeddingDisplay.from_study(
        inputs, comparison, estimator="bayes", strategies="oracle", n_rounds=2
    )
    assert len(display.discs_["oracle"]) == 2
    rows = comparison.orders["bayes", "oracle", 0][0][:5]
    labels = comparison.problem.y_pool[rows]
    colours = display.discs_["oracle"][0].get_facecolors()
    assert len(np.unique(colours, axis=0)) == len(np.unique(labels))
    for label in np.unique(labels):
        assert len(np.unique(colours[labels == label], axis=0)) == 1
    legend = display.axes_["oracle"].get_legend()
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["0", "1", "2", "warm start", "labelled in\nround on disc"]
    handles = dict(zip(names, legend.legend_handles, strict=True))
    np.testing.assert_allclose(
        handles[str(labels[0])].get_facecolor()[0], colours[0], atol=1e-6
    )


def test_the_data_are_in_the_back(comparison, inputs):
    display = EmbeddingDisplay.from_study(
        inputs, comparison, estimator="bayes", strategies="oracle"
    )
    back, warm, *_ = display.axes_["oracle"].collections
    np.testing.assert_allclose(back.get_offsets(), inputs.points["test"])
    np.testing.assert_allclose(warm.get_offsets(), inputs.points["warm"])
    assert back.get_zorder() < display.discs_["oracle"][0].get_zorder()
    without_test = input_distribution(comparison, lambda X: X)
    display = EmbeddingDisplay.from_study(without_test, comparison, estimator="bayes")
    back = display.axes_["oracle"].collections[0]
    np.testing.assert_allclose(back.get_offsets(), without_test.points["pool"])


def test_it_draws_where_it_is_told(comparison, inputs):
    _, ax = mpl.pyplot.subplots()
    params = {"estimator": "bayes", "strategies": ["margin"]}
    display = EmbeddingDisplay.from_study(inputs, comparison, ax=ax, **params)
    assert display.ax_ is display.axes_["margin"] is ax


def test_what_cannot_be_drawn_is_refused(comparison, inputs):
    labels = label_distribution(comparison)
    with pytest.raises(ValueError, match="a feature of two dimensions"):
        EmbeddingDisplay.from_study(labels, comparison)
    other = replace(inputs, points={"pool": np.zeros((3, 2))})
    with pytest.raises(ValueError, match="of another comparison"):
        EmbeddingDisplay.from_study(other, comparison)
    with pytest.raises(ValueError, match="seed=9 is not in the study"):
        EmbeddingDisplay.from_study(inputs, comparison, estimator="bayes", seed=9)
    with pytest.raises(ValueError, match="more than one estimator"):
        EmbeddingDisplay.from_study(inputs, comparison)
    tags = [["O", "B"]] * comparison.problem.n_pool
    tagged = replace(
        comparison, splits=Splits(replace(comparison.problem, y_pool=tags), 0)
    )
    with pytest.raises(ValueError, match="each row has a list of tags"):
        EmbeddingDisplay.from_study(inputs, tagged, estimator="bayes")
