"""The numbers of docs/guide/pitfalls.md."""

SETTINGS = [
    "`compare` with 20 seeds",
    "a class without labels has probability 0",
    "nobody has 4,000 extra labels",  # as in Table 1 of the paper
]
