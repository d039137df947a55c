"""The numbers of docs/published_orders.md: its tables, which show the runs."""

SETTINGS = ["a 95 % t-interval", "because their word vectors have 50 dimensions"]


def claims(page):
    columns = "trainings", "skal ahead on test"
    searched = [page.at(column, "IC", "aoe", "1", "1,008") for column in columns]
    ours, theirs = "with skal: over random", "published: over random"
    optimal = [
        page.at(column, "OC", "optimal", which=which)
        for column in (ours, theirs)
        for which in (0, 1)
    ]
    matched = [
        abs(page.at(column, "OC", strategy))
        for column in (ours, theirs)
        for strategy in ("max-entropy", "idmr-max-entropy")
    ]
    return {
        "of all strategies are within {}": [
            max(map(abs, page.all("difference", "OC", "cnn")))
        ],
        "are {} ± {} above random orders (published: {} ± {})": optimal,
        "from {} below random orders to {} above them (published: from {} to {})": (
            matched
        ),
        "after {} trainings its order is {} above the paper's optimal order": searched,
    }
