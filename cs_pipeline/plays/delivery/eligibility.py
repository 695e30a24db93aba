"""Decide which due actions may go out, to whom; which are put off or dropped, and whose plays are over, and why.

Puts together today's facts, recipients, the steps' own conditions and the guards. Writes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.plays.delivery import guards, joining, step_order, throttling
from cs_pipeline.plays.enrolment import exits, recipients
from cs_pipeline.plays.enrolment.postgres_store import PostgresStore
from cs_pipeline.plays.facts import query as facts
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.outbox.queue import COLUMNS, PlannedAction
from cs_pipeline.plays.outbox.suppress import Postponed
from cs_pipeline.plays.playbooks import versions
from cs_pipeline.plays.playbooks.schema import Playbook, Step
from cs_pipeline.plays.reasons import JOINED, NO_RECIPIENT


@dataclass(frozen=True)
class Job:
    """An action to take: the step it is of, and the facts to write it with. Facts stay out of its repr.

    `facts` has those of the trigger as they were written, those of the account (which win), and `recipient_name`.
    """

    action: PlannedAction
    playbook: Playbook
    step: Step
    facts: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True)
class Eligibility:
    """What may go out, what has to wait, and why the rest does not go out at all: reasons by action id.

    `ended` has reasons by enrolment id: nothing of these goes out.
    """

    jobs: list[Job]
    postponed: Mapping[int, Postponed]
    suppressed: Mapping[int, str]
    failed: Mapping[int, str]
    ended: pd.Series


def check_eligibility(session: Session, due: pd.DataFrame, as_of: AsOf) -> Eligibility:
    """Decide on `due` (a frame of `queue.due`). The recipient is whoever has the role today."""
    playbooks, today = _playbooks(session, due), _facts(session, due, as_of)
    ended = _ended(due, playbooks, today)
    if not ended.empty:
        due = due[~due["enrolment_id"].isin(ended.index)]
        today = today.loc[due.index]
    steps = pd.Series(_steps(due, playbooks), index=due.index, dtype="object")
    current, reasons = reasons_with(session, due, steps, today, as_of)
    has_nobody = current["recipient"].isna() & reasons.isna()
    may_go = current[reasons.isna() & ~has_nobody]
    of_plays = [playbooks[version] for version in _versions(may_go)]
    asked = may_go.join(today[["country", "timezone"]]).assign(trigger_kind=[each.trigger.kind for each in of_plays])
    by_action = dict(zip(asked["action_id"], of_plays, strict=True))
    store = PostgresStore(session)
    after_others = step_order.waits(store, asked, by_action, as_of.now, as_of.settings.timezone)
    in_order = asked[~asked["action_id"].isin(after_others)]
    postponed = after_others | throttling.postponements(session, in_order, as_of)
    going = may_go[~may_go["action_id"].isin(postponed)]
    said_already = joining.joined(store, going)
    return Eligibility(
        jobs=_jobs(going[~going["action_id"].isin(said_already)], playbooks, today),
        postponed=postponed,
        suppressed=dict(zip(due.loc[reasons.notna(), "action_id"], reasons.dropna(), strict=True))
        | dict.fromkeys(said_already, JOINED),
        failed=dict.fromkeys(due.loc[has_nobody, "action_id"], NO_RECIPIENT),
        ended=ended,
    )


def _ended(due: pd.DataFrame, playbooks: Mapping[versions.Version, Playbook], today: pd.DataFrame) -> pd.Series:
    """Why the plays of `due` that are still active are over, by enrolment id; those that go on are not in it."""
    active = due[due["is_active"].astype(bool)].drop_duplicates("enrolment_id")
    reasons = exits.reasons_of_plays([playbooks[version] for version in _versions(active)], today.loc[active.index])
    return reasons.set_axis(active["enrolment_id"]).dropna()


def reasons_with(
    session: Session, due: pd.DataFrame, steps: pd.Series, today: pd.DataFrame, as_of: AsOf
) -> tuple[pd.DataFrame, pd.Series]:
    """`due` with whoever has the role today, and why each row is to be dropped; missing where it is not.

    `steps` (Step) and `today` (facts) are on the index of `due`. A row whose recipient is None has nobody to go to.
    """
    current = due.drop(columns=["recipient", "recipient_user_id"], errors="ignore")
    current = current.join(recipients.resolve(session, due, as_of))
    reasons = guards.reasons(current.join(guards.contact_state(session, current, as_of)).join(today))
    for step in set(steps):
        if step.condition is not None:
            rows = steps.index[[other == step for other in steps]]
            fails = ~step.condition.holds(today.loc[rows]) & reasons.loc[rows].isna()
            reasons[fails.index[fails]] = "condition"
    return current, reasons


def as_claimed(session: Session, rows: pd.DataFrame, as_of: AsOf) -> list[Job]:
    """Jobs for actions that were claimed before: they stay addressed to whom they were."""
    return _jobs(rows.assign(contact_name=None), _playbooks(session, rows), _facts(session, rows, as_of))


def _playbooks(session: Session, rows: pd.DataFrame) -> dict[versions.Version, Playbook]:
    return versions.recall(session, _versions(rows))


def _versions(rows: pd.DataFrame) -> list[versions.Version]:
    return list(zip(rows["playbook"], rows["playbook_version"], strict=True))


def _steps(rows: pd.DataFrame, playbooks: Mapping[versions.Version, Playbook]) -> list[Step]:
    named = zip(rows["playbook"], rows["playbook_version"], rows["step"], strict=True)
    return [playbooks[playbook, version].step_named(step) for playbook, version, step in named]


def _facts(session: Session, rows: pd.DataFrame, as_of: AsOf) -> pd.DataFrame:
    cases = rows.rename(columns={"action_id": "case_id", "enrolled_at": "since"})
    return facts.read(session, cases, as_of)


def _jobs(rows: pd.DataFrame, playbooks: Mapping[versions.Version, Playbook], today: pd.DataFrame) -> list[Job]:
    known = facts.as_mappings(today)
    return [
        Job(
            action=PlannedAction(**{column: row[column] for column in COLUMNS}),
            playbook=playbooks[row["playbook"], row["playbook_version"]],
            step=step,
            facts={**row["trigger_facts"], **known[index], "recipient_name": row["contact_name"]},
        )
        for index, step, row in zip(rows.index, _steps(rows, playbooks), rows.to_dict("records"), strict=True)
    ]
