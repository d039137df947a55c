"""Tables in Markdown, and pages that a script writes a part of."""

BEGIN, END = "<!-- tables -->", "<!-- end of tables -->"


def table(header, rows):
    """Return a table in Markdown; the cells are texts."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def insert(page, parts):
    """Replace the part of a page between `BEGIN` and `END`.

    Parameters
    ----------
    page : Path
    parts : iterable of str
        Tables and texts, which are separated by empty lines.
    """
    before, rest = page.read_text().split(BEGIN)
    after = rest.split(END)[1]
    page.write_text(before + "\n\n".join([BEGIN, *parts, END]) + after)
