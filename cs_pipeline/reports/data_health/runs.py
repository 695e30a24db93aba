"""Read when each part ran last, as far as its own rows say, and which of our processes live."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg2.extensions import connection as Session

from cs_pipeline.warehouse.living import DEAD_AFTER
from cs_pipeline.warehouse.relations import missing_relations
from cs_pipeline.warehouse.rows import read_rows


@dataclass(frozen=True)
class Part:
    """What runs, the relation that says when it did and what to select of it, and what makes it run."""

    name: str
    relation: str
    newest: str
    made_by: str


PARTS = (
    Part("Loads", "cs.loads", "max(finished_at)", "cs-pipeline load DIR"),
    Part("Scores", "cs.scored_weeks", "max(scored_at)", "cs-pipeline backfill"),
    Part("Renewal forecasts", "cs.renewal_forecasts", "max(week)", "cs-pipeline backfill"),
    Part("KPIs", "marts.fct_kpis", "max(as_of_day)", "the job kpis"),
    Part("Alert rules", "cs.alert_evaluations", "max(as_of)", "cs-pipeline alert run"),
    Part("Scorecards of rules", "cs.alert_scorecards", "max(month)", "the job alert_scorecards"),
    Part("Sends", "cs.action_attempts", "max(claimed_at)", "cs-pipeline up"),
    Part("Reports", "cs.reports", "max(made_at)", "cs-pipeline report send"),
    Part("Tasks read back from the CRM", "cs.crm_readings", "max(read_at)", "cs-pipeline up"),
)


@dataclass(frozen=True)
class Run:
    """A part, and when it ran last, or what it is as of; None where it never did."""

    part: Part
    last: datetime | date | None


def last_runs(session: Session) -> list[Run]:
    """A run for each part."""
    absent = set(missing_relations(session, *(part.relation for part in PARTS)))
    there = [part for part in PARTS if part.relation not in absent]
    asked = ", ".join(f"(select {part.newest} from {_read(part)}) as p{place}" for place, part in enumerate(there))
    (row,) = read_rows(session, f"select {asked}", {})
    found = {part: row[f"p{place}"] for place, part in enumerate(there)}
    return [Run(part, found.get(part)) for part in PARTS]


def _read(part: Part) -> str:
    """Of attempts the newest only: there is one for each message that ever went out."""
    if part.relation == "cs.action_attempts":
        return "(select * from cs.action_attempts order by attempt_id desc limit 1) as newest"
    return part.relation


def living_processes(session: Session) -> list[dict[str, Any]]:
    """Processes that said lately that they are at work: task, host, since, seen_at."""
    return read_rows(
        session,
        """
        select task, host, since, seen_at
        from cs.living_processes
        where seen_at > clock_timestamp() - make_interval(secs => %(dead_after)s)
        order by task, since
        """,
        {"dead_after": DEAD_AFTER},
    )
