-- KPIs of a month in the window that each is told for, beside those of the month before and of the year before.
select
    kpis.kpi,
    kpis.segment,
    definitions.title,
    definitions.unit,
    definitions.good,
    definitions.basis,
    definitions.if_missed,
    definitions.target_kind,
    kpis.window_months,
    kpis.numerator,
    kpis.denominator,
    kpis.value,
    kpis.n,
    kpis.low,
    kpis.high,
    kpis.target,
    kpis.meets_target,
    kpis.is_complete,
    month_before.value as value_before,
    month_before.meets_target as met_target_before,
    year_before.value as value_year_before
from marts.fct_kpis as kpis
inner join cs.kpi_definitions as definitions
    on kpis.kpi = definitions.kpi and kpis.window_months = definitions.window_months
left join marts.fct_kpis as month_before
    on
        kpis.kpi = month_before.kpi
        and kpis.window_months = month_before.window_months
        and kpis.segment_kind = month_before.segment_kind
        and kpis.segment = month_before.segment
        and month_before.month = (%(month)s::date - interval '1 month')::date
        and month_before.definition_version is not distinct from kpis.definition_version
left join marts.fct_kpis as year_before
    on
        kpis.kpi = year_before.kpi
        and kpis.window_months = year_before.window_months
        and kpis.segment_kind = year_before.segment_kind
        and kpis.segment = year_before.segment
        and year_before.month = (%(month)s::date - interval '1 year')::date
        and year_before.definition_version is not distinct from kpis.definition_version
where
    kpis.month = %(month)s::date
    and kpis.segment_kind = %(segment_kind)s
    and kpis.kpi = any(%(kpis)s)
order by kpis.kpi, kpis.segment
