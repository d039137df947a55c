"""The steps of `reproduce_paper.py`, one per file.

plan -> studies -> findings -> report; `published` has the paper's numbers.
"""
