"""Data sets: fetched once, checked, and cached."""

from skal.datasets._base import get_data_home
from skal.datasets._fashion_mnist import fetch_fashion_mnist

__all__ = ["fetch_fashion_mnist", "get_data_home"]
