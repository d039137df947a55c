"""
Count turns of phrase that make prose hard to read.
===================================================

Reads the docstrings, comments and messages of a package, and counts how often each of
some patterns occurs per 10,000 words. `tests/test_prose.py` keeps skal at or below
scikit-learn and optuna.

    python tools/prose.py skal
    python tools/prose.py skal --list tells
    python tools/prose.py .venv/lib/python3.11/site-packages/sklearn/ensemble
"""

import argparse
import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# A capital letter opens a sentence at the beginning of a line and after a full stop.
OPENS = r"(?:^\s*|(?<=[.!?;:]\s))"
PATTERNS = {
    "opens with What": OPENS + r"What\b",
    "opens with Of": OPENS + r"Of\b",
    "opens with So many": OPENS + r"So (?:many|few|much|slowly|long)\b",
    "is none, is no X": r"\b(?:is|are) none\b|\bis no (?!longer\b|more\b|need\b)\w+",
    "that of, those that": r"\b(?:that|those) of\b|\bthose that\b",
    "tells, told": r"\btells?\b|\btold\b",
    "stands": r"\bstands?\b(?! for\b)",
}


class Text(NamedTuple):
    """A docstring, comment or message, and where it begins."""

    path: Path
    line: int
    text: str


def texts_of(path: Path) -> Iterator[Text]:
    """Yield the docstrings, comments and messages of a file."""
    source = path.read_text()
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(
            node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        ):
            if docstring := ast.get_docstring(node):
                line = node.body[0].lineno
                yield Text(path, line, _without_examples(docstring))
        elif isinstance(node, ast.Raise) or _is_warning(node):
            yield Text(path, node.lineno, "".join(_constants(node)))
    yield from _comments(path, source)


def _without_examples(docstring: str) -> str:
    lines = docstring.splitlines()
    return "\n".join(line for line in lines if not re.match(r"\s*(>>>|\.\.\. )", line))


def _is_warning(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "warn"


def _constants(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def _comments(path: Path, source: str) -> Iterator[Text]:
    """Yield comments, those of adjacent lines as one text."""
    begin, last, lines = 0, -1, []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        if lines and token.start[0] != last + 1:
            yield Text(path, begin, "\n".join(lines))
            lines = []
        begin = begin if lines else token.start[0]
        last = token.start[0]
        lines.append(token.string.lstrip("#: "))
    if lines:
        yield Text(path, begin, "\n".join(lines))


def read(package: Path) -> list[Text]:
    """Return all texts of the Python files in a folder."""
    files = sorted(package.rglob("*.py"))
    return [
        text for file in files if "tests" not in file.parts for text in texts_of(file)
    ]


def find(texts: list[Text], name: str) -> list[tuple[Path, int, str]]:
    """Return where a pattern occurs: file, line of the text, and the words around."""
    pattern = re.compile(PATTERNS[name], re.MULTILINE)
    found = []
    for path, line, text in texts:
        for match in pattern.finditer(text):
            begin = text.rfind("\n", 0, match.start() + 1) + 1
            words = " ".join(text[match.start() : match.start() + 70].split())
            found.append((path, line + text[:begin].count("\n"), words))
    return found


def rates(texts: list[Text]) -> dict[str, float]:
    """Return how often each pattern occurs per 10,000 words."""
    n_words = sum(len(text.text.split()) for text in texts)
    return {name: len(find(texts, name)) * 1e4 / n_words for name in PATTERNS}


def main() -> None:
    """Print the counts, or the places of one pattern."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("package", type=Path, nargs="+")
    parser.add_argument("--list", choices=PATTERNS, metavar="PATTERN")
    args = parser.parse_args()
    for package in args.package:
        texts = read(package)
        if args.list:
            for path, line, words in find(texts, args.list):
                print(f"{path}:{line}: {words}")
            continue
        print(f"{package}: {sum(len(t.text.split()) for t in texts):,} words")
        for name, rate in rates(texts).items():
            print(f"  {rate:6.1f}  {name}")


if __name__ == "__main__":
    main()
