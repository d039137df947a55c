"""What `reproduce_paper.py` is made of, one step a file.

plan -> studies -> findings -> report; `published` has the paper's numbers.
"""
