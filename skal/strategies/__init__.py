"""Strategies, which choose the rows to label next."""

from skal.strategies._alfa_mix import AlfaMix
from skal.strategies._base import BaseStrategy, Labelled
from skal.strategies._clusters import ClusterMargin, TypiClust
from skal.strategies._core_set import CoreSet
from skal.strategies._disagreement import BALD, BatchBALD, Committee, VariationRatio
from skal.strategies._drop_query import DropQuery
from skal.strategies._embedding import EmbeddingStrategy
from skal.strategies._epig import EPIG
from skal.strategies._fisher import BAIT
from skal.strategies._fixed import FixedOrder
from skal.strategies._gradients import BADGE
from skal.strategies._greedy_sampling import GreedySampling
from skal.strategies._herding import Herding
from skal.strategies._largest_cluster import LCMD
from skal.strategies._matching import IDMR, ODMR
from skal.strategies._order import OrderStrategy
from skal.strategies._per_cost import PerCost
from skal.strategies._prob_cover import ProbCover
from skal.strategies._proxy import Proxy
from skal.strategies._random import Random
from skal.strategies._ranking import RankingStrategy
from skal.strategies._sequences import Longest, MinConfidence
from skal.strategies._skactiveml import SkactivemlStrategy, as_query_strategy
from skal.strategies._stochastic import Stochastic
from skal.strategies._tagging import Fluctuation, TagCount, TokenEntropy
from skal.strategies._then import Then
from skal.strategies._uncertainty import LeastConfidence, Margin, MaxEntropy
from skal.strategies._variance import MaxVariance

__all__ = [
    "BADGE",
    "BAIT",
    "BALD",
    "EPIG",
    "IDMR",
    "LCMD",
    "ODMR",
    "AlfaMix",
    "BaseStrategy",
    "BatchBALD",
    "ClusterMargin",
    "Committee",
    "CoreSet",
    "DropQuery",
    "EmbeddingStrategy",
    "FixedOrder",
    "Fluctuation",
    "GreedySampling",
    "Herding",
    "Labelled",
    "LeastConfidence",
    "Longest",
    "Margin",
    "MaxEntropy",
    "MaxVariance",
    "MinConfidence",
    "OrderStrategy",
    "PerCost",
    "ProbCover",
    "Proxy",
    "Random",
    "RankingStrategy",
    "SkactivemlStrategy",
    "Stochastic",
    "TagCount",
    "Then",
    "TokenEntropy",
    "TypiClust",
    "VariationRatio",
    "as_query_strategy",
]
