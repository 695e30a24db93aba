-- A page of renewals: the account, the window that it is in, and what is planned until then (see renewals.py).
with chosen as materialized (
    select overview.*
    from cs.account_overview as overview
    where {asked}
    order by {ordered}
    limit %(limit)s offset %(offset)s
),

entered as materialized (
    select distinct on (windows.account_id)
        windows.account_id,
        windows.renewal_window,
        windows.opens_on,
        count(*) over (partition by windows.account_id, windows.renewal_window) as subscriptions
    from cs.renewal_windows as windows
    inner join chosen on windows.account_id = chosen.account_id and windows.renewal_date = chosen.renewal_date
    where windows.week >= %(first_week)s
    order by windows.account_id asc, windows.opens_on desc, windows.subscription_id asc
),

forecasts as materialized (
    select
        renewal_forecasts.account_id,
        renewal_forecasts.subscription_id,
        renewal_forecasts.renewal_date,
        renewal_forecasts.mrr,
        renewal_forecasts.likelihood,
        renewal_forecasts.low,
        renewal_forecasts.high
    from cs.renewal_forecasts
    inner join chosen
        on renewal_forecasts.account_id = chosen.account_id and renewal_forecasts.renewal_date = chosen.renewal_date
    where renewal_forecasts.week = (select max(newest.week) from cs.renewal_forecasts as newest)
),

-- What is expected of each of its subscriptions by the newest forecast, and what a person last said of it.
expected as (
    select
        forecasts.account_id,
        sum(forecasts.mrr * forecasts.likelihood) / nullif(sum(forecasts.mrr), 0) as likelihood,
        sum(forecasts.mrr * forecasts.low) / nullif(sum(forecasts.mrr), 0) as low,
        sum(forecasts.mrr * forecasts.high) / nullif(sum(forecasts.mrr), 0) as high,
        jsonb_agg(
            jsonb_build_object(
                'subscription_id', forecasts.subscription_id,
                'arr', 12 * forecasts.mrr,
                'call', calls.likelihood,
                'reason', calls.reason,
                'by', calls.called_by
            ) order by forecasts.mrr desc, forecasts.subscription_id asc
        ) as terms
    from forecasts
    left join lateral (
        select
            renewal_calls.likelihood,
            renewal_calls.reason,
            renewal_calls.called_by
        from cs.renewal_calls
        where
            renewal_calls.subscription_id = forecasts.subscription_id
            and renewal_calls.renewal_date = forecasts.renewal_date
        order by renewal_calls.called_at desc, renewal_calls.call_id desc
        limit 1
    ) as calls on true
    group by forecasts.account_id
)

select
    chosen.account_id,
    chosen.account_name,
    chosen.score,
    chosen.band,
    chosen.severity,
    chosen.is_at_risk,
    chosen.change,
    chosen.arr,
    chosen.tier,
    chosen.owner_email,
    chosen.renewal_date,
    chosen.renewal_type,
    chosen.has_cancellation_request,
    chosen.last_touch_on,
    chosen.renewal_date - %(today)s::date as days_left,
    entered.renewal_window,
    entered.opens_on,
    entered.subscriptions,
    expected.likelihood,
    expected.low,
    expected.high,
    coalesce(expected.terms, '[]'::jsonb) as terms,
    plays.titles as plays,
    planned.step as next_step,
    planned.channel as next_channel,
    planned.role as next_role,
    planned.due_at as next_at,
    planned.status as next_status
from chosen
left join entered on chosen.account_id = entered.account_id
left join expected on chosen.account_id = expected.account_id
left join lateral (
    select
        array_agg(distinct coalesce(playbooks.definition ->> 'title', enrolments.playbook))
            as titles
    from cs.enrolments as enrolments
    left join cs.playbooks as playbooks
        on
            enrolments.playbook = playbooks.playbook
            and enrolments.playbook_version = playbooks.playbook_version
    where enrolments.account_id = chosen.account_id and enrolments.status = 'active'
) as plays on true
left join lateral (
    select
        actions.step,
        actions.channel,
        actions.role,
        actions.due_at,
        actions.status
    from cs.actions as actions
    where actions.account_id = chosen.account_id and actions.status in ('planned', 'awaiting_approval')
    order by actions.due_at, actions.action_id
    limit 1
) as planned on true
order by {order_again}
