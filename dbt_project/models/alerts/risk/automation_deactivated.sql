with

asked as (

    select moments.as_of
    from {{ moments() }} as moments

)

select
    moments.as_of,
    daily.account_id,
    cast(daily.activity_date as text) as entity,
    cast(sum(daily.automations_deactivated) as double precision) as measured,
    cast(1 as double precision) as held_against,
    jsonb_build_object('day', daily.activity_date) as facts
from asked as moments
inner join {{ days_looked_back_on(days_of_news()) }} as days_asked on moments.as_of = days_asked.as_of
inner join {{ ref('int_user_activity_to_date') }} as daily
    on days_asked.looked_back_on = daily.activity_date
where
    daily.automations_deactivated > 0
    and daily.counts_from <= {{ utc_day('moments.as_of') }}
    and {{ in_days_asked('daily.activity_date', days_of_news()) }}
group by moments.as_of, daily.account_id, daily.activity_date
