with

months as (

    -- The last month that was over when the KPIs were built, unless one is asked for.
    select coalesce(%(month)s::date, max(month)) as month
    from marts.fct_kpis
    where
        kpi = 'mrr'
        and segment_kind = 'all'
        and as_of_day = (month + interval '1 month')::date - 1

)

select
    definitions.kpi,
    definitions.title,
    definitions.unit,
    definitions.good,
    definitions.basis,
    coalesce(%(window)s::integer, definitions.window_months) as window_months,
    months.month,
    kpis.value,
    before.value as value_before,
    kpis.low,
    kpis.high,
    kpis.numerator,
    kpis.denominator,
    kpis.n,
    definitions.target,
    definitions.target_kind,
    kpis.meets_target,
    definitions.if_missed,
    kpis.is_complete
from cs.kpi_definitions as definitions
cross join months
left join marts.fct_kpis as kpis
    on
        definitions.kpi = kpis.kpi
        and months.month = kpis.month
        and coalesce(%(window)s::integer, definitions.window_months) = kpis.window_months
        and %(segment_kind)s = kpis.segment_kind
        and %(segment)s = kpis.segment
left join marts.fct_kpis as before
    on
        definitions.kpi = before.kpi
        and (months.month - interval '1 month')::date = before.month
        and coalesce(%(window)s::integer, definitions.window_months) = before.window_months
        and %(segment_kind)s = before.segment_kind
        and %(segment)s = before.segment
