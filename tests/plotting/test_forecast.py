import numpy as np
import pytest

from skal.labeling._audit import Estimate
from skal.labeling._forecast import Forecast
from skal.plotting import ForecastDisplay

SIZES, SCORES = (10.0, 40.0, 100.0), (0.6, 0.75, 0.8)


@pytest.fixture
def display():
    """A forecast from 100 labels; the power law is 0.9 - n^-0.5."""
    made = [
        Forecast(
            *(100, n, 0.9 - (100 + n) ** -0.5, 0.7, 0.9 + n / 1000, 0.0, 0.0, 0.0),
            *(SIZES, SCORES, (0.9, 1.0, 0.5)),
        )
        for n in (1, 50, 100)
    ]
    return ForecastDisplay(made, Estimate(0.78, 0.7, 0.85, 40), target=0.85).plot()


def test_the_law_goes_on_where_it_ends(display):
    n, scores = display.line_.get_data()
    assert (n[0], n[-1]) == (10, 100)
    np.testing.assert_allclose(scores, 0.9 - n**-0.5)
    n, scores = display.ahead_.get_data()
    np.testing.assert_array_equal(n, [101, 150, 200])
    np.testing.assert_allclose(scores, 0.9 - n**-0.5)


def test_the_band_and_the_bar_are_those_of_the_figures(display):
    corners = display.band_.get_paths()[0].vertices
    assert corners[:, 1].min() == 0.7
    assert corners[:, 1].max() == pytest.approx(1.0)
    (bar,) = display.ax_.containers
    (segment,) = bar.lines[2][0].get_segments()
    np.testing.assert_allclose(segment, [[100, 0.7], [100, 0.85]])


def test_the_legend_names_everything(display):
    names = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert "target" in names
    assert len(names) == len(set(names)) == 6


def test_too_few_labels(session_of_few_labels):
    with pytest.raises(ValueError, match="A forecast needs"):
        ForecastDisplay.from_session(session_of_few_labels)


@pytest.fixture
def session_of_few_labels(tmp_path):
    from sklearn.naive_bayes import GaussianNB

    from skal import LabelingSession, Random

    X = np.arange(40.0)[:, None]
    with LabelingSession(
        GaussianNB(), Random(), journal=tmp_path / "labels.db", random_state=0
    ) as session:
        session.add(X)
        for question in session.ask(3):
            session.tell(question.id, int(question.id) % 2)
        yield session
