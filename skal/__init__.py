"""Active learning, and how good it could possibly be on your data.

Public names are imported on first use, so that `import skal` imports neither torch nor
matplotlib.
"""

from importlib import import_module

from skal._version import __version__ as __version__

# The module that each public name is imported from.
_HOMES = {
    "ActiveLearner": "skal.learner",
    "AlfaMix": "skal.strategies",
    "AnnealingOracle": "skal.oracle",
    "BADGE": "skal.strategies",
    "BAIT": "skal.strategies",
    "BALD": "skal.strategies",
    "BaseStrategy": "skal.strategies",
    "BatchBALD": "skal.strategies",
    "BeamOracle": "skal.oracle",
    "BestOfStrategiesOracle": "skal.oracle",
    "ClusterMargin": "skal.strategies",
    "Committee": "skal.strategies",
    "CoreSet": "skal.strategies",
    "DropQuery": "skal.strategies",
    "EPIG": "skal.strategies",
    "ExhaustiveOracle": "skal.oracle",
    "FixedOrder": "skal.strategies",
    "Fluctuation": "skal.strategies",
    "GreedyOracle": "skal.oracle",
    "GreedySampling": "skal.strategies",
    "Herding": "skal.strategies",
    "IDMR": "skal.strategies",
    "LCMD": "skal.strategies",
    "LabelingSession": "skal.labeling",
    "LeastConfidence": "skal.strategies",
    "Longest": "skal.strategies",
    "Margin": "skal.strategies",
    "MaxEntropy": "skal.strategies",
    "MaxVariance": "skal.strategies",
    "MinConfidence": "skal.strategies",
    "NoisyLabels": "skal.noise",
    "ODMR": "skal.strategies",
    "PerCost": "skal.strategies",
    "ProbCover": "skal.strategies",
    "Problem": "skal.problem",
    "Proxy": "skal.strategies",
    "Random": "skal.strategies",
    "SkactivemlStrategy": "skal.strategies",
    "Stochastic": "skal.strategies",
    "TagCount": "skal.strategies",
    "Then": "skal.strategies",
    "TokenEntropy": "skal.strategies",
    "TypiClust": "skal.strategies",
    "VariationRatio": "skal.strategies",
    "compare": "skal.studies",
    "evaluate_order": "skal.studies",
    "input_distribution": "skal.studies",
    "label_distribution": "skal.studies",
    "load_task": "skal.studies",
    "model_transfer": "skal.studies",
    "open_study": "skal.studies",
    "optimism": "skal.curves",
    "order_overlap": "skal.studies",
    "quality_scorer": "skal.curves",
    "regularization_gain": "skal.studies",
    "run_seeds": "skal.studies",
    "seed_transfer": "skal.studies",
    "split": "skal.splitting",
    "worth_it": "skal.studies",
    "xi_quality": "skal.curves",
}

__all__ = sorted([*_HOMES, "__version__"])


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__():
    return __all__
