"""The page docs/strategies.md, which is generated from the classes."""

import importlib.util
import inspect
from pathlib import Path

import pytest

import skal.strategies
from skal import IDMR, Margin, Proxy, Random, Then
from skal.strategies import BaseStrategy

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def tool():
    path = ROOT / "tools/strategies_table.py"
    spec = importlib.util.spec_from_file_location("strategies_table", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(tool):
    written = (ROOT / "docs/strategies.md").read_text()
    assert written == tool.page(), "run python tools/strategies_table.py"


def test_every_strategy_is_found_and_has_a_text(tool):
    public = [getattr(skal.strategies, name) for name in skal.strategies.__all__]
    known = {
        one.__name__
        for one in public
        if inspect.isclass(one) and issubclass(one, BaseStrategy)
    }
    assert tool.strategies().keys() == known - tool.BASES
    for name in tool.strategies():
        cost, when = tool.text_of(name)
        assert cost
        assert when
        assert f"| `{name}`: " in tool.page()


def test_a_strategy_without_a_text_is_an_error(tool, monkeypatch):
    class Newcomer(BaseStrategy):
        """Label rows in a new way."""

    monkeypatch.setattr(skal.strategies, "Newcomer", Newcomer, raising=False)
    monkeypatch.setattr(
        skal.strategies, "__all__", [*skal.strategies.__all__, "Newcomer"]
    )
    with pytest.raises(KeyError, match=r"Newcomer has no text .* add its cost"):
        tool.page()


def test_columns_follow_the_classes(tool):
    assert tool.needs_of(Random) == "nothing"
    assert tool.needs_of(Margin) == "class probabilities or decision values"
    assert tool.needs_of(IDMR) == "what the strategy inside needs"
    assert tool.needs_of(Proxy) == "nothing"
    assert tool.from_nothing(Random) == "yes"
    assert tool.from_nothing(Margin) == "no"
    assert tool.from_nothing(Then) == tool.from_nothing(Proxy) == "as the one inside"
