with

asked as (

    select
        moments.as_of,
        parameters.*,
        moments.as_of - make_interval(days => cast(parameters.days as integer)) as window_begins
    from {{ moments() }} as moments
    cross join {{ alert_parameters(
        'contact_quiet', {
            'days': 14,
            'roles': ['point_of_contact', 'power_user', 'champion']
        }
    ) }} as parameters

),

contacts as (

    select
        asked.*,
        roles.account_id,
        roles.user_id,
        roles.role
    from asked
    inner join {{ ref('stg_contact_roles') }} as roles
        on
            asked.roles @> array[roles.role]
            and coalesce(roles.started_on <= {{ utc_day('asked.as_of') }}, true)
            and coalesce(roles.ended_on > {{ utc_day('asked.as_of') }}, true)
            and coalesce(asked.as_of >= roles._loaded_at, true)

    union all

    -- Nobody need name the power user: it is who did most before the days in question.
    select
        asked.*,
        account_weeks.account_id,
        account_weeks.power_user_id as user_id,
        'power_user' as role
    from asked
    inner join {{ ref('fct_account_weeks') }} as account_weeks
        on
            account_weeks.week = {{ last_week_before('asked.window_begins') }}
            and account_weeks.power_user_id is not null
    where 'power_user' = any(asked.roles)

),

people as (

    select distinct on (contacts.as_of, contacts.account_id, contacts.user_id)
        contacts.*,
        {{ utc_day('users.created_at') }} as created_on
    from contacts
    inner join {{ ref('stg_accounts') }} as accounts
        on contacts.account_id = accounts.account_id and contacts.tier = coalesce(accounts.tier, '')
    inner join {{ ref('stg_users') }} as users
        on contacts.user_id = users.user_id and contacts.account_id = users.account_id
    where
        {{ is_customer('accounts', 'contacts.as_of') }}
        and users.created_at <= contacts.as_of
        and coalesce(users.deleted_at > contacts.as_of, true)
    order by contacts.as_of, contacts.account_id, contacts.user_id, contacts.role

),

user_days as (

    select
        daily.account_id,
        daily.user_id,
        daily.activity_date,
        daily.counts_from,
        sum(daily.logins) as logins
    from {{ ref('int_user_activity_to_date') }} as daily
    where
        {{ in_days_asked('daily.activity_date', '4 * asked.days') }}
        and daily.logins > 0
    group by daily.account_id, daily.user_id, daily.activity_date, daily.counts_from

),

last_logins as (

    select
        people.as_of,
        people.account_id,
        people.user_id,
        max(user_days.activity_date) as last_login_on
    from people
    inner join user_days
        on
            people.account_id = user_days.account_id
            and people.user_id = user_days.user_id
            and {{ in_last_days('user_days.activity_date', 'people.as_of', '4 * people.days') }}
            and user_days.counts_from <= {{ utc_day('people.as_of') }}
    group by people.as_of, people.account_id, people.user_id

),

quiet as (

    select
        people.as_of,
        people.account_id,
        people.user_id,
        people.role,
        people.days,
        last_logins.last_login_on,
        least(
            {{ utc_day('people.as_of') }} - coalesce(last_logins.last_login_on, people.created_on) - 1, 4 * people.days
        ) as days_without
    from people
    left join last_logins
        on
            people.as_of = last_logins.as_of
            and people.account_id = last_logins.account_id
            and people.user_id = last_logins.user_id

)

select
    as_of,
    account_id,
    user_id as entity,
    cast(days_without as double precision) as measured,
    days as held_against,
    jsonb_build_object('role', replace(role, '_', ' '), 'last_login_on', last_login_on) as facts
from quiet
where days_without >= days
