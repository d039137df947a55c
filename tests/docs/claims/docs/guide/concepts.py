"""The numbers of docs/guide/concepts.md; its figures have a test of their own."""

SETTINGS = ["index 0 is the warm start"]
