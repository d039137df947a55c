"""Mutants: copies of a file with one small change, such as `<=` for `<`.

Docstrings, type hints, decorators and the texts of errors and warnings are left alone.
"""

import ast
import copy
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
SWAPPED = {
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt},
    **{ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is},
    **{ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And},
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult},
    **{ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult},
    **{ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd},
}
HINTS = {"annotation", "returns", "decorator_list"}
DELETED = ast.Expr | ast.AugAssign | ast.Raise | ast.Continue | ast.Break
# Without the assignment of a variable, nearly any test would fail.
STORED = ast.Attribute | ast.Subscript


class Mutant(NamedTuple):
    """A change of one file, and the text of the file after it."""

    file: str
    line: int
    column: int
    operator: str
    before: str
    after: str
    text: str

    @property
    def key(self) -> tuple[str, ...]:
        """The texts that identify the mutant in a table."""
        return tuple(map(str, self[:6]))


def mutants(file: str) -> Iterator[Mutant]:
    """Yield all mutants of a file, whose path begins at the root of the project."""
    source = (ROOT / file).read_bytes()
    starts = [0]
    for row in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(row))
    for node in code(ast.parse(source)):
        for operator, changed in changes(node):
            begin = starts[node.lineno - 1] + node.col_offset
            end = starts[node.end_lineno - 1] + node.end_col_offset
            after = ast.unparse(changed)
            new = f"({after})" if isinstance(node, ast.expr) else after
            text = (source[:begin] + new.encode() + source[end:]).decode()
            where = (file, node.lineno, node.col_offset)
            yield Mutant(*where, operator, ast.unparse(node), after, text)


def code(node: ast.AST) -> Iterator[Any]:
    """Yield a node and those below it, but no hints and no messages."""
    yield node
    warns = isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "warn"
    if warns or isinstance(node, ast.Raise | ast.JoinedStr):
        return
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and name not in HINTS:
                yield from code(child)


def changes(node: Any) -> Iterator[tuple[str, ast.AST]]:
    """Yield what a node may be replaced with, each with the name of the operator."""
    match node:
        case ast.Compare():
            for i, one in enumerate(node.ops):
                ops = [*node.ops[:i], SWAPPED[type(one)](), *node.ops[i + 1 :]]
                yield "comparison", _with(node, ops=ops)
        case ast.BoolOp():
            yield "and, or", _with(node, op=SWAPPED[type(node.op)]())
        case ast.BinOp() | ast.AugAssign() if type(node.op) in SWAPPED:
            yield "arithmetic", _with(node, op=SWAPPED[type(node.op)]())
        case ast.UnaryOp(op=ast.Not()):
            yield "not", node.operand
        case ast.UnaryOp(op=ast.USub()):
            yield "minus", node.operand
        case ast.Constant(value=bool(flag)):
            yield "flag", ast.Constant(not flag)
        case ast.Constant(value=int(number) | float(number)):
            yield "constant", ast.Constant(number + 1)
            yield "constant", ast.Constant(number - 1)
        case ast.Return(value=ast.expr()) if ast.unparse(node) != "return None":
            yield "return", ast.Return(ast.Constant(None))
        case ast.Call():
            for i, keyword in enumerate(node.keywords):
                if keyword.arg is not None:
                    rest = node.keywords[:i] + node.keywords[i + 1 :]
                    yield "keyword", _with(node, keywords=rest)
    if _can_be_left_out(node):
        yield "statement", ast.Pass()


def _with(node: ast.AST, **fields: Any) -> ast.AST:
    """Return a copy of a node with other fields."""
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _can_be_left_out(node: ast.AST) -> bool:
    if isinstance(node, ast.Assign):
        return isinstance(node.targets[0], STORED)
    is_text = isinstance(getattr(node, "value", None), ast.Constant)
    return isinstance(node, DELETED) and not (isinstance(node, ast.Expr) and is_text)


def draw(places: dict[str, Any], n: int, seed: int) -> list[Mutant]:
    """Draw mutants: lines of each place in proportion, and a mutant of each line."""
    lines: dict[str, Any] = {place: defaultdict(list) for place in places}
    for place, entry in places.items():
        for file in entry["tests"]:
            for mutant in mutants(file):
                lines[place][file, mutant.line].append(mutant)
    total = sum(map(len, lines.values()))
    sample = []
    for place, found in lines.items():
        rng = Random(f"{seed} {place}")
        keys = rng.sample(sorted(found), len(found))
        share = max(places[place]["least"], round(n * len(found) / total))
        sample += [rng.choice(found[key]) for key in keys[:share]]
    return Random(seed).sample(sample, len(sample))
