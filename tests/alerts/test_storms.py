"""A rule that fires for much of the book at once: what it costs to hold that."""

from contextlib import closing
from typing import Any

import pytest
from psycopg2.extensions import connection as Session

from cs_pipeline.alerts import transition
from cs_pipeline.alerts.tellable import tell_or_hold
from cs_pipeline.warehouse.connection import Warehouse
from tests.alerts.conftest import Watch
from tests.builders.alert_rules import rule


def test_a_storm_costs_no_more_where_its_table_is_analyzed_before_it_is_committed(
    watch: Watch, alerts_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rows_read(session: Session) -> int:
        with session.cursor() as cursor:
            cursor.execute(
                "select sum(seq_tup_read + idx_tup_fetch)::integer from pg_stat_xact_user_tables "
                "where schemaname = 'cs' and relname = 'alerts'"
            )
            ((rows,),) = cursor.fetchall()
            return rows

    def analyzed_first(session: Session, *about: Any) -> Any:
        with closing(alerts_warehouse.connect()) as beside, beside.cursor() as cursor:
            cursor.execute("analyze cs.alerts")  # sees no row of a transaction that goes on
            beside.commit()
        before = rows_read(session)
        outcome = tell_or_hold(session, *about)
        read.append(rows_read(session) - before)
        return outcome

    read: list[int] = []
    monkeypatch.setattr(transition, "tell_or_hold", analyzed_first)
    watched = watch(rule())
    watched.begin()
    watched.run("insert into found select 'idle', 'a' || n, 'a' || n, 1 from generate_series(1, 2000) as n")
    (held,) = watched.evaluate()
    assert (held.health, held.held) == ("held", 2_000)
    assert max(read) < 10 * 2_000
