"""The numbers of docs/bso.md: from its tables, which show bso.csv."""

from bso import SHARES, WIDTH

SETTINGS = [
    "Where more than 20 rounds label one row each",
    "less 0.3 times how far",
    "by the seeds 0 to 4: 40 % of the rows for test, 20 random labels",
    "the published mean over 100 other splits",
    "on the splits 5 to 7 of seven sets",
    "on Sonar, where 42 rows were searched on",
]
ALL = "On all test rows, as published"
GAINS = "Gains over random orders, on all test rows"


def claims(page):
    def halves(method):
        """Return the gains over random orders: on the searched half, on the other."""
        unseen = page.at("gain there over random", "sonar", method)
        return [unseen + page.at("optimism", "sonar", method), unseen]

    def elsewhere(data):
        return page.at("gain there over random", data, "skal 1 %")

    def behind(data):
        """Return how far skal's gain over random orders is below BSO's."""
        gains = (page.at(c, GAINS, data) for c in ("BSO, published", "skal 1 %"))
        return next(gains) - next(gains)

    return {
        "takes {} n² trainings": [WIDTH / 2],
        "is compared with it at {} % of its trainings": [100 * SHARES["skal 1 %"]],
        "accepts gains only; at {} %": [100 * SHARES["skal 1 %"]],
        "With {} % of its trainings, skal": [100 * SHARES["skal 1 %"]],
        "{} above random on these rows and {} on the other ones": halves("skal 1 %"),
        "and BSO's {} and {}": halves("bso"),
        "above BSO's mean on all {} sets": [len(page.all("skal 1 %", ALL))],
        "but Haberman, where it is {} below": [behind("haberman")],
        "On Haberman they are {} below random": [-elsewhere("haberman")],
    }
