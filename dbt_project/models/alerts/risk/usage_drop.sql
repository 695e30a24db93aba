{%- set last_days = in_last_days('account_days.activity_date', 'customers.as_of', 'customers.days') %}

with

asked as (

    select
        moments.as_of,
        parameters.*
    from {{ moments() }} as moments
    cross join {{ alert_parameters(
        'usage_drop', {
            'days': 30,
            'events_share': 0.5,
            'events_before': 50,
            'logins_share': 0.5,
            'logins_before': 10,
            'campaigns_share': 0.3,
            'campaigns_before': 20
        }
    ) }} as parameters

),

customers as (

    {{ customers_asked() }}

),

account_days as (

    {{ account_days_asked(['events', 'logins', 'campaigns_sent'], '2 * asked.days') }}

),

both_windows as (

    select
        customers.as_of,
        customers.account_id,
    {%- for name in ['events', 'logins', 'campaigns_sent'] %}
    coalesce(sum(account_days.{{ name }}) filter (where {{ last_days }}), 0) as {{ name }}_now,
    coalesce(sum(account_days.{{ name }}) filter (where not ({{ last_days }})), 0) as {{ name }}_before
    {{- ',' if not loop.last }}
    {%- endfor %}
    from customers
    inner join account_days
        on
            customers.as_of = account_days.as_of
            and customers.account_id = account_days.account_id
            and {{ in_last_days('account_days.activity_date', 'customers.as_of', '2 * customers.days') }}
            and account_days.counts_from <= {{ utc_day('customers.as_of') }}
    where {{ utc_day('customers.as_of') }} - customers.created_on >= 2 * customers.days
    group by customers.as_of, customers.account_id

),

metrics as (

    {%- for metric, name in {'events': 'events', 'logins': 'logins', 'campaigns': 'campaigns_sent'}.items() %}
    {{ 'union all' if not loop.first }}
    select
        both_windows.as_of,
        both_windows.account_id,
        '{{ metric }}' as metric,
        both_windows.{{ name }}_now as uses_now,
        both_windows.{{ name }}_before as uses_before,
        customers.{{ metric }}_share as share
    from both_windows
    inner join customers
        on both_windows.as_of = customers.as_of and both_windows.account_id = customers.account_id
    where both_windows.{{ name }}_before >= customers.{{ metric }}_before
    {%- endfor %}

),

-- Decimal: in binary fractions a drop from 10 to 7 is more than 30 %.
drops as (

    select
        *,
        1 - cast(uses_now as numeric) / cast(uses_before as numeric) as drop_share
    from metrics

)


-- Of all events "50%+", of logins and campaigns "more than": as the sources say it.
select
    as_of,
    account_id,
    metric as entity,
    cast(drop_share as double precision) as measured,
    share as held_against,
    jsonb_build_object('now', uses_now, 'before', uses_before) as facts
from drops
where
    drop_share > cast(share as numeric)
    or (metric = 'events' and drop_share = cast(share as numeric))
