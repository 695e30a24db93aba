with decided as (
    select distinct on (playbook, account_id)
        playbook,
        account_id,
        enrolled_at as since,
        playbook_version,
        (enrolled_at at time zone 'UTC')::date as decided_on,
        status = 'refused' as is_held_out
    from cs.enrolments
    where
        (status <> 'refused' or reason = 'hold_out')
        and (%(playbook)s::text is null or playbook = %(playbook)s)
    order by playbook, account_id, enrolled_at, enrolment_id
)

select
    decided.playbook,
    decided.account_id,
    decided.is_held_out,
    decided.playbook_version,
    decided.since as decided_at,
    renewal.has_renewed,
    case
        when decided.since + %(leaves_within)s <= %(now)s
            then coalesce(accounts.churned_at between decided.since and decided.since + %(leaves_within)s, false)
    end as has_left,
    case when decided.since + %(scored_after)s <= %(now)s then later.score - earlier.score end as score_change
from decided
left join marts.dim_accounts as accounts on decided.account_id = accounts.account_id
left join lateral (
    select
        coalesce(terms.successor_started_on <= terms.renews_on + %(settled_days)s, false)
        or (
            terms.renewal_type = 'auto'
            and coalesce(terms.ended_on > terms.renews_on, terms.successor_started_on is null)
            and coalesce(accounts.churned_at::date > terms.renews_on, true)
        ) as has_renewed
    from marts.fct_subscription_terms as terms
    where
        terms.account_id = decided.account_id
        and terms.renews_on > decided.decided_on
        and terms.renews_on <= decided.decided_on + %(renews_days)s
        and terms.renews_on + %(settled_days)s <= %(now)s::date
        and not terms.is_addon
        and not terms.is_trial
    order by terms.renews_on, terms.subscription_id
    limit 1
) as renewal on true
left join lateral (
    select scores.score
    from cs.health_scores as scores
    where
        scores.account_id = decided.account_id
        and scores.is_active
        and scores.week between decided.decided_on - 42 and decided.decided_on - 7
    order by scores.week desc
    limit 1
) as earlier on true
left join lateral (
    select scores.score
    from cs.health_scores as scores
    where
        scores.account_id = decided.account_id
        and scores.is_active
        and scores.week between decided.decided_on + %(scored_days)s - 13 and decided.decided_on + %(scored_days)s - 7
    order by scores.week desc
    limit 1
) as later on true
order by decided.playbook, decided.account_id
