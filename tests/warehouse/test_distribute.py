"""Where tables stand on a Citus is said before they are moved, and on a plain PostgreSQL they are not moved."""

import json

import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse import distribute
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.layout import Place
from cs_pipeline.warehouse.spread import places_of


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


def test_a_plain_server_is_refused_in_words_and_nothing_is_left_on_it(warehouse: Warehouse) -> None:
    if _has_citus(warehouse):
        pytest.skip("this server is a Citus")
    for act in (distribute.distribute, distribute.undo):
        with pytest.raises(UserError, match="has no Citus"):
            act(warehouse, lambda _: None)
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("select to_regclass('cs.spread_tables')")
        assert cursor.fetchone() == (None,)


def test_tables_are_moved_and_brought_back_as_they_were(warehouse: Warehouse) -> None:
    if not _has_citus(warehouse):
        pytest.skip("this server is no Citus")
    distribute.undo(warehouse, lambda _: None)
    before = _described(warehouse)
    wanted = {s.table: s.kind for s in distribute.plan(warehouse) if s.kind is not Place.LOCAL}
    assert distribute.distribute(warehouse, lambda _: None) == len(wanted)
    with warehouse.session() as session, session.cursor() as cursor:
        assert places_of(cursor) == wanted
    assert distribute.distribute(warehouse, lambda _: None) == 0
    assert distribute.undo(warehouse, lambda _: None) == len(wanted)
    assert _described(warehouse) == before


def _described(warehouse: Warehouse) -> str:
    """Columns, constraints and indexes of all tables of cs."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            "select jsonb_agg(line order by line) from ("
            "select attrelid::regclass || ' ' || attname || ' ' || format_type(atttypid, null) || attidentity "
            "|| attnotnull as line from pg_attribute inner join pg_class on attrelid = pg_class.oid "
            "where relnamespace = 'cs'::regnamespace and relkind = 'r' and attnum > 0 and not attisdropped union all "
            "select conrelid::regclass || ' ' || pg_get_constraintdef(oid) from pg_constraint "
            "where connamespace = 'cs'::regnamespace union all "
            "select indexdef from pg_indexes where schemaname = 'cs') as described"
        )
        return json.dumps(cursor.fetchone(), indent=1)
