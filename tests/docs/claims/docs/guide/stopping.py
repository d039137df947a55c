"""The numbers of docs/guide/stopping.md; its code has a test of its own."""

from skal.labeling._audit import wilson

SETTINGS = []


def cells():
    return {
        "`Stop(target=0.9)`: stops when": [0.9],
        "`Stop(worth=20_000, cost=0.5)`: stops when": [1, 0],  # a score of 1, not 0
    }


def claims(page):
    likely = wilson(18, 20)  # an accuracy of 0.9
    return {
        "A tenth of 200 labels is {} rows, and an interval of ±{}": [
            *(200 / 10, (likely.high - likely.low) / 2)
        ]
    }
