"""Bring the alerts of a rule from one moment to the next, and say of which of them people are to be told.

Everything is done set by set, over tables of `cs`, named without a schema. What the rule found is in the temporary
table `alert_rows` (see `create_workspace`). States and their order are in docs/alerts.md; what a replay does in memory
is in `replay_states`, who is told in `tellable`.
"""

from dataclasses import dataclass
from datetime import datetime

from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.audience import NO_ACCOUNTS, keep_audience
from cs_pipeline.alerts.evaluation import Told
from cs_pipeline.alerts.findings import FEW, HASH_JOINS
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.alerts.tellable import over, tell_or_hold, wake
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.sql_files import read_sql

_NEWS = read_sql(__file__, "news")
_INHIBITED = read_sql(__file__, "inhibited")


@dataclass(frozen=True)
class Tick:
    """A rule at a moment.

    `now`: the present, by which silences end. `clock`: seconds over which the rule was watched by then. `seen_before`:
    moment of the ok evaluation before. `is_changed`: the rule is another than at that. `is_baseline`: none of this
    version was before. `accounts`: relation with account_id and churned_at, NO_ACCOUNTS where leaving ends nothing.
    `book`: accounts that there are, in a replay; live they are counted when it matters.
    """

    rule: Rule
    as_of: datetime
    now: datetime
    version: str
    clock: float = 0.0
    seen_before: datetime | None = None
    is_changed: bool = False
    is_baseline: bool = False
    accounts: str = NO_ACCOUNTS
    book: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a tick, in alerts. `held`: of how many alerts, of `held_accounts`, nobody is told
    until a person decides."""

    fired: int
    resolved: int
    closed: int
    inhibited: int
    out_of_audience: int
    held: int
    held_accounts: int
    is_newly_held: bool
    told: Told


def use_tables_of_cs(session: Session) -> None:
    """Let table names without a schema mean those of `cs` until the transaction ends."""
    with session.cursor() as cursor:
        cursor.execute("select set_config('search_path', 'cs, public', true)")


def create_workspace(session: Session) -> None:
    """Make the temporary tables alert_rows (what the rule found) and alert_news; each transaction finds them empty."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            create temporary table if not exists alert_rows (
                as_of timestamptz,
                account_id text,
                entity text,
                measured double precision,
                held_against double precision,
                facts jsonb
            ) on commit delete rows;
            create temporary table if not exists alert_news (
                account_id text not null,
                entity text not null,
                measured double precision,
                held_against double precision,
                facts jsonb not null,
                reopens bigint
            ) on commit delete rows
            """
        )


def advance(session: Session, tick: Tick, as_of: AsOf) -> Outcome:
    """Bring the alerts of `tick.rule` to `tick.as_of`; what it found is in alert_rows.

    `as_of` is how the audience is asked for facts.
    """
    alert = tick.rule.alert
    parameters: dict[str, object] = {
        "rule": tick.rule.name,
        "as_of": tick.as_of,
        "now": tick.now,
        "version": tick.version,
        "severity": alert.severity,
        "nature": alert.nature,
        "clock": tick.clock,
        "seen_before": tick.seen_before or tick.as_of,
        "is_changed": tick.is_changed,
        "is_quiet": tick.is_baseline and alert.first_run == "quiet",
        "hold_for": alert.hold_for.total_seconds(),
        "resolve_after": alert.resolve_after,
        "again_after": alert.again_after,
        "expires_after": alert.expires_after,
        "inhibitors": list(alert.inhibited_by),
    }
    with session.cursor() as cursor:
        cursor.execute("truncate alert_news")
        cursor.execute(_NEWS, parameters)
        out_of_audience = keep_audience(session, tick.rule, as_of)
        cursor.execute(read_sql(__file__, accounts=tick.accounts), parameters)
        fired, resolved, closed, over_now, reopened = cursor.fetchone() or (0, 0, 0, None, None)
        if fired > FEW:
            # Whoever analyzes the table until this is committed sees none of these alerts. With such statistics a
            # planner takes them for one, and compares each with each.
            cursor.execute(HASH_JOINS)
        inhibited = 0
        if alert.inhibited_by:
            cursor.execute(_INHIBITED, parameters)
            (inhibited,) = cursor.fetchone() or (0,)
    new, held = tell_or_hold(session, tick.rule, tick.as_of, tick.now)
    woken = wake(session, tick.rule.name, tick.now)
    known_over = over(session, over_now or (), tick.now)
    told = Told(new=new, woken=woken, reopened=tuple(reopened or ()), resolved=known_over)
    return Outcome(fired, resolved, closed, inhibited, out_of_audience, held.alerts, held.accounts, held.is_new, told)
