-- What a rule found, as a replay reads it: the moment in microseconds since 1970, the facts as a hash, and whether no
-- alert can be made of the row (`findings` says why).
select
    (date_part('epoch', as_of) * 1000000)::bigint as at,
    coalesce(account_id, '') as account_id,
    entity,
    measured::double precision as measured,
    held_against::double precision as held_against,
    jsonb_hash_extended(coalesce(facts, '{}'), 0) as facts,
    as_of is null
    or coalesce(entity, '') = ''
    or (coalesce(account_id, '') = '' and %(needs_account)s)
    or jsonb_typeof(facts) <> 'object' as is_wrong
from {relation}
