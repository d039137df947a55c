"""Every public name is documented as numpydoc asks.

All parameters are described, in the order of the signature; sections come in the order
of numpydoc; functions that return something say so.
"""

import inspect
from importlib import import_module
from importlib.util import find_spec

import pytest

validate = pytest.importorskip("numpydoc.validate", reason="numpydoc is not installed")

ROOMS = [
    "skal",
    "skal.datasets",
    "skal.labeling",
    "skal.nets",
    "skal.noise",
    "skal.oracle",
    "skal.plotting",
    "skal.strategies",
    "skal.studies",
    "skal.utils",
]
CHECKS = {
    "GL03": "double line breaks",
    "GL06": "an unknown section",
    "GL07": "sections in another order",
    "GL08": "no docstring",
    "SS01": "no summary",
    "SS03": "a summary without a period",
    "SS04": "a summary that is indented",
    "SS06": "a summary of more than one line",
    "PR01": "a parameter that is not documented",
    "PR02": "a documented parameter that does not exist",
    "PR03": "parameters in another order",
    "PR04": "a parameter without a type",
    "PR05": "a type that ends with a period",
    "PR06": "a type under a name that Python does not use",
    "PR07": "a parameter without a description",
    "PR09": "a description without a period",
    "PR10": "no space before the colon of a parameter",
    "RT01": "no Returns section",
    "RT05": "a returned value described without a period",
    "YD01": "no Yields section",
    "SA02": "a See Also without a period",
    "SA04": "a See Also without a description",
}
# Not checked: SS02, PR08 and RT04 (a capital letter), since `xi` begins some sentences;
# RT02, since scikit-learn, too, names what `fit` returns: `self : estimator`; RT03 (a
# returned value without a description), since a type such as `OverlapDisplay` is often
# enough; ES01, SA01 and EX01, since not everything needs a longer text or an example.

# Names that may fail a check, and why.
EXCEPTIONS = {
    ("skal.ActiveLearner.fit", "PR03"): "rows are documented together, then labels",
    ("skal.Problem", "PR03"): "data sets are documented together",
}


def is_of_skal(thing):
    """Return whether skal defines a function or a class, rather than a base of it."""
    return (getattr(thing, "__module__", None) or "").partition(".")[0] == "skal"


def methods_of(cls):
    """Yield the public methods and properties that skal defines, with their names."""
    for name in dir(cls):
        static = inspect.getattr_static(cls, name)
        method = static.fget if isinstance(static, property) else getattr(cls, name)
        if not name.startswith("_") and callable(method) and is_of_skal(method):
            yield name, inspect.unwrap(getattr(method, "__func__", method))


def public_names():
    """Return the names of all public classes, functions and methods, each once."""
    names = {}
    for room in ROOMS:
        if room == "skal.nets" and find_spec("torch") is None:
            continue
        module = import_module(room)
        for name in module.__all__:
            thing = getattr(module, name)
            if callable(thing):
                names.setdefault(thing, f"{room}.{name}")
            if inspect.isclass(thing):
                for method, function in methods_of(thing):
                    names.setdefault(function, f"{room}.{name}.{method}")
    return sorted(names.values())


def failures(name):
    """Return the checks that a docstring fails, by its name and theirs."""
    errors = validate.validate(name)["errors"]
    return {(name, code): message for code, message in errors if code in CHECKS}


def test_docstrings():
    """All but the exceptions pass, and these are needed."""
    found = {}
    for name in public_names():
        found |= failures(name)
    assert {key: found[key] for key in found if key not in EXCEPTIONS} == {}
    assert found.keys() == EXCEPTIONS.keys()


def test_all_rooms_are_covered():
    found = {name.rpartition(".")[0] for name in public_names()}
    assert {"skal", "skal.ActiveLearner", "skal.studies", "skal.plotting"} <= found
