"""Optional dependencies, and how to install them."""

# The name on PyPI, where `skal` is another project.
DISTRIBUTION = "skal-learn"


def install_hint(extra: str) -> str:
    """Return the command that installs an extra of skal.

    Parameters
    ----------
    extra : str
        A name in `[project.optional-dependencies]` of pyproject.toml.

    Returns
    -------
    str
        A command line for pip.
    """
    return f"pip install '{DISTRIBUTION}[{extra}]'"
