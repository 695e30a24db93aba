{{ config(tags=['kpis']) }}

with

account_months as (

    select
        *,
        to_char(first_paid_month, 'YYYY-MM') as cohort
    from {{ ref('fct_account_months') }}

),

-- Scores as the customer saw them, and as a share of the scale. Who is not named is somebody else each time.
answers as (

    select
        account_id,
        coalesce(user_id, 'response ' || response_id) as person,
        survey,
        score,
        scale_max,
        responded_at,
        response_id as answer_id
    from {{ ref('stg_survey_responses') }}

    union all

    select
        account_id,
        coalesce(user_id, 'ticket ' || ticket_id) as person,
        'csat' as survey,
        csat as score,
        csat_scale as scale_max,
        coalesce(resolved_at, created_at) as responded_at,
        ticket_id as answer_id
    from {{ ref('stg_tickets') }}
    where
        csat is not null
        and csat_scale is not null

),

dated as (

    select
        *,
        {{ month_of(utc_day('responded_at')) }} as month
    from answers
    where responded_at <= {{ present() }}

),

last_of_month as (

    select distinct on (survey, account_id, person, month)
        survey,
        account_id,
        person,
        month,
        score,
        scale_max
    from dated
    order by survey asc, account_id asc, person asc, month asc, responded_at desc, answer_id desc

),

with_next as (

    select
        *,
        lead(month) over (partition by survey, account_id, person order by month) as next_month
    from last_of_month

),

-- The last answer of each person in each window: it counts until the month in which the same person answers again.
last_answers as (

    select
        ends.month,
        windows.window_months,
        with_next.survey,
        with_next.account_id,
        with_next.score,
        with_next.scale_max
    from with_next
    cross join {{ kpi_windows() }}
    cross join lateral {{ months_that_count('with_next.month', 'windows.window_months', 'with_next.next_month') }}

),

scored as (

    select
        kpis.kpi,
        last_answers.month,
        last_answers.window_months,
        account_months.tier,
        account_months.segment,
        account_months.owner_email,
        account_months.cohort,
        kpis.score
    from last_answers
    inner join account_months
        on
            last_answers.account_id = account_months.account_id
            and last_answers.month = account_months.month
    cross join
        lateral (
            values
            (
                'nps',
                'nps_score',
                case
                    when last_answers.score / last_answers.scale_max >= 0.9 then 100
                    when last_answers.score / last_answers.scale_max > 0.6 then 0
                    else -100
                end
            ),
            ('csat', 'csat_score', cast(last_answers.score / last_answers.scale_max >= 0.8 as integer)),
            ('csat', 'csat_mean', last_answers.score / last_answers.scale_max),
            (
                'ces',
                'ces_score',
                case
                    when last_answers.scale_max = 7 then last_answers.score
                    else 1 + 6 * (last_answers.score - 1) / nullif(last_answers.scale_max - 1, 0)
                end
            ),
            (
                'ces',
                'ces_easy_share',
                cast(1 + 6 * (last_answers.score - 1) / nullif(last_answers.scale_max - 1, 0) >= 5 as integer)
            )
        ) as kpis (survey, kpi, score)
    where
        last_answers.survey = kpis.survey
        and kpis.score is not null

),

-- Grouped first by all parts at once: the answers are many, the parts are few.
counted as (

    select
        kpi,
        month,
        window_months,
        tier,
        segment,
        owner_email,
        cohort,
        count(*) as n,
        sum(score) as score,
        sum(score * score) as squares
    from scored
    group by kpi, month, window_months, tier, segment, owner_email, cohort

),

kpis as (

    select
        counted.kpi,
        counted.month,
        counted.window_months,
        kinds.segment_kind,
        kinds.segment,
        cast(sum(counted.score) as double precision) as numerator,
        cast(sum(counted.n) as double precision) as denominator,
        cast(sum(counted.n) as bigint) as n,
        case
            when counted.kpi in ('csat_score', 'ces_easy_share') then 'share'
            when counted.kpi = 'csat_mean' then 'bounded'
            else 'ratio'
        end as interval_kind,
        cast(
            greatest(sum(counted.squares) - sum(counted.score) * sum(counted.score) / sum(counted.n), 0)
            as double precision
        ) as squares
    from counted
    cross join lateral {{ kpi_kinds('counted') }}
    group by counted.kpi, counted.month, counted.window_months, kinds.segment_kind, kinds.segment

)

select * from kpis
