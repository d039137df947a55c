"""Scores of labelled sets: each set trained once, in one or several processes."""
