"""Runs of a study: cells side by side, kept in a folder."""
