"""Where a display draws, and how it names what it draws."""

import re

from skal._extras import install_hint

# The legend of all panels, at the right of the last one.
BESIDE = {
    "loc": "center left",
    "bbox_to_anchor": (1.02, 0.5),
    "fontsize": "small",
    "frameon": False,
}


def get_axes(ax, caller, figsize=(7, 4.5)):
    """Return the axes to draw on: those given, or those of a new figure.

    Parameters
    ----------
    ax : matplotlib Axes or None
    caller : str
        What needs matplotlib, for the error where that is not installed.
    figsize : tuple of float, default=(7, 4.5)
        Width and height of a new figure in inches.

    Returns
    -------
    matplotlib Axes, matplotlib Figure
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{caller} needs matplotlib: {install_hint('plot')}."
        ) from error

    if ax is None:
        _, ax = plt.subplots(figsize=figsize, layout="constrained")
    return ax, ax.figure


def split_axes(ax, widths):
    """Put panels side by side in the place of `ax`, with a common vertical axis.

    Parameters
    ----------
    ax : matplotlib Axes
        It is emptied, and stays as their frame; a single panel is `ax` itself.
    widths : dict of str to float
        How wide each panel is, compared with the others.

    Returns
    -------
    dict of str to matplotlib Axes

    Raises
    ------
    ValueError
        If `ax` has no place in a grid.
    """
    if len(widths) == 1:
        return dict.fromkeys(widths, ax)
    place = ax.get_subplotspec()
    if place is None:
        raise ValueError(
            "ax has no place in a grid that could be split into panels: make it with "
            "plt.subplots or Figure.add_subplot."
        )
    ax.set_axis_off()
    grid = place.subgridspec(1, len(widths), width_ratios=list(widths.values()))
    panels = []
    for cell in grid:
        panels.append(ax.figure.add_subplot(cell, sharey=panels[0] if panels else None))
        if len(panels) > 1:
            panels[-1].tick_params(labelleft=False)
    return dict(zip(widths, panels, strict=True))


def wrap(name, width=14):
    """Return a name in lines of about `width` characters, as `plain` text.

    It is broken after blanks, hyphens and underscores, and before capitals; anywhere if
    there are none.
    """
    lines = [""]
    for piece in _pieces(str(name), width):
        if lines[-1] and len(lines[-1] + piece.rstrip()) > width:
            lines.append(piece)
        else:
            lines[-1] += piece
    return plain("\n".join(line.rstrip() for line in lines))


def _pieces(name, width):
    """Yield the parts of a name that stay on one line."""
    breaks = r"(?<=[-_ ])|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
    for piece in re.split(breaks, name):
        # Two characters too many are better than a line of them.
        while len(piece) > width + 2:
            yield piece[:width]
            piece = piece[width:]
        yield piece


def plain(text):
    """Return a text that matplotlib shows as it is: no dollars begin a formula."""
    return str(text).replace("$", r"\$")


def count_lines(texts):
    """Return how many lines the longest of some texts has."""
    return max(text.count("\n") + 1 for text in texts)


def choose(what, names, wanted):
    """Return the position of one of the names.

    Parameters
    ----------
    what : str
        What is named: the argument to give, for the errors.
    names : sequence of str
    wanted : str or None
        None takes the only one.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If there is no such name, or none is wanted where there are several.
    """
    names = list(names)
    known = ", ".join(map(str, names))
    if wanted is None and len(names) > 1:
        raise ValueError(
            f"The study has more than one {what}: give {what}= one of {known}."
        )
    if wanted is not None and wanted not in names:
        raise ValueError(f"{what}={wanted!r} is not in the study: give one of {known}.")
    return 0 if wanted is None else names.index(wanted)


def choose_all(what, names, wanted):
    """Return the names that are wanted: all of them where `wanted` is None.

    Parameters
    ----------
    what : str
        What is named, for the error.
    names : iterable of str
    wanted : list of str, str or None

    Returns
    -------
    list of str

    Raises
    ------
    ValueError
        If there is no such name, or none is wanted.
    """
    names = list(names)
    if wanted is None:
        return names
    if isinstance(wanted, str):
        wanted = [wanted]
    known = ", ".join(map(str, names))
    if not len(wanted):
        raise ValueError(f"There is nothing to draw: give at least one of {known}.")
    for name in wanted:
        if name not in names:
            raise ValueError(f"There is no {what} {name!r}: give some of {known}.")
    return list(wanted)
