-- What a rule found and has not told of before.
select distinct on (found.account_id, found.entity)
    concat_ws(
        ':',
        'alert',
        %(rule)s,
        found.account_id,
        nullif(found.entity, found.account_id),
        extract(epoch from %(now)s)::bigint
    ) as trigger_key,
    'alert' as kind,
    found.account_id,
    found.entity as subject_id,
    null::date as week,
    %(now)s as occurred_at,
    (%(now)s at time zone 'UTC')::date as anchor_on,
    found.facts
from
    unnest(%(account_ids)s::text[], %(entities)s::text[], %(facts)s::jsonb[])
    with ordinality as found (account_id, entity, facts, position)
where
    not exists (
        select 1
        from cs.triggers as told
        where
            told.kind = 'alert'
            and told.facts ->> 'rule' = %(rule)s
            and told.account_id = found.account_id
            and told.subject_id = found.entity
            and (%(told_since)s::timestamptz is null or told.occurred_at > %(told_since)s)
    )
order by found.account_id, found.entity, found.position
