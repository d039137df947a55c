"""Strategies, which choose the rows to label next."""

from skal.strategies._base import BaseStrategy, Labelled
from skal.strategies._disagreement import BALD, BatchBALD, Committee, VariationRatio
from skal.strategies._embedding import EmbeddingStrategy
from skal.strategies._epig import EPIG
from skal.strategies._fixed import FixedOrder
from skal.strategies._matching import IDMR, ODMR
from skal.strategies._order import OrderStrategy
from skal.strategies._proxy import Proxy
from skal.strategies._random import Random
from skal.strategies._ranking import RankingStrategy
from skal.strategies._sequences import Longest, MinConfidence
from skal.strategies._skactiveml import SkactivemlStrategy, as_query_strategy
from skal.strategies._stochastic import Stochastic
from skal.strategies._tagging import Fluctuation, TagCount, TokenEntropy
from skal.strategies._then import Then
from skal.strategies._uncertainty import LeastConfidence, Margin, MaxEntropy

__all__ = [
    "BALD",
    "EPIG",
    "IDMR",
    "ODMR",
    "BaseStrategy",
    "BatchBALD",
    "Committee",
    "EmbeddingStrategy",
    "FixedOrder",
    "Fluctuation",
    "Labelled",
    "LeastConfidence",
    "Longest",
    "Margin",
    "MaxEntropy",
    "MinConfidence",
    "OrderStrategy",
    "Proxy",
    "Random",
    "RankingStrategy",
    "SkactivemlStrategy",
    "Stochastic",
    "TagCount",
    "Then",
    "TokenEntropy",
    "VariationRatio",
    "as_query_strategy",
]
