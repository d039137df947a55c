"""The numbers of docs/guide/models.md."""

SETTINGS = ["sentences of 77 and 150 intents"]


def cells():
    return {"several labels per row: `y`": [0, 1]}
