"""Read the conditions of playbooks, check them against the facts, and ask them of many accounts at once.

A condition looks like Python: `severity >= 2 and tier in ('pro', 'enterprise')`. It is parsed into a syntax tree,
of which only what `condition_types` names is accepted; nothing is ever executed. What the facts mean is in
`facts.catalogue`.
"""

import ast
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pandas as pd

from cs_pipeline.plays.facts.catalogue import Catalogue
from cs_pipeline.plays.playbooks.condition_types import Checker, ConditionError, pairs

LONGEST = 1_000  # characters

_COMPARISONS: dict[type[ast.cmpop], Callable[[pd.Series, pd.Series], pd.Series]] = {
    ast.Eq: lambda left, right: left == right,
    ast.NotEq: lambda left, right: left != right,
    ast.Lt: lambda left, right: left < right,
    ast.LtE: lambda left, right: left <= right,
    ast.Gt: lambda left, right: left > right,
    ast.GtE: lambda left, right: left >= right,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
}


@dataclass(frozen=True)
class Condition:
    """A checked condition. `facts` are the names it asks for."""

    text: str
    facts: frozenset[str] = field(compare=False)
    _tree: ast.expr = field(repr=False, compare=False)

    @classmethod
    def parse(cls, text: str, catalogue: Catalogue) -> Self:
        """Check `text` against `catalogue`. Raises ConditionError, whatever the text."""
        line = " ".join(text.split())
        tree = _tree_of(line)
        checker = Checker(line, catalogue)
        checker.expect(tree, "boolean")
        return cls(line, frozenset(checker.facts), tree)

    def required(self, fact: str) -> tuple[str, ...] | None:
        """The texts of which `fact` must be one for the condition to hold; None where that cannot be told."""
        for part in self._demands:
            match part:
                case ast.Compare(left=ast.Name(id=name), ops=[ast.Eq()], comparators=[ast.Constant() as constant]):
                    texts = [constant]
                case ast.Compare(
                    left=ast.Name(id=name), ops=[ast.In()], comparators=[ast.Tuple() | ast.List() as among]
                ):
                    texts = among.elts
                case _:
                    continue
            if name == fact:
                return tuple(str(_plain(text)) for text in texts)
        return None

    @property
    def _demands(self) -> list[ast.expr]:
        """What must hold all together: the parts between `and`, or the whole."""
        tree = self._tree
        return tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else [tree]

    def unmet(self, facts: pd.DataFrame) -> list[str]:
        """Which of the demands joined by `and` the first row of `facts` does not meet, each with what the row has."""
        row = facts.iloc[:1]
        with np.errstate(all="ignore"):
            failing = [part for part in self._demands if not _value(part, row).fillna(False).iloc[0]]
        return [f"{ast.unparse(part)} ({_known_of(part, row)})" for part in failing]

    def holds(self, facts: pd.DataFrame) -> pd.Series:
        """Whether it holds for each row of `facts` (columns as in `facts.read`): a bool Series on its index.

        A comparison with a missing fact is itself missing, and so is its negation; a condition that comes out
        missing does not hold.
        """
        with np.errstate(all="ignore"):
            return _value(self._tree, facts).fillna(False).astype(bool)


def _tree_of(line: str) -> ast.expr:
    if len(line) > LONGEST:
        raise ConditionError(LONGEST, f"expected at most {LONGEST} characters, got {len(line)}")
    if not line:
        raise ConditionError(1, "expected a condition, got nothing")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            tree = ast.parse(line, mode="eval").body
            deepest = max(_depths(tree))
    except SyntaxError as error:
        raise ConditionError(error.offset or len(line), f"is not a condition: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError):
        raise ConditionError(1, "is not a condition: it cannot be read") from None
    if deepest > 50:
        raise ConditionError(1, "is nested too deep")
    return tree


def _depths(tree: ast.AST) -> Iterator[int]:
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield depth
        waiting.extend((child, depth + 1) for child in ast.iter_child_nodes(node))


def _value(node: ast.expr, facts: pd.DataFrame) -> pd.Series:
    """The value of a checked node for each row, as a nullable Series."""
    match node:
        case ast.Constant(value=bool() as value):
            return pd.Series(value, index=facts.index, dtype="boolean")
        case ast.Constant(value=str() as value):
            return pd.Series(value, index=facts.index, dtype="string")
        case ast.Constant(value=int() | float() as value):
            return pd.Series(float(value), index=facts.index, dtype="Float64")
        case ast.Name():
            return facts[node.id]
        case ast.UnaryOp(op=ast.Not()):
            return ~_value(node.operand, facts)
        case ast.UnaryOp():
            return -_value(node.operand, facts)
        case ast.BinOp():
            left, right = (_value(part, facts).to_numpy(float, na_value=np.nan) for part in (node.left, node.right))
            result = _ARITHMETIC[type(node.op)](left, right)
            return pd.Series(np.where(np.isfinite(result), result, np.nan), index=facts.index).astype("Float64")
        case ast.BoolOp():
            result = _value(node.values[0], facts)
            for part in node.values[1:]:
                result = result & _value(part, facts) if isinstance(node.op, ast.And) else result | _value(part, facts)
            return result
        case ast.Compare():
            result = pd.Series(True, index=facts.index, dtype="boolean")
            for left, operator, right in pairs(node):
                result = result & _compared(left, operator, right, facts)
            return result
        case _:
            raise AssertionError(f"{ast.dump(node)} was not refused")


def _compared(left: ast.expr, operator: ast.cmpop, right: ast.expr, facts: pd.DataFrame) -> pd.Series:
    value = _value(left, facts)
    if isinstance(operator, ast.Is | ast.IsNot):
        missing = value.isna().astype("boolean")
        return missing if isinstance(operator, ast.Is) else ~missing
    if isinstance(right, ast.Tuple | ast.List):
        among = value.isin([_plain(element) for element in right.elts]).astype("boolean").mask(value.isna())
        return among if isinstance(operator, ast.In) else ~among
    return _COMPARISONS[type(operator)](value, _value(right, facts)).astype("boolean")


def _known_of(part: ast.expr, row: pd.DataFrame) -> str:
    """Each fact that a part asks for with its value in the row, in words."""
    names = dict.fromkeys(node.id for node in ast.walk(part) if isinstance(node, ast.Name))
    return ", ".join(f"{name} is {_in_words(row[name].iloc[0])}" for name in names)


def _in_words(value: float | str | None) -> str:
    if pd.isna(value):
        return "not known"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _plain(node: ast.expr) -> object:
    value = node.value if isinstance(node, ast.Constant) else None
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
