"""The numbers of docs/writing_a_strategy.md."""

SETTINGS = [
    "`n`: at least 1",
    "the positions of the warm start are -1",
    "A class without a labelled row has probability 0",
]
