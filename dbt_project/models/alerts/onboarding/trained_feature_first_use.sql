{%- set days_before_training = 30 %}

with

parameters as (

    select * from {{ alert_parameters('trained_feature_first_use', {'within_days': 30}) }} as parameters

),

-- A training is about the features that its title names.
trainings as (

    select
        attendance.account_id,
        attendance.user_id,
        attendance.title,
        attendance.occurred_at,
        features.feature,
        parameters.within_days,
        greatest(attendance.occurred_at, attendance._loaded_at) as counted_at,
        coalesce(features.feature_name, features.feature) as feature_name
    from {{ ref('stg_event_attendance') }} as attendance
    inner join {{ ref('int_accounts_over_time') }} as accounts
        on attendance.account_id = accounts.account_id and {{ held_at('accounts', 'attendance.occurred_at') }}
    inner join parameters on parameters.tier = coalesce(accounts.tier, '')
    inner join {{ ref('stg_features') }} as features
        on
            strpos(lower(attendance.title), lower(features.feature)) > 0
            or strpos(lower(attendance.title), lower(features.feature_name)) > 0
    where
        attendance.kind in ('training', 'webinar', 'office_hours', 'certification')
        and attendance.has_attended
        and attendance.user_id is not null
        and {{ is_around_moments(
            'attendance.occurred_at', '(select max(parameters.within_days) from parameters) + ' ~ days_of_news()
        ) | indent(8) }}

),

uses as (

    select
        events.account_id,
        events.user_id,
        events.feature,
        events.occurred_at,
        events.event_id,
        greatest(events.occurred_at, events._loaded_at) as counted_at
    from {{ ref('stg_events') }} as events
    where
        events.quantity > 0
        and (events.account_id, events.user_id, events.feature) in (
            select
                trainings.account_id,
                trainings.user_id,
                trainings.feature
            from trainings
        )
        and {{ is_around_moments(
            'events.occurred_at',
            '(select max(parameters.within_days) from parameters) + ' ~ days_of_news() ~ ' + ' ~ days_before_training
        ) | indent(8) }}

),

candidates as (

    select
        trainings.*,
        uses.event_id,
        uses.occurred_at as used_at,
        uses.counted_at as use_counted_at
    from trainings
    inner join uses
        on
            trainings.account_id = uses.account_id
            and trainings.user_id = uses.user_id
            and trainings.feature = uses.feature
            and trainings.occurred_at < uses.occurred_at
            and uses.occurred_at <= trainings.occurred_at + make_interval(secs => 86400 * trainings.within_days)
    where
        not exists (
            select 1
            from uses as earlier
            where
                earlier.account_id = trainings.account_id
                and earlier.user_id = trainings.user_id
                and earlier.feature = trainings.feature
                and earlier.occurred_at > trainings.occurred_at - interval '{{ days_before_training }} days'
                and (earlier.counted_at, earlier.event_id) < (uses.counted_at, uses.event_id)
        )

)

select distinct on (moments.as_of, candidates.account_id, candidates.user_id, candidates.feature)
    moments.as_of,
    candidates.account_id,
    candidates.user_id || ':' || candidates.feature as entity,
    cast(extract(epoch from candidates.used_at - candidates.occurred_at) / 86400 as double precision) as measured,
    candidates.within_days as held_against,
    jsonb_build_object(
        'user_id', candidates.user_id,
        'feature_name', candidates.feature_name,
        'training', candidates.title,
        'used_at', candidates.used_at
    ) as facts
from {{ moments() }} as moments
inner join candidates
    on
        {{ is_news('candidates.used_at', 'moments.as_of') }}
        and candidates.use_counted_at <= moments.as_of
        and candidates.counted_at <= moments.as_of
inner join {{ ref('int_accounts_over_time') }} as accounts
    on candidates.account_id = accounts.account_id and {{ held_at('accounts', 'moments.as_of') }}
where {{ is_customer('accounts', 'moments.as_of') }}
order by
    moments.as_of asc,
    candidates.account_id asc,
    candidates.user_id asc,
    candidates.feature asc,
    candidates.occurred_at desc
