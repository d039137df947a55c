"""The public conformance checks for strategies, progress bars, and rows of any kind."""

from skal.utils.rows import count_rows, take_rows

__all__ = ["count_rows", "take_rows"]
