"""The code in `docs/writing_a_strategy.md` runs, and its strategies do what it says."""

import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

import skal.utils
from skal import IDMR, ActiveLearner, BestOfStrategiesOracle, Proxy
from skal.strategies import Labelled
from skal.utils.estimator_checks import check_strategy

PAGE = Path(__file__).parents[2] / "docs" / "writing_a_strategy.md"
X, Y = load_iris(return_X_y=True)

pytestmark = pytest.mark.skipif(
    not hasattr(skal.utils, "take_rows"), reason="skal.utils.take_rows is not there yet"
)


@pytest.fixture(scope="module")
def page():
    """A module made of the page's code, in which classes can be pickled."""
    module = ModuleType("writing_a_strategy")
    sys.modules[module.__name__] = module
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 7
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), module.__dict__)
    yield module
    del sys.modules[module.__name__]


@pytest.mark.parametrize("name", ["ClosestToHyperplane", "FarthestFirst", "Mixed"])
def test_its_strategies_keep_the_contract(page, name):
    check_strategy(getattr(page, name)())


def test_the_learner_of_the_page_ran(page):
    assert page.learner.curve_.shape == (5,)


def test_farthest_first_is_farthest(page):
    rows = np.arange(0, 150, 15)
    left = np.setdiff1d(np.arange(150), rows)
    known = Labelled(X[rows], Y[rows], rows)
    chosen = (
        page.FarthestFirst().fit(X).select(None, X, 4, candidates=left, labelled=known)
    )
    so_far = list(rows)
    for row in chosen:
        gaps = cdist(X[left], X[so_far]).min(axis=1)
        assert cdist(X[[row]], X[so_far]).min() == pytest.approx(gaps.max())
        so_far.append(row)


def test_the_order_goes_outward(page):
    order = page.OutwardFromTheMean().fit(X).select(None, X, 150)
    assert (np.diff(np.linalg.norm(X[order] - X.mean(axis=0), axis=1)) >= 0).all()


def test_they_work_in_frames_and_in_other_strategies(page):
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = LogisticRegression(max_iter=500)
    for strategy in (
        page.Mixed(), page.FarthestFirst(), page.OutwardFromTheMean(),
        IDMR(page.Mixed()), Proxy(page.ClosestToHyperplane(), model),
        BestOfStrategiesOracle(strategies=[page.Mixed()], n_candidates=2),
    ):  # fmt: skip
        learner = ActiveLearner(
            model, strategy, batch_size=4, n_rounds=2, random_state=0
        )
        assert len(learner.fit(frame, Y).order_) == 8
