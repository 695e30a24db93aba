"""Read the source tables: how many rows each has, when it was last loaded, how old it may be, and what it feeds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.freshness import stale_inputs
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.health.metrics import METRICS
from cs_pipeline.warehouse.contract import SourceTable, read_contract
from cs_pipeline.warehouse.rows import read_rows

State = Literal["fresh", "stale", "absent", "not watched"]


@dataclass(frozen=True)
class SourceLine:
    """A table of the source contract.

    `rows`: about so many, None where it is absent. `loaded_at`: when a load last read a row of it. `allowed`: how old
    its newest row may be, None where nobody asks; `asked_by`: who does, in words. `why`: what is wrong, in words.
    `metrics` and `rules`: how many there are that it feeds.
    """

    name: str
    is_required: bool
    rows: int | None
    loaded_at: datetime | None
    allowed: timedelta | None
    asked_by: str
    state: State
    why: str
    metrics: int
    rules: int


def source_lines(session: Session, rules: Mapping[str, Rule], now: datetime) -> list[SourceLine]:
    """A line for each table of the contract: those that are not as they should be first, then the required ones."""
    tables = read_contract().tables
    present = {row["name"]: row["rows"] for row in read_rows(session, _ROWS, {})}
    loaded = {row["name"]: row["loaded_at"] for row in read_rows(session, _LOADED, {})}
    allowed = {name: longest_age_allowed(table, rules) for name, table in tables.items()}
    watched = {name: age for name, (age, _) in allowed.items() if age is not None and name in present}
    wrong = {each.source: each for each in stale_inputs(session, watched, now)}
    lines: list[SourceLine] = []
    for name, table in tables.items():
        age, asked_by = allowed[name]
        stale = wrong.get(name)
        state: State = "fresh" if age else "not watched"
        if name not in present or (stale is not None and stale.is_absent):
            state = "absent"
        elif stale is not None:
            state = "stale"
        lines.append(
            SourceLine(
                name=name,
                is_required=table.required,
                rows=present.get(name),
                loaded_at=loaded.get(name),
                allowed=age,
                asked_by=asked_by,
                state=state,
                why=stale.words if stale else "",
                metrics=sum(metric.source == name for metric in METRICS.values()),
                rules=len(list(_asking(name, rules))),
            )
        )
    worst = ("stale", "absent", "fresh", "not watched")
    return sorted(lines, key=lambda line: (not is_wrong(line), worst.index(line.state), not line.is_required))


def is_wrong(line: SourceLine) -> bool:
    """Whether somebody has to look: a feed that stopped, or a table without which nothing works."""
    return line.state == "stale" or (line.state == "absent" and line.is_required)


def longest_age_allowed(table: SourceTable, rules: Mapping[str, Rule]) -> tuple[timedelta | None, str]:
    """The shortest age that the contract or a rule allows, and who allows no more."""
    ages = {rule.name: rule.alert.needs_fresh[table.name] for rule in _asking(table.name, rules)}
    if table.fresh_within is not None:
        ages = {"the contract": table.fresh_within, **ages}
    if not ages:
        return None, ""
    least = min(ages.values())
    names = [name for name, age in ages.items() if age == least]
    return least, names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _asking(name: str, rules: Mapping[str, Rule]) -> Iterator[Rule]:
    return (rule for rule in rules.values() if rule.is_on and name in rule.alert.needs_fresh)


_ROWS = """
select whole.relname::text as name, coalesce(sum(greatest(part.reltuples, 0)), 0)::bigint as rows
from pg_class as whole
left join pg_class as part
    on part.relkind = 'r' and coalesce(pg_partition_root(part.oid), part.oid) = whole.oid
where whole.relnamespace = to_regnamespace('raw') and whole.relkind in ('r', 'p') and not whole.relispartition
group by whole.oid, whole.relname
"""
_LOADED = "select source_table as name, max(finished_at) as loaded_at from cs.loads where rows_read > 0 group by 1"
