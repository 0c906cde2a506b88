"""Every small change of a Python source that a test should notice: operators, numbers, conditions, min and max.

Left out: docstrings and texts, annotations, errors that are raised, assertions, `__all__`, `if TYPE_CHECKING`,
imports, and the size of a cache.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from typing import NamedTuple

COMPARED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
COMPUTED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
NAMED = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "any": "all", "all": "any"}
SKIPPED = (ast.Raise, ast.Assert, ast.JoinedStr, ast.Import, ast.ImportFrom)


class Mutant(NamedTuple):
    """function: qualified name of the outermost function it is in, "" outside any.  nth: of the same on that line."""

    file: str
    number: int
    line: str
    mutation: str
    nth: int
    function: str
    text: str
    tree: ast.Module

    @property
    def key(self) -> tuple[str, str, str, int]:
        return self.file, self.line, self.mutation, self.nth

    def __str__(self) -> str:
        which = f" (no. {self.nth} of the line)" if self.nth > 1 else ""
        return f"{self.file}:{self.number}: {self.mutation}{which}   | {self.line}"


def mutants(file: str, source: str) -> list[Mutant]:
    """All of a source, in its order."""
    whole, lines = ast.parse(source), source.splitlines()
    found: list[Mutant] = []
    seen: Counter[tuple[str, str]] = Counter()
    for path, function in _places(whole):
        for change in _changes(_at(whole, path)):
            tree = copy.deepcopy(whole)
            old = _at(tree, path)
            new = ast.fix_missing_locations(ast.copy_location(change, old))
            field, index = path[-1]
            parent = _at(tree, path[:-1])
            if index is None:
                setattr(parent, field, new)
            else:
                getattr(parent, field)[index] = new
            line = lines[old.lineno - 1].strip()
            mutation = f"{_short(old)} -> {_short(new)}"
            seen[f"{old.lineno} {line}", mutation] += 1
            nth = seen[f"{old.lineno} {line}", mutation]
            found.append(
                Mutant(file, old.lineno, line, mutation, nth, function, _replaced(source, old, ast.unparse(new)), tree)
            )
    return found


def _places(tree: ast.Module) -> list[tuple[list[tuple[str, int | None]], str]]:
    """(the way to it, function) of every node that may be changed."""
    found: list[tuple[list[tuple[str, int | None]], str]] = []

    def walk(node: ast.AST, path: list[tuple[str, int | None]], classes: str, function: str) -> None:
        if isinstance(node, SKIPPED) or _is_apart(node):
            return
        found.append((path, function))
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns"):
                continue
            inside, of_class = function, classes
            if isinstance(node, ast.FunctionDef) and field == "body" and not function:
                inside = classes + node.name
            if isinstance(node, ast.ClassDef):
                of_class = classes + node.name + "."
            parts = enumerate(value) if isinstance(value, list) else [(None, value)]
            for index, part in parts:
                if isinstance(part, ast.AST):
                    walk(part, [*path, (field, index)], of_class, inside)

    walk(tree, [], "", "")
    return found


def _is_apart(node: ast.AST) -> bool:
    match node:
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.Call(func=ast.Name(id="lru_cache")) | ast.ClassDef(decorator_list=[_, *_]):
            return True
        case ast.Subscript(value=ast.Name(id="Literal")) | ast.keyword(arg="frozen" | "eq" | "dict" | "strict"):
            return True
        case ast.keyword(arg="forbid_unknown_fields" | "omit_defaults"):
            return False
    return False


def _changes(node: ast.AST) -> list[ast.expr | ast.stmt]:
    match node:
        case ast.Compare(ops=ops):
            return [
                ast.Compare(node.left, [*ops[:i], COMPARED[type(op)](), *ops[i + 1 :]], node.comparators)
                for i, op in enumerate(ops)
            ]
        case ast.BinOp(op=op) if type(op) in COMPUTED:
            return [ast.BinOp(node.left, COMPUTED[type(op)](), node.right)]
        case ast.AugAssign(op=op) if type(op) in COMPUTED:
            return [ast.AugAssign(node.target, COMPUTED[type(op)](), node.value)]
        case ast.BoolOp(op=op):
            return [ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), node.values)]
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            return [node.operand]
        case ast.Constant(value=int() | float() as value):
            return [ast.Constant(_other(value))]
        case ast.Name(id=name, ctx=ast.Load()) if name in NAMED:
            return [ast.Name(NAMED[name], ast.Load())]
        case ast.Attribute(attr=name, ctx=ast.Load()) if name in NAMED:
            return [ast.Attribute(node.value, NAMED[name], ast.Load())]
    return []


def _other(value: float) -> float:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return value * 1.5 if value else 1.0


def _at(tree: ast.AST, path: list[tuple[str, int | None]]) -> ast.AST:
    for field, index in path:
        tree = getattr(tree, field) if index is None else getattr(tree, field)[index]
    return tree


def _replaced(source: str, node: ast.AST, new: str) -> str:
    """The source with the node written anew; further lines keep their numbers only where it took one line."""
    lines = source.encode().split(b"\n")
    first, last = node.lineno - 1, node.end_lineno - 1
    written = new.encode() if isinstance(node, ast.stmt) else b"(" + new.encode() + b")"
    lines[first : last + 1] = [lines[first][: node.col_offset] + written + lines[last][node.end_col_offset :]]
    return b"\n".join(lines).decode()


def _short(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 90 else text[:87] + "..."
