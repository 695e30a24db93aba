-- What happened to an account, and what comes, but for alerts, whose words are not in SQL (see account.py).
with plays as (
    select
        enrolments.enrolled_at,
        enrolments.ended_at,
        enrolments.status,
        enrolments.reason,
        playbooks.definition ->> 'title' as title
    from cs.enrolments as enrolments
    inner join cs.playbooks as playbooks using (playbook, playbook_version)
    where enrolments.account_id = %(account_id)s and enrolments.status <> 'refused'
),

moments as (

    select
        plays.enrolled_at as at,
        'play' as kind,
        plays.title || ' began' as what,
        null::text as reason,
        null::bigint as action_id
    from plays

    union all

    select
        plays.ended_at,
        'play',
        plays.title || ' ended',
        plays.reason,
        null
    from plays
    where plays.ended_at is not null

    union all

    select
        actions.sent_at,
        case when actions.channel = 'crm' then 'task' else 'message' end,
        concat(
            replace(actions.step, '_', ' '), ' (', actions.channel, ' to the ', replace(actions.role, '_', ' '), ')'
        ),
        null,
        actions.action_id
    from cs.actions as actions
    where actions.account_id = %(account_id)s and actions.status = 'sent' and actions.enrolment_id is not null

    union all

    select
        tickets.created_at,
        'ticket',
        concat('Ticket, ', tickets.priority, ': ', coalesce(tickets.subject, tickets.ticket_id)),
        case when tickets.resolved_at <= %(now)s then 'solved' else 'open' end,
        null
    from staging.stg_tickets as tickets
    where tickets.account_id = %(account_id)s

    union all

    select
        coalesce(touchpoints.held_at, touchpoints.scheduled_at),
        'call',
        case
            when touchpoints.kind in ('qbr', 'ebr') then upper(touchpoints.kind)
            else upper(left(touchpoints.kind, 1)) || replace(substr(touchpoints.kind, 2), '_', ' ')
        end || case
            when touchpoints.is_missed then ', missed'
            when touchpoints.held_at is null and touchpoints.scheduled_at > %(now)s then ', planned'
            else ''
        end || coalesce(': ' || notes.note, ''),
        touchpoints.owner_email,
        null
    from staging.stg_touchpoints as touchpoints
    left join cs.conversation_notes as notes on touchpoints.touchpoint_id = notes.touchpoint_id
    where touchpoints.account_id = %(account_id)s

    union all

    select
        terms.started_on::timestamp at time zone 'UTC',
        'contract',
        concat(
            'Contract of ',
            coalesce(terms.plan, terms.product),
            ', ',
            ltrim(to_char(terms.mrr * 12, '999,999,999,990')),
            ' a year, began'
        ),
        null,
        null
    from marts.fct_subscription_terms as terms
    where terms.account_id = %(account_id)s

    union all

    select
        windows.opens_on::timestamp at time zone 'UTC',
        'renewal',
        concat('Renewal of ', windows.renewal_date, ': window ', windows.renewal_window, ' opened'),
        windows.renewal_type,
        null
    from cs.renewal_windows as windows
    where windows.account_id = %(account_id)s and windows.origin <> 'backfill'

    union all

    select
        requests.requested_at,
        'risk',
        'Asked to cancel',
        requests.reason,
        null
    from staging.stg_cancellation_requests as requests
    where requests.account_id = %(account_id)s

    union all

    select
        feedback.created_at,
        'feedback',
        concat(
            upper(left(feedback.kind, 1)), replace(substr(feedback.kind, 2), '_', ' '), ': ', left(feedback.body, 200)
        ),
        null,
        null
    from staging.stg_feedback as feedback
    where feedback.account_id = %(account_id)s

)

select
    moments.at,
    moments.kind,
    moments.what,
    moments.reason,
    moments.action_id
from moments
where
    moments.at is not null
    and moments.at <= %(until)s
    and moments.kind = any(%(kinds)s)
order by moments.at desc
limit %(limit)s
