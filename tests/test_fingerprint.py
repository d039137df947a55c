"""Fingerprints: values, code, problems and data in texts and digests."""

import importlib
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.ensemble import BaggingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import Bunch

from skal import GreedyOracle, Margin, Random
from skal.identity import _fingerprint
from skal.identity._describe import describe
from skal.identity._names import OLD_NAMES, public_name, renamed


class Thing:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)

    def tell(self, X):
        return X


def adds(number):
    return lambda x: x + number


def counts_down():
    def count(x):
        return count(x - 1) if x else 0

    return count


def test_descriptions_do_not_depend_on_the_object():
    for make in (
        lambda: Thing(a=1, b={"x", "y"}, c=Thing(d=np.arange(3))),
        lambda: make_pipeline(StandardScaler(), GaussianNB()),
        lambda: make_scorer(f1_score, average="macro"),
        lambda: [None, True, 1.5, "text", b"raw", (1, 2), {"k": len}],
        lambda: object(),
        lambda: adds(1),
        counts_down,
        lambda: make_pipeline(CountVectorizer(tokenizer=str.split)),
        lambda: np.random.RandomState(0),
    ):
        assert _fingerprint.describe(make()) == _fingerprint.describe(make())


def test_descriptions_tell_values_apart():
    loop = Thing(name="loop")
    loop.itself = loop
    values = [
        None, 0, 0.0, "0", "None", [0], [[0]], {0}, {0: 0}, len, abs, Thing, Thing(a=0),
        Thing(a=1), loop, np.zeros(2), np.zeros(3), np.zeros(2, dtype=int),
        GaussianNB(), GaussianNB(var_smoothing=0.5), GaussianNB, make_scorer(f1_score),
        make_scorer(f1_score, average="macro"), np.log, np.exp, Margin(random_state=1),
        Margin(random_state=2), Random(), lambda x: x, lambda x: x + 1, lambda x=1: x,
        *[adds(n) for n in range(2)], lambda x: [i for i in x], str.lower, str.upper,
        Thing(a=0).tell, Thing(a=1).tell, Thing.tell,
        KFold(3, shuffle=True, random_state=0), np.random.RandomState(0),
        np.random.RandomState(1), *map(np.random.default_rng, range(2)),
    ]  # fmt: skip
    described = [_fingerprint.describe(value) for value in values]
    assert len(set(described)) == len(values)
    assert not any(" at 0x" in text for text in described)


def defined(source, module="__main__", file="script.py"):
    """Return `it`, defined in a script, a cell of a notebook, or a module."""
    names = {"__name__": module}
    exec(compile(source, file, "exec"), names)
    return names["it"]


SOURCES = [
    "class it:\n def f(self): return 1",
    "class it:\n rate = 1",
    "class it:\n @property\n def f(self): return 1",
    "class it:\n @staticmethod\n def f(): return 1",
    "class it:\n @classmethod\n def f(cls): return 1",
    "class it:\n def __init__(self): super().__init__(); self.f = lambda: 1",
    "class Base:\n rate = 1\nclass it(Base): pass",
    "class Base:\n def f(self): return 1\nclass it(Base): pass",
    "rate = 1\nclass it:\n def f(self): return rate",
    "rate = 1\ndef it(x): return rate * x",
    "rate = 1\ndef it(x): return [rate * i for i in x]",
    "def twice(x): return x * 1\ndef it(x): return twice(x)",
    "class Rate:\n rate = 1\ndef it(x): return x * Rate.rate",
    "def it(x, rate=1): return x * rate",
    "def it(x, *, rate=1): return x * rate",
    "def it(x, rates=[1]): return x * rates[0]",
    "def made(rate):\n def f(x): return x * rate\n return f\nit = made(1)",
    "rates = [1, 3]\ndef it(x): return x * rates[0]",
    "rates = {'a': 1}\ndef it(x): return x * rates['a']",
    "import numpy as np\nrates = np.array([1])\ndef it(x): return x * rates[0]",
    "def it(x):\n def f(y): return y + 1\n return f(x)",
    "def it(x):\n try: return x\n except ValueError: return 1",
    "import functools\n@functools.lru_cache\ndef it(x): return x + 1",
    "import functools\ndef f(x, y): return x + y\nit = functools.partial(f, y=1)",
    "import functools\ndef f(x, y): return x + 1\nit = functools.partial(f, y=3)",
    "import functools\nclass it:\n @functools.cached_property\n def f(self): return 1",
    "from sklearn.utils.metaestimators import available_if\nclass it:\n"
    " @available_if(lambda self: True)\n def f(self): return 1",
    "from types import SimpleNamespace\nconfig = SimpleNamespace(rate=1)\n"
    "def it(x): return x * config.rate",
    "from sklearn.naive_bayes import GaussianNB\nbase = GaussianNB(var_smoothing=1)\n"
    "def it(X): return base",
    "import re\nword = re.compile('1')\ndef it(x): return word.match(x)",
    "import operator\nfirst = operator.itemgetter(1)\ndef it(x): return first(x)",
    "import numpy as np\nf = np.vectorize(lambda x: x + 1)\ndef it(x): return f(x)",
    "from scipy.stats import norm\nchance = norm(1)\ndef it(x): return chance.pdf(x)",
    "from functools import wraps\ndef twice(f):\n @wraps(f)\n"
    " def g(x): return 1 * f(x)\n return g\n@twice\ndef it(x): return x",
    "from sklearn.utils.validation import validate_data\nfrom functools import wraps\n"
    "@wraps(validate_data)\ndef it(x): return 1",
    "from dataclasses import dataclass\n@dataclass\nclass it:\n rate: int = 1",
    "from enum import Enum\nclass Kind(Enum):\n A = 1\ndef it(x): return Kind.A.value",
    "def it(x): return x in {1, 3}",
    "def it(): f'{1}'; return lambda: 1",
]


@pytest.mark.parametrize("module", ["__main__", "mine"])
@pytest.mark.parametrize("source", SOURCES)
def test_code_of_ones_own_is_known_by_what_it_does_and_reads(source, module):
    moved = "\n\n# moved\n" + source
    first, again = (
        _fingerprint.describe(defined(text, module, file))
        for text, file in ((source, "a.py"), (moved, "b.py"))
    )
    edited = _fingerprint.describe(defined(source.replace("1", "2"), module))
    assert first == again != edited
    if isinstance(defined(source), type):
        first, again = (_fingerprint.describe(defined(source)()) for _ in range(2))
        edited = _fingerprint.describe(defined(source.replace("1", "2"))())
        assert first == again != edited


def test_names_of_arguments_and_order_count():
    sources = [
        "def it(a, b): return a - b", "def it(b, a): return a - b",
        "def it(a, c): return a - c", "def it(a, *b): return a - b",
        "def it(a, b=None): return a - b", "def it(a, *, b): return a - b",
        "def it(a, b): yield a - b", "async def it(a, b): return a - b",
    ]  # fmt: skip
    assert len({_fingerprint.describe(defined(one)) for one in sources}) == len(sources)


def test_docstrings_and_comments_do_not_count():
    sources = [
        "def it(x):\n return x + 1",
        "def it(x):\n 'Add one.'\n return x + 1  # really",
        "def it(x):\n 'Add 1.'\n\n return x + 1",
    ]
    assert len({_fingerprint.describe(defined(source)) for source in sources}) == 1
    sources = ["def it(): return 'a'", "def it(): return 'b'"]
    sources += ["it = lambda: 'a'", "it = lambda: 'b'"]
    assert len({_fingerprint.describe(defined(one)) for one in sources}) == 4


LOG = "class Log:\n def __init__(self): self.n = 0; self.lines = []\n"
# Each has something that a call changes, and a number that is an edit.
COUNTERS = [
    "calls = []\ndef it(x): calls.append(x); return 1",
    "calls = []\ndef it(x):\n global calls\n calls += [x]\n return 1",
    "calls = {}\ndef it(x): calls[x] = x; return 1",
    "calls = {'n': 0}\ndef it(x): calls['n'] += 1; return 1",
    "calls = set()\ndef it(x): calls.add(len(calls)); return 1",
    "n = 0\ndef it(x):\n global n\n n += 1\n return 1",
    "import numpy as np\nn = np.zeros(3)\ndef it(x): n[0] += 1; return 1",
    "from collections import Counter\nn = Counter()\ndef it(x): n[x] += 1; return 1",
    "import random\nr = random.Random(0)\ndef it(x): r.random(); return 1",
    LOG + "log = Log()\ndef it(x): log.n += 1; return 1",
    LOG + "log = Log()\ndef it(x): log.lines.append(x); return 1",
    "def it(x, seen=[]): seen.append(x); return 1",
    "def made():\n n = 0\n def f(x):\n  nonlocal n; n += 1; return 1\n return f\n"
    "it = made()",
    "def made():\n n = []\n def f(x): n.append(x); return 1\n return f\nit = made()",
    "def it(x): it.n = getattr(it, 'n', 0) + 1; return 1",
    "class It:\n n = 0\n def __call__(self, x): It.n += 1; return 1\nit = It()",
    "class It:\n n = 0\n def __call__(self, x): type(self).n += 1; return 1\nit = It()",
    "class It:\n n = 0\n def __call__(self, x): self.__class__.n += 1; return 1\n"
    "it = It()",
    "class It:\n n = 0\n @classmethod\n def count(cls): cls.n += 1\n"
    " def __call__(self, x): self.count(); return 1\nit = It()",
    "class It:\n calls = []\n def __call__(self, x): self.calls.append(x); return 1\n"
    "it = It()",
    "class It:\n def __init__(self): self.n = 0\n"
    " def __call__(self, x): self.n += 1; return 1\nit = It()",
    "class Base:\n n = 0\n def count(self): type(self).n += 1\n"
    "class It(Base):\n n = 0\n def __call__(self, x): self.count(); return 1\n"
    "it = It()",
]


@pytest.mark.parametrize("source", COUNTERS)
def test_things_that_code_changes_are_known_by_their_type(source):
    it, edited = defined(source), defined(source.replace("return 1", "return 2"))
    before = _fingerprint.describe(it)
    assert _fingerprint.describe(edited) != before
    for x in range(3):
        it(x)
        assert _fingerprint.describe(it) == before


def test_a_class_attribute_counts_although_instances_have_one_of_that_name():
    source = "class it:\n rate = 1\n def f(self, rate): self.rate = rate"
    first, edited = (defined(text) for text in (source, source.replace("1", "2")))
    assert _fingerprint.describe(first) != _fingerprint.describe(edited)


def test_a_cell_of_a_notebook_that_is_run_again(monkeypatch):
    """As IPython does it: one namespace, that of the module `__main__`."""
    notebook = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", notebook)

    def run(cell, number):
        exec(compile(cell, f"<ipython-input-{number}>", "exec"), notebook.__dict__)
        return _fingerprint.describe(notebook.It())

    cells = ["class Base:\n a = 1", "class It(Base):\n def f(self): return rate"]
    cells.append("rate = 1")
    exec(cells[0], notebook.__dict__)
    run(cells[1], 2)
    first = run(cells[2], 3)
    assert run(cells[1], 4) == first
    assert run("rate = 2", 5) != first
    assert run("rate = 1", 6) == first
    # The class keeps its old base until its own cell is run again.
    assert run("class Base:\n a = 2", 7) == first
    assert run(cells[1], 8) != first


CANNOT_BE_SENT = "cached_property", "lru_cache"


@pytest.mark.parametrize("source", [*SOURCES, *COUNTERS])
def test_a_worker_describes_code_as_its_parent_does(source):
    cloudpickle = pytest.importorskip("cloudpickle", reason="only some joblib have it")
    if not any(name in source for name in CANNOT_BE_SENT):
        it = defined(source)
        copy = pickle.loads(cloudpickle.dumps(it))
        assert _fingerprint.describe(copy) == _fingerprint.describe(it)


ELSEWHERE = """
import sys
sys.path.append("tests")
from test_fingerprint import COUNTERS, SOURCES, WORDS, defined
from skal.identity import _fingerprint
from skal.identity._names import OLD_NAMES, public_name, renamed

for source in [*SOURCES, *COUNTERS]:
    print(_fingerprint.describe(defined(source)))
print(_fingerprint.describe(WORDS))
"""
WORDS = {"a set", "of", "several", "words"}


def test_another_process_and_another_hash_seed_describe_alike():
    expected = [_fingerprint.describe(defined(one)) for one in [*SOURCES, *COUNTERS]]
    output = subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert output.stdout.splitlines() == [*expected, _fingerprint.describe(WORDS)]


@pytest.fixture
def imported(tmp_path, monkeypatch):
    """A function that imports a module from a folder, with a number in it."""

    def load(folder, number, name="mine"):
        place = tmp_path / folder
        place.mkdir(parents=True, exist_ok=True)
        text = f"FACTOR = {number}\ndef f(x): return FACTOR\ndef g(x): return {number}"
        (place / f"{name}.py").write_text(text)
        monkeypatch.syspath_prepend(place)
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        return importlib.import_module(name)

    return load


@pytest.mark.parametrize("folder", ["src", "lib/python3/site-packages"])
def test_installed_code_is_known_by_name(imported, folder):
    is_installed = "site" in folder
    first, edited = (_fingerprint.describe(imported(folder, n).f) for n in (1, 22))
    assert (first == edited == "mine.f") == is_installed


@pytest.mark.parametrize(
    "source",
    [
        "import mine\ndef it(x): return mine.FACTOR",
        "import mine\ndef it(x): return mine.g(x)",
        "import mine\ndef it(x): return (lambda: mine.FACTOR)()",
        "from mine import g\ndef it(x): return g(x)",
        "def it(x):\n import mine\n return mine.FACTOR",
        "def it(x):\n from mine import g\n return g(x)",
        "import mine\nclass it:\n f = mine.g",
    ],
)
def test_attributes_of_modules_count(imported, source):
    described = []
    for number in (1, 22):
        imported("src", number)
        described.append(_fingerprint.describe(defined(source)))
    assert described[0] != described[1]


def test_a_function_imports_a_module_that_is_not_loaded_yet(imported, monkeypatch):
    imported("src", 1)
    it = defined("def it(x):\n import mine\n return mine.FACTOR")
    first = _fingerprint.describe(it)
    monkeypatch.delitem(sys.modules, "mine")
    assert _fingerprint.describe(it) == first


def test_objects_are_described_as_deep_as_they_go():
    def nested(number):
        thing = Thing(rate=number)
        for _ in range(30):
            thing = Thing(inner=[thing])
        return thing

    assert _fingerprint.describe(nested(1)) == _fingerprint.describe(nested(1))
    assert _fingerprint.describe(nested(1)) != _fingerprint.describe(nested(2))


def test_an_object_that_occurs_twice_is_as_two_that_are_equal():
    one = Thing(a=1)
    first = _fingerprint.describe([one, one])
    assert first == _fingerprint.describe([Thing(a=1), Thing(a=1)])


def test_parts_of_code_are_named():
    source = "rate = 1\ndef twice(x): return x * rate\ndef it(x): return twice(x)"
    before = _fingerprint.describe(defined(source, "mine"))

    def changed(*edit):
        now = _fingerprint.describe(defined(source.replace(*edit), "mine"))
        return _fingerprint.difference({"func": before}, {"func": now}, "there")

    assert changed("1", "1") is None
    assert changed("1", "2") == "mine.rate=1 there, mine.rate=2 now"
    assert changed("x * rate", "rate") == "the code of mine.twice has changed"
    assert changed("return twice", "return -twice") == "the code of mine.it has changed"
    by_name = _fingerprint.difference({"func": "mine.it"}, {"func": before}, "there")
    assert by_name == "the code of mine.it is not kept there"


def test_a_message_shows_the_changed_part_of_a_long_value():
    words = [f"word{i}" for i in range(5000)]
    texts = [str([*words[:n], "new", *words[n:]]) for n in (5000, 5, 0)]

    def shown(before, now):
        given = ({"words": text} for text in (before, now))
        return _fingerprint.difference(*given, "there")

    later = shown(texts[0], texts[1])
    assert len(later) < 300
    assert "'word4', 'word5', 'word6'" in later
    assert "'word4', 'new', 'word5'" in later
    assert later.startswith("words=['word0'")
    assert later.endswith("... now")
    assert shown("['old']", texts[2]).startswith("words=['old'] there, words=['new', ")
    assert shown(texts[0], texts[0]) is None
    end = shown(texts[0], texts[0].replace("new", "last"))
    assert end.endswith(", 'word4999', 'last'] now")
    assert end.startswith("words=...")


def public(home):
    module = importlib.import_module(home)
    named = {f"{home}.{name}": getattr(module, name) for name in module.__all__}
    return {name: one for name, one in named.items() if hasattr(one, "__qualname__")}


HOMES = ["skal", "skal.strategies", "skal.oracle", "skal.nets", "skal.studies"]


@pytest.mark.parametrize("home", HOMES)
def test_public_names_are_the_names(home):
    if home == "skal.nets":
        pytest.importorskip("torch", reason="nets need torch")
    for name, one in public(home).items():
        short = f"skal.{one.__qualname__}"
        expected = short if short in public("skal") else name
        assert public_name(one) == expected
        # Where it was found at format 1, and where it is now.
        for old in [n for n, new in OLD_NAMES.items() if new == expected]:
            assert renamed(f"x={old}(a=1)") == f"x={expected}(a=1)"
        assert renamed(expected) == expected


def test_scikit_learn_is_known_by_public_names():
    assert _fingerprint.describe(CountVectorizer) == (
        "sklearn.feature_extraction.text.CountVectorizer"
    )
    assert _fingerprint.describe(f1_score) == "sklearn.metrics.f1_score"
    old = "sklearn.tree._classes.DecisionTreeClassifier(a='sklearn._no.Such')"
    expected = "sklearn.tree.DecisionTreeClassifier(a='sklearn._no.Such')"
    assert renamed(old) == expected
    assert "os.path" not in renamed("sklearn.os._path.join")


def test_how_arguments_of_fit_are_routed_counts(make_problem):
    def described(step, **fit_params):
        with config_context(enable_metadata_routing=True):
            steps = [StandardScaler(), GaussianNB()]
            for i, one in enumerate(steps):
                one.set_fit_request(sample_weight=i == step)
            problem = make_problem(make_pipeline(*steps))
            return _fingerprint.of_problem(replace(problem, fit_params=fit_params))

    weights = {"sample_weight": np.ones(70)}
    assert described(0, **weights) == described(0, **weights)
    assert described(0, **weights)["routing"] != described(1, **weights)["routing"]
    assert described(0) == described(1)


def test_a_random_state_counts_where_no_run_replaces_it():
    def described(seed):
        folds = KFold(3, shuffle=True, random_state=seed)
        search = GridSearchCV(DecisionTreeClassifier(random_state=seed), {}, cv=folds)
        return _fingerprint._of_estimator(search)

    first, second = described(0), described(1)
    assert [name for name in first if first[name] != second[name]] == ["estimator: cv"]


def test_digests_tell_rows_apart():
    pandas = pytest.importorskip("pandas", reason="pandas is not needed")
    from scipy import sparse

    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    values = [
        None, ["ab", "c"], ["a", "bc"], ["abc"], [["a", "b"], ["c"]],
        [["a"], ["b", "c"]], np.array(["ab", "c"]), np.zeros((2, 2)), np.zeros((4, 1)),
        np.zeros((1, 4)),
        np.zeros((2, 2), dtype=np.float32), np.array([1, 2]), [1, 2], ["1", "2"],
        sparse.csr_matrix(np.eye(2)), sparse.csr_matrix(np.eye(3)), np.eye(2), frame,
        frame.rename(columns={"a": "c"}), frame.assign(b=["x", "z"]),
    ]  # fmt: skip
    digests = [_fingerprint.digest(value) for value in values]
    assert len(set(digests)) == len(values)
    again = sparse.csr_matrix(np.eye(2))
    assert _fingerprint.digest(again) == digests[14]


def test_an_installed_module_is_not_imported_to_describe_a_function():
    code = (
        "import sys\n"
        "from skal.identity._fingerprint import describe\n"
        "def f(x):\n import sklearn.gaussian_process, wave\n from cmd import Cmd\n"
        "describe(f)\n"
        "names = 'sklearn.gaussian_process', 'wave', 'cmd'\n"
        "sys.exit(any(name in sys.modules for name in names))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_limit_that_is_not_set_is_no_difference_to_older_files():
    # Written before these oracles had a `max_time`.
    before = "skal.GreedyOracle(by='point', n_candidates=4, random_state=None)"
    now = _fingerprint.describe(GreedyOracle(n_candidates=4), ("journal", "n_jobs"))
    assert "max_time" in now
    given = [{"strategy": text} for text in (before, now)]
    assert _fingerprint.difference(*given, "there") is None
    limited = _fingerprint.describe(GreedyOracle(n_candidates=4, max_time=9.0))
    given = [{"strategy": before}, {"strategy": limited}]
    assert _fingerprint.difference(*given, "there") is not None


@pytest.mark.parametrize(
    "text", ["plain", "it's", "both ' and \"", "a\\b, 'DESCR': 'x'"]
)
def test_the_description_of_a_data_set_is_no_part_of_it(text):
    def given(words, number=1):
        data = Bunch(words=["a"], DESCR=words, number=number)
        return {"vectors": _fingerprint.describe(data)}

    before, now = given(text), given("in other words")
    assert before != now
    assert _fingerprint.difference(before, now, "there") is None
    assert _fingerprint.difference(given(text, 2), now, "there") is not None


def test_a_parameter_that_a_net_got_later_is_left_out_at_its_default():
    torch = pytest.importorskip("torch")
    from skal.nets import MLP, TorchClassifier

    assert torch
    net = TorchClassifier(MLP)
    for estimator, prefix in (
        (net, ""),
        (make_pipeline(StandardScaler(), net), "torchclassifier__"),
        (BaggingClassifier(make_pipeline(net)), "estimator__torchclassifier__"),
    ):
        name = f"{prefix}class_weight"
        described = _fingerprint._of_estimator(estimator)
        assert f"estimator: {prefix}lr" in described
        assert f"estimator: {name}" not in described
        assert "class_weight" not in describe(estimator)
        weighted = clone(estimator).set_params(**{name: "balanced"})
        found = _fingerprint._of_estimator(weighted)
        assert found[f"estimator: {name}"] == "'balanced'"
        assert "class_weight='balanced'" in describe(weighted)
