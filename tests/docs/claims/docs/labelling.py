"""The numbers of docs/labelling.md: benchmarks, and what a session printed."""

import bench_labeling_calibration as calibration
import labelling_pictures as pictures
from bench_labeling_size import N_COLUMNS
from tracing import measured, phrases

from skal.labeling._audit import wilson
from skal.labeling._verdict import FEWEST, FEWEST_AUDITED

SETTINGS = [
    "set `audit` to 0.25",
    "With an audit of 20 rows",
]


def cells():
    return measured("labelling")


def claims(page):
    found = {what: values[0] for what, values in measured("labelling").items()}
    likely = wilson(18, 20)  # an accuracy of 0.9
    alarm = [
        *("the interval of the audit holds", "the band of the forecast holds"),
        "the band of the gain holds",
    ]
    sizes = calibration.N_POOL, calibration.N_LABELS, calibration.N_MORE
    return phrases("labelling") | {
        "holds {} requests": [pictures.N_ROWS],
        "for {} requests that a simulated annotator labelled": [pictures.N_LABELS],
        "After {} labels, here by a simulated annotator": [pictures.N_LABELS],
        "a pool of {}, {} labels and {} more": sizes,
        "it needs {} labels, {} of them of the audit": [FEWEST, FEWEST_AUDITED],
        "With 100,000 rows of {} columns": [N_COLUMNS],
        "A tenth of 200 labels is {} rows, which is an interval of about ±{}": [
            *(200 / 10, (likely.high - likely.low) / 2)
        ],
        "{} of {} found a significant difference, {} of them that margin sampling": [
            found["digits: verdicts that are significant"],
            found["digits: runs"],
            found["digits: of these, for margin sampling"],
        ],
        "as it is on fresh rows ({}, the mean": [
            found["digits: gain of margin sampling on fresh rows"]
        ],
        "the intervals held in {}, {} and {} of {} runs": [
            *(*(found[f"alarm: {what}"] for what in alarm), found["digits: runs"])
        ],
        "and {} verdicts were significant, {} of them of the right sign ({})": [
            found["alarm: verdicts that are significant"],
            found["alarm: of these, of the right sign"],
            found["alarm: gain on fresh rows"],
        ],
        "was killed {} times": [found["kills"]],
        "took {} s and the file {} MiB": [
            found["100,000 rows: ask(20) after a tell"],
            found["100,000 rows: file"],
        ],
        "a million ids took {} GiB of memory and {} MiB on disk": [
            found["a million ids: memory"],
            found["a million ids: file"],
        ],
    }
