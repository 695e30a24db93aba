"""Plan the actions of enrolments: every step of the play at once, with its day and its recipient.

Whether an action goes out when its day has come belongs to `delivery`.
"""

from datetime import datetime, timedelta

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.plays.enrolment import recipients
from cs_pipeline.plays.enrolment.play_store import PLANNED_COLUMNS, PlayStore
from cs_pipeline.plays.facts.query import AsOf, text_or_none
from cs_pipeline.plays.playbooks import business_days
from cs_pipeline.plays.playbooks.schema import Playbook, Step
from cs_pipeline.plays.reasons import NO_RECIPIENT

ACTION_COLUMNS = (*PLANNED_COLUMNS, "definition")


def plan(session: Session, store: PlayStore, playbook: Playbook, enrolments: pd.DataFrame, as_of: AsOf) -> pd.DataFrame:
    """Plan the actions of new `enrolments`, and return them (columns ACTION_COLUMNS).

    `enrolments` has the columns enrolment_id, trigger_key, decided_at and those that `expand` asks for. A step that
    nobody can receive is kept as failed, one whose time was past when it was decided on as suppressed: both stay
    visible.
    """
    if enrolments.empty:
        return pd.DataFrame(columns=list(ACTION_COLUMNS))
    actions = expand(playbook, enrolments)
    actions["action_key"] = f"{playbook.playbook}/" + actions["step"] + "/" + actions["trigger_key"]
    actions = actions.join(recipients.resolve(session, actions, as_of))
    actions["status"], actions["reason"] = _first_status(actions)
    rows = actions[list(ACTION_COLUMNS)].astype("object")
    rows = rows.where(rows.notna(), None)
    store.plan(rows)
    return rows


def expand(playbook: Playbook, enrolments: pd.DataFrame) -> pd.DataFrame:
    """Every step of the playbook for every enrolment: the columns of `enrolments`, and playbook, definition (a Step),
    step, channel, role, intent, due_at, expires_at.

    `enrolments` has the columns account_id, occurred_at, anchor_on, country, timezone.
    """
    actions = enrolments.merge(pd.DataFrame({"definition": list(playbook.steps)}, dtype="object"), how="cross")
    for column, attribute in (("step", "step"), ("channel", "channel"), ("role", "to"), ("intent", "intent")):
        actions[column] = [getattr(step, attribute) for step in actions["definition"]]
    due_at = due_moments(playbook, actions)
    return actions.assign(
        playbook=playbook.playbook, due_at=due_at, expires_at=due_at + timedelta(days=playbook.stale_after_days)
    )


def due_moments(playbook: Playbook, actions: pd.DataFrame) -> pd.Series:
    """When each action is due. Day 0 is at once, except for a renewal date, which is a day like any other.

    `actions` has the columns definition (a Step), occurred_at, anchor_on, country, timezone.
    """
    is_dated = playbook.trigger.kind == "renewal_window"

    def moment(step: Step, occurred_at: datetime, anchor_on: object, country: object, timezone: object) -> datetime:
        if step.day == 0 and not is_dated:
            return occurred_at
        day = pd.Timestamp(anchor_on).date()  # pyright: ignore[reportArgumentType]
        return business_days.due_at(day, step.day, step.days, text_or_none(country), text_or_none(timezone))

    keys = ["definition", "occurred_at", "anchor_on", "country", "timezone"]
    known: dict[tuple[object, ...], datetime] = {}
    due = []
    for step, *rest in actions[keys].itertuples(index=False, name=None):
        key = (step.step, *rest)
        if key not in known:
            known[key] = moment(step, *rest)
        due.append(known[key])
    return pd.Series(pd.to_datetime(due, utc=True), index=actions.index)


def _first_status(actions: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    status = pd.Series("planned", index=actions.index, dtype="object")
    reason = pd.Series(None, index=actions.index, dtype="object")
    status[[step.waits_for_approval for step in actions["definition"]]] = "awaiting_approval"
    for is_so, final, why in (
        (actions["recipient"].isna(), "failed", NO_RECIPIENT),
        (actions["expires_at"] <= pd.to_datetime(actions["decided_at"], utc=True), "suppressed", "stale"),
    ):
        status[is_so], reason[is_so] = final, why
    return status, reason
