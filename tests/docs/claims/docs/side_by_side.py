"""The numbers of docs/side_by_side.md: from benchmarks."""

from tracing import measured, phrases

SETTINGS = [
    "10,000 to 100,000 small nets",
    "The first targets (40, 10, 4, 4 and 1.5 times",
    "The target was 1.8",
    "A width of 8 takes 47 ms, 12 takes 43, 16 and 24 take 41",
    "tanh(x) = 2 sigmoid(2x) - 1",
    "An MLP with 100 hidden units",
    "of all sizes from 2 to 16",
]


def cells():
    return measured("side_by_side")


def claims(page):
    return phrases("side_by_side")
