-- Alerts that said at the end of the week that score and signals disagree, of accounts that pay most first.
with at_the_end as (
    select distinct on (alert_id)
        alert_id,
        account_id,
        to_state
    from cs.alert_changes
    where rule = any(%(rules)s) and as_of < %(as_of)s
    order by alert_id, as_of desc, change_id desc
)

select
    alerts.rule,
    alerts.entity,
    alerts.account_id,
    weeks.account_name,
    alerts.measured,
    alerts.held_against,
    alerts.facts,
    weeks.arr,
    count(*) over () as of_all
from at_the_end
inner join cs.alerts as alerts on at_the_end.alert_id = alerts.alert_id
inner join marts.fct_account_weeks as weeks
    on at_the_end.account_id = weeks.account_id and weeks.week = %(week)s::date
where
    at_the_end.to_state in ('firing', 'recovering')
    and (%(owner)s::text is null or lower(weeks.owner_email) = lower(%(owner)s))
order by weeks.arr desc nulls last, alerts.account_id asc, alerts.alert_id asc
limit %(most)s
