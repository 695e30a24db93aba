-- The next state of every alert of a rule at a moment. alert_rows holds what the rule found then, alert_news those rows
-- of it for which no open alert stands.
with beside_the_found as (
    select
        alerts.*,
        found.entity is not null as is_seen,
        left_accounts.account_id is not null as has_left,
        found.measured as measured_now,
        found.held_against as held_against_now,
        found.facts as facts_now
    from alerts
    left join alert_rows as found
        on
            found.as_of = %(as_of)s
            and alerts.account_id = found.account_id
            and alerts.entity = found.entity
    left join {accounts} as left_accounts
        on alerts.account_id = left_accounts.account_id and left_accounts.churned_at <= %(as_of)s
    where alerts.rule = %(rule)s and alerts.state in ('pending', 'firing', 'recovering')
),

next_states as (
    select
        *,
        case
            when state = 'pending' and (has_left or not is_seen) then 'gone'
            when state = 'pending' and %(clock)s - since_clock < %(hold_for)s then 'pending'
            when state = 'pending' then 'firing'
            when has_left then 'closed'
            when
                not is_seen
                and %(nature)s = 'state'
                and (%(is_changed)s or missing + 1 >= %(resolve_after)s)
                then 'resolved'
            when fired_at + %(expires_after)s::interval <= %(as_of)s then 'closed'
            when not is_seen and %(nature)s = 'state' then 'recovering'
            else 'firing'
        end as next_state
    from beside_the_found
),

decided as (
    select
        *,
        case
            when next_state = 'closed' and has_left then 'account_left'
            when next_state = 'closed' then 'expired'
            when next_state = 'resolved' and %(is_changed)s then 'rule_changed'
            when next_state = 'resolved' then 'condition'
        end as next_cause
    from next_states
),

updated as (
    update alerts
    set
        state = decided.next_state,
        cause = decided.next_cause,
        version = %(version)s,
        severity = %(severity)s,
        seen_at = case
            when decided.is_seen then %(as_of)s
            when decided.missing = 0 then %(seen_before)s
            else decided.seen_at
        end,
        fired_at = case
            when decided.state = 'pending' and decided.next_state = 'firing' then %(as_of)s else decided.fired_at
        end,
        missing = case when decided.is_seen or %(nature)s = 'event' then 0 else decided.missing + 1 end,
        missing_since = case when not decided.is_seen then coalesce(decided.missing_since, %(as_of)s) end,
        missing_clock = case when not decided.is_seen then coalesce(decided.missing_clock, %(clock)s) end,
        ended_at = case
            when decided.next_state = 'resolved' then coalesce(decided.missing_since, %(as_of)s)
            when decided.next_state = 'closed' then %(as_of)s
        end,
        measured = case when decided.is_seen then decided.measured_now else decided.measured end,
        held_against = case when decided.is_seen then decided.held_against_now else decided.held_against end,
        facts = case when decided.is_seen then decided.facts_now else decided.facts end
    from decided
    where
        alerts.alert_id = decided.alert_id
        and decided.next_state <> 'gone'
        and (
            decided.next_state <> decided.state
            or decided.next_state = 'recovering'
            or (decided.version <> %(version)s)
            or (decided.severity <> %(severity)s)
            or (
                decided.is_seen
                and (decided.measured, decided.held_against, decided.facts)
                is distinct from (decided.measured_now, decided.held_against_now, decided.facts_now)
            )
        )
),

gone as (
    delete from alerts
    using decided
    where alerts.alert_id = decided.alert_id and decided.next_state = 'gone'
),

reopened as (
    update alerts
    set
        state = 'firing',
        cause = null,
        version = %(version)s,
        severity = %(severity)s,
        seen_at = %(as_of)s,
        missing = 0,
        missing_since = null,
        missing_clock = null,
        ended_at = null,
        reopened = alerts.reopened + 1,
        measured = alert_news.measured,
        held_against = alert_news.held_against,
        facts = alert_news.facts
    from alert_news
    inner join alerts as past on alert_news.reopens = past.alert_id
    where alerts.alert_id = past.alert_id
    returning alerts.alert_id, alerts.account_id, alerts.entity, alerts.measured, past.state as from_state
),

begun as (
    insert into alerts (
        rule, account_id, entity, state, version, severity, since, since_clock, seen_at, fired_at, is_baseline,
        measured, held_against, facts
    )
    select
        %(rule)s,
        account_id,
        entity,
        case when %(hold_for)s > 0 then 'pending' else 'firing' end,
        %(version)s,
        %(severity)s,
        %(as_of)s,
        %(clock)s,
        %(as_of)s,
        case when %(hold_for)s > 0 then null else %(as_of)s::timestamptz end,
        %(is_quiet)s,
        measured,
        held_against,
        facts
    from alert_news
    where reopens is null
    order by account_id, entity
    returning alert_id, account_id, entity, state, measured
),

-- Closed, and found no longer: from now on the same is news again.
over as (
    update alerts
    set missing_since = %(as_of)s
    where
        alerts.rule = %(rule)s
        and alerts.state = 'closed'
        and alerts.missing_since is null
        and not exists (
            select 1
            from alert_rows as found
            where
                found.as_of = %(as_of)s
                and alerts.account_id = found.account_id
                and alerts.entity = found.entity
        )
),

changed as (
    select
        alert_id,
        account_id,
        entity,
        state as from_state,
        next_state as to_state,
        next_cause as cause,
        measured_now as measured
    from decided
    where next_state <> state
    union all
    select
        alert_id,
        account_id,
        entity,
        from_state,
        'firing',
        null,
        measured
    from reopened
    union all
    select
        alert_id,
        account_id,
        entity,
        null,
        state,
        null,
        measured
    from begun
),

written as (
    insert into alert_changes (
        alert_id, rule, account_id, entity, as_of, from_state, to_state, cause, version, measured
    )
    select
        alert_id,
        %(rule)s,
        account_id,
        entity,
        %(as_of)s,
        from_state,
        to_state,
        cause,
        %(version)s,
        measured
    from changed
    order by account_id, entity
    returning alert_id, from_state, to_state, cause
)

select
    count(*) filter (where to_state = 'firing' and (from_state is null or from_state = 'pending'))::integer as fired,
    count(*) filter (where to_state = 'resolved')::integer as resolved,
    count(*) filter (where to_state = 'closed')::integer as closed,
    array_agg(alert_id order by alert_id) filter (where to_state = 'resolved' and cause = 'condition') as over_now,
    array_agg(alert_id order by alert_id)
    filter (where to_state = 'firing' and from_state in ('resolved', 'closed')) as reopened
from written
