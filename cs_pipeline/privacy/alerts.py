"""Forget a person in alerts: what rules found, what was decided and said about it, and the triggers made of it."""

from collections.abc import Sequence

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.privacy.person import Person, change


def forget_alerts(cursor: Cursor, person: Person, entities: Sequence[str]) -> dict[str, int]:
    """Names and addresses in what rules found, and all that is said in alerts about the person or what they wrote.

    An entity that is an address becomes its hash, so that the alert stays one of its own. A user's id stays, as it does
    in the rows that rules read: without it, the rule would tell of the same again. `entities`: as `entities_of`.
    """
    return {
        "cs.notices": change(cursor, _NOTICES, person, entities=entities),
        "cs.alerts": change(cursor, _ALERTS, person, entities=entities),
        "cs.alert_changes": change(
            cursor,
            "update cs.alert_changes set entity = 'erased:' || md5(lower(entity)) "
            "where lower(entity) = any(%(addresses)s::text[])",
            person,
        ),
        "cs.alert_silences": change(
            cursor,
            "update cs.alert_silences set reason = regexp_replace(reason, %(pattern)s, 'erased', 'gi') "
            "where reason ~* %(pattern)s",
            person,
        ),
        "cs.triggers": change(cursor, _TRIGGERS, person),
    }


_ALERTS = """
update cs.alerts
set
    entity = case
        when lower(entity) = any(%(addresses)s::text[]) then 'erased:' || md5(lower(entity)) else entity
    end,
    facts = case
        when entity = any(%(entities)s::text[]) or facts ->> 'user_id' = any(%(user_ids)s::text[]) then '{}'
        else regexp_replace(facts::text, %(pattern)s, 'erased', 'gi')::jsonb
    end,
    snooze_reason = regexp_replace(snooze_reason, %(pattern)s, 'erased', 'gi')
where
    (entity = any(%(entities)s::text[]) or facts ->> 'user_id' = any(%(user_ids)s::text[])) and facts <> '{}'
    or lower(entity) = any(%(addresses)s::text[])
    or facts::text ~* %(pattern)s
    or snooze_reason ~* %(pattern)s
"""
_NOTICES = """
update cs.notices
set subject = 'erased', body = 'erased', html = null, blocks = null
where
    subject <> 'erased'
    and notice_id in (
        select told.notice_id
        from cs.alert_notifications as told
        inner join cs.alerts using (alert_id)
        where
            (
                alerts.entity = any(%(entities)s::text[])
                or alerts.facts ->> 'user_id' = any(%(user_ids)s::text[])
            )
            and alerts.facts <> '{}'
    )
"""
_TRIGGERS = """
update cs.triggers
set
    subject_id = case
        when lower(subject_id) = any(%(addresses)s::text[]) then 'erased:' || md5(lower(subject_id)) else subject_id
    end,
    facts = regexp_replace(facts::text, %(pattern)s, 'erased', 'gi')::jsonb,
    trigger_key = case
        when trigger_key ~* %(pattern)s then 'alert:erased:' || md5(lower(trigger_key)) else trigger_key
    end
where kind = 'alert' and (facts::text ~* %(pattern)s or trigger_key ~* %(pattern)s)
"""
