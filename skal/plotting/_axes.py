"""Axes, panels and labels of displays."""

import math
import re
import sys

from skal._choices import suggest
from skal._extras import install_hint

# Height of a line of a legend and of what is around it, in inches.
LINE, AROUND = 0.185, 0.5

# Label of the axis of labels that were given, by whether they have costs.
AMOUNT = {False: "Labelled rows", True: "Cost"}


def get_axes(ax, caller, figsize=(7, 4.5)):
    """Return the given axes, or the axes of a new figure.

    Parameters
    ----------
    ax : matplotlib Axes or None
        The axes; None makes a new figure.
    caller : str
        Name of the caller, for the error if matplotlib is not installed.
    figsize : tuple of float, default=(7, 4.5)
        Width and height of a new figure in inches.

    Returns
    -------
    matplotlib Axes, matplotlib Figure

    Raises
    ------
    ImportError
        If matplotlib is not installed.
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
    """Split `ax` into panels side by side, with a common vertical axis.

    Parameters
    ----------
    ax : matplotlib Axes
        The axes to split. They are hidden, and frame the panels. A single panel is `ax`
        itself.
    widths : dict of str to float
        Relative widths of the panels.

    Returns
    -------
    dict of str to matplotlib Axes

    Raises
    ------
    ValueError
        If `ax` is not part of a grid of subplots.
    """
    if len(widths) == 1:
        return dict.fromkeys(widths, ax)
    spec = ax.get_subplotspec()
    if spec is None:
        raise ValueError(
            "ax must be part of a grid, so that it can be split into panels: make it "
            "with plt.subplots or Figure.add_subplot."
        )
    ax.set_axis_off()
    grid = spec.subgridspec(1, len(widths), width_ratios=list(widths.values()))
    panels = []
    for cell in grid:
        panels.append(ax.figure.add_subplot(cell, sharey=panels[0] if panels else None))
        if len(panels) > 1:
            panels[-1].tick_params(labelleft=False)
    return dict(zip(widths, panels, strict=True))


def legend_beside(panels, handles, labels, **looks):
    """Add a legend to the right of the last panel, within the figure.

    A figure with constrained layout makes room by itself. In other figures, the panels
    become narrower, and the legend takes their place.

    Parameters
    ----------
    panels : list of matplotlib Axes
        Panels side by side, from left to right.
    handles, labels : list
        Artists and their names.
    **looks : dict
        Further arguments of `Axes.legend`.

    Returns
    -------
    matplotlib Legend
    """
    last = panels[-1]
    legend = last.legend(
        handles,
        labels,
        loc="center left",
        bbox_to_anchor=(1.02, 0.5),
        fontsize="small",
        frameon=False,
        ncols=_n_columns(last.figure, labels, looks.get("title", "")),
        **looks,
    )
    make_room(panels, [legend])
    return legend


def legend_height(n_lines):
    """Return the height in inches of a figure for a legend in a single column."""
    return AROUND + LINE * n_lines


def _n_columns(figure, labels, title):
    """Return the number of columns of a legend that is not higher than its figure."""
    height = figure.bbox.height / figure.dpi - AROUND - LINE * count_lines([title])
    lines = sum(text.count("\n") + 1 for text in labels)
    return max(1, math.ceil(lines / max(1, height / LINE) - 0.05))


def make_room(panels, artists):
    """Make panels narrower, so that artists beside them end where the last panel did.

    In a figure with a layout, nothing is done, since the layout makes room by itself.

    Parameters
    ----------
    panels : list of matplotlib Axes
        Panels side by side, from left to right.
    artists : list of matplotlib Artist
        Legends or texts that begin 0.02 widths to the right of the last panel.
    """
    figure = panels[-1].figure
    if figure.get_layout_engine() is not None or not artists:
        return
    boxes = [ax.get_position() for ax in panels]
    left, right = boxes[0].x0, boxes[-1].x1
    # Long names to the left of the first panel may leave the figure as well.
    cut_off = max(0, figure.bbox.x0 - panels[0].get_tightbbox().x0) / figure.bbox.width
    width = max(one.get_window_extent().width for one in artists) / figure.bbox.width
    beside = cut_off + width + 0.02 * boxes[-1].width
    shrunk = max(0.2, 1 - beside / (right - left))
    for ax, box in zip(panels, boxes, strict=True):
        start = left + cut_off + (box.x0 - left) * shrunk
        ax.set_position([start, box.y0, box.width * shrunk, box.height])


def wrap(name, width=14):
    """Return a name wrapped into lines of about `width` characters.

    Lines are broken after spaces, hyphens and underscores, and before capitals. Longer
    words are broken anywhere. Dollar signs are escaped, as by `plain`.

    Parameters
    ----------
    name : object
    width : int, default=14

    Returns
    -------
    str
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
        # Two characters over the width look better than on a line of their own.
        while len(piece) > width + 2:
            yield piece[:width]
            piece = piece[width:]
        yield piece


def plain(text):
    r"""Return a text with escaped dollar signs, which would begin a formula.

    If LaTeX sets all texts, its other special characters are escaped, too.
    """
    # Names are wrapped before a missing matplotlib is noticed.
    matplotlib = sys.modules.get("matplotlib")
    has_latex = matplotlib is not None and matplotlib.rcParams["text.usetex"]
    special = r"[$_%&#{}]" if has_latex else r"[$]"
    return re.sub(special, r"\\\g<0>", str(text))


def count_lines(texts):
    """Return the largest number of lines of any text."""
    return max(text.count("\n") + 1 for text in texts)


def choose(what, names, wanted):
    """Return the position of one of the names.

    Parameters
    ----------
    what : str
        Name of the argument, for the errors.
    names : sequence of str
    wanted : str or None
        The name; None takes the only one.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If the name is unknown, or it is None and there are several names.
    """
    names = list(names)
    known = ", ".join(map(str, names))
    if wanted is None and len(names) > 1:
        raise ValueError(
            f"The study has more than one {what}: give {what}= one of {known}."
        )
    if wanted is not None and wanted not in names:
        raise ValueError(
            f"{what}={wanted!r} is not in the study: give one of {known}."
            f"{suggest(wanted, names)}"
        )
    return 0 if wanted is None else names.index(wanted)


def choose_all(what, names, wanted):
    """Return the wanted names, or all names by default.

    Parameters
    ----------
    what : str
        The kind of object, for the error.
    names : iterable of str
    wanted : list of str, str or None
        The names; None takes all of them.

    Returns
    -------
    list of str

    Raises
    ------
    ValueError
        If a name is unknown, or `wanted` is empty.
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
            raise ValueError(
                f"Unknown {what} {name!r}: give some of {known}.{suggest(name, names)}"
            )
    return list(wanted)
