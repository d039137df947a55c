"""Sentences made from templates: text data of any size, without a download."""

from numbers import Integral

import numpy as np

from skal._sklearn import Interval, validate_params
from skal.seeding import Stream, as_seed, stream

# Templates of each intent. A word in capitals names a list of templates, one of which
# is inserted; an empty template inserts nothing. A template that is listed twice is
# twice as frequent.
_INTENTS = {
    "create": (
        "SET THING WHEN",
        "i need THING WHEN",
        "wake me up WHEN",
        "SET a new one WHEN",
        "THING WHEN",
        "do not forget THING WHEN",
    ),
    "cancel": (
        "STOP THING WHEN",
        "i do not need THING WHEN",
        "do not SET THING WHEN",
        "do not wake me up WHEN",
        "THING WHEN",
        "STOP",
    ),
    "show": (
        "show me THING WHEN",
        "when is THING",
        "is there THING WHEN",
        "what did i SET WHEN",
        "do i need THING WHEN",
        "THING",
    ),
    "change": (
        "SET THING WHEN not HOUR",
        "move THING WHEN",
        "SET THING later",
        "wake me up later",
        "WHEN not WHEN",
        "later",
    ),
    "snooze": (
        "let me sleep WHEN",
        "THING again later",
        "STOP THING and wake me up later",
        "later WHEN",
        "again",
    ),
    "silence": (
        "STOP it",
        "STOP THING now",
        "let me sleep",
        "no THING now",
        "now",
    ),
    "repeat": (
        "SET THING every DAY",
        "wake me up every DAY",
        "THING every DAY WHEN",
        "SET THING again WHEN",
        "every DAY",
    ),
    "praise": (
        "that is THING i need",
        "no need to change THING",
        "you did wake me up",
        "thanks",
    ),
}

_INTENT_PARTS = {
    "OPENING": ("", "", "", "please", "hey", "can you"),
    "CLOSING": ("", "", "", "", "please", "thanks"),
    "SET": ("set", "make", "change", "start"),
    "STOP": ("stop", "cancel", "turn off", "remove"),
    "THING": ("WHOSE alarm", "WHOSE alarm", "WHOSE timer", "WHOSE reminder", "it"),
    "WHOSE": ("the", "my", "my", "an", "that"),
    "WHEN": ("", "", "for HOUR", "at HOUR", "DAY", "DAY at HOUR", "in HOUR minutes"),
    "HOUR": ("five", "six", "seven", "eight", "ten"),
    "DAY": ("today", "tomorrow", "monday", "friday", "morning", "evening"),
}

_QUESTIONS = (
    "FIND CUISINE PLACES WHERE",
    "FIND PLACES with DISH WHERE",
    "FIND DISH WHERE",
    "FIND NAME WHERE",
    "is NAME open HOURS",
    "how PRICE is NAME LOCATION",
    "NAME WHERE",
    "FIND PRICE PLACES WHERE",
    "FIND PRICE CUISINE PLACES",
    "is there a CUISINE restaurant open HOURS",
    "where can i eat DISH HOURS",
    "how much is DISH LOCATION",
    "PLACES open HOURS WHERE",
    "PRICE DISH WHERE",
    "CUISINE WHERE",
    "DISH",
    "LOCATION",
)

_QUESTION_PARTS = {
    "FIND": ("find", "find me", "i want", "show me", "i need"),
    "PLACES": ("places", "restaurants", "a place", "food"),
    "WHERE": ("", "", "LOCATION", "and LOCATION"),
}

# Entities share words with each other and with the text around them: the tag of "five",
# "new" or "main" depends on the neighbouring words, and is sometimes ambiguous.
_ENTITIES = {
    "CUISINE": (
        "chinese",
        "mexican",
        "thai",
        "new american",
        "five spice",
        "fast food",
    ),
    "DISH": ("noodles", "thai soup", "cheap tacos", "five spice duck", "tea", "soup"),
    "HOURS": ("late", "until ten", "around five", "after eight", "now", "on new year"),
    "LOCATION": ("near here", "around main street", "in new york", "nearby", "in town"),
    "NAME": (
        "main street",
        "five tacos",
        "thai house",
        "the late ten",
        "new york soup",
    ),
    "PRICE": ("cheap", "under ten dollars", "around five dollars", "not expensive"),
}

# More sentences than fit into the memory of most machines.
_MAX_SAMPLES = 10**8
_CONSTRAINTS = {
    "n_samples": [Interval(Integral, 1, _MAX_SAMPLES, closed="both")],
    "random_state": ["random_state"],
}


@validate_params(
    {
        **_CONSTRAINTS,
        "n_classes": [Interval(Integral, 2, len(_INTENTS), closed="both")],
    },
    prefer_skip_nested_validation=True,
)
def make_intents(n_samples=200, *, n_classes=4, random_state=None):
    """Generate requests to an alarm clock, and their intents.

    The data set is a small substitute for `fetch_topv2` that needs no download. Classes
    share most of their words and some of their sentences. The first classes are the
    most frequent.

    Parameters
    ----------
    n_samples : int, default=200
        Number of sentences.
    n_classes : int, default=4
        Number of intents, 2 to 8. Each of them occurs, provided that there are at least
        as many samples.
    random_state : int, RandomState instance or None, default=None
        Seed of the generator. Pass an int for reproducible output.

    Returns
    -------
    X : list of str, of length n_samples
        Sentences of 1 to 12 words, in lower case.
    y : ndarray of shape (n_samples,), dtype str
        The intent of each sentence, such as "create".

    See Also
    --------
    make_tagged_sentences : Generate sentences with a tag for each word.

    Examples
    --------
    >>> from skal.datasets import make_intents
    >>> X, y = make_intents(3, random_state=0)
    >>> X[0], str(y[0])
    ('what did i set at ten please', 'show')
    """
    rng = stream(as_seed(random_state), Stream.GENERATED)
    names = list(_INTENTS)[:n_classes]
    target = np.array(names)[_draw_classes(rng, n_samples, n_classes)]
    data = [_make_request(_INTENTS[name], rng) for name in target]
    return data, target


def _draw_classes(rng, n_samples, n_classes):
    """Draw each class once, and the rest with probabilities ~ 1 / (1 + class)."""
    shares = 1 / np.arange(1, n_classes + 1)
    drawn = rng.choice(n_classes, size=n_samples, p=shares / shares.sum())
    first = min(n_samples, n_classes)
    drawn[:first] = np.arange(first)
    return rng.permutation(drawn)


def _make_request(templates, rng):
    template = f"OPENING {_choose(templates, rng)} CLOSING"
    return " ".join(_expand(template, _INTENT_PARTS, rng))


@validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)
def make_tagged_sentences(n_samples=200, *, random_state=None):
    """Generate questions to a restaurant guide, with a BIO tag for each word.

    The data set is a small substitute for `fetch_mit_restaurant` that needs no
    download. Many words occur in several kinds of entities, so a word alone does not
    determine its tag.

    Parameters
    ----------
    n_samples : int, default=200
        Number of sentences.
    random_state : int, RandomState instance or None, default=None
        Seed of the generator. Pass an int for reproducible output.

    Returns
    -------
    X : list of lists of str, of length n_samples
        The tokens of each sentence, 1 to 12, in lower case.
    y : list of lists of str, of length n_samples
        The tag of each token: "O", or "B-" or "I-" followed by Cuisine, Dish, Hours,
        Location, Name or Price.

    See Also
    --------
    make_intents : Generate sentences with one label each.

    Examples
    --------
    >>> from skal.datasets import make_tagged_sentences
    >>> X, y = make_tagged_sentences(3, random_state=0)
    >>> list(zip(X[0], y[0]))
    [('main', 'B-Name'), ('street', 'I-Name'), ('and', 'O'), ('nearby', 'B-Location')]
    """
    rng = stream(as_seed(random_state), Stream.GENERATED)
    sentences = [_make_question(rng) for _ in range(n_samples)]
    data = [[token for token, _ in sentence] for sentence in sentences]
    target = [[tag for _, tag in sentence] for sentence in sentences]
    return data, target


def _make_question(rng):
    """Return a question as pairs (token, tag)."""
    words = _expand(_choose(_QUESTIONS, rng), _QUESTION_PARTS, rng)
    return [pair for word in words for pair in _tag(word, rng)]


def _tag(word, rng):
    """Return pairs (token, tag): of an entity if the word names one, else its own."""
    if word not in _ENTITIES:
        return [(word, "O")]
    begin, *others = _choose(_ENTITIES[word], rng).split()
    kind = word.capitalize()
    return [(begin, f"B-{kind}"), *((other, f"I-{kind}") for other in others)]


def _expand(template, parts, rng):
    """Return the words of a template, with all names in `parts` expanded."""
    words = []
    for word in template.split():
        if word in parts:
            words += _expand(_choose(parts[word], rng), parts, rng)
        else:
            words.append(word)
    return words


def _choose(options, rng):
    return options[rng.integers(len(options))]
