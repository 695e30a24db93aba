{{ config(tags=['kpis'], pre_hook=['set local jit = off', more_work_mem()], post_hook='analyze {{ this }}') }}

{%- set movement_kinds = ['new', 'reactivation', 'expansion', 'contraction', 'churn'] %}
{%- set flows = movement_kinds + ['upsell', 'cross_sell', 'price'] %}

with

account_months as (

    select * from {{ ref('fct_account_months') }}
    where
        mrr != 0
        or mrr_1m_ago != 0

),

movements as (

    select * from {{ ref('fct_mrr_movements') }}

),

-- Grouped first by all parts at once: the accounts are many, the parts are few.
counted as (

    select
        account_months.month,
        account_months.is_complete,
        account_months.tier,
        account_months.tier_1m_ago,
        account_months.segment,
        account_months.segment_1m_ago,
        account_months.owner_email,
        account_months.owner_1m_ago,
        account_months.cohort,
        {%- for movement in movement_kinds %}
        coalesce(
            sum(cast(movements.mrr_change as numeric)) filter (where movements.movement = '{{ movement }}'), 0
        ) as {{ movement }},
        {%- endfor %}
        {%- for split in ['upsell', 'cross_sell', 'price'] %}
        coalesce(sum(cast(movements.{{ split }} as numeric)), 0) as {{ split }},
        {%- endfor %}
        sum(account_months.mrr) as mrr,
        sum(account_months.mrr_1m_ago) as mrr_1m_ago
    from account_months
    left join movements
        on
            account_months.account_id = movements.account_id
            and account_months.month = movements.month
    group by
        account_months.month,
        account_months.is_complete,
        account_months.tier,
        account_months.tier_1m_ago,
        account_months.segment,
        account_months.segment_1m_ago,
        account_months.owner_email,
        account_months.owner_1m_ago,
        account_months.cohort

),

-- What an account pays belongs to the part of the business where it is at the end of the month.
placed as (

    select
        counted.*,
        kinds.segment_kind,
        kinds.part,
        coalesce(kinds.part_before, kinds.part) as part_before
    from counted
    cross join lateral (
        values
        ('all', 'all', 'all'),
        ('tier', counted.tier, counted.tier_1m_ago),
        ('segment', counted.segment, counted.segment_1m_ago),
        ('owner', counted.owner_email, counted.owner_1m_ago),
        ('cohort', counted.cohort, counted.cohort)
    ) as kinds (segment_kind, part, part_before)

),

entries as (

    select
        month,
        is_complete,
        segment_kind,
        part as segment,
        case when part = part_before then mrr_1m_ago else 0 end as opening_mrr,
        {%- for flow in flows %}
        {{ flow }},
        {%- endfor %}
        case when part = part_before then 0 else mrr_1m_ago end as moved_in,
        0 as moved_out,
        mrr as closing_mrr
    from placed

    union all

    select
        month,
        is_complete,
        segment_kind,
        part_before as segment,
        mrr_1m_ago as opening_mrr,
        {%- for flow in flows %}
        0 as {{ flow }},
        {%- endfor %}
        0 as moved_in,
        mrr_1m_ago as moved_out,
        0 as closing_mrr
    from placed
    where part != part_before

),

bridge as (

    select
        month,
        segment_kind,
        segment,
        bool_and(is_complete) as is_complete,
        cast(sum(opening_mrr) as double precision) as opening_mrr,
        {%- for flow in flows %}
        cast(sum({{ flow }}) as double precision) as {{ flow }},
        {%- endfor %}
        cast(sum(moved_in) as double precision) as moved_in,
        cast(sum(moved_out) as double precision) as moved_out,
        cast(sum(closing_mrr) as double precision) as closing_mrr
    from entries
    group by month, segment_kind, segment

)

select * from bridge
