with weeks as (
    select
        week,
        week + 6 as as_of_day
    from unnest({weeks}) as week
),

leads as (
    select
        lead_days,
        coalesce(lag(lead_days) over (order by lead_days), 0) as more_than,
        case when lead_days = {furthest_lead} then {days_ahead} else lead_days end as up_to
    from unnest(array[{leads}]) as lead_days
),

-- The week in which each renewal had so many days ahead of it.
looked_at as (
    select
        renewals.*,
        leads.lead_days,
        date_trunc('week', (renewals.renewal_date - leads.lead_days)::timestamp)::date as week
    from marts.fct_renewals as renewals
    cross join leads
    where renewals.settled_on is not null
),

-- What came of renewals that were ahead and unsigned about 30, 60 and 90 days before, and how the account was then.
observed as (
    select
        looked_at.lead_days,
        scores.severity,
        scores.model,
        scores.model_version,
        floor(case when scores.override_id is null then scores.score else scores.model_score end) as score,
        date_trunc('week', looked_at.settled_on::timestamp)::date as settled_in,
        looked_at.outcome
    from looked_at
    left join cs.health_scores as scores
        on
            looked_at.account_id = scores.account_id
            and looked_at.week = scores.week
            and scores.is_active
    where
        looked_at.started_on <= looked_at.week + 6
        and looked_at.decided_on > looked_at.week + 6
        and (looked_at.successor_known_on is null or looked_at.successor_known_on > looked_at.week + 6)
),

settled as (
    select
        lead_days,
        severity,
        model,
        model_version,
        score,
        settled_in,
        count(*) as renewals,
        count(*) filter (where outcome = 'renewed') as renewed
    from observed
    group by lead_days, severity, model, model_version, score, settled_in
),

-- The steps by which a version states likelihoods in a week; null where it states none.
stated as (
    select
        calibrations.week,
        calibrations.model,
        calibrations.model_version,
        calibrations.score_from
    from cs.score_calibrations as calibrations
    inner join weeks on calibrations.week = weeks.week
    where calibrations.score_from is not null
),

-- A week learns only from what was settled when it ended.
history as (
    select
        weeks.week,
        settled.lead_days,
        settled.severity,
        sum(settled.renewals) as renewals,
        sum(settled.renewed) as renewed
    from weeks
    inner join settled on weeks.week >= settled.settled_in
    group by weeks.week, settled.lead_days, settled.severity
),

-- Of the same version and as likely to leave.
history_of_steps as (
    select
        stated.week,
        stated.model,
        stated.model_version,
        settled.lead_days,
        width_bucket(settled.score, stated.score_from) as step,
        sum(settled.renewals) as renewals,
        sum(settled.renewed) as renewed
    from stated
    inner join settled
        on
            stated.model = settled.model
            and stated.model_version = settled.model_version
            and stated.week >= settled.settled_in
    where settled.score is not null
    group by
        stated.week, stated.model, stated.model_version, settled.lead_days,
        width_bucket(settled.score, stated.score_from)
),

history_of_all as (
    select
        week,
        lead_days,
        sum(renewals) as renewals,
        (sum(renewed) + 1)::double precision / (sum(renewals) + 2) as rate
    from history
    group by week, lead_days
),

ahead as (
    select
        weeks.week,
        renewals.subscription_id,
        renewals.renewal_date,
        renewals.account_id,
        renewals.mrr,
        renewals.tier,
        leads.lead_days
    from weeks
    inner join marts.fct_renewals as renewals
        on
            weeks.as_of_day < renewals.renewal_date
            and weeks.as_of_day + {days_ahead} >= renewals.renewal_date
            and weeks.as_of_day >= renewals.started_on
            and (renewals.decided_on is null or weeks.as_of_day < renewals.decided_on)
            and (renewals.gone_on is null or weeks.as_of_day < renewals.gone_on)
            and (renewals.successor_known_on is null or weeks.as_of_day < renewals.successor_known_on)
    inner join leads
        on
            renewals.renewal_date - weeks.as_of_day > leads.more_than
            and renewals.renewal_date - weeks.as_of_day <= leads.up_to
),

-- The rate of those as likely to leave, or of the band where no likelihood is stated, drawn to that of all renewals as
-- {prior} of those would draw it; weight is what that is worth.
weighed as (
    select
        ahead.*,
        scores.severity,
        scores.likelihood as leaves,
        case
            when scores.likelihood is null then coalesce(history.renewals, 0)
            else coalesce(history_of_steps.renewals, 0)
        end as history,
        case
            when scores.likelihood is null then coalesce(history.renewed, 0)
            else coalesce(history_of_steps.renewed, 0)
        end as history_renewed,
        least({prior}, of_all.renewals) as drawn,
        of_all.rate
    from ahead
    left join cs.active_scores as scores
        on
            ahead.account_id = scores.account_id
            and ahead.week = scores.week
    left join history_of_all as of_all
        on
            ahead.week = of_all.week
            and ahead.lead_days = of_all.lead_days
    left join history
        on
            ahead.week = history.week
            and ahead.lead_days = history.lead_days
            and (scores.severity is not distinct from history.severity)
    left join stated
        on
            ahead.week = stated.week
            and scores.model = stated.model
            and scores.model_version = stated.model_version
    left join history_of_steps
        on
            ahead.week = history_of_steps.week
            and ahead.lead_days = history_of_steps.lead_days
            and scores.model = history_of_steps.model
            and scores.model_version = history_of_steps.model_version
            and history_of_steps.step = width_bucket(
                case when scores.override_id is null then scores.score else scores.model_score end, stated.score_from
            )
),

likely as (
    select
        *,
        history + drawn as weight,
        (history_renewed + drawn * rate) / (history + drawn)::double precision as likelihood
    from weighed
),

-- What the CSM said last before the week's end.
calls as (
    select distinct on (ahead.week, ahead.subscription_id, ahead.renewal_date)
        ahead.week,
        ahead.subscription_id,
        ahead.renewal_date,
        renewal_calls.likelihood
    from ahead
    inner join cs.renewal_calls as renewal_calls
        on
            ahead.subscription_id = renewal_calls.subscription_id
            and ahead.renewal_date = renewal_calls.renewal_date
            and renewal_calls.called_at < ((ahead.week + 7)::timestamp at time zone 'UTC')
    order by
        ahead.week asc,
        ahead.subscription_id asc,
        ahead.renewal_date asc,
        renewal_calls.called_at desc,
        renewal_calls.call_id desc
),

-- Wilson's interval, 95 %.
with_interval as (
    select
        *,
        (likelihood + 1.9208 / weight) / (1 + 3.8416 / weight) as middle,
        1.96 * sqrt(likelihood * (1 - likelihood) / weight + 0.9604 / weight ^ 2) / (1 + 3.8416 / weight) as spread
    from likely
)

select
    forecasts.week,
    forecasts.subscription_id,
    forecasts.renewal_date,
    forecasts.account_id,
    forecasts.mrr,
    forecasts.tier,
    forecasts.severity,
    forecasts.leaves,
    forecasts.history::integer as history,
    forecasts.history_renewed::integer as history_renewed,
    forecasts.likelihood,
    (forecasts.middle - forecasts.spread)::double precision as low,
    (forecasts.middle + forecasts.spread)::double precision as high,
    calls.likelihood as csm_call
from with_interval as forecasts
left join calls
    on
        forecasts.week = calls.week
        and forecasts.subscription_id = calls.subscription_id
        and forecasts.renewal_date = calls.renewal_date
