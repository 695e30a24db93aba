with

-- Of the last weeks, so that a Monday that was missed loses nothing.
account_weeks as (

    select
        moments.as_of,
        account_weeks.account_id,
        account_weeks.tier,
        account_weeks.week,
        account_weeks.value_ratio,
        account_weeks.value_delivered_365d,
        account_weeks.arr,
        coalesce(week_before.value_ratio, 0) as ratio_before
    from {{ moments() }} as moments
    inner join {{ ref('fct_account_weeks') }} as account_weeks
        on
            account_weeks.week <= {{ last_week_before('moments.as_of') }}
            and account_weeks.week > {{ last_week_before('moments.as_of') }} - 14 - {{ days_of_news() }}
    inner join {{ ref('fct_account_weeks') }} as week_before
        on
            account_weeks.account_id = week_before.account_id
            and account_weeks.week - 7 = week_before.week

)

-- Past several within weeks: the highest is told of.
select distinct on (account_weeks.as_of, account_weeks.account_id)
    account_weeks.as_of,
    account_weeks.account_id,
    account_weeks.account_id || ':' || ratios.ratio as entity,
    account_weeks.value_ratio as measured,
    cast(ratios.ratio as double precision) as held_against,
    jsonb_build_object(
        'value', account_weeks.value_delivered_365d,
        'arr', account_weeks.arr,
        'week', account_weeks.week
    ) as facts
from account_weeks
inner join {{ alert_parameters('kpi_exceeded', {'ratios': ['1']}) }} as parameters
    on parameters.tier = coalesce(account_weeks.tier, '')
cross join lateral unnest(parameters.ratios) as ratios (ratio)
where
    account_weeks.value_ratio > cast(ratios.ratio as double precision)
    and account_weeks.ratio_before <= cast(ratios.ratio as double precision)
order by
    account_weeks.as_of asc,
    account_weeks.account_id asc,
    cast(ratios.ratio as double precision) desc,
    account_weeks.week desc
