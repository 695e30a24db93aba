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
),

-- Each of these is joined by itself: where tables are spread over servers, none looks up rows of another, case by case.
accounts as materialized (
    select
        account_id,
        churned_at
    from marts.dim_accounts
    where account_id = any(array(select decided.account_id from decided))
),

decided_accounts as materialized (
    select
        decided.*,
        accounts.churned_at
    from decided
    left join accounts on decided.account_id = accounts.account_id
),

renewals as materialized (
    select distinct on (decided.playbook, decided.account_id)
        decided.playbook,
        decided.account_id,
        coalesce(terms.successor_started_on <= terms.renews_on + %(settled_days)s, false)
        or (
            terms.renewal_type = 'auto'
            and coalesce(terms.ended_on > terms.renews_on, terms.successor_started_on is null)
            and coalesce(decided.churned_at::date > terms.renews_on, true)
        ) as has_renewed
    from decided_accounts as decided
    inner join marts.fct_subscription_terms as terms
        on
            decided.account_id = terms.account_id
            and decided.decided_on < terms.renews_on
            and decided.decided_on + %(renews_days)s >= terms.renews_on
    where
        terms.renews_on + %(settled_days)s <= %(now)s::date
        and not terms.is_addon
        and not terms.is_trial
    order by decided.playbook, decided.account_id, terms.renews_on, terms.subscription_id
),

-- Of each the newest score of the weeks before the decision, and of those around the day it is compared with.
scores as materialized (
    select
        decided.playbook,
        scores.account_id,
        (
            array_agg(scores.score order by scores.week desc)
            filter (where scores.week <= decided.decided_on - 7)
        )[1] as earlier,
        (
            array_agg(scores.score order by scores.week desc)
            filter (where scores.week >= decided.decided_on - 13 + %(scored_days)s)
        )[1] as later
    from decided
    inner join cs.health_scores as scores
        on
            decided.account_id = scores.account_id
            and scores.week between decided.decided_on - 42 and decided.decided_on - 7 + %(scored_days)s
    where scores.is_active
    group by decided.playbook, scores.account_id
)

select
    decided.playbook,
    decided.account_id,
    decided.is_held_out,
    decided.playbook_version,
    decided.since as decided_at,
    renewals.has_renewed,
    case
        when decided.since + %(leaves_within)s <= %(now)s
            then coalesce(decided.churned_at between decided.since and decided.since + %(leaves_within)s, false)
    end as has_left,
    case
        when decided.since + %(scored_after)s <= %(now)s then scores.later - scores.earlier
    end as score_change
from decided_accounts as decided
left join renewals on decided.playbook = renewals.playbook and decided.account_id = renewals.account_id
left join scores on decided.playbook = scores.playbook and decided.account_id = scores.account_id
order by decided.playbook, decided.account_id
