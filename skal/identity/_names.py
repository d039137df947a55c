"""Public names of classes and functions, and whether they are part of the user's code.

An installed class is described by its public name, such as `skal.Margin`, so that
descriptions by different versions of a package can be compared.
"""

import re
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import takewhile
from pathlib import Path
from types import FunctionType
from typing import Any

# Packages that count as installed even if they are imported from a checkout.
VERSIONED = ("skal", "sklearn", "numpy", "scipy", "torch")
# Names of the module that was run, in the main process and in workers.
MAIN = ("__main__", "__mp_main__")
# Folders that hold installed packages.
INSTALLED = ("site-packages", "dist-packages")
# Dotted names in skal or scikit-learn.
DOTTED = re.compile(r"(?<![\w.])(?:skal|sklearn)(?:\.\w+)+")

# Left out of descriptions, since files written before an oracle had such a limit do not
# have it either.
NO_LIMIT = "max_time=None, "
# The description that a data set brings along, which is no part of its values.
DESCR = re.compile(r"""'DESCR': (?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")(?:, )?""")

# Where public names were defined in files of format 1: (module, public module). These
# files can still be read, so no line may be changed or removed.
_MOVED = {
    ("skal.curves", "skal"): "xi_quality",
    ("skal.learner", "skal"): "ActiveLearner",
    ("skal.utils._tags", "skal.inputs"): "TagScorer",
    ("skal.nets._classifier", "skal.nets"): "TorchClassifier",
    ("skal.nets._image", "skal.nets"): "ImageCNN",
    ("skal.nets._modules", "skal.nets"): "MLP",
    ("skal.nets._tagger", "skal.nets"): "BiLSTMTagger",
    ("skal.nets._text", "skal.nets"): (
        "BiLSTMClassifier EmbeddingBagClassifier TextCNNClassifier"
    ),
    ("skal.nets._transformer", "skal.nets"): "TransformerClassifier",
    ("skal.nets._vectors", "skal.nets"): "embedding_matrix",
    ("skal.nets._vocabulary", "skal.nets"): "Vocabulary",
    ("skal.oracle._annealing", "skal"): "AnnealingOracle",
    ("skal.oracle._beam", "skal"): "BeamOracle GreedyOracle",
    ("skal.oracle._best_of", "skal"): "BestOfStrategiesOracle",
    ("skal.oracle._exhaustive", "skal"): "ExhaustiveOracle",
    ("skal.oracle._journal", "skal.oracle"): "read_journal",
    ("skal.problem", "skal"): "Problem",
    ("skal.splitting", "skal"): "split",
    ("skal.strategies._base", "skal"): "BaseStrategy",
    ("skal.strategies._base", "skal.strategies"): (
        "Labelled OrderStrategy RankingStrategy check_needs fit_inner"
    ),
    ("skal.strategies._disagreement", "skal"): "BALD BatchBALD VariationRatio",
    ("skal.strategies._fixed", "skal"): "FixedOrder",
    ("skal.strategies._matching", "skal"): "IDMR ODMR",
    ("skal.strategies._random", "skal"): "Random",
    ("skal.strategies._sequences", "skal"): "Longest MinConfidence",
    ("skal.strategies._uncertainty", "skal"): "LeastConfidence Margin MaxEntropy",
    ("skal.studies._compare", "skal"): "compare",
    ("skal.studies._distribution", "skal"): "input_distribution label_distribution",
    ("skal.studies._evaluate_order", "skal"): "evaluate_order",
    ("skal.studies._model_transfer", "skal"): "model_transfer",
    ("skal.studies._overlap", "skal"): "order_overlap",
    ("skal.studies._regularization", "skal"): "regularization_gain",
    ("skal.studies._seed_transfer", "skal"): "seed_transfer",
    ("skal.studies._seeds", "skal"): "run_seeds",
    ("skal.studies._tasks", "skal"): "load_task",
}
OLD_NAMES = {
    f"{module}.{name}": f"{home}.{name}"
    for (module, home), names in _MOVED.items()
    for name in names.split()
}


def is_installed(module: str, file: str | None = None) -> bool:
    """Return whether a module is part of Python or of an installed distribution.

    Any other module is user code: a script, a notebook, a module in the same folder, a
    package on the path or in an editable install.

    Parameters
    ----------
    module : str
        The name of the module.
    file : str or None, default=None
        The file of the module; None looks it up in `sys.modules`.

    Returns
    -------
    bool
    """
    top = module.partition(".")[0]
    if top in MAIN:
        return False
    if top in VERSIONED or module in sys.builtin_module_names:
        return True
    file = file or getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        return top in sys.stdlib_module_names
    return _is_installed_file(file)


@cache
def _is_installed_file(file: str) -> bool:
    """Return whether a file is in site-packages or in Python's standard library."""
    path = Path(file).absolute()
    if any(part in INSTALLED for part in path.parts):
        return True
    homes = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib")}
    return any(
        here.is_relative_to(home)
        for here in (path, path.resolve())
        for home in (form(Path(h)) for h in homes for form in (Path, Path.resolve))
    )


def is_own_code(function: FunctionType) -> bool:
    """Return whether the code of a function is part of the user's code.

    The globals of the function decide, since a decorator copies the name and module of
    the function that it wraps.

    Parameters
    ----------
    function : function

    Returns
    -------
    bool
    """
    names = function.__globals__
    return not is_installed(names.get("__name__", MAIN[0]), names.get("__file__"))


def module_of(what: Any) -> str:
    """Return the module of a class or function, according to its `__module__`.

    Parameters
    ----------
    what : class, function or descriptor

    Returns
    -------
    str
        "__main__" in worker processes too.
    """
    module = getattr(what, "__module__", None)
    owner = getattr(what, "__objclass__", None)
    module = module or getattr(owner, "__module__", None) or "builtins"
    return MAIN[0] if module in MAIN else module


def public_name(what: Any) -> str:
    """Return the public name of a class or function.

    Parameters
    ----------
    what : class or function
        The object to name.

    Returns
    -------
    str
        In skal, the shortest path from which it can be imported. In scikit-learn, the
        path up to the first private module, if it can be imported from there.
        Otherwise its module and qualified name.
    """
    module, name = module_of(what), what.__qualname__
    for home in _homes(module):
        if _found(home, name) is what:
            return f"{home}.{name}"
    return f"{module}.{name}"


def renamed(text: str) -> str:
    """Replace old names of classes and functions in a stored text by current ones.

    Nothing is imported: a name that is not found is left as it is.

    Parameters
    ----------
    text : str
        A stored description.

    Returns
    -------
    str
    """
    text = DESCR.sub("", text.replace(NO_LIMIT, ""))
    return DOTTED.sub(lambda match: _renamed(match[0]), text)


def renamed_all(given: Mapping[str, str]) -> dict[str, str]:
    """Replace old names in stored descriptions by current ones.

    Parameters
    ----------
    given : mapping of str to str
        Stored descriptions by name. Names may contain names of classes too.

    Returns
    -------
    dict of str to str
    """
    return {renamed(str(name)): renamed(str(text)) for name, text in given.items()}


def formerly(text: str) -> str:
    """Replace current names in skal by the ones that files of format 1 use.

    Parameters
    ----------
    text : str
        A current description.

    Returns
    -------
    str
    """
    before = {new: old for old, new in OLD_NAMES.items()}
    return DOTTED.sub(lambda match: before.get(match[0], match[0]), text)


def _renamed(name: str) -> str:
    """Return the current form of one dotted name."""
    if name.startswith("skal."):
        return OLD_NAMES.get(name, name)
    module, _, last = name.rpartition(".")
    home = _public_part(module)
    return f"{home}.{last}" if _found(home, last) is not None else name


def _homes(module: str) -> Iterator[str]:
    """Yield the modules from which an object may be public, the shortest first."""
    parts = module.split(".")
    if parts[0] == "skal":
        public = _public_part(module).split(".")
        yield from (".".join(public[:n]) for n in range(1, len(public) + 1))
    elif parts[0] == "sklearn":
        yield _public_part(module)


def _public_part(module: str) -> str:
    """Return the path up to the first private module."""
    return ".".join(takewhile(lambda part: part[0] != "_", module.split(".")))


def _found(module: str, name: str) -> Any:
    """Return an object of an imported module by its name, or None."""
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found
