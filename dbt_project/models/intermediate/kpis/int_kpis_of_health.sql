{{ config(tags=['kpis']) }}

with

account_months as (

    select
        *,
        {{ last_week_ended('as_of_day') }} as week
    from {{ ref('fct_account_months') }}
    where status != 'churned'

),

scores as (

    select
        account_id,
        week,
        score,
        severity,
        is_at_risk
    from {{ active_scores() }}

),

account_weeks as (

    select
        account_id,
        week,
        days_since_last_touchpoint,
        days_to_renewal
    from {{ ref('fct_account_weeks') }}

),

-- Each customer with its newest score when the month ended; who was not scored counts apart.
with_score as (

    select
        account_months.month,
        account_months.tier,
        account_months.segment,
        account_months.owner_email,
        account_months.cohort,
        cast(account_months.mrr as double precision) as mrr,
        scores.score,
        scores.severity,
        coalesce(scores.is_at_risk, false) as is_at_risk,
        coalesce(account_weeks.days_since_last_touchpoint > 14, true) as is_untouched
    from account_months
    inner join scores
        on
            account_months.account_id = scores.account_id
            and account_months.week = scores.week
    left join account_weeks
        on
            account_months.account_id = account_weeks.account_id
            and account_months.week = account_weeks.week

),

counted as (

    select
        month,
        tier,
        segment,
        owner_email,
        cohort,
        count(*) as accounts,
        count(score) as scored,
        coalesce(sum(mrr), 0) as mrr,
        coalesce(sum(mrr) filter (where score is not null), 0) as scored_mrr,
        coalesce(sum(score), 0) as score,
        coalesce(sum(score * score), 0) as score_squares,
        coalesce(sum(score * mrr), 0) as weighted,
        coalesce(sum(score * mrr * mrr), 0) as weighted_ab,
        coalesce(sum(score * score * mrr * mrr), 0) as weighted_bb,
        coalesce(sum(mrr * mrr) filter (where score is not null), 0) as weighted_aa
        {%- for severity in range(4) %},
        count(*) filter (where severity = {{ severity }}) as accounts_{{ severity }},
        coalesce(sum(mrr) filter (where severity = {{ severity }}), 0) as mrr_{{ severity }}
        {%- endfor %},
        count(*) filter (where is_at_risk) as at_risk,
        coalesce(sum(mrr) filter (where is_at_risk), 0) as at_risk_mrr,
        count(*) filter (where is_at_risk and is_untouched) as untouched
    from with_score
    group by month, tier, segment, owner_email, cohort

),

by_part as (

    {{ sums_by_part(
        'counted', ['month'],
        [
            'accounts', 'scored', 'mrr', 'scored_mrr', 'score', 'score_squares', 'weighted', 'weighted_ab', 'weighted_bb',
            'weighted_aa', 'accounts_0', 'accounts_1', 'accounts_2', 'accounts_3', 'mrr_0', 'mrr_1', 'mrr_2', 'mrr_3',
            'at_risk', 'at_risk_mrr', 'untouched',
        ]
    ) | indent(4) }}

),

kpis as (

    select
        kpis.kpi,
        by_part.month,
        1 as window_months,
        by_part.segment_kind,
        by_part.segment,
        kpis.numerator,
        kpis.denominator,
        by_part.scored as n,
        kpis.interval_kind,
        kpis.squares
    from by_part
    cross join lateral (
        values
        (
            'health_score',
            by_part.score,
            by_part.scored,
            'ratio',
            greatest(by_part.score_squares - by_part.score * by_part.score / nullif(by_part.scored, 0), 0)
        ),
        (
            'health_score_by_mrr',
            by_part.weighted,
            by_part.scored_mrr,
            'ratio',
            {{ residual_squares(
                'by_part.weighted', 'by_part.scored_mrr',
                'by_part.weighted_bb', 'by_part.weighted_ab', 'by_part.weighted_aa'
            ) }}
        ),
        ('scored_share', by_part.scored, by_part.accounts, 'share', null),
        {%- for severity, name in [(0, 'healthy'), (1, 'watch'), (2, 'at_risk'), (3, 'critical')] %}
        ('health_{{ name }}_share', by_part.accounts_{{ severity }}, by_part.scored, 'share', null),
        ('health_{{ name }}_share_by_mrr', by_part.mrr_{{ severity }}, by_part.scored_mrr, null, null),
        {%- endfor %}
        ('at_risk_accounts', by_part.at_risk, null, null, null),
        ('churn_risk_mrr', by_part.at_risk_mrr, null, null, null),
        ('at_risk_untouched_share', by_part.untouched, by_part.at_risk, 'share', null)
    ) as kpis (kpi, numerator, denominator, interval_kind, squares)

)

select * from kpis
