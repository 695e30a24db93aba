with

parameters as (

    select *
    from {{ alert_parameters('roi_documented', {'amount': 0, 'days_without': 365}) }} as parameters

),

-- Values with the one before: what an account is told of every month says nothing new.
documented as (

    select
        value_log.*,
        parameters.amount as amount_asked,
        parameters.days_without,
        lag(value_log.recorded_on) over (
            partition by value_log.account_id order by value_log.recorded_on, value_log.value_id
        ) as recorded_before_on
    from {{ ref('stg_value_log') }} as value_log
    inner join {{ ref('int_accounts_over_time') }} as accounts
        on
            value_log.account_id = accounts.account_id
            and {{ held_at('accounts', utc_midnight('value_log.recorded_on')) }}
    inner join parameters on parameters.tier = coalesce(accounts.tier, '')
    where value_log.amount > parameters.amount

)

select
    moments.as_of,
    documented.account_id,
    documented.value_id as entity,
    documented.amount as measured,
    documented.amount_asked as held_against,
    jsonb_build_object(
        'kind', documented.kind,
        'recorded_on', documented.recorded_on
    ) as facts
from {{ moments() }} as moments
inner join documented
    on {{ is_news_of_day('documented.recorded_on', 'moments.as_of') }}
where
    coalesce(documented.recorded_on - documented.recorded_before_on > documented.days_without, true)
    and {{ was_known('documented._loaded_at', utc_midnight('documented.recorded_on'), 'moments.as_of') }}
