-- Accounts of which an alert said at the end of the week that score and signals disagree; those that pay most first.
with at_the_end as (
    select distinct on (alert_id)
        alert_id,
        account_id,
        to_state
    from cs.alert_changes
    where rule = any(%(rules)s) and as_of < %(as_of)s
    order by alert_id asc, as_of desc, change_id desc
),

of_accounts as (
    select distinct on (alerts.account_id)
        alerts.account_id,
        alerts.rule,
        alerts.entity,
        alerts.measured,
        alerts.held_against,
        alerts.facts
    from at_the_end
    inner join cs.alerts as alerts on at_the_end.alert_id = alerts.alert_id
    where at_the_end.to_state in ('firing', 'recovering')
    order by alerts.account_id, alerts.rule, alerts.alert_id
)

select
    of_accounts.*,
    weeks.account_name,
    weeks.arr,
    count(*) over () as of_all
from of_accounts
inner join marts.fct_account_weeks as weeks
    on of_accounts.account_id = weeks.account_id and weeks.week = %(week)s::date
where %(owner)s::text is null or lower(weeks.owner_email) = lower(%(owner)s)
order by weeks.arr desc nulls last, of_accounts.account_id asc
limit %(most)s
