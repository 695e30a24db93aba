"""Keep the parameters that are in force in cs.alert_parameters, from which the views of rules take them."""

import json
from collections.abc import Mapping

from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.parameters import Values


def sync_parameters(session: Session, rules: Mapping[str, tuple[Values, Mapping[str, Values]]]) -> int:
    """Make cs.alert_parameters say what is in force, where it differs from the defaults; returns rows changed.

    `rules`: by name the defaults in the SQL and the values by tier.
    """
    rows = [
        (name, tier, json.dumps(dict(values), sort_keys=True))
        for name, (defaults, by_tier) in rules.items()
        for tier, values in by_tier.items()
        if dict(values) != dict(defaults)
    ]
    parameters = {
        "rules": [row[0] for row in rows],
        "tiers": [row[1] for row in rows],
        "values": [row[2] for row in rows],
    }
    with session.cursor() as cursor:
        cursor.execute(_SYNC, parameters)
        return cursor.rowcount


_SYNC = """
with said as (
    select rule, tier, parameters
    from unnest(%(rules)s::text[], %(tiers)s::text[], %(values)s::jsonb[]) as said (rule, tier, parameters)
),

gone as (
    delete from cs.alert_parameters
    where (rule, tier) not in (select rule, tier from said)
)

insert into cs.alert_parameters (rule, tier, parameters)
select rule, tier, parameters from said
on conflict (rule, tier) do update set parameters = excluded.parameters
where alert_parameters.parameters <> excluded.parameters
"""
