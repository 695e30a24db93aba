-- Write who is to be told of alerts of one rule, and when: at once, or in the next digest of theirs.
with asked as (
    select
        alert_id,
        kind
    from unnest(%(alert_ids)s::bigint[], %(kinds)s::text[]) as asked (alert_id, kind)
),

fixed as (
    select
        role,
        recipient
    from unnest(%(fixed_roles)s::text[], %(fixed_recipients)s::text[]) as fixed (role, recipient)
),

-- Nobody knew: the first of the chain who is known; in an escalation, the first who was not told.
routed as (
    select
        alerts.alert_id,
        asked.kind,
        reached.role,
        reached.recipient
    from asked
    inner join cs.alerts using (alert_id)
    left join {accounts} as accounts on alerts.account_id = accounts.account_id
    cross join
        lateral (
            select
                candidates.role,
                candidates.recipient
            from (
                select
                    links.role,
                    links.place,
                    coalesce(
                        case links.role
                            when 'owner' then cs.address_of(accounts.owner_email)
                            when 'manager' then cs.address_of(accounts.manager_email)
                            when 'executive' then cs.address_of(accounts.executive_email)
                        end,
                        fixed.recipient
                    ) as recipient
                from unnest(%(chain)s::text[]) with ordinality as links (role, place)
                left join fixed on links.role = fixed.role
            ) as candidates
            where
                candidates.recipient is not null
                and not (
                    asked.kind = 'escalation'
                    and exists (
                        select 1
                        from cs.alert_notifications as told
                        where
                            told.alert_id = alerts.alert_id
                            and told.fired_at = alerts.fired_at
                            and told.recipient = candidates.recipient
                    )
                )
            order by candidates.place
            limit 1
        ) as reached
    where asked.kind in ('new', 'escalation')
),

-- Somebody knew: those who do, each in the role in which they were told first.
known as (
    select distinct on (alerts.alert_id, asked.kind, told.recipient)
        alerts.alert_id,
        asked.kind,
        told.role,
        told.recipient
    from asked
    inner join cs.alerts using (alert_id)
    inner join cs.alert_notifications as told using (alert_id, fired_at)
    where
        asked.kind in ('reminder', 'reopened', 'resolved')
        and told.kind in ('new', 'escalation')
        and told.notice_id is not null
        and (told.kind = 'new' or asked.kind = 'resolved')
    order by alerts.alert_id, asked.kind, told.recipient, told.notification_id
),

to_tell as (
    select * from routed
    union all
    select * from known
),

numbered as (
    select
        alerts.alert_id,
        alerts.rule,
        alerts.account_id,
        alerts.fired_at,
        to_tell.kind,
        case to_tell.kind
            when 'reopened' then greatest(alerts.reopened, 1)
            when 'reminder'
                then
                    1 + (
                        select count(*)
                        from cs.alert_notifications as before
                        where
                            before.alert_id = alerts.alert_id
                            and before.fired_at = alerts.fired_at
                            and before.kind = 'reminder'
                            and before.recipient = to_tell.recipient
                    )
            else 1
        end as nth,
        to_tell.recipient,
        to_tell.role,
        to_tell.kind = 'reopened' or (%(is_in_digest)s and to_tell.kind <> 'escalation') as is_in_digest
    from to_tell
    inner join cs.alerts using (alert_id)
)

insert into cs.alert_notifications (
    alert_id, rule, account_id, fired_at, kind, nth, recipient, role, created_at, is_in_digest, due_at
)
select
    numbered.alert_id,
    numbered.rule,
    numbered.account_id,
    numbered.fired_at,
    numbered.kind,
    numbered.nth,
    numbered.recipient,
    numbered.role,
    %(now)s,
    numbered.is_in_digest,
    case
        when not numbered.is_in_digest then %(now)s
        when mornings.is_now then %(now)s
        else mornings.next_at
    end
from numbered
left join unnest(%(persons)s::text[], %(zones)s::text[]) as persons (recipient, zone)
    on numbered.recipient = persons.recipient
cross join
    lateral ( -- noqa: ST05
        select
            min(days.starts_at) filter (where days.starts_at > %(now)s) as next_at,
            -- What comes in the morning, before or after a digest that is not out yet, goes with this morning's.
            coalesce(bool_or(
                days.starts_at <= %(now)s
                and %(now)s < days.starts_at + interval '3 hours'
                and not exists (
                    select 1
                    from cs.alert_notifications as before
                    where
                        before.recipient = numbered.recipient
                        and before.is_in_digest
                        and before.notice_id is not null
                        and before.due_at >= days.starts_at
                )
            ), false) as is_now
        from generate_series(0, 8) as numbers (nth)
        cross join
            lateral (
                select
                    (
                        date_trunc('day', %(now)s at time zone coalesce(persons.zone, %(zone)s))
                        + numbers.nth * interval '1 day'
                        + %(hour)s * interval '1 hour'
                    ) at time zone coalesce(persons.zone, %(zone)s) as starts_at,
                    extract(
                        isodow from
                        (%(now)s at time zone coalesce(persons.zone, %(zone)s)) + numbers.nth * interval '1 day'
                    )::integer as weekday
            ) as days
        where days.weekday = any(%(weekdays)s::integer[])
    ) as mornings
on conflict (alert_id, fired_at, kind, nth, recipient) do nothing
