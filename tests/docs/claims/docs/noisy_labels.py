"""The numbers of docs/noisy_labels.md: from its tables, which show noisy_labels.csv."""

from noisy_labels import BATCH_SIZE, N_ROUNDS, SIZES

LEFT, CLEAN = "share of the gain left", "same order, true labels"
SETTINGS = [
    "a guided search of 300 trainings",  # --max-trainings
    "up to 20 % in the mean",
    "at 40 % no gain is certain",
]


def claims(page):
    def gain(kind, rate):
        return page.all("oracle over random", kind, rate)[0]  # it is in both tables

    def wrong(rate, of, *kinds):
        return [page.at(f"wrong: {of}", kind, rate) for kind in kinds]

    def left(rate):
        return page.all(LEFT, rate)

    n_pool = 1797 - sum(SIZES.values())
    clean = [*page.all(CLEAN, "10%"), *page.all(CLEAN, "20%")]
    easy = ("uniform", "class")
    return {
        """{} rows of warm start, a pool of {}, {} rounds of {} labels, {} rows for
        validation and {} for test""": [
            *(SIZES["warm_size"], n_pool, N_ROUNDS, BATCH_SIZE),
            *(SIZES["val_size"], SIZES["test_size"]),
        ],
        "from {} without noise to {} at 20 % and nearly {} at 40 %, if mistakes": [
            *(gain("none", "0%"), gain("uniform", "20%"), gain("uniform", "40%"))
        ],
        "{} to {} % at a uniform or class-dependent rate of 20 %, {} to {} % at 40 %": [
            *sorted(wrong("20%", "oracle", *easy)),
            *sorted(wrong("40%", "oracle", *easy)),
        ],
        "{} % of what it asks for is wrong at a rate of 20 %, and {} % at 40 %": [
            *wrong("20%", "margin", "boundary"),
            *wrong("40%", "margin", "boundary"),
        ],
        "{} to {} % of it is left at a rate of 10 %, {} to {} % at 20 %": [
            *(min(left("10%")), max(left("10%"))),
            *(min(left("20%")), max(left("20%"))),
        ],
        "and {} % or less at 40 %, unless mistakes are at the boundary": [
            max(page.at(LEFT, kind, "40%") for kind in easy)
        ],
        """{} to {} better than random orders up to a rate of 20 %, where the search
        without noise gains {}""": [*(min(clean), max(clean), gain("none", "0%"))],
    }
