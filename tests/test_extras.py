"""What is missing is named, with the command that installs it."""

import sys
from importlib import import_module

import pytest


def nets():
    import_module("skal.nets")


def checkpoint():
    from skal.nets import TransformerClassifier

    TransformerClassifier(checkpoint="none").fit(["a", "b"], [0, 1])


def bars():
    from skal.utils.progress import ProgressBar

    ProgressBar()


def console():
    from skal.labeling._commands import _label

    _label(None)


def widget():
    import_module("skal.labeling.widget")


def display(name, *params):
    def draw():
        import skal.plotting

        getattr(skal.plotting, name)(*params).plot()

    return draw


CASES = {
    "torch": ("torch", "nets", nets),
    "skorch": ("skorch", "nets", nets),
    "safetensors": ("safetensors", "nets", nets),
    "transformers": ("transformers", "text", checkpoint),
    "rich, for bars": ("rich", "progress", bars),
    "rich, for the console": ("rich", "label", console),
    "ipywidgets": ("ipywidgets", "notebook", widget),
    "curves": ("matplotlib", "plot", display("PerformanceCurveDisplay", {}, [1])),
    "gains": ("matplotlib", "plot", display("GainDisplay", {"a": [0.1]})),
    "transfer": ("matplotlib", "plot", display("TransferDisplay", {"a": [[1]]}, "a")),
    "search": (
        "matplotlib",
        "plot",
        display("SearchDisplay", {"step": [0], "n_trainings": [1], "best": [1]}),
    ),
}


@pytest.fixture
def without(monkeypatch):
    """A function that makes a package missing until the end of the test."""

    def block(package):
        for name in list(sys.modules):
            is_within = name == package or name.startswith(f"{package}.")
            is_user = name in ("skal.nets", "skal.labeling.widget")
            if is_within or is_user or name.startswith("skal.labeling._console"):
                monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, package, None)

    return block


@pytest.mark.parametrize("case", CASES)
def test_the_command_that_mends_it(case, without):
    package, extra, use = CASES[case]
    if extra == "text":
        pytest.importorskip("torch")
        import_module("skal.nets")
        kept = sys.modules["skal.nets"]
    without(package)
    if extra == "text":
        sys.modules["skal.nets"] = kept
    with pytest.raises(ImportError) as caught:
        use()
    assert f"pip install 'skal-learn[{extra}]'" in str(caught.value)
