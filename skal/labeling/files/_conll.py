"""CoNLL: a token and its tag on each line, and an empty line after each sentence."""

from pathlib import Path

from skal._files import replacing
from skal.inputs._targets import Target
from skal.labeling.files._records import Answered, Foreign, Item
from skal.labeling.files._spans import OUTSIDE

# Comments that name a sentence, as in CoNLL-U.
NAMES = "id", "sent_id"


def write_conll(path: Path, items: list[Item], target: Target) -> None:
    """Write sentences with their tags, and their ids as comments.

    Parameters
    ----------
    path : Path
    items : list of Item
        Without a label, the tags are predicted ones, or "O".
    target : Target
    """
    _check_target(target)
    with replacing(path, "w") as file:
        for item in items:
            if item.is_skipped:
                continue
            tags = item.prediction if item.label is None else item.label
            lines = zip(item.row, tags or [OUTSIDE] * len(item.row), strict=True)
            file.write(f"# id = {item.id}\n")
            file.writelines(f"{token}\t{tag}\n" for token, tag in lines)
            file.write("\n")


def _check_target(target: Target) -> None:
    if target is not Target.TAGS:
        raise Foreign(f"CoNLL holds tags of tokens, and each row has {target.value}")


def read_conll(path: Path, target: Target) -> list[Answered]:
    """Read sentences with their tags.

    Parameters
    ----------
    path : Path
        The first column is the token and the last one the tag, as in CoNLL 2003.
        Columns are separated by tabs or blanks. Without an id, a sentence is found by
        its tokens.
    target : Target

    Returns
    -------
    list of Answered
    """
    _check_target(target)
    found: list[Answered] = []
    name: str | None = None
    tokens: list[str] = []
    tags: list[str] = []
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    for i, line in enumerate([*lines, ""], 1):
        if not line.strip():
            if tokens:
                found.append(Answered(name, tokens, tags))
            name, tokens, tags = None, [], []
        elif line.startswith("#") and "=" in line and not tokens:
            key, _, value = line[1:].partition("=")
            name = value.strip() if key.strip() in NAMES else name
        elif not line.startswith("-DOCSTART-"):
            cells = line.split("\t") if "\t" in line else line.split()
            if len(cells) < 2:
                raise Foreign(f"line {i} has no tag")
            tokens.append(cells[0])
            tags.append(cells[-1])
    return found
