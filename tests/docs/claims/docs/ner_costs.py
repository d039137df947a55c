"""The numbers of docs/ner_costs.md: from its tables, which show ner_costs.csv."""

from ner_costs import MAX_TRAININGS, N_ROUNDS, N_VAL, SIZES

from skal.studies._tasks import _RECIPES

RECIPE = _RECIPES["named_entity_recognition"]
TOKENS, SENTENCES = "By tokens", "By sentences"
RANDOM, GAP = "over random", "share of the gap"
# By the strategies that an oracle begins with.
SETTINGS = ["70 of which find the start"]


def claims(page):
    sizes, rounds = RECIPE.sizes, SIZES["sentences"]
    normalized = "normalized-min-confidence"
    return {
        "all strategies label {} sentences in a round": [rounds],
        "a round spends {} tokens, as many as {} sentences": [SIZES["tokens"], rounds],
        """{} sentences at first, {} rounds, a pool of {} and {} test sentences, but {}
        for validation in place of {}""": [
            *(sizes["warm"], N_ROUNDS, sizes["pool"], sizes["test"]),
            *(N_VAL, sizes["val"]),
        ],
        "{} above random selection (p {}), about as much as with rounds of {}": [
            page.at(RANDOM, TOKENS, "oracle"),
            page.at(RANDOM, TOKENS, "oracle", which=1),
            rounds,
        ],
        "rounds of 25 sentences ({}), and on each of the {} splits": [
            page.at(RANDOM, SENTENCES, "oracle"),
            page.at("seeds", TOKENS, "oracle"),
        ],
        "it keeps {} of its gain, {} % of the gap": [
            page.at(RANDOM, "oracle by sentences"),
            page.at(GAP, "oracle by sentences"),
        ],
        "{} tokens for {}": [
            page.at("tokens spent", SENTENCES, "oracle"),
            page.at("sentences labelled", SENTENCES, "oracle"),
        ],
        "with {} % of the gap, and the plain form by sentences, with {} %": [
            page.at(GAP, TOKENS, normalized),
            page.at(GAP, SENTENCES, "min-confidence"),
        ],
        "the same tokens on {} sentences in place of {}": [
            page.at("sentences labelled", TOKENS, "min-confidence"),
            page.at("sentences labelled", TOKENS, "random"),
        ],
        "Searches have {} trainings": [MAX_TRAININGS],
    }
