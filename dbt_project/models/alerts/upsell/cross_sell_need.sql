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

-- With the words of each phrase as they are searched for, and those that are not written in Latin letters as they are.
needs as materialized (

    select
        named.tier,
        named.days,
        named.owned,
        trim(split_part(named.need, ':', 1)) as product,
        array(
            select {{ words_of('phrases.phrase') }}
            from unnest(string_to_array(split_part(named.need, ':', 2), ',')) as phrases (phrase)
        ) as phrases,
        array(
            select lower(phrases.phrase)
            from unnest(string_to_array(split_part(named.need, ':', 2), ',')) as phrases (phrase)
            where {{ is_not_latin('phrases.phrase') }}
        ) as phrases_anywhere
    from (
        select distinct
            asked.tier,
            asked.days,
            asked.owned,
            unnest(asked.needs) as need
        from asked
    ) as named

),

-- Each text is taken apart once, however many moments and needs there are.
texts as materialized (

    select
        accounts.account_id,
        coalesce(accounts.tier, '') as tier,
        accounts.created_at,
        accounts.churned_at,
        accounts.held_from,
        accounts.held_until,
        accounts._loaded_at,
        accounts.created_at as said_at,
        true as is_goal,
        lower(accounts.sales_goal) as said,
        {{ words_of('accounts.sales_goal') }} as words
    from {{ ref('int_accounts_over_time') }} as accounts
    where accounts.sales_goal is not null

    union all

    select
        accounts.account_id,
        coalesce(accounts.tier, '') as tier,
        accounts.created_at,
        accounts.churned_at,
        accounts.held_from,
        accounts.held_until,
        statements._loaded_at,
        statements.said_at,
        false as is_goal,
        lower(statements.words) as said,
        {{ words_of('statements.words') }} as words
    from {{ ref('int_accounts_over_time') }} as accounts
    inner join {{ ref('int_customer_statements') }} as statements
        on accounts.account_id = statements.account_id
    where
        statements.said_in != 'sales_goal'
        and {{ is_around_moments('statements.said_at', '(select max(asked.days) from asked)') }}

),

spoken as materialized (

    select
        texts.*,
        needs.days,
        needs.owned,
        needs.product
    from texts
    inner join needs on texts.tier = needs.tier
    where
        exists (
            select 1
            from unnest(needs.phrases) as phrases (words)
            where strpos(texts.words, phrases.words) > 0
        )
        or exists (
            select 1
            from unnest(needs.phrases_anywhere) as phrases (phrase)
            where strpos(texts.said, phrases.phrase) > 0
        )

),

-- Which of the products that are asked about an account has at each moment.
had as materialized (

    select distinct
        asked.as_of,
        subscriptions.account_id,
        lower(subscriptions.product) as product
    from asked
    inner join {{ ref('stg_subscriptions') }} as subscriptions
        on
            subscriptions.started_on <= {{ utc_day('asked.as_of') }}
            and coalesce(subscriptions.ended_on > {{ utc_day('asked.as_of') }}, true)
    where
        lower(subscriptions.product) in (
            select lower(needs.product) from needs
            union
            select lower(needs.owned) from needs
        )

),

-- What is said counts for some days; the goal that sales handed over counts for as long as it is the goal.
said as (

    select
        asked.as_of,
        spoken.account_id,
        spoken.product,
        spoken.days,
        count(*) as times,
        max(spoken.said_at) as last_at
    from asked
    inner join spoken
        on
            asked.tier = spoken.tier
            and asked.as_of >= spoken.said_at
    left join had as owned
        on
            asked.as_of = owned.as_of
            and spoken.account_id = owned.account_id
            and owned.product = lower(spoken.owned)
    where
        {{ is_customer('spoken', 'asked.as_of') }}
        and {{ held_at('spoken', 'asked.as_of') }}
        and (
            spoken.is_goal
            or spoken.said_at > asked.as_of - make_interval(secs => 86400 * spoken.days)
        )
        and {{ was_known('spoken._loaded_at', 'spoken.said_at', 'asked.as_of') }}
        and (
            spoken.owned = ''
            or owned.account_id is not null
        )
    group by asked.as_of, spoken.account_id, spoken.product, spoken.days

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
        from had
        where
            had.as_of = said.as_of
            and had.account_id = said.account_id
            and had.product = lower(said.product)
    )
