"""The code in the README runs, and gives the number that it shows."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Shorter than in the README, where the search takes a minute and the study another.
SHORTER = {
    "AnnealingOracle()": "AnnealingOracle(max_trainings=30)",
    'seeds=20, **sizes, n_jobs=2, path="study"': "seeds=5, n_orders=1, **sizes",
}


def blocks():
    """Return the blocks of Python in the README."""
    text = (ROOT / "README.md").read_text()
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def test_quick_start():
    first, second, third = blocks()
    code = first + second
    for long, short in SHORTER.items():
        assert long in code
        code = code.replace(long, short)
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    shown = re.search(r"# 0\.\d+, (0\.\d+): mean test score", first).group(1)
    assert names["margin"].quality_ == pytest.approx(float(shown), abs=5e-4)
    assert names["study"].qualities.shape == (1, 3, 5)
    # The third needs downloads: its names exist.
    compile(third, "README.md", "exec")
    assert "from skal import load_task" in third
