{{ config(tags=['kpis']) }}

{%- set sums = ['mains', 'main', 'main_squares', 'sides', 'side', 'side_squares'] %}
{#- Effort on the scale of 1 to 7, high for easy. -#}
{%- set ease = '1 + 6 * (score - 1) / nullif(scale_max - 1, 0)' %}

with

account_months as (

    select
        account_id,
        month,
        tier,
        segment,
        owner_email,
        cohort
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

-- What an answer counts as: in the KPI of its survey, and in the one beside it.
scored as (

    select
        survey,
        account_id,
        month,
        next_month,
        case survey
            when 'nps'
                then
                    case
                        when score / scale_max >= 0.9 then 100
                        when score / scale_max > 0.6 then 0
                        else -100
                    end
            when 'csat' then cast(score / scale_max >= 0.8 as integer)
            when 'ces' then {{ ease }}
        end as main,
        case survey
            when 'csat' then score / scale_max
            when 'ces' then cast({{ ease }} >= 5 as integer)
        end as side
    from with_next

),

by_account as (

    select
        survey,
        account_id,
        month,
        next_month,
        count(main) as mains,
        sum(main) as main,
        sum(main * main) as main_squares,
        count(side) as sides,
        sum(side) as side,
        sum(side * side) as side_squares
    from scored
    group by survey, account_id, month, next_month

),

-- The last answer of each person in each window: it counts until the month in which the same person answers again.
counted as (

    select
        by_account.survey,
        ends.month,
        ends.within_months,
        {%- for sum in sums %}
        sum(by_account.{{ sum }}) as {{ sum }},
        {%- endfor %}
        account_months.tier,
        account_months.segment,
        account_months.owner_email,
        account_months.cohort
    from by_account
    cross join lateral {{ months_that_count('by_account.month', 'by_account.next_month') }}
    inner join account_months
        on
            by_account.account_id = account_months.account_id
            and ends.month = account_months.month
    group by
        by_account.survey,
        ends.month,
        ends.within_months,
        account_months.tier,
        account_months.segment,
        account_months.owner_email,
        account_months.cohort

),

by_part as (

    {{ sums_by_part_and_window('counted', ['survey', 'month'], sums) | indent(4) }}

),

kpis as (

    select
        kpis.kpi,
        by_part.month,
        by_part.window_months,
        by_part.segment_kind,
        by_part.segment,
        kpis.numerator,
        kpis.n as denominator,
        kpis.n,
        kpis.interval_kind,
        greatest(kpis.squares - kpis.numerator * kpis.numerator / kpis.n, 0) as squares
    from by_part
    cross join
        lateral (
            values
            ('nps', 'nps_score', by_part.main, by_part.mains, by_part.main_squares, 'ratio'),
            ('csat', 'csat_score', by_part.main, by_part.mains, by_part.main_squares, 'share'),
            ('csat', 'csat_mean', by_part.side, by_part.sides, by_part.side_squares, 'bounded'),
            ('ces', 'ces_score', by_part.main, by_part.mains, by_part.main_squares, 'ratio'),
            ('ces', 'ces_easy_share', by_part.side, by_part.sides, by_part.side_squares, 'share')
        ) as kpis (survey, kpi, numerator, n, squares, interval_kind)
    where
        by_part.survey = kpis.survey
        and kpis.n > 0

)

select * from kpis
