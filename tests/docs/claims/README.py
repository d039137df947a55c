"""The numbers of README.md: its code was run, and its study, as the file tells."""

from claims.docs.install import lowest
from tracing import measured

SETTINGS = [
    "`y` is a table of 0 and 1",
    "an oracle for 77 and 150 intents",
    "BSD 3-Clause",
]
COLUMNS = ["quality", "sd", "over random", "p"]


def claims(page):
    found = measured("readme")

    def line(strategy, columns):
        return [found[f"{strategy}: {column}"][0] for column in columns]

    python, scikit_learn = lowest()
    return {
        "You need Python {} or newer": [python],
        "scikit-learn >= {}, joblib": [scikit_learn],
        "about {} trainings. oracle": [
            round(found["oracle: trainings of seed 0"][0], -2)
        ],
        "margin.quality_ # {}, {}: mean test score": [
            *found["oracle: quality of seed 0"],
            *found["margin: quality of seed 0"],
        ],
        "margin {} {} {} {} * {}": line("margin", [*COLUMNS, "optimism"]),
        "entropy {} {} {} {} {} random": line("entropy", [*COLUMNS, "optimism"]),
        "random {} {} {} - {}": line("random", [*COLUMNS[:3], "optimism"]),
    }
