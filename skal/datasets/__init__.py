"""Data sets: downloaded once, verified and cached; or generated offline."""

from skal.datasets._base import get_data_home
from skal.datasets._fashion_mnist import fetch_fashion_mnist
from skal.datasets._generated import make_intents, make_tagged_sentences
from skal.datasets._glove import fetch_glove, read_word_vectors
from skal.datasets._mit_restaurant import fetch_mit_restaurant
from skal.datasets._published_runs import PublishedRun, load_published_runs
from skal.datasets._topv2 import fetch_topv2

__all__ = [
    "PublishedRun",
    "fetch_fashion_mnist",
    "fetch_glove",
    "fetch_mit_restaurant",
    "fetch_topv2",
    "get_data_home",
    "load_published_runs",
    "make_intents",
    "make_tagged_sentences",
    "read_word_vectors",
]
