"""Hand `kpis.yaml` to the marts: definitions as rows of cs.kpi_definitions, parameters as variables of dbt."""

import hashlib
import json

from psycopg2.extensions import connection as Session
from psycopg2.extras import execute_values

from cs_pipeline.kpis.definition import KpiBook


def variables_of(book: KpiBook) -> dict[str, str]:
    """Variables of dbt_project.yml; empty text where a parameter is left open."""
    return {f"kpi_{name}": "" if value is None else str(value) for name, value in book.parameters.model_dump().items()}


def sync_definitions(session: Session, book: KpiBook) -> int:
    """Make cs.kpi_definitions say what is in force; returns the number of KPIs.

    A definition's version is a hash of what makes its figure: formula, window, and parameters of all KPIs.
    """
    rows = []
    for name, kpi in book.kpis.items():
        target = book.target(name)
        made_of = [kpi.formula, kpi.basis, kpi.window, book.parameters.model_dump()]
        rows.append(
            (
                name,
                kpi.title,
                kpi.unit,
                kpi.good,
                kpi.basis,
                kpi.formula,
                list(kpi.facts),
                list(kpi.sources),
                kpi.window,
                None if target is None else target.bound,
                None if target is None else target.kind,
                None if target is None else kpi.window,
                kpi.if_missed,
                hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:12],
            )
        )
    with session.cursor() as cursor:
        cursor.execute("delete from cs.kpi_definitions")
        execute_values(cursor, _INSERT, rows)
    return len(rows)


_INSERT = """
insert into cs.kpi_definitions (
    kpi, title, unit, good, basis, formula, facts, sources, window_months,
    target, target_kind, target_window_months, if_missed, version
)
values %s
"""
