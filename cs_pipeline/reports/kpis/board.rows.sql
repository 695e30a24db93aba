-- Every KPI of a part of the business in a month, with the months before it (see board.py).
select
    definitions.kpi,
    definitions.title,
    definitions.unit,
    definitions.good,
    definitions.formula,
    definitions.if_missed,
    definitions.target,
    definitions.target_kind,
    definitions.window_months,
    newest.value,
    newest.low,
    newest.high,
    newest.n,
    newest.meets_target,
    newest.is_complete,
    before.value as value_before,
    history.trend
from cs.kpi_definitions as definitions
left join marts.fct_kpis as newest
    on
        definitions.kpi = newest.kpi
        and newest.month = %(month)s
        and definitions.window_months = newest.window_months
        and newest.segment_kind = %(kind)s
        and newest.segment = %(segment)s
left join marts.fct_kpis as before
    on
        definitions.kpi = before.kpi
        and before.month = (%(month)s::date - interval '1 month')::date
        and definitions.window_months = before.window_months
        and before.segment_kind = %(kind)s
        and before.segment = %(segment)s
left join lateral (
    select array_agg(earlier.value order by earlier.month) as trend
    from marts.fct_kpis as earlier
    where
        earlier.kpi = definitions.kpi
        and earlier.month <= %(month)s
        and earlier.month > (%(month)s::date - make_interval(months => %(trend)s))::date
        and earlier.window_months = definitions.window_months
        and earlier.segment_kind = %(kind)s
        and earlier.segment = %(segment)s
        and earlier.value is not null
) as history on true
