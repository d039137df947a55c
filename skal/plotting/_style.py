"""What tells one thing from another: colours, line styles, markers and hatches.

No picture relies on hue. Colours are Okabe and Ito's, which the colour-blind can tell
apart; line styles, markers and hatches tell the same on grey paper.
"""

# "Color Universal Design", Okabe and Ito, 2008; without yellow, too pale for a line.
COLOURS = ("#0072B2", "#E69F00", "#000000", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
LINE_STYLES = ("-", (0, (5, 1)), "-.", (0, (1, 1)), (0, (8, 1, 1, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "h")
# Of layers on top of each other, which only have to differ from their neighbours.
HATCHES = ("", "////")

# Stands behind the others; no other line is dashed like it.
BASELINE = {"color": "0.45", "linestyle": "--", "marker": "", "zorder": 1}

# The higher, the lighter: in grey and to the colour-blind too.
COLOUR_MAP = "viridis"


def line_style(number):
    """Return the colour, line style and marker of a line.

    The three cycles have no common divisor: the first 385 lines all differ.

    Parameters
    ----------
    number : int
        Of the line, from zero.

    Returns
    -------
    dict
        For `Axes.plot`.
    """
    return {
        "color": COLOURS[number % len(COLOURS)],
        "linestyle": LINE_STYLES[number % len(LINE_STYLES)],
        "marker": MARKERS[number % len(MARKERS)],
    }


def shades(n):
    """Return colours from dark to light, for the parts of a whole.

    Parameters
    ----------
    n : int

    Returns
    -------
    list of tuple of float
        Red, green, blue and opacity of each.
    """
    from matplotlib import colormaps

    # The very ends of the map are hard to tell from text and from paper.
    return [colormaps[COLOUR_MAP](0.05 + 0.9 * i / max(1, n - 1)) for i in range(n)]


def luminance(colour):
    """Return how light a colour is on grey paper, from 0 (black) to 1 (white).

    Parameters
    ----------
    colour : colour of matplotlib

    Returns
    -------
    float
    """
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(colour)
    return 0.299 * red + 0.587 * green + 0.114 * blue


def ink(colour):
    """Return the colour, black or white, of text that can be read on `colour`."""
    return "black" if luminance(colour) > 0.46 else "white"
