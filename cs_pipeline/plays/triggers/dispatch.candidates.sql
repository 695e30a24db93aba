-- The triggers that a playbook may still have to decide on, by id. Without %(since)s none is looked for by its time.
with candidates as (
    select trigger_id
    from cs.triggers
    where kind = %(kind)s and trigger_id > %(after)s
    union distinct
    select trigger_id
    from cs.triggers
    where kind = %(kind)s and occurred_at > %(since)s::timestamptz
    union distinct
    select unnest(%(of_runs)s::bigint[]) as trigger_id
)

select triggers.trigger_id
from candidates
inner join cs.triggers on candidates.trigger_id = triggers.trigger_id
where
    (%(names)s::text[] is null or triggers.facts ->> %(named_by)s = any(%(names)s::text[]))
    and {undecided}
order by triggers.trigger_id
limit %(limit)s
