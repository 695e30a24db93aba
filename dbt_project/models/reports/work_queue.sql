{#- Risk of an account without a score: it counts as neither well nor lost. -#}
{%- set risk_unknown = 0.5 %}

with

cards as (

    select * from {{ ref('account_card') }}

),

weighed as (

    select
        *,
        case
            when has_cancellation_request then 1
            else coalesce((100 - score) / 100, {{ risk_unknown }})
        end as risk
    from cards

),

queue as (

    select
        row_number() over (order by arr * risk desc, severity desc nulls last, account_id asc) as place,
        row_number() over (
            partition by owner_email
            order by arr * risk desc, severity desc nulls last, account_id asc
        ) as place_of_owner,
        account_id,
        account_name,
        owner_email,
        tier,
        arr,
        risk,
        arr * risk as arr_at_stake,
        score,
        band,
        score_change_4w,
        has_cancellation_request,
        days_to_renewal,
        days_since_last_touchpoint,
        open_alerts,
        worst_alert,
        plays
    from weighed

)

select * from queue
