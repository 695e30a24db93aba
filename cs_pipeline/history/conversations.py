"""Note conversations with customers that no calendar or CRM tells of, as rows of `touchpoints`.

They go the way of every row that is loaded, through the contract, so scores, alerts and plays count them as they count
the others. What was said, in the words of whoever notes it, is no part of the contract: it stands in
cs.conversation_notes.
"""

import csv
import tempfile
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import read_contract
from cs_pipeline.warehouse.load import load_folder


@dataclass(frozen=True)
class Conversation:
    """One that was held, of which kind, by whom on our side, and what was said, where they tell."""

    account_id: str
    kind: str
    held_at: datetime
    by: str
    note: str = ""


def kinds_of_conversation() -> tuple[str, ...]:
    """The kinds that the contract knows."""
    columns = read_contract().tables["touchpoints"].columns
    return next(column.accepted_values for column in columns if column.name == "kind")


def note_conversation(warehouse: Warehouse, held: Conversation, now: datetime) -> str:
    """Write it; returns its id.

    Raises UserError for an account or a kind that there is not, for a moment to come, and a `by` that is no e-mail.
    """
    if held.kind not in kinds_of_conversation():
        raise UserError(f"'{held.kind}' is no kind of conversation; there are: {', '.join(kinds_of_conversation())}")
    if held.held_at > now:
        raise UserError(f"{held.held_at:%Y-%m-%d %H:%M} is still to come; note what was held")
    if "@" not in held.by:
        raise UserError(f"'{held.by}' is no e-mail address; whoever held it is known by theirs (--by)")
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("select exists (select 1 from raw.accounts where account_id = %s)", [held.account_id])
        if cursor.fetchone() != (True,):
            raise UserError(f"There is no account '{held.account_id}'")
    row = {
        "touchpoint_id": f"noted-{uuid.uuid4().hex}",
        "account_id": held.account_id,
        "kind": held.kind,
        "scheduled_at": held.held_at.isoformat(),
        "held_at": held.held_at.isoformat(),
        "is_missed": "false",
        "owner_email": held.by.strip(),
    }
    with tempfile.TemporaryDirectory(prefix="cs_pipeline_noted_") as folder:
        with (Path(folder) / "touchpoints.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, row)
            writer.writeheader()
            writer.writerow(row)
        report = load_folder(warehouse, Path(folder))
    if report.rows_rejected:
        raise UserError("It was put aside, since it does not keep the contract: `cs-pipeline data rejects` says why")
    if held.note.strip():
        _keep_note(warehouse, row["touchpoint_id"], held, now)
    return row["touchpoint_id"]


def _keep_note(warehouse: Warehouse, touchpoint_id: str, held: Conversation, now: datetime) -> None:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            "insert into cs.conversation_notes (touchpoint_id, account_id, note, noted_by, noted_at) "
            "values (%s, %s, %s, %s, %s)",
            [touchpoint_id, held.account_id, held.note.strip(), held.by.strip(), now],
        )
