"""Check what a condition is made of, and the type of every part of it.

Whatever is not named here is refused, with the column at which it stands.
"""

import ast
import math
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Literal

from cs_pipeline.errors import UserError
from cs_pipeline.plays.facts.catalogue import Catalogue, Fact

Type = Literal["number", "text", "boolean", "date", "nothing"]


class ConditionError(UserError, ValueError):
    """A condition that cannot be used; the message has the column (from 1) and what was expected there."""

    def __init__(self, column: int, words: str) -> None:
        super().__init__(f"column {column}: {words}")
        self.column = column


class Checker:
    """Finds the type of every node and refuses what the language does not have."""

    def __init__(self, line: str, catalogue: Catalogue) -> None:
        self._line = line
        self._catalogue = catalogue
        self.facts: set[str] = set()

    def expect(self, node: ast.expr, wanted: Type) -> None:
        """Raises ConditionError unless `node` is sound and of the type `wanted`."""
        found = self._type(node)
        if found != wanted:
            raise self._error(node, f"expected a {wanted}, got a {found}")

    def _type(self, node: ast.expr) -> Type:
        match node:
            case ast.Constant(value=bool()):
                return "boolean"
            case ast.Constant(value=int() | float()):
                self._finite(node)
                return "number"
            case ast.Constant(value=str()):
                return "text"
            case ast.Constant(value=None):
                return "nothing"
            case ast.Name():
                return self._fact(node).type
            case ast.BoolOp():
                for part in node.values:
                    self.expect(part, "boolean")
                return "boolean"
            case ast.UnaryOp(op=ast.Not()):
                self.expect(node.operand, "boolean")
                return "boolean"
            case ast.UnaryOp(op=ast.USub()):
                self.expect(node.operand, "number")
                return "number"
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div()):
                self.expect(node.left, "number")
                self.expect(node.right, "number")
                return "number"
            case ast.Compare():
                for left, operator, right in pairs(node):
                    self._comparison(left, operator, right)
                return "boolean"
            case _:
                raise self._error(
                    node,
                    "expected facts, numbers, 'texts', True, False, comparisons, and, or, not, in, is None, + - * /",
                )

    def _comparison(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> None:
        kind = self._type(left)
        if kind in ("nothing", "date") and not isinstance(operator, ast.Is | ast.IsNot):
            raise self._error(
                left, f"a {kind} cannot be compared; 'is None' is all that can be asked of a fact like it"
            )
        match operator:
            case ast.Is() | ast.IsNot():
                if not isinstance(left, ast.Name) or not (isinstance(right, ast.Constant) and right.value is None):
                    raise self._error(right, "expected a fact before 'is' and None after it")
            case ast.In() | ast.NotIn():
                if not isinstance(right, ast.Tuple | ast.List) or not right.elts:
                    raise self._error(right, "expected a list of values after 'in', such as ('pro', 'enterprise')")
                for element in right.elts:
                    if not isinstance(element, ast.Constant):
                        raise self._error(element, "expected a number or a 'text'")
                    self.expect(element, kind)
                    self._known_value(left, element)
            case _:
                self.expect(right, kind)
                if kind != "number" and not isinstance(operator, ast.Eq | ast.NotEq):
                    raise self._error(right, f"a {kind} can only be compared with == and !=")
                self._known_value(left, right)
                self._known_value(right, left)

    def _fact(self, node: ast.Name) -> Fact:
        fact = self._catalogue.get(node.id)
        if fact is None:
            close = get_close_matches(node.id, self._catalogue, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise self._error(node, f"'{node.id}' is not a fact here{hint}")
        self.facts.add(node.id)
        return fact

    def _known_value(self, name: ast.expr, constant: ast.expr) -> None:
        """Refuse a text that the fact can never be: a typing error would otherwise just never hold."""
        if isinstance(name, ast.Name) and isinstance(constant, ast.Constant):
            values = self._catalogue[name.id].values
            if values and constant.value not in values:
                raise self._error(
                    constant, f"{name.id} is never {constant.value!r}; expected one of {', '.join(values)}"
                )

    def _finite(self, node: ast.Constant) -> None:
        try:
            is_finite = math.isfinite(float(node.value))  # pyright: ignore[reportArgumentType]
        except OverflowError:
            is_finite = False
        if not is_finite:
            raise self._error(node, "expected a number of ordinary size")

    def _error(self, node: ast.expr, words: str) -> ConditionError:
        before = self._line.encode()[: node.col_offset].decode(errors="ignore")
        return ConditionError(len(before) + 1, words)


def pairs(node: ast.Compare) -> Iterator[tuple[ast.expr, ast.cmpop, ast.expr]]:
    """`a < b < c` as (a, <, b), (b, <, c)."""
    lefts = [node.left, *node.comparators[:-1]]
    yield from zip(lefts, node.ops, node.comparators, strict=True)
