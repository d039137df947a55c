"""The layers of the package: which room may import which, and how long a file may be.

A room is a folder or a file at the top of `skal/`, or one of the folders within `nets`
and `oracle`. It may import rooms below its own layer, and rooms of the same layer as
long as no circle of files results.
"""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "skal"
MAX_LINES = 450

# From the bottom up. A room is named by its path from `skal`, without the suffix.
LAYERS = [
    [
        "_choices",
        "_version",
        "_extras",
        "_files",
        "_sklearn",
        "_threads",
        "_costs",
        "curves",
        "seeding",
    ],
    ["datasets", "inputs", "information"],
    ["answers", "noise", "splitting"],
    ["lean"],
    ["_data_sets", "_rounds", "problem"],
    ["identity", "training", "nets", "nets/side_by_side"],
    ["_workers", "judging", "strategies"],
    ["loop", "nets/text", "nets/transformer"],
    ["oracle/journal", "oracle/evaluation"],
    ["oracle"],
    [
        "oracle/annealing",
        "_scored_rounds",
        "_final_model",
        "_meta_estimator",
        "learner",
    ],
    ["studies"],
    ["labeling"],
    ["plotting", "utils", "__main__"],
]
# These files collect the public names of their rooms, from the folders within, too.
FRONT_DOORS = ["__init__", "nets/__init__", "oracle/__init__"]

LAYER = {room: height for height, rooms in enumerate(LAYERS) for room in rooms}
FILES = sorted(PACKAGE.rglob("*.py"))


def name_of(path):
    """Return the path of a file from `skal`, without the suffix."""
    return path.relative_to(PACKAGE).with_suffix("").as_posix()


NAMES = {name_of(path): path for path in FILES}


def room_of(name):
    """Return the innermost room that a file is in."""
    parts = name.split("/")
    rooms = ["/".join(parts[:n]) for n in range(len(parts), 0, -1)]
    return next((room for room in rooms if room in LAYER), None)


def layer_of(name):
    """Return the layer of a file, from the bottom up."""
    if name not in FRONT_DOORS:
        return LAYER[room_of(name)]
    # As high as the highest room behind it.
    folder = name.removesuffix("__init__")
    return max(layer for room, layer in LAYER.items() if f"{room}/".startswith(folder))


@cache
def imported_names(path):
    """Return the modules and the names that a file imports, anywhere in it."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found += [(node.module, alias.name) for alias in node.names]
    return found


def imported_files(name):
    """Return the files of skal that a file of skal imports."""
    files = set()
    for module, attribute in imported_names(NAMES[name]):
        first, *parts = module.split(".")
        if first == "skal":
            whole = [*parts, attribute or ""]
            paths = ["/".join(whole), "/".join(parts)]
            paths += ["/".join([*parts, "__init__"])]
            files.add(next(path for path in paths if path in NAMES))
    return files - {name}


def circles(graph):
    """Return the groups of nodes that can all reach one another."""
    reach = {node: set(following) for node, following in graph.items()}
    changed = True
    while changed:
        changed = False
        for following in reach.values():
            wider = following.union(*(reach[node] for node in following))
            changed |= wider != following
            following |= wider
    return sorted(
        {
            tuple(sorted(other for other in reach[node] if node in reach[other]))
            for node in reach
            if node in reach[node]
        }
    )


def private_names(path):
    """Return the private names of scikit-learn that a file imports."""
    for module, attribute in imported_names(path):
        parts = [*module.split("."), attribute or ""]
        if parts[0] == "sklearn" and any(part.startswith("_") for part in parts):
            yield ".".join(filter(None, parts))


def test_every_file_is_in_a_layer():
    names = set(NAMES).difference(FRONT_DOORS)
    assert {n for n in names if room_of(n) is None} == set(), "add rooms to LAYERS"


def test_no_file_imports_a_room_above_its_own():
    above = {
        name: [f for f in imported_files(name) if layer_of(f) > layer_of(name)]
        for name in NAMES
    }
    assert {name: files for name, files in above.items() if files} == {}


def test_no_files_import_one_another_in_a_circle():
    assert circles({name: imported_files(name) for name in NAMES}) == []


def test_circles_are_found():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}
    assert circles(graph) == [("b", "c")]


def test_one_file_imports_private_names_of_scikit_learn():
    found = {name: list(private_names(path)) for name, path in NAMES.items()}
    assert found.pop("_sklearn")
    assert {name: private for name, private in found.items() if private} == {}


def test_no_file_is_too_long():
    lines = {name: path.read_text().count("\n") for name, path in NAMES.items()}
    too_long = {name: n for name, n in lines.items() if n > MAX_LINES}
    assert too_long == {}, "split a file by what it is about"
