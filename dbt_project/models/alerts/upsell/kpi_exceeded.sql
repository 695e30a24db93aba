with

-- Weeks in which a ratio was passed, before any moment looks at them: they are few.
passed as materialized (

    select
        account_weeks.account_id,
        account_weeks.week,
        account_weeks.value_ratio,
        account_weeks.value_delivered_365d,
        account_weeks.arr,
        cast(ratios.ratio as double precision) as ratio,
        account_weeks.account_id || ':' || ratios.ratio as entity
    from {{ ref('fct_account_weeks') }} as account_weeks
    inner join {{ ref('fct_account_weeks') }} as week_before
        on
            account_weeks.account_id = week_before.account_id
            and account_weeks.week - 7 = week_before.week
            and {{ in_weeks_asked('week_before.week', since=weeks_of_news() | int + 1, ago=1) }}
    inner join {{ alert_parameters('kpi_exceeded', {'ratios': ['1']}) }} as parameters
        on parameters.tier = coalesce(account_weeks.tier, '')
    cross join lateral unnest(parameters.ratios) as ratios (ratio)
    where
        {{ in_weeks_asked('account_weeks.week', since=weeks_of_news() | int) }}
        and account_weeks.value_ratio > cast(ratios.ratio as double precision)
        and coalesce(week_before.value_ratio, 0) <= cast(ratios.ratio as double precision)

)

-- Of the last weeks, so that a Monday that was missed loses nothing. Past several within weeks: the highest is told of.
select distinct on (moments.as_of, passed.account_id)
    moments.as_of,
    passed.account_id,
    passed.entity,
    passed.value_ratio as measured,
    passed.ratio as held_against,
    jsonb_build_object(
        'value', passed.value_delivered_365d,
        'arr', passed.arr,
        'week', passed.week
    ) as facts
from {{ moments() }} as moments
inner join passed
    on
        passed.week <= {{ last_week_before('moments.as_of') }}
        and passed.week > {{ last_week_before('moments.as_of') }} - 14 - {{ days_of_news() }}
order by
    moments.as_of asc,
    passed.account_id asc,
    passed.ratio desc,
    passed.week desc
