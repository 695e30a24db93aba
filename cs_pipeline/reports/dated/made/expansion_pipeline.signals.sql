-- Accounts with a signal of expansion at the end of the quarter: what they pay, how they are, which plays they are in.
with at_the_end as (
    select distinct on (alert_id)
        alert_id,
        account_id,
        rule,
        to_state
    from cs.alert_changes
    where rule = any(%(rules)s) and as_of < %(as_of)s and account_id <> ''
    order by alert_id asc, as_of desc, change_id desc
),

by_account as (
    select
        account_id,
        array_agg(distinct rule order by rule) as rules
    from at_the_end
    where to_state in ('firing', 'recovering')
    group by account_id
),

plays as (
    select
        enrolments.account_id,
        array_agg(distinct playbooks.definition ->> 'title') as titles,
        bool_or(playbooks.definition ->> 'family' = 'expansion') as is_expansion
    from cs.enrolments as enrolments
    inner join cs.playbooks as playbooks
        on enrolments.playbook = playbooks.playbook and enrolments.playbook_version = playbooks.playbook_version
    where
        enrolments.enrolled_at < %(as_of)s
        and coalesce(enrolments.ended_at >= %(as_of)s, enrolments.status = 'active')
        and enrolments.status <> 'refused'
        and playbooks.definition ->> 'family' in ('expansion', 'save')
    group by enrolments.account_id
)

select
    by_account.account_id,
    weeks.account_name,
    weeks.owner_email,
    coalesce(weeks.arr, 0) as arr,
    weeks.renewal_date,
    scores.score,
    scores.band,
    coalesce(scores.is_at_risk, false) as is_at_risk,
    by_account.rules,
    coalesce(plays.titles, '{}') as plays,
    coalesce(plays.is_expansion, false) as is_worked_on
from by_account
inner join marts.fct_account_weeks as weeks
    on by_account.account_id = weeks.account_id and weeks.week = %(week)s::date
left join cs.active_scores as scores
    on by_account.account_id = scores.account_id and scores.week = %(week)s::date
left join plays on by_account.account_id = plays.account_id
