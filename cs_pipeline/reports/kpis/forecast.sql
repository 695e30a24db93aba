with listed as materialized (
    select
        forecasts.week,
        forecasts.subscription_id,
        forecasts.renewal_date,
        forecasts.account_id,
        accounts.account_name,
        accounts.owner_email,
        forecasts.tier,
        forecasts.mrr,
        scores.band,
        scores.score,
        forecasts.history,
        forecasts.history_renewed,
        forecasts.likelihood,
        forecasts.low,
        forecasts.high,
        forecasts.csm_call,
        renewals.outcome,
        forecasts.mrr * (1 - coalesce(forecasts.likelihood, 0.5)) as mrr_at_stake
    from cs.renewal_forecasts as forecasts
    left join marts.dim_accounts as accounts on forecasts.account_id = accounts.account_id
    left join cs.health_scores as scores
        on
            forecasts.account_id = scores.account_id
            and forecasts.week = scores.week
            and scores.is_active
    left join marts.fct_renewals as renewals
        on
            forecasts.account_id = renewals.account_id
            and forecasts.subscription_id = renewals.subscription_id
            and forecasts.renewal_date = renewals.renewal_date
    where
        forecasts.week = %(week)s
        and (%(owner)s::text is null or lower(accounts.owner_email) = lower(%(owner)s))
    order by mrr_at_stake desc, forecasts.renewal_date asc, forecasts.subscription_id asc
    limit %(limit)s
)

select
    listed.week,
    listed.subscription_id,
    listed.renewal_date,
    listed.account_id,
    listed.account_name,
    listed.owner_email,
    listed.tier,
    listed.mrr,
    listed.band,
    listed.score,
    listed.history,
    listed.history_renewed,
    listed.likelihood,
    listed.low,
    listed.high,
    coalesce(calls.likelihood, listed.csm_call) as csm_call,
    calls.reason as call_reason,
    calls.called_by,
    calls.called_at,
    listed.outcome,
    listed.mrr_at_stake
from listed
left join
    lateral (
        select
            renewal_calls.likelihood,
            renewal_calls.reason,
            renewal_calls.called_by,
            renewal_calls.called_at
        from cs.renewal_calls
        where
            renewal_calls.subscription_id = listed.subscription_id
            and renewal_calls.renewal_date = listed.renewal_date
            and (%(called_before)s::timestamptz is null or renewal_calls.called_at < %(called_before)s)
        order by renewal_calls.called_at desc, renewal_calls.call_id desc
        limit 1
    ) as calls
    on true
order by listed.mrr_at_stake desc, listed.renewal_date asc, listed.subscription_id asc
