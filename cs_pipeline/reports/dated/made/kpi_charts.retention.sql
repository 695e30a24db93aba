-- Retention over twelve months, by the month with which they end.
select
    kpi,
    month,
    value
from marts.fct_kpis
where
    kpi in ('nrr', 'grr')
    and window_months = 12
    and segment_kind = 'all'
    and value is not null
    and month > (%(month)s::date - make_interval(months => %(months)s))::date
    and month <= %(month)s::date
order by month, kpi
