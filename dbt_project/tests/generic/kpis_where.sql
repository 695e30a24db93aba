{#
    Holds several KPIs of one month, window and part against each other: fails for the rows in which `condition` is true,
    so where a KPI is not told nothing is said of its value. The condition knows each KPI by its name, and as
    `<name>_numerator` and `<name>_denominator`, which are 0 where it is not told. `only` says which rows are looked at.
#}
{% test kpis_where(model, kpis, condition, only='true') %}

select *
from (
    select
        month,
        window_months,
        segment_kind,
        segment
        {%- for kpi in kpis %},
        max(value) filter (where kpi = '{{ kpi }}') as {{ kpi }},
        coalesce(max(numerator) filter (where kpi = '{{ kpi }}'), 0) as {{ kpi }}_numerator,
        coalesce(max(denominator) filter (where kpi = '{{ kpi }}'), 0) as {{ kpi }}_denominator
        {%- endfor %}
    from {{ model }}
    where
        kpi in ('{{ kpis | join("', '") }}')
        and ({{ only }})
    group by month, window_months, segment_kind, segment
) as kpis
where {{ condition }}

{% endtest %}
