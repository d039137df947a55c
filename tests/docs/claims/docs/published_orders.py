"""The numbers of docs/published_orders.md: its tables, which show the runs."""

SETTINGS = ["a 95 % t-interval", "because their word vectors have 50 dimensions"]


def claims(page):
    columns = "trainings", "skal ahead on test"
    searched = [page.at(column, "IC", "aoe", "1", "1,008") for column in columns]
    gains = "with skal: over random", "published: over random"
    images = page.all("difference", "OC", "cnn")
    return {
        "all qualities of seed 0 are within {}": [max(map(abs, images))],
        "optimal order is {} above random orders (published: {})": [
            *(page.at(column, "OC", "optimal") for column in gains)
        ],
        "after {} trainings its order is {} above the paper's optimal order": searched,
    }
