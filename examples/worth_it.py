"""
The picture of docs/worth_it.md
===============================

Asks whether active learning is worth it on scikit-learn's digits, prints the verdict
and draws it.

    python examples/worth_it.py docs/images/worth_it.png
"""

import argparse

from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from skal import Margin, worth_it


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("path", help="where to save the picture")
    path = parser.parse_args().path
    X, y = load_digits(return_X_y=True)
    model = LogisticRegression(max_iter=1000)
    verdict = worth_it(X / 16, y, model, {"margin": Margin()}, batch_size=20)
    print(verdict)
    verdict.plot().figure_.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
