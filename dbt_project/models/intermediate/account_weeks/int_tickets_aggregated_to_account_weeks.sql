{{ config(materialized='ephemeral', tags=['weekly']) }}

with

account_weeks as (

    select
        account_id,
        week
    from {{ ref('int_account_weeks_spined') }}

),

tickets as (

    select
        account_id,
        created_at,
        {{ utc_day('created_at') }} as created_on,
        {{ utc_day('resolved_at') }} as resolved_on,
        priority = 'critical' as is_critical,
        -- A ticket closed without an answer was answered by closing it.
        coalesce(first_responded_at, resolved_at) as responded_at
    from {{ ref('stg_tickets') }}
    where {{ of_accounts_in_scope('account_id') }}

),

days as (

    {{ days_of_weeks(60) }}

),

open_tickets as (

    select
        tickets.account_id,
        open_weeks.week,
        cast(count(*) as double precision) as open_tickets,
        cast(count(*) filter (where tickets.is_critical) as double precision) as open_critical_tickets
    from tickets
    {{ weeks_while('tickets.created_on', 'tickets.resolved_on', 'open_weeks') }}
    where
        tickets.created_on < {{ last_as_of_day() }}
        and (tickets.resolved_on is null or tickets.resolved_on >= {{ first_as_of_day() }})
    group by tickets.account_id, open_weeks.week

),

new_tickets as (

    select
        tickets.account_id,
        days.week,
        cast(count(*) filter (where days.age <= 7) as double precision) as tickets_7d,
        cast(count(*) filter (where days.age <= 30) as double precision) as tickets_30d,
        cast(count(*) filter (where days.age > 30) as double precision) as tickets_previous_30d,
        -- Unanswered at the week's end: the age of the ticket then (least ignores null).
        avg(
            greatest(
                extract(
                    epoch from
                    least(tickets.responded_at, {{ utc_midnight('days.as_of_day') }})
                    - tickets.created_at
                ),
                0
            )
        ) filter (where days.age <= 30) / 3600 as first_response_hours_30d
    from tickets
    inner join days on tickets.created_on = days.day
    group by tickets.account_id, days.week

),

support as (

    select
        account_weeks.account_id,
        account_weeks.week,
        coalesce(open_tickets.open_tickets, 0) as open_tickets,
        coalesce(open_tickets.open_critical_tickets, 0) as open_critical_tickets,
        coalesce(open_tickets.open_tickets - open_tickets.open_critical_tickets, 0) as open_noncritical_tickets,
        cast(
            case
                when open_tickets.open_critical_tickets > 0 then 2
                when open_tickets.open_tickets > 0 then 1
                else 0
            end as double precision
        ) as worst_open_ticket,
        coalesce(new_tickets.tickets_7d, 0) as tickets_7d,
        coalesce(new_tickets.tickets_30d, 0) as tickets_30d,
        coalesce(new_tickets.tickets_previous_30d, 0) as tickets_previous_30d,
        coalesce(new_tickets.tickets_30d, 0) / nullif(new_tickets.tickets_previous_30d, 0) as ticket_spike_ratio,
        cast(new_tickets.first_response_hours_30d as double precision) as first_response_hours_30d
    from account_weeks
    left join open_tickets
        on account_weeks.account_id = open_tickets.account_id and account_weeks.week = open_tickets.week
    left join new_tickets
        on account_weeks.account_id = new_tickets.account_id and account_weeks.week = new_tickets.week

)

-- Without tickets everything is missing: no row.
select * from support
where {{ has_source('tickets') }}
