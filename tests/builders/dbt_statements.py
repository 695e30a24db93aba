"""What dbt ran, from its log, and how a Citus hands that on to its servers.

Each model's statements run again in a transaction that is rolled back, so that every step finds the tables that those
before it made. What dbt does to the names of tables afterwards is left out.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.warehouse.connection import Warehouse

LOGGED_WITH_THEIR_MODELS = {"DBT_LOG_FORMAT_FILE": "json", "DBT_LOG_LEVEL_FILE": "debug"}
"""Of dbt's environment: it logs every statement, and for which model that is."""
COMMENT = re.compile(r"/\*.*?\*/|^\s*--[^\n]*$", re.DOTALL | re.MULTILINE)
TARGET = re.compile(r"(?:insert into|delete from)\s+(\S+)")
ROWS_OF_INSERT = re.compile(r'insert into \S+\s*(?:\([\w", ]+\))?\s*(?=[(\w])', re.DOTALL)
AFTERWARDS = ("alter table", "drop table", "create index", "create unique", "comment on", "BEGIN", "COMMIT")

Plan = Mapping[str, Any]


@dataclass(frozen=True)
class Handed:
    """A statement that writes rows of a model, and how it was handed on."""

    model: str
    statement: str
    is_spread: bool
    """Whether the table that it writes to is cut by account."""
    tasks: int
    is_gathered: bool
    """Whether the rows came to the coordinator before they were written."""
    most_gathered_first: int
    """Rows of the largest part that was brought to the coordinator before the statement itself."""


def statements_of(log: Path) -> Mapping[str, Sequence[str]]:
    """The statements of each model, in their order."""
    found: dict[str, list[str]] = {}
    for line in log.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        node = event["data"].get("node_info", {})
        if event["info"]["name"] == "SQLQuery" and node.get("resource_type") == "model":
            statements = (
                each.strip() for each in re.split(r";\s*$", COMMENT.sub("", event["data"]["sql"]), flags=re.M)
            )
            found.setdefault(node["node_name"], []).extend(each for each in statements if each)
    return found


def hand_on_again(warehouse: Warehouse, ran: Mapping[str, Sequence[str]]) -> Iterator[Handed]:
    """How each statement that writes rows is handed on. Changes nothing."""
    for model, statements in ran.items():
        with warehouse.session() as session, session.cursor() as cursor:
            for statement in statements:
                if statement.startswith(("insert into", "delete from")):
                    yield _handed(cursor, model, statement)
                if not statement.startswith(AFTERWARDS):
                    cursor.execute(statement)
            session.rollback()


def _handed(cursor: Cursor, model: str, statement: str) -> Handed:
    target = TARGET.match(statement)
    assert target is not None
    cursor.execute(
        "select exists (select from pg_dist_partition where logicalrelid = %s::regclass and partmethod = 'h')",
        [target.group(1)],
    )
    (is_spread,) = cursor.fetchone() or (False,)
    plan = _explain(cursor, "", statement)
    parts = list(_parts(plan))
    most = 0
    if any(part.get("Subplans") for part in _distributed(parts)):
        analyzed = _explain(cursor, "analyze, timing off,", ROWS_OF_INSERT.sub("", statement, count=1))
        most = max(int(rows) for rows in _rows_of_subplans(analyzed))
    return Handed(
        model,
        " ".join(statement.split())[:120],
        bool(is_spread),
        max((int(part["Job"]["Task Count"]) for part in _distributed(parts) if part.get("Job")), default=0),
        any(part.get("INSERT/SELECT method") == "pull to coordinator" for part in parts),
        most,
    )


def _explain(cursor: Cursor, how: str, statement: str) -> Plan:
    cursor.execute(f"explain ({how} format json) {statement}")
    ((explained,),) = cursor.fetchall()
    return explained[0]["Plan"]


def _parts(plan: Plan) -> Iterator[Plan]:
    """The node and those below it that run on the coordinator."""
    yield plan
    for below in (*plan.get("Plans", ()), *(each["Plan"] for each in plan.get("Select Query", ()))):
        yield from _parts(below)


def _distributed(parts: Sequence[Plan]) -> Iterator[Plan]:
    return (part["Distributed Query"] for part in parts if "Distributed Query" in part)


def _rows_of_subplans(plan: Plan) -> Iterator[float]:
    """What needs no server, such as a calendar, is not analyzed by Citus and counts as none."""
    yield 0
    for query in _distributed(list(_parts(plan))):
        for subplan in query.get("Subplans", ()):
            below = subplan["PlannedStmt"][0]["Plan"]
            yield below["Actual Rows"]
            yield from _rows_of_subplans(below)
