"""The numbers of docs/published_orders.md: its tables, which show the runs."""

SETTINGS = ["a 95 % t-interval", "their word vectors have 50 dimensions"]


def claims(page):
    columns = "trainings", "skal ahead on test"
    searched = [page.at(column, "IC", "aoe", "1", "1,008") for column in columns]
    return {
        "after {} trainings its order is {} above the paper's optimal order": searched
    }
