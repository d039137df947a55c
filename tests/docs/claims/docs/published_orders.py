"""The numbers of docs/published_orders.md."""

SETTINGS = ["a 95 % t-interval"]
