"""The runs of a task, and their sizes for each budget."""

from dataclasses import dataclass, replace

from skal import AnnealingOracle, Problem, load_task

NAMES = {
    "oc": "object_classification",
    "ic": "intent_classification",
    "ner": "named_entity_recognition",
}
TITLES = {
    "oc": "object classification (Fashion-MNIST)",
    "ic": "intent classification (TOPv2, alarm)",
    "ner": "named entity recognition (MIT Restaurant)",
}
# The first is the one that the paper's main results are of.
MODELS = {"oc": ["cnn"], "ic": ["lstm", "cnn", "aoe"], "ner": ["lstm"]}
# The strategies that follow the data set in smoke; else, all of the task.
FEW = {
    "oc": ["max-entropy", "bald"],
    "ic": ["max-entropy", "bald"],
    "ner": ["min-confidence", "longest"],
}
BUDGETS = {
    # Covers all code paths in half a minute; its numbers are meaningless.
    "smoke": {
        "seeds": 2,
        "n_orders": 2,
        "trainings": 20,
        "sizes": (60, 20, 20, 100, 100),
        "rounds": (5, 3),
        "max_epochs": 2,
    },
    # The sizes of Table 1, with searches of a few minutes.
    "laptop": {"seeds": 3, "n_orders": 5, "trainings": 1500},
    # As published: 25,000 steps of annealing and 5,000 greedy steps.
    "paper": {"seeds": 5, "n_orders": 100, "trainings": None},
}


@dataclass(frozen=True)
class Plan:
    """The task, budget and sizes of a reproduction.

    Parameters
    ----------
    task : {"oc", "ic", "ner"}
    budget : {"smoke", "laptop", "paper"}
    models : list of str
        Names of the estimators.
    seeds : int
        Number of seeds.
    n_orders : int
        Number of random orders for each seed.
    trainings : int or None
        Number of trainings of each search. None runs the published search.
    sizes : tuple of int or None
        Number of rows in pool, warm start, selection, validation and test set. None
        takes the sizes of Table 1.
    rounds : (int, int) or None
        B and K. None takes the values of Table 1.
    max_epochs : int or None
        Maximum number of epochs. None takes the paper's 100.
    device : str
        Torch device, such as "cpu" or "cuda".
    """

    task: str
    budget: str
    models: list
    seeds: int
    n_orders: int
    trainings: int | None
    sizes: tuple | None = None
    rounds: tuple | None = None
    max_epochs: int | None = None
    device: str = "cpu"


def make_plan(task, budget, *, models=None, device="cpu", **given):
    """Return the plan of a budget, with the given values instead of its own."""
    few = ["lstm", "aoe"] if (task, budget) == ("ic", "smoke") else MODELS[task]
    params = BUDGETS[budget] | {n: v for n, v in given.items() if v is not None}
    return Plan(task, budget, list(models or few), device=device, **params)


def make_oracle(plan, n_rounds):
    """Return the search. This is the one place to change it."""
    if plan.trainings is None:
        return AnnealingOracle(
            n_steps=25_000, n_greedy=5_000, gamma=0.1, proposal="uniform"
        )
    # A guided step trains about once per round, so the limit on trainings is reached
    # before the last step.
    n_steps = plan.trainings // n_rounds
    return AnnealingOracle(n_steps=n_steps, max_trainings=plan.trainings)


def load(plan):
    """Return the task, reduced as planned, with the oracle among its strategies."""
    task = load_task(NAMES[plan.task])
    for model in task.estimators.values():
        model.set_params(device=plan.device)
        if plan.max_epochs is not None:
            model.set_params(max_epochs=plan.max_epochs)
    estimators = {name: task.estimators[name] for name in plan.models}
    strategies = task.strategies
    if plan.budget == "smoke":
        few = ["random", *FEW[plan.task], f"idmr-{FEW[plan.task][0]}"]
        strategies = {name: strategies[name] for name in few}
    oracle = make_oracle(plan, n_rounds(plan, task.problem))
    return replace(
        task,
        problem=_cut(task, plan),
        estimators=estimators,
        strategies={**strategies, "oracle": oracle},
    )


def n_rounds(plan, problem):
    """Return the number of rounds K."""
    return problem.n_rounds if plan.rounds is None else plan.rounds[1]


def _cut(task, plan):
    """Return the task's problem with fewer rows and rounds."""
    problem = task.problem
    if plan.sizes is None:
        return problem
    names = "X", "X_warm", "X_select", "X_val", "X_test"
    sets = {}
    for name, size in zip(names, plan.sizes, strict=True):
        for key in (name, name.replace("X", "y")):
            sets[key] = problem.sets[key][:size]
    batch_size, rounds = plan.rounds
    return Problem.from_sets(
        sets,
        problem.estimator,
        batch_size=batch_size,
        n_rounds=rounds,
        scoring=task.scoring,
    )
