"""Where tables stand on a Citus is said before they are moved, and on a plain PostgreSQL they are not moved.

What becomes of them on a Citus is in `test_spread`.
"""

import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse import distribute
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.layout import Place


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
