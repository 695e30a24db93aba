"""A preview in words and a table, for people. What is previewed, and how, is in `preview`."""

import pandas as pd

from cs_pipeline.plays.reasons import meaning_of_refusal
from cs_pipeline.plays.simulation.preview import Preview, PreviewedStep

COLUMNS = ("due", "step", "channel", "to", "what_comes_of_it", "subject")


def title_of(found: Preview) -> str:
    """Whose play it is."""
    return f"{found.playbook.title}, for {found.account_name or found.account_id}"


def why_not_today(found: Preview) -> str:
    """Why the play would not begin today; empty where it would."""
    if not found.refused:
        return ""
    return f"{meaning_of_refusal(found.refused, found.playbook.exit_conditions)} ({found.refused})"


def steps_for_people(found: Preview) -> pd.DataFrame:
    """A row for each step, columns COLUMNS; `to` has an address where somebody has the role."""
    rows = [
        (
            f"{shown.due_at:%Y-%m-%d}",
            shown.step.step,
            shown.step.channel,
            shown.recipient or shown.step.to,
            _what_comes(shown),
            shown.message.subject if shown.message else shown.problem or "",
        )
        for shown in found.steps
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _what_comes(shown: PreviewedStep) -> str:
    if shown.stopped_by:
        return f"not sent: {shown.stopped_by}"
    if shown.problem:
        return "cannot be written"
    return "waits for approval" if shown.step.waits_for_approval else "goes out"
