with

asked as (

    select
        moments.as_of,
        parameters.*
    from {{ moments() }} as moments
    cross join {{ alert_parameters('no_docs', {'days': 90}) }} as parameters

),

customers as (

    {{ customers_asked() }}

),

-- The days on which an account looked at the documentation, each by the day from which it is known.
viewed as (

    select
        daily.account_id,
        greatest(daily.activity_date + 1, daily.counts_from) as known_on,
        max(daily.activity_date) as viewed_on
    from {{ ref('int_user_activity_to_date') }} as daily
    where
        {{ in_days_asked('daily.activity_date', 'asked.days') }}
        and daily.doc_views > 0
    group by daily.account_id, known_on

),

-- Moments and days in one row of time, so that it is gone through once, however many moments there are: the newest day
-- that was known by then says whether there is one among the last days.
by_time as (

    select
        account_id,
        known_on as on_day,
        false as is_moment,
        viewed_on,
        cast(null as timestamptz) as as_of,
        cast(null as double precision) as days,
        cast(null as date) as created_on
    from viewed

    union all

    select
        account_id,
        {{ utc_day('as_of') }} as on_day,
        true as is_moment,
        cast(null as date) as viewed_on,
        as_of,
        days,
        created_on
    from customers

),

last_views as (

    select
        as_of,
        account_id,
        days,
        created_on,
        is_moment,
        max(viewed_on) over (partition by account_id order by on_day, is_moment) as viewed_on,
        max(viewed_on) over (order by on_day, is_moment) as anybody_viewed_on
    from by_time

)

-- A company that records no views of documentation would find every account.
select
    as_of,
    account_id,
    account_id as entity,
    cast(0 as double precision) as measured,
    days as held_against,
    jsonb_build_object('days', days) as facts
from last_views
where
    is_moment
    and created_on < {{ utc_day('as_of') }} - cast(days as integer)
    and coalesce(viewed_on < {{ utc_day('as_of') }} - cast(days as integer), true)
    and anybody_viewed_on >= {{ utc_day('as_of') }} - cast(days as integer)
