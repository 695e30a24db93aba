with told as materialized (
    select
        actions.action_id,
        actions.action_key,
        actions.account_id,
        actions.playbook,
        actions.step,
        actions.channel,
        actions.role,
        actions.status,
        actions.reason,
        actions.delivery,
        actions.sent_at,
        actions.provider_id,
        enrolments.playbook_version,
        enrolments.enrolled_at,
        enrolments.status as play_status,
        enrolments.reason as play_reason,
        playbooks.definition ->> 'title' as title,
        triggers.kind,
        triggers.trigger_key,
        triggers.occurred_at,
        triggers.facts::text as facts,
        coalesce(triggers.week, (triggers.occurred_at at time zone 'UTC')::date - 7) as newest_week
    from cs.actions
    inner join cs.enrolments using (enrolment_id)
    inner join cs.playbooks
        on
            enrolments.playbook = playbooks.playbook
            and enrolments.playbook_version = playbooks.playbook_version
    inner join cs.triggers using (trigger_id)
    where actions.action_id = %(action_id)s
),

-- The score that counted then.
scores as materialized (
    select
        health_scores.week,
        health_scores.model,
        health_scores.model_version
    from told
    inner join cs.health_scores
        on told.account_id = health_scores.account_id and told.newest_week >= health_scores.week
    where health_scores.is_active
    order by health_scores.week desc
    limit 1
)

select
    told.*,
    scores.week as score_week,
    scores.model,
    scores.model_version,
    scored_weeks.scored_at,
    scored_weeks.newest_load_id
from told
left join scores on true
left join cs.scored_weeks
    on
        scores.week = scored_weeks.week
        and scores.model = scored_weeks.model
        and scores.model_version = scored_weeks.model_version
