"""Tell operations what evaluations came to: rules that could not be asked, and what held when a rule was first asked.

One notice for all of an hour, by rule at most one a day. What is held is asked about in the evaluation's transaction.
"""

import hashlib
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.evaluation import Evaluation
from cs_pipeline.plays.outbox.operations import Notice, notify
from cs_pipeline.settings import Settings
from cs_pipeline.sql_files import read_sql

log = logging.getLogger(__name__)

LOOKS_BACK = timedelta(days=2)
MOST_LINES = 30
_NEVER_ASKED = (
    "\nWhat could never be asked for want of data is told this once: load the data as often as the rule needs it, or "
    "switch the rule off (`enabled: false` in alerts.yaml)."
)


def tell_operations(session: Session, settings: Settings, now: datetime) -> None:
    """Plan the notices for every evaluation that operations have not been told of. None is told twice."""
    with session.cursor() as cursor:
        cursor.execute(read_sql(__file__), {"now": now, "since": now - LOOKS_BACK})
        rows = cursor.fetchall()
    failing = [f"{rule}: {error}." for rule, health, error, _, _ in rows if health in ("no_data", "error")]
    never_asked = [rule for rule, _, _, was_never_asked, _ in rows if was_never_asked]
    baseline = [f"{rule}: {quiet:,}" for rule, _, _, _, quiet in rows if quiet]
    held_already = sum(quiet for _, _, _, _, quiet in rows)
    if failing:
        notice = Notice(
            _key("failing", failing, now),
            f"{_rules(failing)} cannot be asked",
            _lines(failing)
            + "\nTheir alerts stay as they are, and nobody is told anything new of them, until they can be. "
            "`cs-pipeline alert rules` says what is so now." + (_NEVER_ASKED if never_asked else ""),
        )
        notify(session, notice, settings, now)
    if baseline:
        notice = Notice(
            _key("baseline", baseline, now),
            f"{_rules(baseline)} found what held already, {held_already:,} in all",
            _lines(baseline) + "\nThat is told to nobody, and no work for anybody; what is new from now on is. "
            "`cs-pipeline alert list --show baseline` lists it.",
        )
        notify(session, notice, settings, now)


def ask_about_held(session: Session, evaluation: Evaluation, accounts: int, settings: Settings, now: datetime) -> None:
    """Plan the notice that asks about what an evaluation holds, of so many accounts."""
    name = evaluation.rule
    notice = Notice(
        f"alert/{name}/held/{evaluation.as_of.isoformat()}",
        f"Alert rule {name} would tell of {evaluation.held:,} alerts at once, so nobody was told",
        f"They are of {accounts:,} accounts. If that is right, `cs-pipeline alert release {name}`; "
        f"if not, `cs-pipeline alert dismiss {name}`.",
    )
    notify(session, notice, settings, now)


def say_clock_was_set_back(session: Session, newest: datetime, settings: Settings, now: datetime) -> None:
    """Plan the notice, once a day, that rules were evaluated as of a moment that is to come."""
    log.warning("alert rules were evaluated as of %s; it is %s now", newest.isoformat(), now.isoformat())
    notice = Notice(
        f"alerts/clock/{now:%Y-%m-%d}",
        "Alert rules are not evaluated: the clock was set back",
        f"They were evaluated as of {newest:%Y-%m-%d %H:%M} UTC already, and now it is {now:%Y-%m-%d %H:%M}. "
        "Put the clock right; until then no alert changes.",
    )
    notify(session, notice, settings, now)


def _key(kind: str, lines: list[str], now: datetime) -> str:
    """What is told by two evaluations of one moment differs in its rules."""
    rules = ",".join(line.partition(":")[0] for line in lines)
    return f"alerts/{kind}/{now.isoformat()}/{hashlib.sha256(rules.encode()).hexdigest()[:12]}"


def _rules(lines: list[str]) -> str:
    return f"{len(lines)} alert rules" if len(lines) > 1 else f"Alert rule {lines[0].partition(':')[0]}"


def _lines(lines: Iterable[str]) -> str:
    shown = list(lines)
    beyond = len(shown) - MOST_LINES
    return "\n".join([*shown[:MOST_LINES], *([f"and {beyond:,} more"] if beyond > 0 else [])])
