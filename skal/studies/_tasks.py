"""The three tasks of the paper, as Table 1 describes them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from numbers import Integral
from typing import Any, NamedTuple

from sklearn.base import clone

from skal._choices import suggest
from skal._sklearn import Interval, StrOptions, validate_params
from skal.answers._needs import strategy_needs
from skal.datasets import (
    fetch_fashion_mnist,
    fetch_glove,
    fetch_mit_restaurant,
    fetch_topv2,
)
from skal.inputs._containers import n_rows, take
from skal.learner import ActiveLearner
from skal.problem import Problem, assemble
from skal.splitting import carve
from skal.strategies import (
    BALD,
    IDMR,
    BatchBALD,
    Longest,
    MaxEntropy,
    MinConfidence,
    Random,
    VariationRatio,
)
from skal.studies._published_split import PUBLISHED_SPLITS

# Dropout rate of posterior estimators; plain estimators have no dropout.
DROPOUT = 0.5


@dataclass(frozen=True, repr=False)
class Task:
    """A problem, with the estimators and strategies to compare on it.

    Parameters
    ----------
    name : str
        Name of the task.
    problem : Problem
        The data sets, batch size B, number of rounds K and scorer, with the first of
        the estimators.
    scoring : str
        Name of the metric. It is used to select the epoch and to report results.
    estimators : dict of str to estimator
        The estimators, by their names in the published results.
    strategies : dict of str to strategy
        The heuristics, each of them with IDMR, and "random".

    See Also
    --------
    load_task : Returns it.
    compare : Takes it in place of data.

    Examples
    --------
    >>> from skal import compare, load_task
    >>> task = load_task("intent_classification")  # doctest: +SKIP
    >>> sorted(task.strategies)  # doctest: +SKIP
    >>> compare(task, seeds=5)  # doctest: +SKIP
    """

    name: str
    problem: Problem
    scoring: str
    estimators: Mapping[str, Any]
    strategies: Mapping[str, Any]

    def __repr__(self) -> str:
        return (
            f"Task(name={self.name!r}, problem={self.problem!r}, "
            f"scoring={self.scoring!r}, estimators={list(self.estimators)}, "
            f"strategies={list(self.strategies)})"
        )

    @property
    def posterior_estimators(self) -> dict[str, Any]:
        """Estimators with dropout, for strategies that sample a posterior."""
        return {
            name: clone(estimator).set_params(dropout=DROPOUT)
            for name, estimator in self.estimators.items()
            if "dropout" in estimator.get_params()
        }

    def learner(
        self, strategy: Any, estimator: Any = None, random_state: Any = None
    ) -> ActiveLearner:
        """Return a learner for this task; fit it on `**task.problem.sets`.

        Parameters
        ----------
        strategy : str or strategy
            The name of one of `strategies`, or a strategy of your own.
        estimator : str or estimator, default=None
            The name of one of `estimators`, or an estimator of your own. By default,
            the first of the task. An estimator of the task gets dropout if the strategy
            samples its posterior.
        random_state : int, RandomState instance or None, default=None
            Seed of the learner (xi).

        Returns
        -------
        ActiveLearner
            The learner, not fitted.

        Raises
        ------
        ValueError
            If the name of the strategy or estimator is unknown.
        """
        strategy = _look_up(self.strategies, strategy, "strategy", self.name)
        name = next(iter(self.estimators)) if estimator is None else estimator
        chosen = clone(_look_up(self.estimators, name, "estimator", self.name))
        if isinstance(name, str) and "posterior" in strategy_needs(strategy):
            chosen.set_params(dropout=DROPOUT)
        return ActiveLearner(
            chosen,
            strategy,
            batch_size=self.problem.batch_size,
            n_rounds=self.problem.n_rounds,
            scoring=self.scoring,
            random_state=random_state,
        )


def _look_up(known: Mapping[str, Any], wanted: Any, what: str, task: str) -> Any:
    if not isinstance(wanted, str):
        return wanted
    if wanted not in known:
        raise ValueError(
            f"{task} has no {what} {wanted!r}: choose one of {', '.join(known)}."
            f"{suggest(wanted, known)}"
        )
    return known[wanted]


class _Recipe(NamedTuple):
    """One task, as given by a column of Table 1."""

    fetch: Callable[..., tuple[Any, Any]]
    sizes: dict[str, int]
    batch_size: int
    n_rounds: int
    scoring: str
    estimators: Callable[..., dict[str, Any]]
    heuristics: dict[str, Any]
    bins: dict[str, Any]


def _image_classifiers(
    inputs: list[Any], params: dict[str, Any], where: dict[str, Any]
) -> dict[str, Any]:
    from skal.nets import ImageCNN

    return {"cnn": ImageCNN(**params)}


def _sentence_classifiers(
    inputs: list[Any], params: dict[str, Any], where: dict[str, Any]
) -> dict[str, Any]:
    from skal.nets import (
        BiLSTMClassifier,
        EmbeddingBagClassifier,
        TextCNNClassifier,
        TransformerClassifier,
    )

    vectors = _vectors(inputs, where)
    return {
        "lstm": BiLSTMClassifier(vectors=vectors, **params),
        "cnn": TextCNNClassifier(vectors=vectors, **params),
        "aoe": EmbeddingBagClassifier(vectors=vectors, **params),
        "roberta": TransformerClassifier("roberta-base", lr=1e-4, **params),
    }


def _taggers(
    inputs: list[Any], params: dict[str, Any], where: dict[str, Any]
) -> dict[str, Any]:
    from skal.nets import BiLSTMTagger

    return {"lstm": BiLSTMTagger(vectors=_vectors(inputs, where), **params)}


def _vectors(inputs: list[Any], where: dict[str, Any]) -> Any:
    """Return the word vectors of the task's vocabulary; loading all takes long."""
    from skal.nets import Vocabulary

    vocabulary = Vocabulary().fit(list(chain.from_iterable(inputs)))
    return fetch_glove(words=vocabulary.words_, **where)


_RECIPES = {
    "object_classification": _Recipe(
        fetch_fashion_mnist,
        sizes={"pool": 2000, "warm": 50, "select": 150, "val": 4000, "test": 4000},
        batch_size=25,
        n_rounds=12,
        scoring="accuracy",
        estimators=_image_classifiers,
        heuristics={
            "max-entropy": MaxEntropy(),
            "bald": BALD(),
            "batchbald": BatchBALD(),
        },
        bins={"bins": "tsne", "n_bins": 5},
    ),
    "intent_classification": _Recipe(
        fetch_topv2,
        sizes={"pool": 800, "warm": 40, "select": 100, "val": 4000, "test": 4000},
        batch_size=20,
        n_rounds=8,
        scoring="f1_weighted",
        estimators=_sentence_classifiers,
        heuristics={
            "max-entropy": MaxEntropy(),
            "bald": BALD(),
            # The paper's code calls this BALD: votes of 100 dropout passes.
            "variation-ratio": VariationRatio(n_samples=100),
        },
        bins={"bins": "length"},
    ),
    "named_entity_recognition": _Recipe(
        fetch_mit_restaurant,
        sizes={"pool": 1000, "warm": 50, "select": 200, "val": 3000, "test": 3000},
        batch_size=25,
        n_rounds=10,
        scoring="f1_weighted",
        estimators=_taggers,
        heuristics={
            "min-confidence": MinConfidence(),
            "normalized-min-confidence": MinConfidence(normalize=True),
            "longest": Longest(),
        },
        bins={"bins": "length"},
    ),
}


@validate_params(
    {
        "name": [StrOptions(set(_RECIPES))],
        "split": [StrOptions({"random", "published"})],
        "data_seed": [Interval(Integral, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def load_task(
    name: str,
    *,
    split: str = "random",
    data_seed: int = 0,
    data_home: Any = None,
    download_if_missing: bool = True,
) -> Task:
    r"""Load one of the paper's tasks, downloading its data if necessary.

    The data are shuffled once, without stratification, and split into disjoint sets.

    ======================  =========  ==========  =========
    \                       objects    intents     entities
    ======================  =========  ==========  =========
    pool, warm start        2000, 50   800, 40     1000, 50
    selection               150        100         200
    validation, test        4000 each  4000 each   3000 each
    B, K                    25, 12     20, 8       25, 10
    metric                  accuracy   F1          F1 of tags
    ======================  =========  ==========  =========

    F1 is weighted over classes. Word vectors are initialised from GloVe and fine-tuned.

    Parameters
    ----------
    name : str
        The task: "object_classification" (Fashion-MNIST), "intent_classification" (the
        alarm domain of TOPv2) or "named_entity_recognition" (MIT Restaurant).
    split : {"random", "published"}, default="random"
        Which rows each set has. "published" takes the rows of the paper's runs, so that
        the orders of `load_published_runs` can be followed. They were recovered from
        these orders; for the entities, selection, validation and test are assumed to
        follow the pool.
    data_seed : int, default=0
        Seed of a random split. It is independent of xi, the seed of a learner.
    data_home : str or path-like, default=None
        Folder for data sets. By default, the environment variable `SKAL_DATA_HOME`, or
        `~/skal_data` if it is not set.
    download_if_missing : bool, default=True
        If False, raise an OSError if a file is missing or damaged.

    Returns
    -------
    Task
        The problem, with its estimators and strategies.

    Raises
    ------
    ImportError
        If torch, or another package that the estimators need, is not installed.
    OSError
        If a file cannot be downloaded or is damaged.

    See Also
    --------
    compare : Compares the task's strategies.
    load_published_runs : The orders that were released with the paper.
    Problem.from_sets : A problem of your own.

    References
    ----------
    Zhou et al., AISTATS 2021, section 5 and Table 1.

    Examples
    --------
    >>> from skal import load_task
    >>> task = load_task("intent_classification")  # doctest: +SKIP
    >>> learner = task.learner("bald", "aoe", random_state=0)  # doctest: +SKIP
    >>> learner.fit(**task.problem.sets).curve_  # doctest: +SKIP
    """
    recipe = _RECIPES[name]
    where = {"data_home": data_home, "download_if_missing": download_if_missing}
    subset = "all" if split == "random" else PUBLISHED_SPLITS[name].subset
    X, y = recipe.fetch(return_X_y=True, subset=subset, **where)
    if split == "random":
        rows = _draw(n_rows(X), recipe.sizes, data_seed)
    else:
        rows = PUBLISHED_SPLITS[name].cut(n_rows(X), recipe.sizes)
    sets = {which: (take(X, rows[which]), take(y, rows[which])) for which in rows}
    params = {"batch_size": recipe.batch_size, "scoring": recipe.scoring}
    estimators = recipe.estimators([X for X, _ in sets.values()], params, where)
    main = next(iter(estimators.values()))
    problem = assemble(
        *sets.pop("pool"),
        sets,
        {},
        {},
        batch_size=recipe.batch_size,
        n_rounds=recipe.n_rounds,
        estimator=main,
        scoring=recipe.scoring,
        seed=0,
    )
    strategies = _with_idmr(recipe.heuristics, recipe.bins)
    return Task(name, problem, recipe.scoring, estimators, strategies)


def _draw(n: int, sizes: dict[str, int], data_seed: int) -> dict[str, Any]:
    """Draw the rows of disjoint sets of the given sizes; other rows are not used."""
    # `carve` calls the rows that are left over "pool".
    counts = {str(number): size for number, size in enumerate(sizes.values())}
    rows = carve(n, counts, data_seed)
    return dict(zip(sizes, (rows[number] for number in counts), strict=True))


def _with_idmr(heuristics: dict[str, Any], bins: dict[str, Any]) -> dict[str, Any]:
    matched = {f"idmr-{name}": IDMR(h, **bins) for name, h in heuristics.items()}
    return {"random": Random(), **heuristics, **matched}
