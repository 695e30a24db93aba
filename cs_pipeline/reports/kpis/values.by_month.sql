-- The last months of a KPI in a part of the business, the newest first.
select
    month,
    value,
    low,
    high,
    numerator,
    denominator,
    n,
    target,
    meets_target,
    is_complete
from marts.fct_kpis
where
    kpi = %(kpi)s
    and window_months = %(window)s
    and segment_kind = %(segment_kind)s
    and segment = %(segment)s
order by month desc
limit %(months)s
