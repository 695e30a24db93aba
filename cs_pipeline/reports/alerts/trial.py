"""Ask an alert rule without writing anything: what it would find at a moment, with which parameters."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from psycopg2 import errors
from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.archived_events import require_events
from cs_pipeline.alerts.findings import HASH_JOINS
from cs_pipeline.alerts.freshness import stale_inputs
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.alerts.title import title_of
from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.relations import missing_relations

LONGEST = "5min"
"""How long the rule may take, as when it is evaluated."""
_ACCOUNTS = "marts.dim_accounts"


@dataclass(frozen=True)
class Trial:
    """What came of it.

    `found`: rows in all, of so many `accounts`; `rows`: the first of them, with the columns account_id, entity,
    measured, held_against, facts and what (the title). `parameters`: by tier, '' where an account has none. `stale`:
    inputs that are too old to be believed, in words: when evaluated, the rule would have no data.
    """

    rule: str
    as_of: datetime
    parameters: Mapping[str, Mapping[str, object]]
    found: int
    accounts: int
    rows: pd.DataFrame
    stale: Sequence[str]


def try_rule(session: Session, rule: Rule, as_of: datetime, account: str | None = None, limit: int = 20) -> Trial:
    """Ask `rule` at `as_of` with the parameters of the files, also where they were not evaluated with yet.

    `account`: only rows of the account with that id. The rule's `for`, its audience and what stands before it are not
    asked. Raises UserError while its view is not built, events that it reads are archived, or PostgreSQL refuses it.
    """
    require_events(session, [rule], as_of, as_of)
    accounts = _ACCOUNTS
    if missing_relations(session, _ACCOUNTS):
        accounts = "(select null::text as account_id, null::text as account_name where false)"
    with session.cursor() as cursor:
        cursor.execute(HASH_JOINS)
        cursor.execute(
            "select set_config('cs_pipeline.moments', %s, true), set_config('cs_pipeline.alert_parameters', %s, true), "
            f"set_config('jit', 'off', true), set_config('statement_timeout', '{LONGEST}', true)",
            [
                as_of.isoformat(),
                json.dumps({rule.name: {tier: dict(rule.parameters[tier]) for tier in rule.parameters}}),
            ],
        )
        try:
            cursor.execute(
                f"""
                with found as materialized (
                    select
                        account_id,
                        entity,
                        measured,
                        held_against,
                        facts,
                        count(*) over () as found,
                        (
                            dense_rank() over (order by account_id) + dense_rank() over (order by account_id desc) - 1
                        ) as accounts
                    from {rule.relation}
                    where %(account)s::text is null or account_id = %(account)s
                    order by measured desc nulls last, account_id, entity
                    limit %(limit)s
                )

                select
                    found.*,
                    named.account_name,
                    cs.person_of_alert(found.account_id, found.entity, found.facts) as person
                from found
                left join (
                    select account_id, account_name
                    from {accounts} as accounts
                    where account_id in (select found.account_id from found)
                ) as named on found.account_id = named.account_id
                order by found.measured desc nulls last, found.account_id, found.entity
                """,
                {"account": account, "limit": limit},
            )
        except (errors.UndefinedTable, errors.InvalidSchemaName):
            raise UserError(not_built(rule)) from None
        except errors.DataError as error:
            raise UserError(f"{rule.name} cannot be asked: {error.diag.message_primary}") from None
        except errors.QueryCanceled:
            raise UserError(f"{rule.name} took longer than {LONGEST}; see its plan with `explain analyze`") from None
        columns = [column.name for column in cursor.description or ()]
        found = pd.DataFrame(cursor.fetchall(), columns=columns, dtype="object")
    found["what"] = [title_of(rule.alert.title, row) for row in found.to_dict("records")]
    return Trial(
        rule=rule.name,
        as_of=as_of,
        parameters=rule.parameters,
        found=int(found["found"].iloc[0]) if len(found) else 0,
        accounts=int(found["accounts"].iloc[0]) if len(found) else 0,
        rows=found.drop(columns=["found", "accounts", "account_name", "person"]),
        stale=[each.words for each in stale_inputs(session, rule.alert.needs_fresh, as_of)],
    )


def not_built(rule: Rule) -> str:
    """What to do about a rule whose view is not there."""
    return (
        f"The view of {rule.name} is not built. `dbt build --select {rule.name}` builds it "
        "(docs/alerts.md); so does the weekly job, or `cs-pipeline backfill`."
    )
