{# What can be added up comes, over the parts of each kind, to what the whole is told to be. #}
{% test parts_sum_to_the_whole(model, kpis) %}

select
    whole.kpi,
    whole.month,
    whole.window_months,
    parts.segment_kind
from {{ model }} as whole
inner join (
    select
        kpi,
        month,
        window_months,
        segment_kind,
        sum(numerator) as numerator,
        sum(denominator) as denominator
    from {{ model }}
    where
        kpi in ('{{ kpis | join("', '") }}')
        and segment_kind != 'all'
    group by kpi, month, window_months, segment_kind
) as parts
    on
        whole.kpi = parts.kpi
        and whole.month = parts.month
        and whole.window_months = parts.window_months
where
    whole.segment_kind = 'all'
    and (
        abs(whole.numerator - parts.numerator) > 1e-6 * greatest(abs(whole.numerator), 1)
        or abs(whole.denominator - parts.denominator) > 1e-6 * greatest(abs(whole.denominator), 1)
    )

{% endtest %}
