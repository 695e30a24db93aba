{{ config(materialized='ephemeral', tags=['weekly']) }}

{%- set lapsed_days = 30 %}

with

weeks as (

    select
        {{ week_bound('week_from') }} + 7 * nth as week,
        {{ week_bound('week_from') }} + 7 * nth + 7 as as_of_day
    from generate_series(0, ({{ week_bound('week_to') }} - {{ week_bound('week_from') }}) / 7) as numbers (nth)

),

subscriptions as{{ table_where_spread() }} (

    select
        terms.*,
        -- Decimal, so that a sum does not depend on the order of the rows.
        cast({{ recurring_mrr('terms') }} as numeric) as recurring_mrr,
        row_number() over (partition by terms.account_id order by {{ most_important_first('terms') }}) as importance
    from {{ ref('int_subscription_terms') }} as terms

),

first_starts as (

    select
        account_id,
        min(started_on) as first_started_on
    from subscriptions
    group by account_id

),

-- With the first and the last end of a week, within the range, at which the account was a customer.
accounts as (

    select
        accounts.account_id,
        accounts.created_at,
        first_starts.first_started_on,
        {{ utc_day('accounts.created_at') }} as created_on,
        cast(date_trunc('month', accounts.created_at at time zone 'UTC') as date) as cohort_month,
        greatest(
            {{ first_monday_after(utc_day('accounts.created_at')) }}, {{ week_bound('week_from') }} + 7
        ) as first_as_of_day,
        least({{ week_of(utc_day('accounts.churned_at')) }}, {{ week_bound('week_to') }} + 7) as last_as_of_day
    from {{ ref('stg_accounts') }} as accounts
    left join first_starts on accounts.account_id = first_starts.account_id
    {% if setting('cohort') %}
    where
        accounts.created_at >= cast('{{ setting("cohort") }}-01' as timestamp) at time zone 'UTC'
        and accounts.created_at
        < (cast('{{ setting("cohort") }}-01' as timestamp) + interval '1 month') at time zone 'UTC'
    {% endif %}

),

-- The earliest version of an account stands in for the time before it.
account_versions as (

    select
        account_id,
        account_name,
        tier,
        plan,
        industry,
        country,
        timezone,
        owner_email,
        parent_account_id,
        is_bad_fit,
        case
            when row_number() over (partition by account_id order by dbt_valid_from, dbt_valid_to) > 1
                then dbt_valid_from
            else '-infinity'
        end as known_after,
        coalesce(dbt_valid_to, 'infinity') as known_until
    from {{ ref('accounts_snapshot') }}

),

-- What renews by itself has another renewal date after each.
laps as (

    select
        subscriptions.account_id,
        subscriptions.renews_on,
        subscriptions.renews_every_months,
        cast(starts.moment as date) as started_on
    from subscriptions
    cross join
        generate_series(
            cast(greatest(subscriptions.renews_on, {{ week_bound('week_from') }}) as timestamp),
            least({{ held_until('subscriptions') }}, {{ week_bound('week_to') }} + 7),
            make_interval(months => subscriptions.renews_every_months)
        ) as starts (moment)
    where subscriptions.renews_every_months is not null

),

renewals as (

    select
        account_id,
        {{ next_renewal('renews_on', 'renews_every_months', 'started_on') }} as changed_on
    from laps

),

-- Days after which something about the account may read differently.
changes as (

    select
        account_id,
        unnest(
            array[started_on, ended_on, ended_on + {{ lapsed_days }}, successor_started_on, moved_on, renews_on]
        ) as changed_on
    from subscriptions

    union all

    select
        account_id,
        changed_on
    from renewals

    union all

    select
        account_id,
        cast(known_after as date) as changed_on
    from account_versions
    where known_after > '-infinity'

),

turns as (

    select
        account_id,
        first_as_of_day as as_of_day
    from accounts
    where first_as_of_day <= last_as_of_day

    union

    select
        accounts.account_id,
        {{ first_monday_after('changes.changed_on') }} as as_of_day
    from accounts
    inner join changes on accounts.account_id = changes.account_id
    where
        changes.changed_on >= accounts.first_as_of_day
        and changes.changed_on < accounts.last_as_of_day

),

-- Runs of weeks in which nothing about an account changes, by the end of their first week. What follows is worked out
-- once for each of them.
stretches as (

    select
        account_id,
        as_of_day,
        lead(as_of_day) over (partition by account_id order by as_of_day) as next_as_of_day
    from turns

),

-- Terms that say something about a stretch: those that hold, and base terms that lapsed lately and that nothing
-- followed.
stretch_terms as (

    select
        stretches.account_id,
        stretches.as_of_day,
        subscriptions.importance,
        subscriptions.seats,
        subscriptions.is_trial,
        subscriptions.is_addon,
        subscriptions.renewal_type,
        subscriptions.recurring_mrr,
        {{ held_until('subscriptions') }} is null
        or {{ held_until('subscriptions') }} >= stretches.as_of_day as is_held,
        subscriptions.ended_on is null or subscriptions.ended_on >= stretches.as_of_day as is_running,
        not subscriptions.is_trial
        and subscriptions.renewal_type = 'manual'
        and subscriptions.ended_on >= subscriptions.renews_on - 1
        and (subscriptions.moved_on is null or subscriptions.moved_on >= stretches.as_of_day) as is_awaited,
        case
            when subscriptions.is_addon or subscriptions.is_trial then null
            when subscriptions.ended_on is null or subscriptions.ended_on >= stretches.as_of_day
                then
                    {{ next_renewal(
                        'subscriptions.renews_on', 'subscriptions.renews_every_months', 'stretches.as_of_day'
                    ) | indent(20) }}
            when subscriptions.renewal_type = 'auto' then null
            when subscriptions.renews_on is null or subscriptions.ended_on >= subscriptions.renews_on - 1
                then least(subscriptions.renews_on, subscriptions.ended_on)
        end as renewal_date
    from stretches
    inner join subscriptions
        on
            stretches.account_id = subscriptions.account_id
            and stretches.as_of_day > subscriptions.started_on
            and (
                {{ held_until('subscriptions') }} is null
                or stretches.as_of_day <= {{ held_until('subscriptions') }}
                or (
                    subscriptions.successor_started_on is null
                    and stretches.as_of_day <= subscriptions.ended_on + {{ lapsed_days }}
                    and not subscriptions.is_addon
                )
            )

),

-- What lapsed counts on as long as nothing else of the account does. Beside other terms it does so only where it ended
-- on its renewal date, and may still be signed.
counted_terms as (

    select *
    from (
        select
            *,
            bool_or(is_running and not is_addon) over (partition by account_id, as_of_day) as has_running
        from stretch_terms
    ) as beside_others
    where
        is_held
        or is_awaited
        or not has_running

),

-- An account is overdue, and keeps what it had, when base terms lapsed and none runs.
period_facts as (

    select
        account_id,
        as_of_day,
        sum(recurring_mrr) as mrr,
        sum(seats) filter (where not is_addon) as seats,
        bool_and(is_trial) filter (where not is_addon) as is_trial,
        coalesce(
            min(importance) filter (where is_running and not is_addon),
            min(importance) filter (where not is_addon)
        ) as importance,
        min(renewal_date) filter (where is_running or is_awaited or not has_running) as renewal_date,
        min(renewal_date) filter (
            where renewal_type = 'manual' and (is_running or is_awaited or not has_running)
        ) as manual_renewal_date
    from counted_terms
    group by account_id, as_of_day

),

stretch_facts as (

    select
        stretches.account_id,
        stretches.as_of_day,
        stretches.next_as_of_day,
        accounts.created_at,
        accounts.created_on,
        accounts.cohort_month,
        accounts.last_as_of_day,
        coalesce(period_facts.mrr, 0) as mrr,
        period_facts.seats,
        coalesce(period_facts.is_trial, false) as is_trial,
        period_facts.importance,
        period_facts.renewal_date,
        period_facts.manual_renewal_date
    from stretches
    inner join accounts on stretches.account_id = accounts.account_id
    left join period_facts
        on
            stretches.account_id = period_facts.account_id
            and stretches.as_of_day = period_facts.as_of_day
    where
        period_facts.account_id is not null
        or accounts.first_started_on is null
        or accounts.first_started_on >= stretches.as_of_day

),

-- Materialized, or the planner would join for every week and not for every stretch.
with_attributes as materialized (

    select
        stretch_facts.*,
        account_versions.account_name,
        account_versions.industry,
        account_versions.country,
        account_versions.timezone,
        account_versions.owner_email,
        account_versions.parent_account_id,
        coalesce(main_periods.tier, account_versions.tier) as tier,
        coalesce(main_periods.plan, account_versions.plan) as plan,
        coalesce(account_versions.is_bad_fit, false) as is_bad_fit
    from stretch_facts
    inner join account_versions
        on
            stretch_facts.account_id = account_versions.account_id
            and stretch_facts.as_of_day > account_versions.known_after
            and stretch_facts.as_of_day <= account_versions.known_until
    left join subscriptions as main_periods
        on
            stretch_facts.account_id = main_periods.account_id
            and stretch_facts.importance = main_periods.importance

),

account_weeks as (

    select
        with_attributes.account_id,
        weeks.week,
        weeks.as_of_day,
        with_attributes.account_name,
        with_attributes.tier,
        with_attributes.plan,
        with_attributes.industry,
        with_attributes.country,
        with_attributes.timezone,
        with_attributes.owner_email,
        with_attributes.parent_account_id,
        with_attributes.cohort_month,
        with_attributes.created_at,
        with_attributes.is_trial,
        with_attributes.is_bad_fit,
        with_attributes.renewal_date,
        cast(weeks.as_of_day as timestamp) at time zone 'UTC' as as_of,
        weeks.as_of_day - with_attributes.created_on as tenure_days,
        cast(with_attributes.mrr as double precision) as mrr,
        cast(with_attributes.mrr * 12 as double precision) as arr,
        cast(
            case when with_attributes.seats > 2147483647 then 2147483647 else with_attributes.seats end as integer
        ) as seats,
        case
            when with_attributes.renewal_date = with_attributes.manual_renewal_date then 'manual'
            when with_attributes.renewal_date is not null then 'auto'
        end as renewal_type,
        coalesce(with_attributes.renewal_date < weeks.as_of_day, false) as is_renewal_overdue
    from with_attributes
    inner join weeks
        on
            with_attributes.as_of_day <= weeks.as_of_day
            and with_attributes.last_as_of_day >= weeks.as_of_day
            and (with_attributes.next_as_of_day is null or with_attributes.next_as_of_day > weeks.as_of_day)
    {%- if setting('segment') %}
    where with_attributes.tier = '{{ setting("segment") }}'
    {%- endif %}

),

with_stages as (

    select
        *,
        case
            when tenure_days <= 30 then 'onboarding'
            when tenure_days <= 90 then 'adoption'
            else 'retention'
        end as lifecycle_stage,
        case
            when tenure_days <= 14 then 'trial'
            when tenure_days <= 30 then 'onboarding'
            when tenure_days <= 90 then 'adoption'
            when tenure_days <= 365 then 'growth'
            else 'renewal'
        end as lifecycle_stage_five
    from account_weeks

)

select * from with_stages
