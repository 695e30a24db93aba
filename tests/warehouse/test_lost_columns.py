"""A Citus (13.2) silently gives null for a column under one shape of statement; none of ours has it.

A sub-select that PostgreSQL merges into the statement around it, below an outer join or grouping sets, joins a table
cut by account with something that is not, and makes of a column what can be a value where the column is null:
`coalesce`, `case`, `is not null`. Citus then fetches the table without that column. A sub-select that is materialized,
or a table in a CTE of its own, is read rightly.
"""

import ast
import configparser
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from cs_pipeline.warehouse.layout import FIRST, MODEL_SCHEMAS, PER_ACCOUNT

ROOT = Path(__file__).parents[2]
OTHERS = {"migrations", "project"}  # the project of a team has dbt models of its own
CUT_SCHEMAS = {*MODEL_SCHEMAS, FIRST.split(".")[0]}
SETS_APART = ("group", "having", "distinct", "limit", "offset", "order", "with_")
VALUES_OF_NULL = (exp.Coalesce, exp.Case, exp.Nullif, exp.Is, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Connector, exp.In)


def test_no_statement_of_the_package_loses_a_column_where_tables_are_spread() -> None:
    files = [path for path in (ROOT / "cs_pipeline").rglob("*.sql") if not OTHERS & set(path.relative_to(ROOT).parts)]
    assert files
    for path in files:
        assert not list(_losing(_parse(path.read_text(encoding="utf-8")))), path
    for path in (ROOT / "cs_pipeline").rglob("*.py"):
        for text in _statements_of(path):
            try:
                parsed = _parse(text)
            except SqlglotError:  # a piece of a statement
                continue
            assert not list(_losing(parsed)), (path, text)


def test_the_shape_is_known_wherever_it_stands() -> None:
    inner = "select one.position, {of} as found from {first} as one left join marts.dim_accounts as accounts using (id)"
    lost, among_local, among_cut, plain = (
        inner.format(of=of, first=first)
        for of, first in (
            ("coalesce(accounts.name, '')", "unnest(array[1])"),
            ("accounts.name is not null", "cs.enrolments"),
            ("accounts.name is not null", "marts.dim_users"),
            ("accounts.name", "cs.enrolments"),
        )
    )
    for statement in (
        f"select * from cs.actions left join ({lost}) as ours using (position)",
        f"select * from cs.actions left join (select * from ({lost}) as deeper) as ours using (position)",
        f"with ours as ({lost}) select * from cs.actions left join ours using (position)",
        f"select * from ({lost}) as ours right join cs.actions using (position)",
        f"select found, count(*) from ({lost}) as ours group by grouping sets ((found), ())",
        f"select * from cs.actions left join ({among_local}) as ours using (position)",
    ):
        assert list(_losing(_parse(statement))), statement
    for statement in (
        f"with ours as materialized ({lost}) select * from cs.actions left join ours using (position)",
        f"with ours as ({lost}) select * from ours as one left join ours as two using (position)",
        f"select * from cs.actions inner join ({lost}) as ours using (position)",
        f"select * from cs.actions left join ({lost} order by 1) as ours using (position)",
        f"select * from cs.actions left join ({plain}) as ours using (position)",
        f"select * from cs.actions left join ({among_cut}) as ours using (position)",
    ):
        assert not list(_losing(_parse(statement))), statement


def _losing(statements: Sequence[exp.Expr | None]) -> Iterator[str]:
    """The sub-selects of the shape."""
    for statement in filter(None, statements):
        named = {each.alias: each for each in statement.find_all(exp.CTE)}
        uses = Counter(each.name for each in statement.find_all(exp.Table) if not each.db)
        merged = {name: each for name, each in named.items() if _is_merged(each, uses[name])}
        for select in statement.find_all(exp.Select):
            yield from _losing_below(select, merged, may_be_null=False)


def _losing_below(body: exp.Expr, merged: Mapping[str, exp.CTE], *, may_be_null: bool) -> Iterator[str]:
    if isinstance(body, exp.Union):
        for side in (body.left, body.right):
            yield from _losing_below(side, merged, may_be_null=may_be_null)
    if not isinstance(body, exp.Select):
        return
    sides = list(_joined(body))
    sources = [source for _, source in sides]
    if may_be_null and _mixes(sources) and any(each.find(*VALUES_OF_NULL) for each in body.expressions):
        yield body.sql("postgres")
    group = body.args.get("group")
    in_sets = bool(group and group.find(exp.GroupingSets, exp.Rollup, exp.Cube))
    for place, (side, source) in enumerate(sides):
        later = {each for each, _ in sides[place + 1 :]}
        is_outer = side in {"LEFT", "FULL"} or bool(later & {"RIGHT", "FULL"}) or in_sets
        if (within := _within(source, merged)) is not None and not _is_apart(within):
            yield from _losing_below(within, merged, may_be_null=may_be_null or is_outer)


def _joined(select: exp.Select) -> Iterator[tuple[str, exp.Expr]]:
    """What stands in FROM, each with the side of its join."""
    if first := select.args.get("from_"):
        yield "", first.this
    for join in select.args.get("joins") or ():
        yield join.side.upper(), join.this


def _mixes(sources: Sequence[exp.Expr]) -> bool:
    """Whether a table cut by account is joined with what is not one."""
    cut = [isinstance(source, exp.Table) and _is_cut(source) for source in sources]
    return any(cut) and not all(cut)


def _is_cut(table: exp.Table) -> bool:
    return table.db in CUT_SCHEMAS or f"{table.db}.{table.name}" in PER_ACCOUNT


def _within(source: exp.Expr, merged: Mapping[str, exp.CTE]) -> exp.Expr | None:
    if isinstance(source, exp.Lateral):
        source = source.this
    if isinstance(source, exp.Subquery):
        return source.this
    return (
        merged[source.name].this if isinstance(source, exp.Table) and not source.db and source.name in merged else None
    )


def _is_merged(named: exp.CTE, uses: int) -> bool:
    asked = named.args.get("materialized")
    return uses == 1 if asked is None else not asked


def _is_apart(select: exp.Expr) -> bool:
    """Whether PostgreSQL plans a sub-select by itself."""
    if isinstance(select, exp.Union):
        return bool(select.args.get("distinct"))
    computed = (part.find(exp.AggFunc, exp.Window) for part in getattr(select, "expressions", ()))
    return any(select.args.get(part) for part in SETS_APART) or any(computed)


def _statements_of(path: Path) -> Iterator[str]:
    """The strings of a module that join."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.JoinedStr():
                text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{part}" for part in node.values)
            case ast.Constant(value=str(value)):
                text = value
            case _:
                continue
        if "join" in text and "select" in text:
            yield text


def _parse(text: str) -> Sequence[exp.Expr | None]:
    text = re.sub(r"%\((\w+)\)s", r"'\1'", text).replace("%%", "%")
    text = re.sub(r"on commit drop|on conflict \([^)]*\) do nothing", "", text)  # the parser knows them in part
    text = re.sub(r"\{(\w+)\}", lambda place: _stands_for().get(place[1], place[1]), text)
    return sqlglot.parse(text, read="postgres")


@cache
def _stands_for() -> Mapping[str, str]:
    """What stands for parts of statements where they are linted."""
    config = configparser.RawConfigParser()
    config.read(ROOT / ".sqlfluff", encoding="utf-8")
    return config["sqlfluff:templater:placeholder"]
