{#
    A view, asked at moments as alert rules are, so that a past is gone over with what held then. What lifts a ticket to a
    tier, whether the customer paid and which tier it had are looked at when the clock started: what changes later does
    not write the past anew.
#}
{{ config(materialized='view') }}

{%- set looks_back_days = 90 %}

with

asked as (

    select
        moments.as_of,
        exists(
            select 1 from {{ support_hours() }} as hours
            where hours.opens_at is not null
        ) as has_hours
    from {{ moments() }} as moments

),

tickets as (

    select
        asked.as_of,
        asked.has_hours,
        tickets.ticket_id,
        tickets.account_id,
        tickets.subject,
        tickets.kind,
        tickets.opened_priority,
        tickets.is_escalated,
        tickets.created_at,
        tickets.first_responded_at,
        tickets.resolved_at,
        case when tickets.reopened_at <= asked.as_of then tickets.reopened_at end as reopened_at
    from asked
    inner join {{ ref('stg_tickets') }} as tickets
        on
            asked.as_of >= tickets.created_at
            and asked.as_of - interval '{{ looks_back_days }} days' < tickets.created_at
    where
        {{ is_around_moments('tickets.created_at', looks_back_days) }}
        and not tickets.is_opened_by_us
        and tickets.merged_into is null
        and {{ was_known('tickets._loaded_at', 'tickets.created_at', 'asked.as_of') }}

),

clocks as (

    select
        tickets.*,
        coalesce(tickets.reopened_at, tickets.created_at) as started_at
    from tickets

),

contracts as (

    select
        clocks.as_of,
        clocks.ticket_id,
        bool_or({{ recurring_mrr() }} > 0) as is_paying,
        12 * sum({{ recurring_mrr() }}) as arr,
        (
            array_agg(subscriptions.tier order by {{ most_important_first() }})
            filter (where not subscriptions.is_addon)
        )[1] as tier,
        bool_or(
            not subscriptions.is_addon
            and not subscriptions.is_trial
            and subscriptions.renews_on between {{ utc_day('clocks.started_at') }}
            and {{ utc_day('clocks.started_at') }} + {{ setting('sla_renewal_days') }}
        ) as renews_soon
    from clocks
    inner join {{ ref('stg_subscriptions') }} as subscriptions
        on
            clocks.account_id = subscriptions.account_id
            and {{ utc_day('clocks.started_at') }} >= subscriptions.started_on
            and coalesce(subscriptions.ended_on > {{ utc_day('clocks.started_at') }}, true)
    group by clocks.as_of, clocks.ticket_id

),

-- What the account asked for in the 30 days before, this ticket included, and how content it was with the answers.
others as (

    select
        clocks.as_of,
        clocks.ticket_id,
        count(*) filter (where earlier.created_at <= clocks.started_at) as tickets_30d,
        coalesce(bool_or(
            earlier.ticket_id != clocks.ticket_id
            and earlier.resolved_at <= clocks.started_at
            and earlier.csat <= {{ setting('sla_low_csat_share') }} * earlier.csat_scale
        ), false) as was_dissatisfied
    from clocks
    inner join {{ ref('stg_tickets') }} as earlier
        on
            clocks.account_id = earlier.account_id
            and clocks.started_at - interval '30 days' < earlier.created_at
            and clocks.started_at >= earlier.created_at
            and earlier.merged_into is null
            and not earlier.is_opened_by_us
            and {{ was_known('earlier._loaded_at', 'earlier.created_at', 'clocks.as_of') }}
    group by clocks.as_of, clocks.ticket_id

),

complaints as (

    select distinct
        clocks.as_of,
        clocks.ticket_id
    from clocks
    inner join {{ ref('stg_feedback') }} as feedback
        on
            clocks.account_id = feedback.account_id
            and feedback.kind = 'complaint'
            and clocks.started_at - interval '30 days' < feedback.created_at
            and clocks.started_at >= feedback.created_at

),

leaving as (

    select distinct
        clocks.as_of,
        clocks.ticket_id
    from clocks
    inner join {{ ref('stg_cancellation_requests') }} as requests
        on
            clocks.account_id = requests.account_id
            and clocks.started_at >= requests.requested_at
            and coalesce(clocks.started_at < requests.withdrawn_at, true)

),

judged as (

    select
        clocks.*,
        contracts.arr,
        contracts.renews_soon,
        others.tickets_30d,
        others.was_dissatisfied,
        complaints.ticket_id is not null as has_complained,
        leaving.ticket_id is not null as wants_to_leave,
        coalesce(contracts.is_paying, false) as is_paying,
        coalesce(contracts.tier, accounts.tier) as tier,
        coalesce(scores.severity = 3, false) as was_critical,
        {{ mentions(
            "coalesce(clocks.subject, '')", "cast('{%s}' as text[])" % (var('sla_executive_words') | join(','))
        ) }} as is_legal
    from clocks
    left join contracts on clocks.as_of = contracts.as_of and clocks.ticket_id = contracts.ticket_id
    left join others on clocks.as_of = others.as_of and clocks.ticket_id = others.ticket_id
    left join complaints on clocks.as_of = complaints.as_of and clocks.ticket_id = complaints.ticket_id
    left join leaving on clocks.as_of = leaving.as_of and clocks.ticket_id = leaving.ticket_id
    left join {{ ref('stg_accounts') }} as accounts on clocks.account_id = accounts.account_id
    left join {{ scores_of_accounts() }} as scores
        on
            clocks.account_id = scores.account_id
            and scores.week = {{ last_week_before('clocks.started_at') }}
            and scores.is_active

),

reasons as (

    select
        judged.*,
        array_remove(array[
            case when judged.is_legal then 'legal_or_security' end,
            case
                when
                    judged.wants_to_leave and judged.arr >= {{ setting('sla_high_value_arr') }}
                    then 'high_value_wants_to_leave'
            end,
            case
                when
                    judged.was_critical and judged.arr >= {{ setting('sla_high_value_arr') }}
                    then 'high_value_is_critical'
            end
        ], null) as for_executive,
        array_remove(array[
            case when judged.reopened_at is not null then 'reopened' end,
            case when judged.tickets_30d >= {{ setting('sla_repeated_tickets') }} then 'repeated' end,
            case when judged.is_escalated then 'escalated' end,
            case when judged.was_dissatisfied then 'dissatisfied' end,
            case when judged.has_complained then 'complained' end,
            case when judged.kind = 'feature_request' and judged.renews_soon then 'feature_request_before_renewal' end
        ], null) as for_customer_success
    from judged

),

targets as (

    select
        reasons.*,
        case
            when reasons.for_executive != '{}' then 4
            when reasons.for_customer_success != '{}' then 3
            else 2
        end as sla_tier,
        cast(case
            when reasons.for_executive != '{}' then {{ setting('sla_tier_4_minutes') }}
            when reasons.for_customer_success != '{}' then {{ setting('sla_tier_3_minutes') }}
            when reasons.is_paying then {{ setting('sla_tier_2_paying_minutes') }}
            else {{ setting('sla_tier_2_free_minutes') }}
        end as double precision) as target_minutes,
        -- The first answer since the clock started; what was solved without a word was answered by that.
        case
            when
                reasons.first_responded_at >= reasons.started_at and reasons.first_responded_at <= reasons.as_of
                then reasons.first_responded_at
            when
                reasons.resolved_at >= reasons.started_at and reasons.resolved_at <= reasons.as_of
                then reasons.resolved_at
        end as answered_at
    from reasons

),

timed as (

    select
        targets.*,
        cast(
            extract(epoch from coalesce(targets.answered_at, targets.as_of) - targets.started_at)
            / 60 as double precision
        ) as clock_minutes,
        case
            when targets.has_hours
                then cast(
                    coalesce({{ support_minutes_until('coalesce(targets.answered_at, targets.as_of)') }}, 0)
                    - coalesce({{ support_minutes_until('targets.started_at') }}, 0) as double precision
                )
        end as support_minutes,
        case
            when targets.has_hours
                then {{ moment_of_support_minutes(
                    'coalesce(' ~ support_minutes_until('targets.started_at') ~ ', 0) + targets.target_minutes'
                ) }}
            else targets.started_at + make_interval(secs => 60 * targets.target_minutes)
        end as due_at
    from targets

)

select
    as_of,
    ticket_id,
    account_id,
    subject,
    kind,
    sla_tier,
    array_to_string(
        case sla_tier when 4 then for_executive when 3 then for_customer_success else array['first_level'] end, ', '
    ) as why,
    is_paying,
    tier,
    arr,
    opened_priority,
    started_at,
    target_minutes,
    due_at,
    answered_at,
    clock_minutes,
    support_minutes,
    case
        when answered_at <= due_at then 'met'
        when answered_at > due_at or as_of > due_at then 'breached'
        when coalesce(support_minutes, clock_minutes) >= {{ setting('sla_at_risk_share') }} * target_minutes
            then 'at_risk'
        else 'running'
    end as state,
    case when coalesce(answered_at, as_of) > due_at then due_at end as breached_at,
    coalesce(resolved_at <= as_of and coalesce(resolved_at >= reopened_at, true), false) as is_resolved
from timed
