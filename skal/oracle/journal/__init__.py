"""Journals: the scores and steps of searches in an SQLite file."""
