"""Tables about plays and the outbox, for the Dagster UI and the command line. One query each."""

import pandas as pd

from cs_pipeline.warehouse.bulk import read_frame
from cs_pipeline.warehouse.connection import Warehouse


def enrolments_by_playbook(warehouse: Warehouse) -> pd.DataFrame:
    """Columns playbook, status, reason, enrolments."""
    return _read(
        warehouse,
        """
        select playbook, status, coalesce(reason, '') as reason, count(*) as enrolments
        from cs.enrolments group by 1, 2, 3 order by 1, 2, 4 desc, 3
        """,
    )


def actions_by_status(warehouse: Warehouse) -> pd.DataFrame:
    """Columns channel, status, reason, actions."""
    return _read(
        warehouse,
        """
        select channel, status, coalesce(reason, '') as reason, count(*) as actions
        from cs.actions group by 1, 2, 3 order by 1, 2, 4 desc, 3
        """,
    )


def newest_messages(warehouse: Warehouse, messages_url: str, limit: int = 10) -> str:
    """The newest captured messages as a Markdown list with links to how each looks."""
    rows = _read(
        warehouse,
        f"""
        select channel, recipient, subject, coalesce(path, '') as path
        from cs.captured_messages order by captured_at desc, action_key limit {limit:d}
        """,
    )
    lines = [
        f"- {_plain(row['channel'])} to {_plain(row['recipient'])}: "
        f"[{_plain(row['subject'])}]({messages_url}/{row['path']})"
        for row in rows.to_dict("records")
    ]
    return "\n".join(lines) or "_No message yet._"


def _plain(text: str) -> str:
    """Text of a message without what Markdown would read as its own."""
    return "".join(f"\\{letter}" if letter in "\\[]()<>*_`#|" else letter for letter in text.replace("\n", " "))


def _read(warehouse: Warehouse, sql: str) -> pd.DataFrame:
    with warehouse.arrow() as connection:
        return read_frame(connection, sql)
