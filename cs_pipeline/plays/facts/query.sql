-- Today's facts of a set of cases (an account, what the play is about, and since when), one row each.
-- query.py puts in the facts that are columns of fct_account_weeks, and the days on which a term renews.
with cases as (
    select
        case_id,
        account_id,
        subject_id,
        trigger_id,
        anchor_on,
        since
    from unnest(
        %(case_ids)s::bigint[],
        %(account_ids)s::text[],
        %(subject_ids)s::text[],
        %(trigger_ids)s::bigint[],
        %(anchors)s::date[],
        %(since)s::timestamptz[]
    ) as cases (case_id, account_id, subject_id, trigger_id, anchor_on, since)
),

asked as (
    select
        account_id,
        min(since) as since
    from cases
    group by account_id
),

-- A week that ended more than five weeks ago says nothing about today.
weeks as (
    select distinct on (account_id) *
    from marts.fct_account_weeks
    where
        account_id = any(%(account_ids)s::text[])
        and week <= %(today)s::date - 7
        and week > %(today)s::date - 42
    order by account_id asc, week desc
),

scores as (
    select distinct on (account_id)
        account_id,
        score,
        band,
        severity,
        coverage
    from cs.health_scores
    where
        is_active
        and account_id = any(%(account_ids)s::text[])
        and week <= %(today)s::date - 7
        and week > %(today)s::date - 42
    order by account_id asc, week desc
),

terms as (
    select
        subscription_id,
        account_id,
        product,
        mrr,
        renews_on,
        renews_every_months,
        renewal_type,
        is_addon,
        is_trial,
        case when %(sees_ahead)s then successor_started_on is not null else successor_known_on <= %(today)s end
            as is_followed,
        case when %(sees_ahead)s or ended_on <= %(today)s then ended_on end as known_end
    from marts.fct_subscription_terms
    where account_id = any(%(account_ids)s::text[])
),

subjects as (
    select *
    from terms
    where subscription_id = any(%(subject_ids)s::text[])
),

-- The renewal of an account that comes next of those that nobody has signed yet, and that are to come.
next_renewals as (
    select distinct on (account_id)
        account_id,
        {renewal_of_term} as renewal_date,
        renewal_type
    from terms
    where
        renews_on is not null
        and not is_addon
        and not is_trial
        and not coalesce(is_followed, false)
        and (known_end is null or (known_end > %(today)s and known_end > {renewal_of_term} + 1))
    order by account_id asc, renewal_date asc, renewal_type desc
),

replies as (
    select
        events.account_id,
        max(events.occurred_at) as happened_at
    from staging.stg_email_events as events
    inner join asked on events.account_id = asked.account_id
    where
        events.event = 'reply'
        and events.occurred_at > asked.since
        and events.occurred_at > %(earliest)s
        and events.occurred_at <= %(now)s
        and events.account_id = any(%(account_ids)s::text[])
    group by events.account_id
),

meetings as (
    select
        touchpoints.account_id,
        max(touchpoints.held_at) as happened_at
    from staging.stg_touchpoints as touchpoints
    inner join asked on touchpoints.account_id = asked.account_id
    where
        not coalesce(touchpoints.is_missed, false)
        and touchpoints.held_at > asked.since
        and touchpoints.held_at > %(earliest)s
        and touchpoints.held_at <= %(now)s
        and touchpoints.account_id = any(%(account_ids)s::text[])
    group by touchpoints.account_id
),

-- How it stands with the alert that started the play: one of its kind that came later counts.
alerts as (
    select distinct on (cases.case_id)
        cases.case_id,
        found.ended_at is not null as is_over
    from cases
    inner join cs.triggers as causes on cases.trigger_id = causes.trigger_id
    inner join cs.alerts as found
        on
            causes.account_id = found.account_id
            and causes.subject_id = found.entity
            and causes.facts ->> 'rule' = found.rule
    where causes.kind = 'alert'
    order by cases.case_id asc, found.alert_id desc
),

referred as (
    select
        account_id,
        count(*) as referrals
    from staging.stg_referrals
    where
        account_id = any(%(account_ids)s::text[])
        and referred_at <= %(now)s
    group by account_id
)

select
    cases.case_id,
    accounts.account_id is not null as is_known,
    accounts.account_name,
    accounts.tier,
    accounts.plan,
    accounts.industry,
    accounts.country,
    accounts.timezone,
    accounts.owner_email,
    accounts.manager_email,
    accounts.executive_email,
    accounts.slack_channel,
    accounts.sales_goal,
    (accounts.created_at at time zone 'UTC')::date as created_on,
    accounts.is_bad_fit,
    coalesce(accounts.churned_at <= %(now)s, false) as is_churned,
    accounts.mrr,
    accounts.arr,
    accounts.seats,
    scores.score,
    scores.band,
    scores.severity,
    scores.coverage,
    %(today)s::date - (accounts.created_at at time zone 'UTC')::date as tenure_days,
    {renewal_date} - %(today)s::date as days_to_renewal,
    {renewal_date},
    coalesce(
        subjects.renewal_type, case when %(sees_ahead)s then next_renewals.renewal_type end, weeks.renewal_type
    ) as renewal_type,
    nullif(subjects.product, '') as renewal_product,
    subjects.mrr * 12 as renewal_arr,
    coalesce(subjects.is_followed, false)
    or coalesce(
        subjects.renewal_type = 'auto'
        and cases.anchor_on < %(today)s
        and coalesce(subjects.known_end > cases.anchor_on, true),
        false
    ) as renewal_done,
    coalesce(subjects.known_end <= cases.anchor_on + 1 and not coalesce(subjects.is_followed, false), false)
        as ends_unrenewed,
    cases.subject_id is not null and ({renewal_from_anchor} is distinct from cases.anchor_on) as renewal_moved,
    accounts.arr > %(high_value_arr)s as is_high_value,
    exists(
        select 1
        from cs.enrolments
        where
            enrolments.account_id = cases.account_id
            and enrolments.family = 'save'
            and enrolments.status = 'active'
    ) as has_open_save_play,
    weeks.hours_to_first_value is not null as has_reached_first_value,
    alerts.is_over as alert_is_over,
    coalesce(referred.referrals, 0) as referrals,
    coalesce(greatest(replies.happened_at, meetings.happened_at) > cases.since, false) as responded_since_enrolment,
    {week_columns}
from cases
left join marts.dim_accounts as accounts
    on
        cases.account_id = accounts.account_id
        and accounts.account_id = any(%(account_ids)s::text[])
left join weeks on cases.account_id = weeks.account_id
left join scores on cases.account_id = scores.account_id
left join subjects
    on
        cases.account_id = subjects.account_id
        and cases.subject_id = subjects.subscription_id
left join next_renewals on cases.account_id = next_renewals.account_id
left join alerts on cases.case_id = alerts.case_id
left join referred on cases.account_id = referred.account_id
left join replies on cases.account_id = replies.account_id
left join meetings on cases.account_id = meetings.account_id
