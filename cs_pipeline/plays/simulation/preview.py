"""Preview a play of one account as its readers would see it, were it to begin today. Nothing is written or sent.

The functions are those that enrol, plan, judge and render, with today's facts for every step: what will be so on the
day of a later step nobody knows yet. How the page looks belongs to `reports.plays.page`.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.channels.message import Message
from cs_pipeline.channels.registry import as_it_travels
from cs_pipeline.errors import UserError
from cs_pipeline.plays.delivery.eligibility import reasons_with
from cs_pipeline.plays.enrolment import planning
from cs_pipeline.plays.enrolment.enrol import refusals
from cs_pipeline.plays.facts import query as facts
from cs_pipeline.plays.facts.catalogue import NAMED_BY, TRIGGER_FACTS, TriggerKind
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.messages import samples
from cs_pipeline.plays.messages.renderer import Renderer
from cs_pipeline.plays.playbooks.schema import Playbook, Step, Trigger
from cs_pipeline.plays.reasons import NO_RECIPIENT
from cs_pipeline.plays.triggers.causes import COLUMNS, read_causes
from cs_pipeline.plays.triggers.score_changes import causes_of_account
from cs_pipeline.renewals.dates import next_renewal

LOOK_BACK = 50  # triggers of the account among which one is looked for that could start the play


@dataclass(frozen=True)
class PreviewedStep:
    """One step. `stopped_by` is the reason for which it would not go out with today's facts, None where it would.

    `message` is None where nobody can receive it, or where it cannot be written: `problem` then says why.
    """

    step: Step
    due_at: datetime
    recipient: str | None = field(repr=False)
    stopped_by: str | None
    message: Message | None = field(repr=False)
    problem: str | None = None


@dataclass(frozen=True)
class Preview:
    """A play of an account. `refused` is the reason for which it would not begin today, None where it would.
    `unmet` are the demands of the audience that the account does not meet, with what is known of it.

    `cause` says in words whose facts the trigger has: those of a real one, or made-up ones.
    """

    playbook: Playbook
    account_id: str
    account_name: str | None
    at: datetime
    refused: str | None
    unmet: tuple[str, ...]
    cause: str
    steps: tuple[PreviewedStep, ...]


@dataclass(frozen=True)
class _Action:
    """What templates ask of an action; it is in no outbox."""

    action_key: str
    playbook: str
    family: str
    account_id: str
    recipient: str | None = field(repr=False)
    due_at: datetime


def preview(session: Session, playbook: Playbook, account_id: str, renderer: Renderer, as_of: AsOf) -> Preview:
    """Every step of `playbook` for the account, in the order of the playbook.

    The trigger is the account's newest of the playbook's kind, else a made-up one; days are counted from today, or
    from the account's next renewal date. Raises UserError when there is no such account, or no renewal to count from.
    """
    case = _case(session, playbook, account_id, as_of)
    known = facts.read(session, case, as_of)
    if not known[facts.KNOWN].iloc[0]:
        raise UserError(f"There is no account '{account_id}' in the marts; ids are those of marts.dim_accounts")
    of_trigger, cause = _trigger_facts(session, playbook, account_id, known)
    offered = case.assign(facts=pd.Series([of_trigger], dtype="object"), occurred_at=as_of.now)
    reason = refusals(session, _whatever_the_cause(playbook), offered, known, as_of).iloc[0]
    rows = planning.expand(playbook, offered.join(known[["country", "timezone"]]))
    rows = rows.drop(columns=["country", "timezone"]).assign(family=playbook.family, enrolled_at=as_of.now)
    today = known.loc[[offered.index[0]] * len(rows)].set_axis(rows.index)
    current, reasons = reasons_with(session, rows, rows["definition"], today, as_of)
    of_account = {**of_trigger, **facts.as_mappings(known)[offered.index[0]]}
    steps = [
        _step(playbook, renderer, of_account, row, None if pd.isna(why) else str(why), as_of)
        for row, why in zip(current.to_dict("records"), reasons, strict=True)
    ]
    name = known["account_name"].iloc[0]
    return Preview(
        playbook=playbook,
        account_id=account_id,
        account_name=None if pd.isna(name) else str(name),
        at=as_of.now,
        refused=None if pd.isna(reason) else str(reason),
        unmet=tuple(playbook.audience_condition.unmet(known)) if playbook.audience_condition else (),
        cause=cause,
        steps=tuple(steps),
    )


def _step(
    playbook: Playbook,
    renderer: Renderer,
    of_account: Mapping[str, object],
    row: Mapping[Hashable, object],
    why: str | None,
    as_of: AsOf,
) -> PreviewedStep:
    step, recipient = row["definition"], row["recipient"]
    assert isinstance(step, Step)
    due_at = pd.Timestamp(row["due_at"]).to_pydatetime()  # pyright: ignore[reportArgumentType]
    if not isinstance(recipient, str):
        return PreviewedStep(step, due_at, None, why or NO_RECIPIENT, None, "nobody can receive it")
    account_id = str(row["account_id"])
    key = f"preview/{playbook.playbook}/{step.step}/{account_id}"
    action = _Action(key, playbook.playbook, playbook.family, account_id, recipient, due_at)
    try:
        values = {**of_account, "recipient_name": row["contact_name"]}
        message = as_it_travels(renderer.render(playbook, step, values, action), as_of.settings)
        return PreviewedStep(step, due_at, recipient, why, message)
    except UserError as error:
        return PreviewedStep(step, due_at, recipient, why, None, str(error))


def _case(session: Session, playbook: Playbook, account_id: str, as_of: AsOf) -> pd.DataFrame:
    """The account as the one case of `facts.read`: its next renewal, or itself from today."""
    subject_id, anchor_on = None, as_of.now.date()
    if playbook.trigger.kind == "renewal_window":
        renewal = _next_renewal(session, account_id, as_of)
        if renewal is None:
            raise UserError(
                f"{playbook.playbook} counts its days from a renewal date, and account '{account_id}' has none ahead "
                "in marts.fct_subscription_terms; choose an account that has"
            )
        subject_id, anchor_on = renewal
    user_id = _newest_user(session, playbook, account_id) if playbook.is_about_user else None
    about = {"account_id": account_id, "subject_id": subject_id, "user_id": user_id}
    case = {"case_id": 0, **about, "trigger_id": None, "anchor_on": anchor_on}
    return pd.DataFrame([{**case, "since": as_of.now}], dtype="object")


def _newest_user(session: Session, playbook: Playbook, account_id: str) -> str | None:
    """The user whom the account's newest alert for the playbook is about; None where there was none."""
    names = playbook.named_causes
    with session.cursor() as cursor:
        cursor.execute(
            """
            select coalesce(facts ->> 'user_id', subject_id)
            from cs.triggers
            where
                account_id = %(account_id)s and kind = %(kind)s
                and (%(names)s::text[] is null or facts ->> %(named_by)s = any(%(names)s::text[]))
            order by occurred_at desc, trigger_id desc
            limit 1
            """,
            {
                "account_id": account_id,
                "kind": playbook.trigger.kind,
                "names": names,
                "named_by": NAMED_BY[playbook.trigger.kind],
            },
        )
        found = cursor.fetchone()
        return None if found is None else found[0]


def _whatever_the_cause(playbook: Playbook) -> Playbook:
    """The playbook for any trigger of its kind: that this one is no cause to begin is known already."""
    return playbook.model_copy(update={"trigger": Trigger(kind=playbook.trigger.kind)})


def _trigger_facts(
    session: Session, playbook: Playbook, account_id: str, known: pd.DataFrame
) -> tuple[dict[str, object], str]:
    """Facts of the newest cause that could have started the playbook for the account, else made-up ones; and words."""
    kind, condition = playbook.trigger.kind, playbook.trigger.condition
    sources = (
        (_opened(session, kind, account_id), "with what the trigger of {} told"),
        (_changes(session, account_id) if kind == "score_change" else [], "the score change of {}"),
    )
    for stored, words in sources:
        if not stored:
            continue
        told = facts.typed(pd.DataFrame([row[0] for row in stored], dtype="object"), TRIGGER_FACTS[kind])
        of_account = known.loc[[known.index[0]] * len(stored)].set_axis(told.index)
        fits = [True] * len(stored) if condition is None else condition.holds(pd.concat([of_account, told], axis=1))
        for (of_trigger, happened_on), does_fit in zip(stored, fits, strict=True):
            if does_fit:
                return of_trigger, words.format(happened_on)
    made_up = samples.everything_known(kind)
    told_too = [*TRIGGER_FACTS[kind], "drivers"]
    return (
        {name: made_up[name] for name in told_too if name in made_up},
        "made up, for nothing is stored of the account that could start the play",
    )


def _opened(session: Session, kind: TriggerKind, account_id: str) -> list[tuple[dict[str, object], date]]:
    """Facts and day of the account's triggers of the kind, the newest first."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            select facts, (occurred_at at time zone 'UTC')::date
            from cs.triggers
            where account_id = %(account_id)s and kind = %(kind)s
            order by occurred_at desc, trigger_id desc
            limit %(limit)s
            """,
            {"account_id": account_id, "kind": kind, "limit": LOOK_BACK},
        )
        return cursor.fetchall()


def _changes(session: Session, account_id: str) -> list[tuple[dict[str, object], date]]:
    """Facts and week of the account's score changes, the newest first: those of a backfill opened no trigger."""
    rows = pd.DataFrame(read_causes(session, causes_of_account(account_id)), columns=list(COLUMNS), dtype="object")
    return list(zip(rows["facts"], rows["week"], strict=True))[::-1][:LOOK_BACK]


def _next_renewal(session: Session, account_id: str, as_of: AsOf) -> tuple[str, object] | None:
    """The term that renews next, one that nothing follows before one that is renewed already."""
    with session.cursor() as cursor:
        cursor.execute(
            f"""
            select subscription_id, renews_next_on
            from (
                select
                    *,
                    {next_renewal("renews_on", "renews_every_months", "%(today)s::date")} as renews_next_on
                from marts.fct_subscription_terms
                where account_id = %(account_id)s and not is_addon and not is_trial
            ) as terms
            where renews_next_on >= %(today)s
            order by successor_started_on is not null, renews_next_on, subscription_id
            limit 1
            """,
            {"account_id": account_id, "today": as_of.now.date()},
        )
        return cursor.fetchone()
