-- The renewal windows that opened in a week; live, also the late ones of the week before.
select
    concat_ws(':', 'renewal_window', subscription_id, renewal_date, renewal_window) as trigger_key,
    'renewal_window' as kind,
    account_id,
    subscription_id as subject_id,
    week,
    (%(week)s::date + 7)::timestamp at time zone 'UTC' as occurred_at,
    renewal_date as anchor_on,
    jsonb_build_object(
        'renewal_window', renewal_window,
        'renewal_type', renewal_type,
        'renewal_date', renewal_date,
        'opens_on', opens_on,
        'arr', arr
    ) as facts
from cs.renewal_windows
where
    (origin = 'live' or not %(is_live)s)
    and (
        week = %(week)s::date
        or (%(is_live)s and week = %(week)s::date - 7 and opens_on >= %(week)s::date + 7 - %(late_days)s)
    )
order by subscription_id
