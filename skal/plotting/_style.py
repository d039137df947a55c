"""Colours, line styles, markers and hatches of plots.

No plot relies on colour alone. The colours by Okabe and Ito are distinguishable for
colour-blind people; line styles, markers and hatches distinguish lines in greyscale.
"""

# Okabe and Ito, "Color Universal Design", 2008. Their yellow is too pale for lines.
COLOURS = ("#0072B2", "#E69F00", "#000000", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
LINE_STYLES = ("-", (0, (5, 1)), "-.", (0, (1, 1)), (0, (8, 1, 1, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "h")
# Hatches of stacked layers. Two suffice, since only neighbours have to differ.
HATCHES = ("", "////")

# Style of the baseline, behind all other lines. No other line has these dashes.
BASELINE = {"color": "0.45", "linestyle": "--", "marker": "", "zorder": 1}

# Colour map of qualities. Its lightness increases with the value, so it can be read in
# greyscale.
COLOUR_MAP = "viridis"


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
