"""The numbers of docs/bso.md: from its tables, which show bso.csv."""

from bso import SHARES, WIDTH

# Its tables and its prose grow: numbers of settings are not listed yet.
PARTIAL = True
SETTINGS = []
ALL = "On all test rows, as published"
GAINS = "Gains over random orders, on all test rows"


def claims(page):
    def share_of_gain(data):
        """Return what part of BSO's gain is reached with 3 % of its trainings."""
        columns = ("skal 3 %", "BSO, published")
        gain, aim = (page.at(column, GAINS, data) for column in columns)
        return 100 * gain / aim

    def halves(method):
        """Return the gains over random orders: on the searched half, on the other."""
        unseen = page.at("gain there over random", "sonar", method)
        return [unseen + page.at("optimism", "sonar", method), unseen]

    return {
        "takes {} n² trainings": [WIDTH / 2],
        "at {}, {} and {} % of its trainings": [100 * x for x in SHARES.values()],
        "it gets {} and {} % of BSO's gain": [*map(share_of_gain, ("wdbc", "breast"))],
        "{} above random on these rows and {} on the other ones": halves("skal 1 %"),
        "and BSO's {} and {}": halves("bso"),
        "skal has {} with 1 % of the trainings and BSO {}": [
            *(page.at(column, ALL, "sonar") for column in ("skal 1 %", "BSO"))
        ],
    }
