-- Rules whose alerts fired in the week: how many, of how many accounts, and their ARR. What held when a rule was first
-- evaluated is no news of the week.
with fired as (
    select distinct
        changes.rule,
        changes.alert_id,
        changes.account_id,
        weeks.arr
    from cs.alert_changes as changes
    inner join cs.alerts as alerts on changes.alert_id = alerts.alert_id
    left join marts.fct_account_weeks as weeks
        on changes.account_id = weeks.account_id and weeks.week = %(week)s::date
    where
        changes.to_state = 'firing'
        and not alerts.is_baseline
        and changes.from_state is distinct from 'recovering'
        and changes.as_of >= %(first)s
        and changes.as_of < %(as_of)s
        and (%(owner)s::text is null or lower(weeks.owner_email) = lower(%(owner)s))
),

by_account as (
    select
        rule,
        account_id,
        count(*) as alerts,
        max(arr) as arr
    from fired
    group by rule, account_id
)

select
    rule,
    sum(alerts)::integer as alerts,
    count(*) filter (where account_id <> '') as accounts,
    coalesce(sum(arr), 0) as arr
from by_account
group by rule
order by arr desc, alerts desc, rule asc
