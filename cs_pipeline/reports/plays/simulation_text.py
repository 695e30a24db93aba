"""What a simulation came to, in sentences and in a table that fits a terminal."""

import pandas as pd

from cs_pipeline.plays.simulation.tables import SimulationTables


def headline(found: SimulationTables) -> str:
    """Who would have entered and what would have gone out, and that it was a simulation."""
    plays, weeks = found.plays, len(found.weeks)
    mails, tasks = plays["mails"].sum(), plays["tasks"].sum()
    return (
        f"A simulation; nothing was sent or written. In the {weeks} weeks from {found.simulation.first} to "
        f"{found.simulation.last}, {plays['enrolled'].sum():,} plays would have begun, with {mails:,} mails to "
        f"customers ({mails / weeks:,.1f} a week) and {tasks:,} tasks for our people ({tasks / weeks:,.1f} a week)."
    )


def plays_for_people(found: SimulationTables) -> pd.DataFrame:
    """`plays` in fewer columns; what came of the accounts as so many of those of whom it is known."""
    plays = found.plays.rename(columns={"ended_early": "ended", "for_approval": "approval"})
    shown = ["playbook", "enrolled", "refused", "ended", "mails", "tasks", "approval", "not_sent"]
    well = [f"{count}/{known}" for count, known in zip(plays["recovered"], plays["recovered_of"], strict=True)]
    left = [
        f"{count}/{known} ({untouched})"
        for count, known, untouched in zip(plays["left"], plays["left_of"], plays["left_untouched"], strict=True)
    ]
    return plays[shown].assign(well=well, left=left)


COLUMNS_EXPLAINED = (
    "ended: before the last step. approval: of those sent, how many a person must approve. well: healthy again within "
    "8 weeks. left: within 90 days (in brackets: of these, nobody had met them or written to them)."
)
