"""A scikit-learn that moved a private name leaves skal importable."""

import importlib.util
import sys

import pytest

from skal import _sklearn


@pytest.mark.parametrize(
    ("module", "kernel"),
    [
        ("sklearn._loss", "linear"),
        ("sklearn.tree._tree", "trees"),
        ("sklearn.metrics._pairwise_distances_reduction", "arg_k_min"),
    ],
)
def test_without_a_module_its_kernel_is_none(module, kernel, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    spec = importlib.util.spec_from_file_location("_copy", _sklearn.__file__)
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    assert getattr(copy, kernel) is None
    assert getattr(_sklearn, kernel) is not None
    others = {"linear", "trees", "arg_k_min"} - {kernel}
    assert all(getattr(copy, other) is not None for other in others)
