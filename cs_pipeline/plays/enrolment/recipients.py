"""Resolve the recipient of an action from its role, with fallbacks. Nobody is named in code or playbook (C-37, C-39).

Whether the person may be written to is a matter for `guards`.
"""

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.channels.registry import KINDS
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.playbooks.schema import CUSTOMER_ROLES

# Customers: the role itself, else whoever knows the account best, else any of its users. Ours: the person of the
# role, else the one beside or above; channels that fall back to the team go to its channel, others have nobody left.
_RESOLVE = """
with wanted as (
    select
        position,
        account_id,
        role,
        channel
    from unnest(%(positions)s::integer[], %(account_ids)s::text[], %(roles)s::text[], %(channels)s::text[])
        as wanted (position, account_id, role, channel)
),

fallbacks (role, candidate, rank) as (
    select
        role,
        candidate,
        rank
    from unnest(%(customer_roles)s::text[]) as roles (role)
    cross join lateral unnest(array[role, 'champion', 'point_of_contact', 'primary'])
        with ordinality as candidates (candidate, rank)
),

contacts as (
    select distinct on (wanted.position)
        wanted.position,
        contacts.email,
        contacts.user_id,
        contacts.full_name
    from wanted
    inner join fallbacks on wanted.role = fallbacks.role
    inner join marts.dim_contacts as contacts
        on
            wanted.account_id = contacts.account_id
            and fallbacks.candidate = contacts.role
    where
        contacts.account_id = any(%(account_ids)s::text[])
        and contacts.email <> ''
        and coalesce(contacts.deleted_at > %(now)s, true)
        and coalesce(contacts.started_on <= %(today)s, true)
        and coalesce(contacts.ended_on > %(today)s, true)
    order by wanted.position, fallbacks.rank, contacts.started_on desc nulls last, contacts.user_id
),

ours as (
    select
        wanted.position,
        wanted.channel,
        case wanted.role
            when 'owner' then coalesce(nullif(accounts.owner_email, ''), nullif(accounts.manager_email, ''))
            when 'manager' then coalesce(nullif(accounts.manager_email, ''), nullif(accounts.executive_email, ''))
            when 'executive' then coalesce(nullif(accounts.executive_email, ''), nullif(accounts.manager_email, ''))
            when 'legal' then nullif(%(legal_email)s, '')
        end as email,
        coalesce(nullif(accounts.slack_channel, ''), nullif(%(team_channel)s, '')) as team
    from wanted
    left join marts.dim_accounts as accounts
        on
            wanted.account_id = accounts.account_id
            and accounts.account_id = any(%(account_ids)s::text[])
    where wanted.role <> all(%(customer_roles)s::text[])
)

select
    wanted.position,
    coalesce(
        contacts.email, ours.email, case when ours.channel = any(%(team_channels)s::text[]) then ours.team end
    ) as recipient,
    contacts.user_id,
    contacts.full_name
from wanted
left join contacts on wanted.position = contacts.position
left join ours on wanted.position = ours.position
order by wanted.position
"""


def resolve(session: Session, wanted: pd.DataFrame, as_of: AsOf) -> pd.DataFrame:
    """Recipients of `wanted` (columns account_id, role, channel), with its index.

    Columns: recipient (address or Slack channel; None when there is nobody), recipient_user_id, contact_name.
    """
    parameters = {
        "positions": list(range(len(wanted))),
        "account_ids": wanted["account_id"].tolist(),
        "roles": wanted["role"].tolist(),
        "channels": wanted["channel"].tolist(),
        "customer_roles": list(CUSTOMER_ROLES),
        "team_channels": [name for name, kind in KINDS.items() if kind.falls_back_to_team],
        "legal_email": as_of.settings.legal_email,
        "team_channel": as_of.settings.team_channel,
        "now": as_of.now,
        "today": as_of.now.date(),
    }
    with session.cursor() as cursor:
        cursor.execute(_RESOLVE, parameters)
        rows = cursor.fetchall()
    columns = ["position", "recipient", "recipient_user_id", "contact_name"]
    found = pd.DataFrame(rows, columns=columns, dtype="object").drop(columns="position")
    found.index = wanted.index
    return found.where(found.notna(), None)
