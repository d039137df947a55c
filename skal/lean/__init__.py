"""Lean forms of scikit-learn's classifiers: the same arithmetic without its envelope.

Most of a small training by scikit-learn is checks, copies and dispatch. A lean form
trains a classifier by the compiled code that its `fit` calls, and answers from one look
at the rows. The model is the one that `fit` returns: to the bit, or to a tolerance that
the form states. Whatever has no lean form is trained by its own `fit`.
"""
