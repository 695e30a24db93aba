"""Where tables stand on a Citus is said before they are moved, and on a plain PostgreSQL they are not moved.

What becomes of them on a Citus is in `test_spread`.
"""

from datetime import date

import pytest
from psycopg2.errors import RaiseException

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse import distribute
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import read_contract
from cs_pipeline.warehouse.layout import Place
from cs_pipeline.warehouse.months import make_months, month_of
from cs_pipeline.warehouse.spread import is_spread
from cs_pipeline.warehouse.spread_functions import make_functions


def _has_citus(warehouse: Warehouse) -> bool:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("select exists (select from pg_extension where extname = 'citus')")
        return cursor.fetchone() == (True,)


def test_every_table_is_listed_with_where_it_belongs_and_why(warehouse: Warehouse) -> None:
    stands = {stand.table: stand for stand in distribute.plan(warehouse)}
    assert stands["cs.health_scores"].kind is Place.DISTRIBUTED
    assert stands["cs.score_models"].kind is Place.REFERENCE
    assert stands["cs.actions"].kind is Place.LOCAL
    assert all(stand.why for stand in stands.values())


def test_rows_of_a_table_that_is_kept_by_month_are_those_of_its_months(warehouse: Warehouse) -> None:
    events = read_contract().tables["events"]
    with warehouse.session() as session, session.cursor() as cursor:
        events.create(cursor)
        make_months(cursor, events, [month_of(date(2025, 1, 1)), month_of(date(2025, 2, 1))])
        cursor.execute(
            "insert into raw.events (event_id, account_id, occurred_at, event_name, _load_id) "
            "select month, 'x', month::date, 'login', 1 from unnest('{2025-01-15,2025-02-15}'::text[]) as month"
        )
        cursor.execute("analyze raw.events_2025_01, raw.events_2025_02")
    assert [stand.rows for stand in distribute.plan(warehouse) if stand.table == "raw.events"] == [2]


def test_functions_are_made_again_as_the_migrations_make_them(warehouse: Warehouse) -> None:
    told = (
        "select pg_get_functiondef(oid), obj_description(oid, 'pg_proc') from pg_proc "
        "where oid = 'cs.scores_of(text, text)'::regprocedure"
    )
    with warehouse.session() as session, session.cursor() as cursor:
        if is_spread(cursor):
            pytest.skip("tables are spread")
        cursor.execute(told)
        before = cursor.fetchone()
        make_functions(cursor, is_spread=True)
        with pytest.raises(RaiseException, match="no week was ever scored by version 123 of the model m"):
            cursor.execute("select * from cs.scores_of('m', '123')")
        session.rollback()
        make_functions(cursor, is_spread=False)
        cursor.execute(told)
        assert cursor.fetchone() == before


def test_a_plain_server_is_refused_in_words_and_nothing_is_left_on_it(warehouse: Warehouse) -> None:
    if _has_citus(warehouse):
        pytest.skip("this server is a Citus")
    for act in (distribute.distribute, distribute.undo):
        with pytest.raises(UserError, match="has no Citus"):
            act(warehouse, lambda _: None)
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("select to_regclass('cs.spread_tables')")
        assert cursor.fetchone() == (None,)
