-- Every KPI of a part of the business in a month, with the month before and the values of the last %(trend)s months.
with

months as (

    -- The last month that was over when the KPIs were built, unless one is asked for.
    select coalesce(%(month)s::date, max(month)) as month
    from marts.fct_kpis
    where
        kpi = 'mrr'
        and segment_kind = 'all'
        and as_of_day = (month + interval '1 month')::date - 1

),

asked as (

    select
        *,
        coalesce(%(window)s::integer, window_months) as window_asked
    from cs.kpi_definitions

)

select
    asked.kpi,
    asked.title,
    asked.unit,
    asked.good,
    asked.basis,
    asked.formula,
    asked.window_asked as window_months,
    months.month,
    kpis.value,
    before.value as value_before,
    kpis.low,
    kpis.high,
    kpis.numerator,
    kpis.denominator,
    kpis.n,
    asked.target,
    asked.target_kind,
    kpis.meets_target,
    asked.if_missed,
    kpis.is_complete,
    history.trend
from asked
cross join months
left join marts.fct_kpis as kpis
    on
        asked.kpi = kpis.kpi
        and months.month = kpis.month
        and asked.window_asked = kpis.window_months
        and %(segment_kind)s = kpis.segment_kind
        and %(segment)s = kpis.segment
left join marts.fct_kpis as before
    on
        asked.kpi = before.kpi
        and (months.month - interval '1 month')::date = before.month
        and asked.window_asked = before.window_months
        and %(segment_kind)s = before.segment_kind
        and %(segment)s = before.segment
left join lateral (
    select array_agg(earlier.value order by earlier.month) as trend
    from marts.fct_kpis as earlier
    where
        earlier.kpi = asked.kpi
        and earlier.month <= months.month
        and earlier.month > (months.month - make_interval(months => %(trend)s))::date
        and earlier.window_months = asked.window_asked
        and earlier.segment_kind = %(segment_kind)s
        and earlier.segment = %(segment)s
        and earlier.value is not null
) as history on true
