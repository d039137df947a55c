"""The numbers of docs/guide/coming_from.md."""

SETTINGS = ["modAL 0.4, scikit-activeml 1.0, small-text 1 and baal 1.9"]
