"""What is to be spread over servers could be, as the catalogue of a plain PostgreSQL tells: keys carry the account."""

import pytest

from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import read_contract
from cs_pipeline.warehouse.distribute import plan
from cs_pipeline.warehouse.layout import (
    DISTRIBUTION_COLUMN,
    MODEL_SCHEMAS,
    Place,
    distributed_tables,
    reference_tables,
)
from tests.builders.sample_history import History

pytestmark = pytest.mark.one_server("it refuses such keys itself")

KEYS = """
select
    keyed.indrelid::regclass::text || ': ' || pg_get_indexdef(keyed.indexrelid)
from pg_index as keyed
where
    keyed.indrelid::regclass::text = any(%(distributed)s)
    and (keyed.indisunique or keyed.indisexclusion)
    and not exists (
        select
        from pg_attribute
        where
            attrelid = keyed.indrelid
            and attname = %(column)s
            and attnum = any(keyed.indkey)
            -- dbt says of no column of a table that it is never null; its tests do.
            and (attnotnull or split_part(keyed.indrelid::regclass::text, '.', 1) = any(%(built_by_dbt)s))
    )
union all
select
    refers.conrelid::regclass::text || ': ' || pg_get_constraintdef(refers.oid)
from pg_constraint as refers
where
    refers.contype = 'f'
    and case
        -- Between accounts: both sides are cut alike, so a row and what it refers to are on one server.
        when refers.conrelid::regclass::text = any(%(distributed)s)
            and refers.confrelid::regclass::text = any(%(distributed)s) then not exists (
            select
            from unnest(refers.conkey, refers.confkey) as pair (ours, theirs)
            inner join pg_attribute as ours on ours.attrelid = refers.conrelid and ours.attnum = pair.ours
            inner join pg_attribute as theirs on theirs.attrelid = refers.confrelid and theirs.attnum = pair.theirs
            where ours.attname = %(column)s and theirs.attname = %(column)s
        )
        when refers.conrelid::regclass::text = any(%(distributed)s)
            then refers.confrelid::regclass::text <> all(%(reference)s)
        when refers.conrelid::regclass::text = any(%(reference)s)
            then refers.confrelid::regclass::text <> all(%(reference)s)
        else refers.confrelid::regclass::text = any(%(distributed)s)
    end
order by 1
"""
"""Unique indexes, exclusions and foreign keys that a Citus would refuse."""


@pytest.fixture
def laid_out(warehouse: Warehouse) -> Warehouse:
    """A warehouse with every canonical table, none with a row."""
    with warehouse.session() as session, session.cursor() as cursor:
        for table in read_contract().in_load_order():
            table.create(cursor)
            table.create_indexes(cursor)
    return warehouse


def refused(warehouse: Warehouse, *statements: str) -> list[str]:
    """What could not be laid out, once the statements have been run; they are taken back."""
    stands = plan(warehouse)
    with warehouse.session() as session, session.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        told = {
            "distributed": [each.table for each in stands if each.kind is Place.DISTRIBUTED],
            "reference": [each.table for each in stands if each.kind is Place.REFERENCE],
            "column": DISTRIBUTION_COLUMN,
            "built_by_dbt": list(MODEL_SCHEMAS),
        }
        cursor.execute(KEYS, told)
        found = [words for (words,) in cursor.fetchall()]
        session.rollback()
    return found


def test_no_key_of_a_distributed_table_stands_in_the_way(laid_out: Warehouse) -> None:
    assert refused(laid_out) == []


def test_no_key_of_a_table_that_dbt_builds_stands_in_the_way(scored_history: History) -> None:
    assert refused(scored_history.warehouse) == []
    (words,) = refused(scored_history.warehouse, "create unique index on marts.fct_account_weeks (week, account_name)")
    assert words.startswith("marts.fct_account_weeks: CREATE UNIQUE INDEX")


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("create unique index on raw.invoices (invoice_id)", "raw.invoices: CREATE UNIQUE INDEX"),
        ("alter table raw.users add constraint one unique (email)", "raw.users: CREATE UNIQUE INDEX"),
        (
            "alter table cs.renewal_windows add constraint none exclude using btree (subscription_id with =)",
            "cs.renewal_windows: CREATE INDEX",
        ),
        (
            "alter table cs.segment_members add column trigger_id bigint references cs.triggers",
            "cs.segment_members: FOREIGN KEY (trigger_id)",
        ),
        (
            "alter table cs.enrolments add constraint of foreign key (account_id) references raw.accounts",
            "cs.enrolments: FOREIGN KEY (account_id)",
        ),
    ],
)
def test_a_key_that_would_is_named(laid_out: Warehouse, statement: str, named: str) -> None:
    (words,) = refused(laid_out, statement)
    assert words.startswith(named)


def test_every_table_that_is_laid_out_is_there_and_says_whose_each_row_is(laid_out: Warehouse) -> None:
    contract = read_contract()
    with laid_out.session() as session, session.cursor() as cursor:
        cursor.execute(
            "select name, exists (select from pg_attribute where attrelid = name::regclass and attname = %s "
            "and attnotnull) from unnest(%s) as names (name)",
            [DISTRIBUTION_COLUMN, [*distributed_tables(contract), *reference_tables(contract)]],
        )
        says = dict(cursor.fetchall())
    assert all(says[name] for name in distributed_tables(contract)), says
