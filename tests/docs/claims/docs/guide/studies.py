"""The numbers of docs/guide/studies.md: from the table of docs/p_values.md."""

from p_values import N_SEEDS, TITLES
from tracing import ROOT, Page

SETTINGS = ["with 400 rows, hardly ever"]


def claims(page):
    found = Page((ROOT / "docs/p_values.md").read_text())
    row = TITLES["larger"], str(max(N_SEEDS))
    return {
        "With 2,000 rows, {} splits find a gain of {} in {} % of problems": [
            *(max(N_SEEDS), found.at("gain", *row), found.at("p < 0.05", *row))
        ]
    }
