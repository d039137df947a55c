"""The optional dependencies, and how a user gets them."""

# `skal` on PyPI is another project, so the name differs from that of the package.
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
    """
    return f"pip install '{DISTRIBUTION}[{extra}]'"
