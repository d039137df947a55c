"""Colours, line styles, markers and hatches of plots.

No plot relies on colour alone. The colours by Okabe and Ito are distinguishable for
colour-blind people; line styles, markers and hatches distinguish lines in greyscale.
"""

import re
from collections import Counter
from itertools import product
from zlib import crc32

# Okabe and Ito, "Color Universal Design", 2008. Their yellow is too pale for lines.
COLOURS = ("#0072B2", "#E69F00", "#000000", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
LINE_STYLES = ("-", (0, (5, 1)), "-.", (0, (1, 1)), (0, (8, 1, 1, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "h")
# Hatches of stacked layers. Two suffice, since only neighbours have to differ.
HATCHES = ("", "////")

# Style of the baseline, behind all other lines. No other line has these dashes.
BASELINE = {"color": "0.45", "linestyle": "--", "marker": "", "zorder": 1}

# Colour of dots that belong to no single strategy.
DOTS = "0.3"

# Colour map of qualities. Its lightness increases with the value, so it can be read in
# greyscale.
COLOUR_MAP = "viridis"
# Colour map of signed differences, which is white at zero. Its two colours differ for
# colour-blind people.
SIGNED_MAP = "PuOr"

# Numbers of well-known strategies in the cycles, the most common ones first. Names are
# in lower case, without hyphens and underscores.
KNOWN = {
    "oracle": 0,
    "margin": 1,
    "maxentropy": 2,
    "bald": 3,
    "leastconfidence": 4,
    "coreset": 5,
    "badge": 6,
    "batchbald": 11,
    "minconfidence": 18,
    "longest": 20,
    "typiclust": 13,
    "probcover": 10,
    "epig": 17,
    "tokenentropy": 9,
    "committee": 19,
}
ALIASES = {
    "annealing": "oracle",
    "entropy": "maxentropy",
    "uncertainty": "leastconfidence",
}
# Number of different combinations of colour, line style and marker.
N_STYLES = len(COLOURS) * len(LINE_STYLES) * len(MARKERS)


def line_style(number):
    """Return the colour, line style and marker of a line.

    The lengths of the three cycles have no common divisor, so the first 385 lines are
    all different.

    Parameters
    ----------
    number : int
        Number of the line, from zero.

    Returns
    -------
    dict
        Keyword arguments for `Axes.plot`.
    """
    return {
        "color": COLOURS[number % len(COLOURS)],
        "linestyle": LINE_STYLES[number % len(LINE_STYLES)],
        "marker": MARKERS[number % len(MARKERS)],
    }


def styles_of(names, baseline=None):
    """Return the style of each strategy in a plot.

    The colour follows from the name, in every plot and every process. Two names that
    prefer the same colour get different ones: the better known strategy keeps its own.

    Parameters
    ----------
    names : iterable of str
    baseline : str or None, default=None
        Name of the random baseline; None takes a strategy named "random".

    Returns
    -------
    dict of str to dict
        Keyword arguments for `Axes.plot`, by name.
    """
    names = list(names)
    if baseline is None:
        baseline = next((name for name in names if plain_name(name) == "random"), None)
    others = {name for name in names if name != baseline}
    looks, used = {}, Counter()
    for name in sorted(others, key=lambda name: (_rank(name), str(name))):
        looks[name] = _free_style(_number(name), used)
    return {name: looks.get(name, BASELINE) for name in names}


def plain_name(name):
    """Return a name in lower case, without anything but letters and digits."""
    plain = re.sub(r"[\W_]", "", str(name).lower())
    return ALIASES.get(plain, plain)


def _number(name):
    """Return the preferred number of a strategy in the cycles of styles."""
    plain = plain_name(name)
    # Unlike `hash`, a checksum is the same in every process.
    return KNOWN.get(plain, crc32(plain.encode()) % N_STYLES)


def _rank(name):
    known = list(KNOWN)
    plain = plain_name(name)
    return known.index(plain) if plain in KNOWN else len(known) + _number(name)


def _free_style(number, used):
    """Return the style nearest to a preferred one that fewest lines use, and count it.

    Parameters
    ----------
    number : int
        Number of the preferred style.
    used : Counter
        How many lines use each colour, line style, marker, and pair of the last two.
    """
    # `min` takes the first of equals.
    colour = min(_cycle(COLOURS, number), key=lambda colour: used[colour])
    line, marker = min(
        product(_cycle(LINE_STYLES, number), _cycle(MARKERS, number)),
        key=lambda pair: (used[pair], used[pair[1]], used[pair[0]]),
    )
    used.update([colour, line, marker, (line, marker)])
    return {"color": colour, "linestyle": line, "marker": marker}


def _cycle(values, start):
    """Return values from a place in their cycle on."""
    start %= len(values)
    return [*values[start:], *values[:start]]


def shades(n):
    """Return colours from dark to light, for stacked layers or classes.

    Parameters
    ----------
    n : int
        Number of colours.

    Returns
    -------
    list of tuple of float
        Red, green, blue and opacity of each colour.
    """
    from matplotlib import colormaps

    # Skip both ends of the map, which are close to black text and white paper.
    return [colormaps[COLOUR_MAP](0.05 + 0.9 * i / max(1, n - 1)) for i in range(n)]


def luminance(colour):
    """Return the greyscale value of a colour, from 0 (black) to 1 (white).

    Parameters
    ----------
    colour : matplotlib color

    Returns
    -------
    float
    """
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(colour)
    return 0.299 * red + 0.587 * green + 0.114 * blue


def ink(colour):
    """Return "black" or "white", whichever is readable as text on `colour`."""
    return "black" if luminance(colour) > 0.46 else "white"
