"""Where a display draws."""

from sklearn.utils._optional_dependencies import check_matplotlib_support


def get_axes(ax, caller):
    """Return the axes to draw on: those given, or those of a new figure.

    Parameters
    ----------
    ax : matplotlib Axes or None
    caller : str
        What needs matplotlib, for the error where that is not installed.

    Returns
    -------
    matplotlib Axes
    """
    check_matplotlib_support(caller)
    import matplotlib.pyplot as plt

    if ax is None:
        _, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
    return ax
