"""The numbers of docs/p_values.md: its table, which shows p_values.csv."""

import numpy as np
from lines import read
from p_values import (
    N_PROBLEMS,
    N_ROWS,
    N_SEEDS,
    SIZES,
    TITLES,
    USUAL_ROWS,
    USUAL_SIZES,
    summarize,
)
from tracing import RUNS, measured

SETTINGS = [
    "p should be below 0.05 in at most 5 % of problems",
    "p should be below 0.05 as often as possible",
    "With 400 rows, a gain of 0.02 is hardly ever found",
]
LEVEL = 0.05


def tables():
    return [summarize(read(RUNS / "p_values.csv"))]


def claims(page):
    titles = [TITLES[kind] for kind in ("permuted", "disguised", "mirrored")]

    def most(column):
        return max(max(page.all(column, title)) for title in titles)

    large = TITLES["larger"], str(max(N_SEEDS))
    readme = measured("readme")
    n = N_PROBLEMS
    return {
        """{} generated rows, a Gaussian naive Bayes model, a warm start of {} rows, and
        {} rounds of {} rows""": [USUAL_ROWS, *USUAL_SIZES.values()],
        "Problems of {} rows have a warm start of {} rows, and {} rounds of {} rows": [
            *(N_ROWS["larger"], *SIZES["larger"].values())
        ],
        "with {} problems, up to {} % is within two standard errors": [
            *(n, 100 * (LEVEL + 2 * np.sqrt(LEVEL * (1 - LEVEL) / n)))
        ],
        "On the {} digits, with {} rows labelled": [1797, 20 * 8],
        "20 splits give p = {} for the gain of {} by margin": [
            *(*readme["margin: p"], *readme["margin: over random"])
        ],
        "in at most {} % of the problems": [most("p < 0.05")],
        "does so in up to {} %": [most("without correction")],
        "With 2,000 rows, {} splits find a gain of {} in {} % of the problems": [
            *(max(N_SEEDS), page.at("gain", *large), page.at("p < 0.05", *large))
        ],
    }
