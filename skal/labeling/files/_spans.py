"""Tags of tokens as marked parts of a sentence, and back."""

from collections.abc import Iterator, Sequence

OUTSIDE = "O"


def offsets(tokens: Sequence[str]) -> list[tuple[int, int]]:
    """Return where each token begins and ends in the tokens joined by blanks.

    Parameters
    ----------
    tokens : sequence of str

    Returns
    -------
    list of (int, int)
    """
    found, start = [], 0
    for token in tokens:
        found.append((start, start + len(token)))
        start += len(token) + 1
    return found


def spans_of(tags: Sequence[str], tokens: Sequence[str]) -> list[tuple[int, int, str]]:
    """Return the marked parts of a sentence.

    Parameters
    ----------
    tags : sequence of str
        "B-" begins a part and "I-" continues it; "O" is outside. Any other tag marks
        its token.
    tokens : sequence of str

    Returns
    -------
    list of (int, int, str)
        Begin, end and name, in characters of the tokens joined by blanks.
    """
    places = offsets(tokens)
    return [
        (places[first][0], places[last][1], name) for first, last, name in _parts(tags)
    ]


def _parts(tags: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Yield the first and the last token of each part, and its name."""
    first, name = 0, ""
    for i, tag in enumerate([*tags, OUTSIDE]):
        kind, _, rest = tag.partition("-")
        if name and not (kind == "I" and rest == name):
            yield first, i - 1, name
            name = ""
        if kind in ("B", "I") and rest:
            first, name = (i, rest) if not name else (first, name)
        elif tag != OUTSIDE:
            yield i, i, tag


def tags_of(
    spans: Sequence[tuple[int, int, str]], tokens: Sequence[str], is_bio: bool = True
) -> list[str]:
    """Return the tag of each token of a sentence with marked parts.

    Parameters
    ----------
    spans : sequence of (int, int, str)
        As `spans_of` returns them. A token that is marked in part counts.
    tokens : sequence of str
    is_bio : bool, default=True
        Whether tags begin with "B-" and "I-".

    Returns
    -------
    list of str
    """
    tags = [OUTSIDE] * len(tokens)
    for start, end, name in sorted(spans):
        is_first = True
        for i, (begin, stop) in enumerate(offsets(tokens)):
            if begin < end and start < stop:
                prefix = ("B-" if is_first else "I-") if is_bio else ""
                tags[i], is_first = prefix + name, False
    return tags
