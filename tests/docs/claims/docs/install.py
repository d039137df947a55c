"""The numbers of docs/install.md: from pyproject.toml."""

import tomllib

from tracing import ROOT

SETTINGS = []


def lowest():
    """Return the lowest versions of Python and scikit-learn."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    bounds = [f"python{project['requires-python']}", *project["dependencies"]]
    found = dict(bound.split(">=") for bound in bounds)
    return float(found["python"]), float(found["scikit-learn"])


def claims(page):
    python, scikit_learn = lowest()
    return {
        "You need Python {} or newer": [python],
        "scikit-learn ({} or newer)": [scikit_learn],
    }
