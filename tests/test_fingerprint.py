"""What a journal knows things by: descriptions of parameters, digests of rows."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn import config_context
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skal import Margin, Random, _fingerprint


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


def defined(source):
    """Return what is called `it` in a script, or in a cell of a notebook."""
    names = {"__name__": "__main__"}
    exec(source, names)
    return names["it"]


@pytest.mark.parametrize(
    "source",
    [
        "class it:\n def f(self): return 1",
        "class it:\n rate = 1",
        "class it:\n @property\n def f(self): return 1",
        "class it:\n @staticmethod\n def f(): return 1",
        "class it:\n @classmethod\n def f(cls): return 1",
        "class it:\n def __init__(self): super().__init__(); self.f = lambda: 1",
        "class Base:\n rate = 1\nclass it(Base): pass",
        "rate = 1\nclass it:\n def f(self): return rate",
        "rate = 1\ndef it(x): return rate * x",
        "rate = 1\ndef it(x): return [rate * i for i in x]",
        "def twice(x): return x * 1\ndef it(x): return twice(x)",
        "class Rate:\n rate = 1\ndef it(x): return x * Rate.rate",
    ],
)
def test_what_has_no_lasting_name_is_told_by_its_code_and_what_that_reads(source):
    first, again = (_fingerprint.describe(defined(source)) for _ in range(2))
    edited = _fingerprint.describe(defined(source.replace("1", "2")))
    assert first == again != edited
    if isinstance(defined(source), type):
        first, again = (_fingerprint.describe(defined(source)()) for _ in range(2))
        edited = _fingerprint.describe(defined(source.replace("1", "2"))())
        assert first == again != edited


def test_of_what_changes_by_use_the_type_is_told():
    source = "class Log:\n def __init__(self): self.n = 0\n"
    it = defined(source + "log = Log()\ndef it(x): log.n += 1; return x")
    before = _fingerprint.describe(it)
    it(0)
    assert _fingerprint.describe(it) == before


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
