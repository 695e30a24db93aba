"""From enrolments to actions: every step of the play at once, with its day and its recipient."""

from datetime import datetime, timedelta

import pandas as pd
from psycopg2.extensions import connection as Session
from psycopg2.extras import execute_values

from cs_pipeline.plays.enrolment import recipients
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.playbooks import business_days
from cs_pipeline.plays.playbooks.schema import Playbook, Step

ACTION_COLUMNS = (
    "action_key",
    "enrolment_id",
    "playbook",
    "step",
    "account_id",
    "channel",
    "role",
    "recipient",
    "recipient_user_id",
    "intent",
    "due_at",
    "expires_at",
    "status",
    "reason",
)


def plan(session: Session, playbook: Playbook, enrolments: pd.DataFrame, as_of: AsOf) -> pd.DataFrame:
    """Write the actions of new `enrolments`, and return them (columns ACTION_COLUMNS).

    `enrolments` has the columns enrolment_id, account_id, trigger_key, occurred_at, anchor_on, country, timezone. A
    step that nobody can receive is written as failed, one whose time is past as suppressed: both stay visible.
    """
    if enrolments.empty:
        return pd.DataFrame(columns=list(ACTION_COLUMNS))
    steps = pd.DataFrame({"definition": list(playbook.steps)}, dtype="object")
    actions = enrolments.merge(steps, how="cross")
    for column, attribute in [("step", "step"), ("channel", "channel"), ("role", "to"), ("intent", "intent")]:
        actions[column] = [getattr(step, attribute) for step in actions["definition"]]
    actions["playbook"] = playbook.playbook
    actions["action_key"] = f"{playbook.playbook}/" + actions["step"] + "/" + actions["trigger_key"]
    actions["due_at"] = due_moments(playbook, actions)
    actions["expires_at"] = actions["due_at"] + timedelta(days=playbook.stale_after_days)
    actions = actions.join(recipients.resolve(session, actions, as_of))
    actions["status"], actions["reason"] = _first_status(actions, as_of.now)
    rows = actions[list(ACTION_COLUMNS)].astype("object")
    rows = rows.where(rows.notna(), None)
    with session.cursor() as cursor:
        execute_values(
            cursor,
            f"insert into cs.actions ({', '.join(ACTION_COLUMNS)}) values %s",
            rows.itertuples(index=False, name=None),
            page_size=1_000,
        )
    return rows


def due_moments(playbook: Playbook, actions: pd.DataFrame) -> pd.Series:
    """When each action is due. Day 0 is at once, except for a renewal date, which is a day like any other.

    `actions` has the columns definition (a Step), occurred_at, anchor_on, country, timezone.
    """
    is_dated = playbook.trigger.kind == "renewal_window"

    def moment(step: Step, occurred_at: datetime, anchor_on: object, country: object, timezone: object) -> datetime:
        if step.day == 0 and not is_dated:
            return occurred_at
        day = pd.Timestamp(anchor_on).date()  # pyright: ignore[reportArgumentType]
        return business_days.due_at(day, step.day, step.days, _text(country), _text(timezone))

    keys = ["definition", "occurred_at", "anchor_on", "country", "timezone"]
    known: dict[tuple[object, ...], datetime] = {}
    due = []
    for step, *rest in actions[keys].itertuples(index=False, name=None):
        key = (step.step, *rest)
        if key not in known:
            known[key] = moment(step, *rest)
        due.append(known[key])
    return pd.Series(pd.to_datetime(due, utc=True), index=actions.index)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _first_status(actions: pd.DataFrame, now: datetime) -> tuple[pd.Series, pd.Series]:
    status = pd.Series("planned", index=actions.index, dtype="object")
    reason = pd.Series(None, index=actions.index, dtype="object")
    status[[step.waits_for_approval for step in actions["definition"]]] = "awaiting_approval"
    for is_so, final, why in (
        (actions["recipient"].isna(), "failed", "no_recipient"),
        (actions["expires_at"] <= now, "suppressed", "stale"),
    ):
        status[is_so], reason[is_so] = final, why
    return status, reason
