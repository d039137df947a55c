"""Studies, displays and statistics that are given a wrong object or number."""

import os

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB

from skal import (
    ActiveLearner,
    Margin,
    Problem,
    Random,
    compare,
    evaluate_order,
    model_transfer,
    order_overlap,
    run_seeds,
    seed_transfer,
    xi_quality,
)
from skal.datasets import make_intents, make_tagged_sentences
from skal.information import batchbald, entropy, joint_entropy, variation_ratio
from skal.plotting import (
    DistributionDisplay,
    EmbeddingDisplay,
    GainDisplay,
    HTMLReport,
    OverlapDisplay,
    PerformanceCurveDisplay,
    TransferDisplay,
)
from skal.studies import (
    input_distribution,
    jackknife_pairs,
    label_distribution,
    regularization_gain,
)
from skal.studies._statistics import holm

STUDIES = [
    *(input_distribution, label_distribution, model_transfer, order_overlap),
    *(regularization_gain, seed_transfer),
]
DISPLAYS = [
    *(
        PerformanceCurveDisplay,
        DistributionDisplay,
        GainDisplay,
        OverlapDisplay,
        TransferDisplay,
    )
]


@pytest.mark.parametrize("wrong", [7, None, "a comparison", {}, GaussianNB()])
@pytest.mark.parametrize("study", STUDIES)
def test_a_study_takes_a_comparison(study, wrong):
    message = f"comparison must be a Comparison, got {type(wrong).__name__}: give"
    with pytest.raises(TypeError, match=message):
        study(wrong)


@pytest.mark.parametrize("wrong", [3.5, [], np.zeros(3), "found"])
@pytest.mark.parametrize("display", DISPLAYS)
def test_a_display_takes_the_result_of_its_study(display, wrong):
    message = f"result must be a .*, got {type(wrong).__name__}: give what"
    with pytest.raises(TypeError, match=message):
        display.from_study(wrong)


def test_an_embedding_takes_two_results(comparison):
    with pytest.raises(TypeError, match="result must be a Distribution, got Compar"):
        EmbeddingDisplay.from_study(comparison, comparison)
    found = label_distribution(comparison)
    with pytest.raises(TypeError, match="comparison must be a Comparison, got Distr"):
        EmbeddingDisplay.from_study(found, found)


@pytest.mark.parametrize("wrong", [4, [[1, 2]], "text", None])
def test_a_table_is_a_dict(wrong):
    with pytest.raises(TypeError, match=r"columns must be a dict of columns, got"):
        HTMLReport("title").add_table(wrong)


@pytest.mark.parametrize("wrong", [1, None, ["X"], GaussianNB()])
def test_sets_are_a_dict(wrong):
    with pytest.raises(TypeError, match=r"sets must be a dict of data sets, got"):
        Problem.from_sets(wrong, GaussianNB(), batch_size=2, n_rounds=2)


@pytest.mark.parametrize("wrong", [GaussianNB(), Random(), 3, None])
def test_seeds_are_run_of_a_learner(wrong):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(TypeError, match="learner must be an ActiveLearner, got"):
        run_seeds(wrong, X, y)
    with pytest.raises(TypeError, match="learner must be an ActiveLearner, got"):
        evaluate_order([1, 2], wrong, X, y)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (True, "must be an integer or an iterable"),
        ([0, True], "distinct|non-negative integers, got True"),
        ([False, 3], "non-negative integers, got False"),
        (10**30, "seeds must be at most 1000000"),
        (np.int64(2**40), "seeds must be at most 1000000"),
    ],
)
def test_odd_seeds(make_problem, blobs, wrong, message):
    with pytest.raises(ValueError, match=message):
        compare(make_problem(), {"random": Random()}, seeds=wrong)
    with pytest.raises(ValueError, match=message):
        run_seeds(ActiveLearner(GaussianNB(), Margin()), *blobs, seeds=wrong)


@pytest.mark.parametrize("n", [10**30, 2**40])
def test_numbers_that_no_machine_has_room_for(make_problem, n):
    with pytest.raises(ValueError, match="n_orders"):
        compare(make_problem(), {"random": Random()}, n_orders=n)
    for make in (make_intents, make_tagged_sentences):
        with pytest.raises(ValueError, match="n_samples"):
            make(n)


@pytest.mark.parametrize("wrong", [[2, -1], [[0.1, 0.2]], 0.5, [0.1, 1.01], [-1e-9]])
def test_p_values_are_a_list_of_shares(wrong):
    with pytest.raises(ValueError, match="pvalues must be one-dimensional and between"):
        holm(wrong)


def test_p_values_that_are_not_defined_stay():
    np.testing.assert_array_equal(holm([0.5, np.nan, 0.01]), [0.5, np.nan, 0.02])


@pytest.mark.parametrize("wrong", [-1, [1.0, 2.0, 3.0], np.zeros((3, 4))])
def test_pairs_of_seeds_are_square(wrong):
    with pytest.raises(ValueError, match=r"the shape \(..., n_seeds, n_seeds\), got"):
        jackknife_pairs(wrong)


@pytest.mark.parametrize("wrong", [-1, [0.5, 0.5], [[0.5, 0.5]]])
def test_posterior_samples_have_three_axes(wrong):
    for function in (variation_ratio, joint_entropy, lambda p: batchbald(p, 1)):
        with pytest.raises(ValueError, match="Posterior samples must have the shape"):
            function(wrong)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_posterior_samples_are_numbers(dtype):
    probs = np.full((5, 3, 2), 0.5, dtype=dtype)
    assert variation_ratio(probs).tolist() == [0] * 5
    probs[4, 0, 1] = np.nan
    for function in (variation_ratio, joint_entropy, lambda p: batchbald(p, 2)):
        with pytest.raises(ValueError, match="Posterior samples must be numbers, got"):
            function(probs)


@pytest.mark.parametrize("wrong", [[[2, 3]], [[-0.1, 1.1]], [[np.inf, 0]], 1.5])
def test_entropy_is_of_probabilities(wrong):
    with pytest.raises(ValueError, match="Probabilities must be between 0 and 1, got"):
        entropy(wrong)


def test_entropy_takes_rounded_and_missing_probabilities():
    assert entropy([[1 + 1e-7, -1e-9]]).shape == (1,)
    assert np.isnan(entropy([[np.nan, 0.5]])).all()
    assert entropy(np.zeros((0, 3))).shape == (0,)


@pytest.mark.parametrize("wrong", [[0.1, np.nan, 0.2], [0.1, np.inf], [0, -np.inf, 1]])
def test_a_curve_has_finite_scores(wrong):
    with pytest.raises(ValueError, match="curve must have finite scores, got"):
        xi_quality(wrong)


def test_the_warm_start_may_be_empty():
    assert xi_quality([np.nan, 0.25, 0.75]) == 0.5
    assert np.isnan(xi_quality([np.nan, np.nan]))
    with pytest.raises(ValueError, match="curve must have finite scores, got"):
        xi_quality([np.nan, 0.25, 0.75], include_warm_start=True)


def test_a_study_path_that_is_a_dangling_link(make_problem, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(
        FileNotFoundError, match=r"link' is a link to a folder that doe"
    ):
        compare(make_problem(), {"random": Random()}, path=tmp_path / "link")
    with pytest.raises(ValueError, match="contains a null character"):
        compare(make_problem(), {"random": Random()}, path=f"{tmp_path}/a\0b")


def test_a_report_with_half_a_character_is_written_whole(tmp_path, monkeypatch):
    report = HTMLReport("from \udc80 to \ud83d")
    report.add_text("\udfff")
    path = tmp_path / "report.html"
    report.write(path)
    assert "from ? to ?" in path.read_text(encoding="utf-8")
    before = path.read_bytes()
    report.add_text("more")

    def fail(*names):
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "replace", fail)
    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OSError, match="disk is full"):
        report.write(path)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]
