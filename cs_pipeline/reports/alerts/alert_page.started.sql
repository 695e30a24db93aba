-- Plays that an alert started, or might have: the trigger is named by when the alert fired (see triggers/alerts.sql).
select
    enrolments.playbook,
    coalesce(playbooks.definition ->> 'title', enrolments.playbook) as title,
    enrolments.status,
    enrolments.reason,
    enrolments.enrolled_at,
    enrolments.ended_at
from cs.alerts as alerts
inner join cs.triggers as triggers
    on
        triggers.trigger_key = concat_ws(
            ':',
            'alert',
            alerts.rule,
            alerts.account_id,
            nullif(alerts.entity, alerts.account_id),
            extract(epoch from alerts.fired_at)::bigint
        )
inner join cs.enrolments as enrolments on triggers.trigger_id = enrolments.trigger_id
left join cs.playbooks as playbooks
    on
        enrolments.playbook = playbooks.playbook
        and enrolments.playbook_version = playbooks.playbook_version
where alerts.alert_id = %(alert_id)s
order by enrolments.status = 'refused', enrolments.playbook
