with

asked as (

    select
        moments.as_of,
        parameters.*
    from {{ moments() }} as moments
    cross join {{ alert_parameters('cross_sell_need', {
        'days': 90,
        'owned': '',
        'needs': [
            'SMS Marketing: mobile, sms, text message, text messages',
            'Marketing Automation: workflow, workflows, automate, automation, welcome series',
            'CRM Integration: sales team, crm, pipeline, lead handover',
            'Analytics Platform: reporting, reports, dashboard, dashboards'
        ]
    }) }} as parameters

),

needs as (

    select
        asked.as_of,
        asked.tier,
        asked.days,
        asked.owned,
        trim(split_part(named.need, ':', 1)) as product,
        string_to_array(split_part(named.need, ':', 2), ',') as phrases
    from asked
    cross join unnest(asked.needs) as named (need)

),

-- What is said counts for some days; the goal that sales handed over counts on.
said as (

    select
        needs.as_of,
        statements.account_id,
        needs.product,
        needs.days,
        count(*) as times,
        max(statements.said_at) as last_at
    from needs
    inner join {{ ref('stg_accounts') }} as accounts
        on needs.tier = coalesce(accounts.tier, '')
    inner join {{ ref('int_customer_statements') }} as statements
        on accounts.account_id = statements.account_id
    where
        {{ is_customer('accounts', 'needs.as_of') }}
        and statements.said_at <= needs.as_of
        and (
            statements.said_in = 'sales_goal'
            or statements.said_at > needs.as_of - make_interval(secs => 86400 * needs.days)
        )
        and {{ was_known('statements._loaded_at', 'statements.said_at', 'needs.as_of') }}
        and {{ mentions('statements.words', 'needs.phrases') }}
        and (
            needs.owned = ''
            or exists (
                select 1
                from {{ ref('stg_subscriptions') }} as subscriptions
                where
                    subscriptions.account_id = statements.account_id
                    and lower(subscriptions.product) = lower(needs.owned)
                    and subscriptions.started_on <= {{ utc_day('needs.as_of') }}
                    and coalesce(subscriptions.ended_on > {{ utc_day('needs.as_of') }}, true)
            )
        )
    group by needs.as_of, statements.account_id, needs.product, needs.days

)

select
    said.as_of,
    said.account_id,
    said.product as entity,
    cast(said.times as double precision) as measured,
    cast(1 as double precision) as held_against,
    jsonb_build_object('product', said.product, 'last_at', said.last_at) as facts
from said
where
    not exists (
        select 1
        from {{ ref('stg_subscriptions') }} as subscriptions
        where
            subscriptions.account_id = said.account_id
            and lower(subscriptions.product) = lower(said.product)
            and subscriptions.started_on <= {{ utc_day('said.as_of') }}
            and coalesce(subscriptions.ended_on > {{ utc_day('said.as_of') }}, true)
    )
