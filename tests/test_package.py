import subprocess
import sys

import pytest

import skal


@pytest.mark.parametrize("name", skal.__all__)
def test_every_public_name_can_be_had(name):
    assert getattr(skal, name) is not None
    assert name in dir(skal)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Oracle'"):
        _ = skal.Oracle


@pytest.mark.parametrize("heavy", ["torch", "matplotlib", "sklearn", "pandas"])
def test_import_is_light(heavy):
    code = f"import sys, skal; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_learner_needs_neither_torch_nor_matplotlib():
    code = (
        "import sys; from skal import ActiveLearner, AnnealingOracle; "
        "sys.exit('torch' in sys.modules or 'matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
