import matplotlib as mpl
import numpy as np
import pytest

from skal.plotting import TransferDisplay
from skal.studies import ModelTransfer, SeedTransfer


@pytest.fixture
def of_seeds(comparison):
    curves = np.random.default_rng(1).uniform(size=(2, 2, 5, 5, 5))
    return SeedTransfer(comparison, ("margin", "oracle"), curves, curves)


@pytest.fixture
def of_models(comparison):
    curves = np.random.default_rng(2).uniform(size=(2, 2, 2, 5, 5))
    return ModelTransfer(comparison, ("margin", "oracle"), curves, curves)


def read(texts):
    """Return the numbers in the cells: qualities, and differences (NaN without one)."""
    numbers = np.full((2, *texts.shape), np.nan)
    for place, text in np.ndenumerate(texts):
        for i, word in enumerate(text.get_text().split()):
            numbers[(i, *place)] = float(word)
    return numbers


def test_seeds_have_their_targets_in_rows_and_their_gaps_as_colours(of_seeds):
    display = TransferDisplay.from_study(of_seeds, estimator="naive")
    assert list(display.axes_) == ["margin", "oracle"]
    for i, name in enumerate(display.axes_):
        qualities, gaps = read(display.texts_[name])
        np.testing.assert_allclose(qualities, of_seeds.qualities[1, i].T, atol=6e-4)
        expected = of_seeds.gaps[1, i].T
        np.testing.assert_allclose(
            display.images_[name].get_array(), expected, atol=1e-12
        )
        expected = np.where(np.eye(5), np.nan, expected)
        np.testing.assert_allclose(gaps, expected, atol=6e-4)
    first, second = display.axes_.values()
    assert first.get_xlabel() == second.get_xlabel() == "Source seed"
    assert first.get_ylabel() == "Target seed"
    assert [t.get_text() for t in first.get_yticklabels()] == list("01234")
    assert display.colorbar_.ax.get_ylabel() == "Difference to own order"


def test_models_are_compared_with_the_baseline_in_its_own_column(of_models):
    display = TransferDisplay.from_study(of_models)
    assert list(display.axes_) == ["margin", "oracle", "random"]
    qualities, gaps = read(display.texts_["oracle"])
    means = of_models.qualities[1].mean(axis=2).T
    np.testing.assert_allclose(qualities, means, atol=6e-4)
    expected = of_models.over_baseline[1].mean(axis=2).T
    np.testing.assert_allclose(gaps, expected, atol=6e-4)
    column, none = read(display.texts_["random"])
    baseline = of_models.baseline_qualities.mean(axis=1)
    np.testing.assert_allclose(column[:, 0], baseline, atol=6e-4)
    assert np.isnan(none).all()
    assert np.all(display.images_["random"].get_array() == 0)
    assert display.colorbar_.ax.get_ylabel() == "Difference to random"
    texts = display.axes_["oracle"].get_xticklabels()
    assert [text.get_text() for text in texts] == ["bayes", "naive"]


def test_a_baseline_among_the_strategies_has_a_panel_too(comparison):
    curves = np.random.default_rng(2).uniform(size=(2, 2, 2, 5, 5))
    study = ModelTransfer(comparison, ("random", "oracle"), curves, curves)
    display = TransferDisplay.from_study(study)
    assert list(display.axes_) == ["random", "oracle", "random (reference)"]
    assert display.texts_["random"].shape == (2, 2)
    assert display.texts_["random (reference)"].shape == (2, 1)
    assert display.axes_["random"].get_xlabel() == "Source estimator"
    assert np.isfinite(read(display.texts_["random"])).all()


def test_names_and_titles_of_several_lines_do_not_touch(overlaps):
    names = ["EmbeddingBagClassifierWithDropout", "TextCNNClassifierWithDropout"]
    qualities = {name * 2: np.eye(2) for name in ("unbreakable", "searched")}
    display = TransferDisplay(qualities, names, baseline=[0, 0]).plot()
    first, *others = display.axes_.values()
    assert not overlaps(first.get_yticklabels())
    assert not overlaps(first.get_xticklabels())
    assert not overlaps([ax.title for ax in (first, *others)])


def test_all_panels_share_one_scale_of_colours(of_models):
    images = list(TransferDisplay.from_study(of_models).images_.values())
    limits = {image.get_clim() for image in images}
    values = np.concatenate([np.ravel(image.get_array()) for image in images])
    largest = np.abs(values).max()
    assert limits == {(-largest, largest)}


def test_equal_qualities_have_a_scale_too():
    display = TransferDisplay({"oracle": np.ones((2, 2))}, ["0", "1"]).plot()
    low, high = display.images_["oracle"].get_clim()
    assert low < 0 < high


def test_one_strategy_is_drawn_where_it_is_told(of_seeds):
    _, ax = mpl.pyplot.subplots()
    display = TransferDisplay.from_study(
        of_seeds, estimator="bayes", strategies=["oracle"], ax=ax
    )
    assert display.ax_ is display.axes_["oracle"] is ax
    assert display.figure_ is ax.figure


def test_what_is_missing_or_unknown_is_refused(of_seeds, of_models):
    with pytest.raises(ValueError, match="more than one estimator"):
        TransferDisplay.from_study(of_seeds)
    with pytest.raises(ValueError, match="Unknown strategy 'bald'"):
        TransferDisplay.from_study(of_seeds, estimator="bayes", strategies=["bald"])
    with pytest.raises(ValueError, match="compares all of its estimators"):
        TransferDisplay.from_study(of_models, estimator="bayes")
