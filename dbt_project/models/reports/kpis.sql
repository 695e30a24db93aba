with

kpis as (

    select
        kpis.kpi,
        definitions.title,
        kpis.month,
        kpis.window_months,
        coalesce(kpis.window_months = definitions.window_months, false) as is_headline,
        kpis.segment_kind,
        kpis.segment,
        kpis.value,
        definitions.unit,
        definitions.good,
        kpis.basis,
        kpis.numerator,
        kpis.denominator,
        kpis.n,
        kpis.low,
        kpis.high,
        kpis.target,
        definitions.target_kind,
        kpis.meets_target,
        definitions.if_missed,
        kpis.is_complete,
        definitions.formula,
        kpis.definition_version
    from {{ ref('fct_kpis') }} as kpis
    left join cs.kpi_definitions as definitions on kpis.kpi = definitions.kpi

)

select * from kpis
