{# What several alert rules ask in the same words: windows of whole days before a moment, the week that ended, and
   whether a text speaks of something. What rules are made of is in macros/alerts.sql. #}

{# Is the day among the `days` whole UTC days before the moment? With `skip`, among those before the last `skip` days. #}
{% macro in_last_days(day, moment, days, skip=0) -%}
    {{ day }} >= {{ utc_day(moment) }} - cast({{ days }} + {{ skip }} as integer)
    and {{ day }} < {{ utc_day(moment) }} - cast({{ skip }} as integer)
{%- endmacro %}


{# The same for all moments of the CTE `asked`, whose column `days` is how far back each looks: a range that an index on
   the day can read, which the planner cannot make of the join with the moments. #}
{% macro in_days_asked(day, days) -%}
    {{ day }} >= (select min({{ utc_day('asked.as_of') }} - cast({{ days }} as integer)) from asked)
    and {{ day }} < (select max({{ utc_day('asked.as_of') }}) from asked)
{%- endmacro %}


{# The days that each moment of the CTE `asked` looks back on, `days` before it, once each: columns as_of, looked_back_on. Rows by day
   are joined to it by equality, so that each meets the moments that look back on it and no others; compared with every
   moment of a year, they would meet all. Who joins them does so in a CTE `as materialized`, so that the planner does
   not begin with all accounts on all days. To be used after `from` or `join`, with an alias. #}
{% macro days_looked_back_on(days) -%}
    (
        select distinct
            asked.as_of,
            {{ utc_day('asked.as_of') }} - numbers.nth as looked_back_on
        from asked
        cross join generate_series(1, cast({{ days }} as integer)) as numbers (nth)
    )
{%- endmacro %}


{# The newest week of fct_account_weeks or cs.health_scores that had ended at the moment, by its Monday. #}
{% macro last_week_before(moment) -%}
    ({{ week_of(utc_day(moment)) }} - 7)
{%- endmacro %}


{# Is the week, of fct_account_weeks, the newest that had ended at the moment? Besides, it lies within the weeks of all
   moments: a range that the index on the week reads, so that one moment costs a week however long the history is. #}
{% macro is_last_week(week, moment) -%}
    {{ week }} = {{ last_week_before(moment) }}
    and {{ in_weeks_asked(week) }}
{%- endmacro %}


{# Is the week among the newest weeks of the moments, from `since` weeks before the first up to `ago` before the last? A
   range, to be added to what joins the week to a moment or to another week. #}
{% macro in_weeks_asked(week, since=0, ago=0) -%}
    {{ week }} >= (
        select min({{ last_week_before('all_moments.as_of') }}) - {{ 7 * since }} from {{ moments() }} as all_moments
    )
    and {{ week }} <= (
        select max({{ last_week_before('all_moments.as_of') }}) - {{ 7 * ago }} from {{ moments() }} as all_moments
    )
{%- endmacro %}


{# How many weeks, at most, a rule about news of weeks looks back: days_of_news() after the longest outage, and two weeks. #}
{% macro weeks_of_news() -%}
    7
{%- endmacro %}


{# The words of a text alone, in small letters, a space around each, so that a word is found as a part of the text. #}
{% macro words_of(said) -%}
    ' ' || trim(regexp_replace(lower({{ said }}), '[^[:alnum:]]+', ' ', 'g')) || ' '
{%- endmacro %}


{# Does the text speak of one of the words or phrases (an array of text)? Whole words, whatever the case and the marks
   between them; a phrase that is not written in Latin letters is found anywhere, because not every script has spaces. #}
{% macro mentions(words_said, phrases) -%}
    (
        {{ words_of(words_said) }} like any(
            array(
                select '%' || {{ words_of('phrases.phrase') }} || '%'
                from unnest({{ phrases }}) as phrases (phrase)
            )
        )
        or lower({{ words_said }}) like any(
            array(
                select '%' || regexp_replace(lower(phrases.phrase), '([%_\\])', '\\\1', 'g') || '%'
                from unnest({{ phrases }}) as phrases (phrase)
                where {{ is_not_latin('phrases.phrase') }}
            )
        )
    )
{%- endmacro %}


{% macro is_not_latin(phrase) -%}
    {{ phrase }} ~ '[^\u0001-\u024F]'
{%- endmacro %}


{# What customers said lately, each statement an alert: the start of the rules about it, up to their own conditions. #}
{% macro statements_lately(moments) -%}
select
    moments.as_of,
    statements.account_id,
    statements.said_in || ':' || statements.source_id as entity,
    cast(1 as double precision) as measured,
    cast(1 as double precision) as held_against,
    jsonb_build_object(
        'said_in', statements.said_in,
        'said_at', statements.said_at,
        'words', left(statements.words, 500)
    ) as facts
from {{ moments }} as moments
inner join {{ ref('int_customer_statements') }} as statements
    on
        {{ is_news('statements.said_at', 'moments.as_of') }}
        and {{ was_known('statements._loaded_at', 'statements.said_at', 'moments.as_of') }}
{%- endmacro %}


{# A rule about feedback that somebody sorted as `kind`. #}
{% macro feedback_of_kind(moments, kind) -%}
{{ statements_lately(moments) }}
where
    statements.said_in = 'feedback'
    and statements.kind = '{{ kind }}'
{%- endmacro %}


{# A rule about what customers speak of, wherever they say it: one of its parameter `phrases`; only of
   accounts of which the condition holds. #}
{% macro statements_that_mention(moments, parameters, accounts_of='true') -%}
{{ statements_lately(moments) }}
inner join {{ ref('int_accounts_over_time') }} as accounts
    on statements.account_id = accounts.account_id and {{ held_at('accounts', 'moments.as_of') }}
inner join {{ parameters }} as parameters
    on parameters.tier = coalesce(accounts.tier, '')
where
    {{ accounts_of }}
    and {{ mentions('statements.words', 'parameters.phrases') }}
    and {{ is_around_moments('statements.said_at', days_of_news()) }}
{%- endmacro %}


{# A rule about answers to the NPS question lately: those whose score, from 0 to 10, compares so with its parameter `nps`. #}
{% macro nps_answers(moments, parameters, compares) -%}
select
    moments.as_of,
    responses.account_id,
    responses.response_id as entity,
    responses.score * 10 / responses.scale_max as measured,
    parameters.nps as held_against,
    jsonb_build_object(
        'user_id', responses.user_id,
        'responded_at', responses.responded_at
    ) as facts
from {{ moments }} as moments
inner join {{ ref('stg_survey_responses') }} as responses
    on {{ is_news('responses.responded_at', 'moments.as_of') }}
inner join {{ ref('int_accounts_over_time') }} as accounts
    on responses.account_id = accounts.account_id and {{ held_at('accounts', 'moments.as_of') }}
inner join {{ parameters }} as parameters
    on parameters.tier = coalesce(accounts.tier, '')
where
    responses.survey = 'nps'
    and responses.score * 10 {{ compares }} parameters.nps * responses.scale_max
    and {{ was_known('responses._loaded_at', 'responses.responded_at', 'moments.as_of') }}
{%- endmacro %}


{# A rule about pages: accounts whose users viewed or clicked one of its parameter `pages`, once a UTC day. It is found on
   that day and the two after it, since events that come later make the rule wait for data; and where it was missed, as
   many days longer as nobody asked. #}
{% macro page_events(moments, parameters, event_name) -%}
select
    moments.as_of,
    events.account_id,
    cast({{ utc_day('events.occurred_at') }} as text) as entity,
    cast(sum(events.quantity) as double precision) as measured,
    cast(1 as double precision) as held_against,
    jsonb_build_object(
        'users', count(distinct events.user_id),
        'page', min(events.page),
        'last_at', max(events.occurred_at)
    ) as facts
from {{ moments }} as moments
inner join {{ ref('stg_events') }} as events
    on
        events.occurred_at > {{ utc_midnight(utc_day('moments.as_of') ~ ' - 2 - ' ~ days_missed()) }}
        and moments.as_of >= events.occurred_at
inner join {{ ref('int_accounts_over_time') }} as accounts
    on events.account_id = accounts.account_id and {{ held_at('accounts', 'moments.as_of') }}
inner join {{ parameters }} as parameters
    on parameters.tier = coalesce(accounts.tier, '')
where
    {{ is_around_moments('events.occurred_at', '3 + ' ~ days_missed()) }}
    and events.event_name = '{{ event_name }}'
    and events.page = any(parameters.pages)
    and {{ was_known('events._loaded_at', 'events.occurred_at', 'moments.as_of') }}
group by moments.as_of, events.account_id, {{ utc_day('events.occurred_at') }}
{%- endmacro %}


{# A CTE's select: every customer at each moment of the CTE `asked`, with the parameters of its tier. #}
{% macro customers_asked() -%}
    select
        asked.*,
        accounts.account_id,
        {{ utc_day('accounts.created_at') }} as created_on
    from asked
    inner join {{ ref('int_accounts_over_time') }} as accounts
        on asked.tier = coalesce(accounts.tier, '') and {{ held_at('accounts', 'asked.as_of') }}
    where
        {{ is_customer('accounts', 'asked.as_of') }}
        and {{ was_known('accounts._loaded_at', 'accounts.created_at', 'asked.as_of') }}
{%- endmacro %}


{# A CTE's select: whom the customer's contact is, in the `roles` of the CTE `asked`, at each of its moments; one row a user.
   `window_begins` of `asked` is the moment before which a power user did most. #}
{% macro contacts_asked() -%}
    with

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

    )

    select distinct on (contacts.as_of, contacts.account_id, contacts.user_id)
        contacts.*,
        {{ utc_day('users.created_at') }} as created_on
    from contacts
    inner join {{ ref('int_accounts_over_time') }} as accounts
        on
            contacts.account_id = accounts.account_id
            and contacts.tier = coalesce(accounts.tier, '')
            and {{ held_at('accounts', 'contacts.as_of') }}
    inner join {{ ref('stg_users') }} as users
        on contacts.user_id = users.user_id and contacts.account_id = users.account_id
    where
        {{ is_customer('accounts', 'contacts.as_of') }}
        and users.created_at <= contacts.as_of
        and coalesce(users.deleted_at > contacts.as_of, true)
    order by contacts.as_of, contacts.account_id, contacts.user_id, contacts.role
{%- endmacro %}


{# How many spans, as long as that which a rule looks at, lie before it and say what is usual for an account. #}
{% macro usual_spans() -%}
    4
{%- endmacro %}


{# Which span, each as long as that which a rule looks at, a day lies in: 0 is that which it looks at, 1 the one before. #}
{% macro span_of(day, moment, days) -%}
    ({{ utc_day(moment) }} - 1 - {{ day }}) / cast({{ days }} as integer)
{%- endmacro %}


{# What is usual, an aggregate over the spans of an account: as much as it came to in all but one of the usual_spans(), so
   that a single busy span makes nothing usual. `span` is 0 for the one that the rule looks at. #}
{% macro usual_amount(amount, span) -%}
    coalesce((array_agg({{ amount }} order by {{ amount }} desc) filter (where {{ span }} > 0))[{{ usual_spans() }} - 1], 0)
{%- endmacro %}


{# A CTE's select: what each account did on each of the days that the moments of the CTE `asked` look back on, of the columns
   `counted` of int_user_activity_to_date; a row a moment, account, day and counts_from. `days` is how far back it looks,
   in terms of `asked`. #}
{% macro account_days_asked(counted, days) -%}
    with

    daily as (

        select
            daily.account_id,
            daily.activity_date,
            daily.counts_from,
            {%- for column in counted %}
            sum(daily.{{ column }}) as {{ column }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ ref('int_user_activity_to_date') }} as daily
        where
            {{ in_days_asked('daily.activity_date', days) }}
        group by daily.account_id, daily.activity_date, daily.counts_from

    ),

    days_of_accounts as materialized (

        select
            days_asked.as_of,
            daily.*
        from {{ days_looked_back_on(days) }} as days_asked
        inner join daily on days_asked.looked_back_on = daily.activity_date

    )

    select * from days_of_accounts
{%- endmacro %}


{# A CTE's select: how often each of the CTE `customers` used each feature of the CTE `watched` in its last `days`
   (uses_now), and how often it usually does in so many days (usual_uses, see usual_amount). #}
{% macro features_used() -%}
    with

    feature_days as (

        select
            daily.account_id,
            daily.feature,
            daily.activity_date,
            daily.counts_from,
            sum(daily.uses) as uses
        from {{ ref('int_feature_usage_to_date') }} as daily
        where
            {{ in_days_asked('daily.activity_date', '%s * asked.days' % (usual_spans() | int + 1)) }}
            and daily.feature in (select watched.feature from watched)
        group by daily.account_id, daily.feature, daily.activity_date, daily.counts_from

    ),

    feature_days_asked as materialized (

        select
            days_asked.as_of,
            feature_days.*
        from {{ days_looked_back_on('%s * asked.days' % (usual_spans() | int + 1)) }} as days_asked
        inner join feature_days on days_asked.looked_back_on = feature_days.activity_date

    ),

    spans as (

        select
            customers.as_of,
            customers.account_id,
            feature_days_asked.feature,
            {{ span_of('feature_days_asked.activity_date', 'customers.as_of', 'customers.days') }} as span,
            sum(feature_days_asked.uses) as uses
        from customers
        inner join feature_days_asked
            on
                customers.as_of = feature_days_asked.as_of
                and customers.account_id = feature_days_asked.account_id
                and {{ in_last_days(
                    'feature_days_asked.activity_date', 'customers.as_of', '%s * customers.days' % (usual_spans() | int + 1)
                ) }}
                and feature_days_asked.counts_from <= {{ utc_day('customers.as_of') }}
        group by customers.as_of, customers.account_id, feature_days_asked.feature, span

    )

    select
        as_of,
        account_id,
        feature,
        coalesce(sum(uses) filter (where span = 0), 0) as uses_now,
        {{ usual_amount('uses', 'span') }} as usual_uses
    from spans
    group by as_of, account_id, feature
{%- endmacro %}


{# How many days usually lie between days of use: the days from the `looks_back` days before the moment, or from
   `created_on`, up to the last day of use, for each day of use among them. #}
{% macro usual_gap(moment, looks_back, created_on, last_on, days_used) -%}
    cast(
        {{ last_on }} - greatest({{ utc_day(moment) }} - cast({{ looks_back }} as integer), {{ created_on }}) + 1
        as double precision
    ) / {{ days_used }}
{%- endmacro %}


{# A CTE's select: the steps of the onboarding of accounts that are young enough at one of the moments, by the CTE
   `parameters`. A step without a beginning was due when the account signed up. #}
{% macro onboarding_steps() -%}
    select
        progress.account_id,
        progress.step,
        progress.position,
        progress.completed_at,
        progress._loaded_at,
        accounts.tier,
        accounts.created_at,
        accounts.churned_at,
        accounts.held_from,
        accounts.held_until,
        coalesce(progress.started_at, accounts.created_at) as started_at
    from {{ ref('stg_onboarding_progress') }} as progress
    inner join {{ ref('int_accounts_over_time') }} as accounts on progress.account_id = accounts.account_id
    where {{ is_around_moments('accounts.created_at', '(select max(parameters.onboarding_days) from parameters)') }}
{%- endmacro %}


{# A rule about scores that fell to poor (severity 3) from a severity between `from_best` and `from_worst`. #}
{% macro fell_to_poor(moments, from_best, from_worst) -%}
select
    moments.as_of,
    changes.account_id,
    cast(changes.week as text) as entity,
    changes.to_score as measured,
    changes.from_score as held_against,
    jsonb_build_object('from_score', changes.from_score, 'to_score', changes.to_score, 'cause', changes.cause) as facts
from {{ moments }} as moments
inner join {{ source('cs', 'score_changes') }} as changes
    on
        changes.week <= {{ last_week_before('moments.as_of') }}
        and changes.week > {{ last_week_before('moments.as_of') }} - 14 - {{ days_of_news() }}
        and {{ in_weeks_asked('changes.week', since=weeks_of_news() | int) }}
where
    changes.from_severity between {{ from_best }} and {{ from_worst }}
    and changes.to_severity = 3
    and changes.cause != 'model_version'
    -- A score that is held because its sources are stale says nothing new.
    and not exists (
        select 1
        from {{ source('cs', 'health_scores') }} as scores
        where
            scores.account_id = changes.account_id
            and scores.week = changes.week
            and {{ in_weeks_asked('scores.week', since=weeks_of_news() | int) }}
            and scores.is_active
            and scores.status = 'held'
    )
{%- endmacro %}
