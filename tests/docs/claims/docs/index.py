"""The numbers of docs/index.md."""

SETTINGS = ["BSD 3-Clause"]
