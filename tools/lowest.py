"""
Print the lowest versions that pyproject.toml allows.
=====================================================

Reads the dependencies of skal and of the given extras, and prints one pin per line for
pip. `make test-lowest` installs them. Extras that refer to extras are not followed.

    python tools/lowest.py plot progress test
"""

import argparse
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
BOUND = re.compile(r"^([\w.-]+)>=([\w.]+)$")


def pins(project: dict, extras: list[str]) -> list[str]:
    """Return `name==version` for the lower bound of each dependency.

    Parameters
    ----------
    project : dict
        The table `[project]` of pyproject.toml.
    extras : list of str
        Names in `[project.optional-dependencies]`.

    Returns
    -------
    list of str
    """
    requirements = list(project["dependencies"])
    for extra in extras:
        requirements += project["optional-dependencies"][extra]
    own = project["name"]
    return [
        BOUND.sub(r"\1==\2", requirement)
        for requirement in requirements
        if not requirement.startswith(f"{own}[")
    ]


def main() -> None:
    """Print the pins."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("extras", nargs="*")
    args = parser.parse_args()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    print("\n".join(pins(project, args.extras)))


if __name__ == "__main__":
    main()
