-- What the newest forecast expects, by the month in which renewals are (see forecast.py).
with forecasts as (
    select
        renewal_forecasts.mrr,
        renewal_forecasts.likelihood,
        renewal_forecasts.low,
        renewal_forecasts.high,
        renewal_forecasts.subscription_id,
        renewal_forecasts.renewal_date
    from cs.renewal_forecasts
    left join cs.account_overview as overview on renewal_forecasts.account_id = overview.account_id
    where
        renewal_forecasts.week = (select max(newest.week) from cs.renewal_forecasts as newest)
        and (%(until)s::date is null or renewal_forecasts.renewal_date <= %(until)s)
        and (%(owner)s = '' or lower(overview.owner_email) = lower(%(owner)s))
        and (%(type)s = '' or overview.renewal_type = %(type)s)
        and (not %(at_risk)s or overview.is_at_risk)
),

calls as (
    select distinct on (renewal_calls.subscription_id, renewal_calls.renewal_date)
        renewal_calls.subscription_id,
        renewal_calls.renewal_date,
        renewal_calls.likelihood
    from cs.renewal_calls
    inner join forecasts
        on
            renewal_calls.subscription_id = forecasts.subscription_id
            and renewal_calls.renewal_date = forecasts.renewal_date
    order by
        renewal_calls.subscription_id asc,
        renewal_calls.renewal_date asc,
        renewal_calls.called_at desc,
        renewal_calls.call_id desc
)

select
    date_trunc('month', forecasts.renewal_date)::date as month,
    count(*)::integer as renewals,
    12 * sum(forecasts.mrr) as arr,
    12 * sum(forecasts.mrr * forecasts.likelihood) as expected,
    12 * sum(forecasts.mrr * forecasts.low) as low,
    12 * sum(forecasts.mrr * forecasts.high) as high,
    count(calls.likelihood)::integer as called,
    12 * sum(forecasts.mrr * coalesce(calls.likelihood, forecasts.likelihood)) as by_csm
from forecasts
left join calls
    on forecasts.subscription_id = calls.subscription_id and forecasts.renewal_date = calls.renewal_date
group by date_trunc('month', forecasts.renewal_date)
order by date_trunc('month', forecasts.renewal_date)
