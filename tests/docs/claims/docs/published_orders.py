"""The numbers of docs/published_orders.md: its tables, which show the runs."""

SETTINGS = ["a 95 % t-interval", "their word vectors have 50 dimensions"]
