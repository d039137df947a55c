"""The public names of skal, and the page of each in the API reference."""

import inspect
import re
from functools import cache
from importlib import import_module

# In this order: a name that several rooms export has its page in the first of them.
ROOMS = (
    "skal",
    "skal.curves",
    "skal.oracle",
    "skal.strategies",
    "skal.studies",
    "skal.labeling",
    "skal.labeling.widget",
    "skal.noise",
    "skal.nets",
    "skal.plotting",
    "skal.datasets",
    "skal.information",
    "skal.inputs",
    "skal.utils",
    "skal.utils.estimator_checks",
    "skal.utils.progress",
)
PAGE = """{name}
{line}

.. currentmodule:: {room}

.. auto{kind}:: {name}

.. minigallery:: {room}.{name}
   :add-heading: Examples that use {name}
   :heading-level: -
"""
# `skal.curves` has no `__all__`: these are named in docstrings and guide pages.
OTHERS = {"skal.curves": ("anytime_optimal", "dominates")}


def names_of(room):
    """Return the public classes and functions of a room, by name."""
    module = import_module(room)
    names = OTHERS.get(room, getattr(module, "__all__", ()))
    things = {name: getattr(module, name) for name in names}
    return {name: thing for name, thing in things.items() if callable(thing)}


@cache
def pages():
    """Return every public class and function, by the name of its page."""
    found, seen = {}, set()
    for room in ROOMS:
        for name, thing in names_of(room).items():
            if thing not in seen:
                seen.add(thing)
                found[f"{room}.{name}"] = thing
    return found


def page_of(target):
    """Return the page of a name, also of a method, or None if there is no such page."""
    short = {page.rpartition(".")[2]: page for page in pages()}
    parts = target.split(".")
    for n in range(len(parts)):
        if page := short.get(parts[n]):
            return ".".join([page, *parts[n + 1 :]])
    return None


def references(thing):
    """Return the section References of a docstring, or "" if there is none."""
    pattern = r"References\n-+\n(.*?)(?=\n\n[A-Z][A-Za-z ]+\n-{4,}|\Z)"
    found = re.search(pattern, inspect.getdoc(thing), re.DOTALL)
    return found.group(1).strip() if found else ""


def bibliography():
    """Return all references as a definition list, but for the paper of skal itself."""
    entries = []
    for page, thing in sorted(pages().items(), key=lambda pair: pair[0].lower()):
        text = references(thing)
        if text and not re.match(r"Zhou et al\., [^.;]*\.?$", text.split("\n\n")[0]):
            indented = text.replace("\n", "\n    ")
            entries.append(f":py:obj:`{page}`\n    {indented}\n")
    return "\n".join(entries)


def write_if_new(path, text):
    """Write a file unless it is there already: Sphinx reads again what is newer."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def write_pages(folder):
    """Write the page of each name for Sphinx, and the bibliography."""
    folder.mkdir(exist_ok=True)
    for old in set(folder.glob("*.rst")) - {folder / f"{page}.rst" for page in pages()}:
        old.unlink()
    for page, thing in pages().items():
        room, _, name = page.rpartition(".")
        kind = "class" if inspect.isclass(thing) else "function"
        text = PAGE.format(name=name, line="=" * len(name), room=room, kind=kind)
        write_if_new(folder / f"{page}.rst", text)
    write_if_new(folder / "bibliography.inc", bibliography())
