"""Ask the view of a rule what it finds, and refuse rows that no alert can be made of."""

import hashlib
import json

from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.rule import COLUMNS
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.errors import UserError
from cs_pipeline.sql_files import read_sql


class CannotTell(UserError):
    """A rule gave rows that no alert can be made of."""


def version_of(session: Session, rule: Rule) -> str:
    """What decides what the rule finds, as a short hash: its view, its parameters, and how its alerts begin and end.

    Raises CannotTell where the view is not there, or has not the columns of a rule.
    """
    with session.cursor() as cursor:
        cursor.execute(
            """
            select
                pg_get_viewdef(view.oid),
                array(
                    select attname::text from pg_attribute
                    where attrelid = view.oid and attnum > 0 and not attisdropped order by attnum
                )
            from (select to_regclass(%s)) as view (oid)
            where view.oid is not null
            """,
            [rule.relation],
        )
        row = cursor.fetchone()
    if row is None:
        raise CannotTell(f"the view {rule.relation} is not built; `dbt build --select {rule.name}` builds it")
    definition, columns = row
    if set(columns) != set(COLUMNS):
        raise CannotTell(
            f"the view {rule.relation} has the columns {', '.join(columns)}; expected {', '.join(COLUMNS)}"
        )
    alert = rule.alert
    decides = [
        definition,
        {tier: dict(values) for tier, values in rule.parameters.items()},
        alert.nature,
        alert.mode,
        alert.hold_for.total_seconds(),
        alert.resolve_after,
    ]
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:12]


def find(session: Session, rule: Rule, accounts: str) -> int:
    """Fill alert_rows with what the view finds at the moments asked; returns how many rows.

    `accounts`: relation with account_id and churned_at; who has left by a moment is not found then. Raises CannotTell
    for a row without a key, for one of a moment that nobody asked about, and for a key that comes twice.
    """
    with session.cursor() as cursor:
        cursor.execute(HASH_JOINS)
        cursor.execute(read_sql(__file__, relation=rule.relation, accounts=accounts))
        found = cursor.rowcount
        cursor.execute(ANY_JOINS)
        if found > FEW:
            cursor.execute("analyze alert_rows")
        cursor.execute(_WRONG, {"needs_account": rule.alert.mode == "per_row"})
        if row := cursor.fetchone():
            raise CannotTell(row[0])
    return found


HASH_JOINS = """
select
    set_config('enable_nestloop', 'off', true),
    set_config('enable_mergejoin', 'off', true),
    set_config('work_mem', greatest(setting::integer, 65536) || 'kB', true)
from pg_settings where name = 'work_mem'
"""
"""For the transaction, before the view of a rule is asked. What is met on the way has no statistics, such as moments
and days summed up; a planner that takes it for a single row loops over users times days."""
ANY_JOINS = """
set local enable_nestloop to default;
set local enable_mergejoin to default;
set local work_mem to default
"""

FEW = 1_000
"""Rows for which no statistics are needed."""
_WRONG = """
with asked as (
    select unnest(string_to_array(current_setting('cs_pipeline.moments'), ',')::timestamptz[]) as moment
)

(
    select
        case
            when as_of is null then 'a row has no as_of'
            when as_of not in (select moment from asked)
                then format('it returned a row as of %%s, which nobody asked; take as_of from moments()', as_of)
            when coalesce(entity, '') = '' then format('a row of account %%L has no entity', account_id)
            when account_id = '' then format('a row of entity %%L has no account; mode: per_row needs one', entity)
            else format('the facts of account %%L and entity %%L are no object', account_id, entity)
        end
    from alert_rows
    where
        as_of is null
        or as_of not in (select moment from asked)
        or coalesce(entity, '') = ''
        or (account_id = '' and %(needs_account)s)
        or jsonb_typeof(facts) <> 'object'
    order by as_of, account_id, entity
    limit 1
)
union all
(
    select
        format(
            'it returned %%s rows for account %%L and entity %%L at %%s; a key comes once',
            count(*), account_id, entity, as_of
        )
    from alert_rows
    group by as_of, account_id, entity
    having count(*) > 1
    order by as_of, account_id, entity
    limit 1
)
limit 1
"""
