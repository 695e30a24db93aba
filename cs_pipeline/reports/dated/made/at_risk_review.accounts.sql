-- Accounts of one kind, those that pay most first, with what moved or holds back their score, and their plays.
with standing as ({standing}),

chosen as (
    select
        *,
        count(*) over () as of_all
    from standing
    where {kind}
    order by arr desc, account_id asc
    limit %(most)s
),

held_back as (
    select
        chosen.account_id,
        array_agg(points.metric order by points.max_points - points.points desc, points.metric) as metrics
    from chosen
    inner join cs.score_points as points
        on chosen.account_id = points.account_id and points.week = %(week)s::date
    where points.is_active and points.points < points.max_points
    group by chosen.account_id
),

-- Plays that ran at the end of the week, whatever became of them.
plays as (
    select
        chosen.account_id,
        array_agg(distinct playbooks.definition ->> 'title') as titles
    from chosen
    inner join cs.enrolments using (account_id)
    inner join cs.playbooks using (playbook, playbook_version)
    where
        enrolments.enrolled_at < %(as_of)s
        and coalesce(enrolments.ended_at >= %(as_of)s, enrolments.status = 'active')
        and enrolments.status <> 'refused'
    group by chosen.account_id
)

select
    chosen.account_id,
    chosen.account_name,
    chosen.arr,
    chosen.renewal_date,
    chosen.renewal_type,
    chosen.days_since_last_touchpoint,
    chosen.has_cancellation_request,
    chosen.score,
    chosen.band,
    chosen.score_before,
    chosen.is_at_risk,
    chosen.of_all,
    coalesce(changes.driver_metrics, '{}') as driver_metrics,
    coalesce(changes.driver_deltas, '{}') as driver_deltas,
    coalesce(held_back.metrics, '{}') as held_back_by,
    coalesce(plays.titles, '{}') as plays
from chosen
left join cs.score_changes as changes on chosen.account_id = changes.account_id and changes.week = %(week)s::date
left join held_back on chosen.account_id = held_back.account_id
left join plays on chosen.account_id = plays.account_id
order by chosen.arr desc, chosen.account_id asc
