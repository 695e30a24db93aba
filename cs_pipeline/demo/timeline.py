"""Reconstruct tables as of a moment, from when each row and each dated cell of a row became known.

A row is known from `_loaded_at` (from the time it tells of where that is empty). A cell that holds a later date is
empty until that date has passed, and cells that come with it (`revealed_by`) appear together with it. What changes
without leaving a date in its row (owner, tier, plan, fit) is kept as `account_versions` beside the truth.
"""

# pyright: reportAttributeAccessIssue=false
# pyarrow.compute makes its functions when it is imported.

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

MOMENT = pa.timestamp("us", tz="UTC")
VERSIONED = "accounts"
VERSIONED_COLUMNS = ("tier", "plan", "owner_email", "manager_email", "is_bad_fit")


@dataclass(frozen=True)
class Timeline:
    """How a table grows: the column a row's own time is in, columns filled later, columns that appear with a date."""

    happened: str | None
    later: tuple[str, ...] = ()
    revealed_by: Mapping[str, str] = field(default_factory=dict)

    @property
    def dates(self) -> tuple[str, ...]:
        """Columns whose dates change the row when they pass."""
        return (*self.later, *(date for date in self.revealed_by.values() if date not in self.later))


TIMELINES: Mapping[str, Timeline] = {
    "accounts": Timeline("created_at", later=("churned_at",)),
    "users": Timeline("created_at", later=("deleted_at", "unsubscribed_at")),
    "subscriptions": Timeline("started_on", later=("ended_on",)),
    "events": Timeline("occurred_at"),
    "invoices": Timeline("issued_on", later=("paid_at",)),
    "tickets": Timeline(
        "created_at", later=("first_responded_at", "reopened_at", "resolved_at"), revealed_by={"csat": "resolved_at"}
    ),
    "support_agents": Timeline("started_on", later=("ended_on",)),
    "survey_responses": Timeline("responded_at"),
    "touchpoints": Timeline("scheduled_at", later=("held_at",), revealed_by={"is_missed": "scheduled_at"}),
    "email_events": Timeline("occurred_at"),
    "event_attendance": Timeline("occurred_at"),
    "features": Timeline("released_on"),
    "feature_launches": Timeline("launched_on"),
    "feedback": Timeline("created_at", later=("resolved_at",)),
    "onboarding_progress": Timeline(None, later=("started_at", "completed_at")),
    "value_log": Timeline("recorded_on"),
    "referrals": Timeline("referred_at", later=("converted_at",)),
    "customer_references": Timeline(
        "asked_at",
        later=("provided_at", "decided_at"),
        revealed_by={
            "cost": "provided_at",
            "satisfaction": "provided_at",
            "is_won": "decided_at",
            "won_mrr": "decided_at",
        },
    ),
    "case_studies": Timeline("agreed_at", later=("published_at",)),
    "certifications": Timeline("earned_at"),
    "contact_roles": Timeline("started_on", later=("ended_on",)),
    "signups": Timeline("created_at"),
    "orders": Timeline("created_at"),
    "cancellation_requests": Timeline("requested_at", later=("withdrawn_at",)),
    "integrations": Timeline("connected_at", later=("disconnected_at",)),
}


def as_known_at(name: str, rows: pa.Table, moment: datetime, versions: pa.Table | None = None) -> pa.Table:
    """The canonical table `name` as it was just before `moment` (aware): later rows absent, later cells empty.

    versions: `account_versions`, needed to put back what `accounts` held before it changed; None leaves it as it is.
    """
    timeline = TIMELINES[name]
    known = _known_from(timeline, rows)
    is_known = pc.fill_null(pc.less(known, _scalar(moment)), True)  # a row without any date was always there
    rows = rows if pc.all(is_known).as_py() in (True, None) else rows.filter(is_known)
    passed = {column: pc.less(rows[column].cast(MOMENT), _scalar(moment)) for column in timeline.dates}
    for column, date in [*((column, column) for column in timeline.later), *timeline.revealed_by.items()]:
        if rows.num_rows and pc.any(pc.invert(passed[date])).as_py():
            kept = pc.if_else(passed[date], rows[column], pa.scalar(None, rows.schema.field(column).type))
            rows = rows.set_column(rows.schema.get_field_index(column), rows.schema.field(column), kept)
    return _with_versions(rows, moment, versions) if name == VERSIONED and versions is not None else rows


def changed_between(
    name: str, rows: pa.Table, after: datetime, before: datetime, versions: pa.Table | None = None
) -> pa.Table:
    """Rows that are new at `before` or look otherwise than at `after`, as they look at `before`."""
    timeline = TIMELINES[name]
    since, until = _scalar(after), _scalar(before)
    changed = pc.fill_null(_within(_known_from(timeline, rows), since, until), False)
    for column in timeline.dates:
        changed = pc.or_(changed, pc.fill_null(_within(rows[column].cast(MOMENT), since, until), False))
    if name == VERSIONED and versions is not None:
        moved = versions.filter(_within(versions["valid_from"], since, until))["account_id"]
        changed = pc.or_(changed, pc.is_in(rows["account_id"], moved.combine_chunks()))
    return as_known_at(name, rows.filter(changed), before, versions)


def _known_from(timeline: Timeline, rows: pa.Table) -> pa.ChunkedArray:
    loaded = rows["_loaded_at"]
    return pc.coalesce(loaded, rows[timeline.happened].cast(MOMENT)) if timeline.happened else loaded


def _within(moments: pa.ChunkedArray, since: pa.Scalar, until: pa.Scalar) -> pa.ChunkedArray:
    return pc.and_(pc.greater_equal(moments, since), pc.less(moments, until))


def _with_versions(rows: pa.Table, moment: datetime, versions: pa.Table) -> pa.Table:
    """`rows` of accounts with the newest version before `moment` in the versioned columns."""
    is_past = pc.less(versions["valid_from"], _scalar(moment))
    of_rows = pc.is_in(versions["account_id"], rows["account_id"].combine_chunks())  # few: `rows` are a piece of many
    past = versions.filter(pc.and_(is_past, of_rows)).sort_by("valid_from")
    newest = past.append_column("position", pa.array(range(past.num_rows), pa.int64()))
    newest = newest.group_by("account_id").aggregate([("position", "max")])
    place = pc.index_in(rows["account_id"], newest["account_id"].combine_chunks())
    position = newest["position_max"].combine_chunks().take(place.combine_chunks())
    has_version = pc.is_valid(position)
    for column in VERSIONED_COLUMNS:
        then = past[column].combine_chunks().take(position)
        value = pc.if_else(has_version, then, rows[column].combine_chunks())
        rows = rows.set_column(rows.schema.get_field_index(column), rows.schema.field(column), value)
    return rows


def _scalar(moment: datetime) -> pa.Scalar:
    return pa.scalar(moment, MOMENT)
