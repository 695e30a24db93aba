"""The `cs` schema is created once, whoever asks and however often."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.migrate import migrate


def tables(warehouse: Warehouse) -> set[str]:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("select table_name from information_schema.tables where table_schema = 'cs'")
        return {name for (name,) in cursor.fetchall()}


def test_migrating_twice_changes_nothing(warehouse: Warehouse) -> None:
    before = tables(warehouse)
    migrate(warehouse)
    assert {"health_scores", "triggers", "enrolments", "actions"} <= before == tables(warehouse)


def test_processes_that_start_together_do_not_collide(warehouse: Warehouse) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: migrate(warehouse), range(4)))
    assert "actions" in tables(warehouse)


def test_a_server_that_is_not_there_is_one_clear_sentence_without_the_password() -> None:
    with pytest.raises(UserError, match=r"PostgreSQL at 127\.0\.0\.1:1/nowhere cannot be reached") as caught:
        migrate(Warehouse("postgresql://somebody:geheim@127.0.0.1:1/nowhere"))
    assert "geheim" not in str(caught.value)
    assert "geheim" not in repr(Warehouse("postgresql://somebody:geheim@127.0.0.1:1/nowhere"))
