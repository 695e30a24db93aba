"""Simulations, previews, model changes and sent messages in words and small tables. Counting: `plays.simulation`."""

import pandas as pd

from cs_pipeline.plays.reasons import meaning_of_refusal
from cs_pipeline.plays.simulation.model_diff import ModelChange
from cs_pipeline.plays.simulation.preview import Preview, PreviewedStep
from cs_pipeline.plays.simulation.tables import SimulationTables

PREVIEW_COLUMNS = ("due", "step", "channel", "to", "what_comes_of_it", "subject")
SIMULATED_PLAYS_EXPLAINED = (
    "ended: before the last step. approval: of those sent, how many a person must approve. well: healthy again within "
    "8 weeks. left: within 90 days (in brackets: of these, nobody had met them or written to them)."
)


def simulation_headline(found: SimulationTables) -> str:
    """Who would have entered and what would have gone out, and that it was a simulation."""
    plays, weeks = found.plays, len(found.weeks)
    mails, tasks = plays["mails"].sum(), plays["tasks"].sum()
    return (
        f"A simulation; nothing was sent or written. In the {weeks} weeks from {found.simulation.first} to "
        f"{found.simulation.last}, {plays['enrolled'].sum():,} plays would have begun, with {mails:,} mails to "
        f"customers ({mails / weeks:,.1f} a week) and {tasks:,} tasks for our people ({tasks / weeks:,.1f} a week)."
    )


def simulated_plays(found: SimulationTables) -> pd.DataFrame:
    """`plays` in fewer columns; what came of the accounts as so many of those of whom it is known."""
    plays = found.plays.rename(columns={"ended_early": "ended", "for_approval": "approval"})
    shown = ["playbook", "enrolled", "refused", "ended", "mails", "tasks", "approval", "not_sent"]
    well = [f"{count}/{known}" for count, known in zip(plays["recovered"], plays["recovered_of"], strict=True)]
    left = [
        f"{count}/{known} ({untouched})"
        for count, known, untouched in zip(plays["left"], plays["left_of"], plays["left_untouched"], strict=True)
    ]
    return plays[shown].assign(well=well, left=left)


def preview_title(found: Preview) -> str:
    """Whose play it is."""
    return f"{found.playbook.title}, for {found.account_name or found.account_id}"


def preview_refusal(found: Preview) -> str:
    """Why the play would not begin today, with what the audience asks in vain; empty where it would."""
    if not found.refused:
        return ""
    words = f"{meaning_of_refusal(found.refused, found.playbook.exit_conditions)} ({found.refused})"
    return f"{words}: {' and '.join(found.unmet)}" if found.unmet and found.refused == "audience" else words


def previewed_steps(found: Preview) -> pd.DataFrame:
    """A row for each step, columns PREVIEW_COLUMNS; `to` has an address where somebody has the role."""
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
    return pd.DataFrame(rows, columns=list(PREVIEW_COLUMNS))


def model_diff_headline(change: ModelChange) -> list[str]:
    """What the change comes to for accounts and revenue."""
    old, new = change.old, change.new
    if old.version == new.version:
        return [
            f"{new.model} is the same as the {old.model} that is there (version {old.version}): nothing would change."
        ]
    worse, worse_arr = change.moving(1)
    better, better_arr = change.moving(-1)
    sentences = [
        f"{new.model} (version {new.version}) in place of {old.model} (version {old.version}), week {change.week}: "
        f"{_count(len(change.moved), 'account')} of {len(change.accounts):,} would be in another band.",
        f"{_count(worse, 'account')} with an ARR of {worse_arr:,.0f} would be worse off, "
        f"{_count(better, 'account')} with {better_arr:,.0f} better.",
    ]
    for words, (accounts, arr) in (
        ("no longer be scored: too few of their metrics are known", change.no_longer_scored),
        ("be scored that have no score now", change.newly_scored),
    ):
        if accounts:
            sentences.append(f"{_count(accounts, 'account')} with an ARR of {arr:,.0f} would {words}.")
    return sentences


def model_diff_verdict(change: ModelChange) -> list[str]:
    """What the change comes to for plays and mail."""
    plays = change.plays
    starts, held_back, stops = (int(plays[name].sum()) for name in ("starts", "held_back", "stops"))
    (changes, changes_after), (mails, mails_after) = change.changes_per_week, change.mails_per_week
    sentences = [f"On the day of the change {_count(starts, 'play')} would start and {_count(stops, 'play')} stop."]
    if held_back:
        sentences.append(
            f"{_count(held_back, 'play')} more would start if playbooks did not ignore changes that a new version of a "
            "model causes (C-12)."
        )
    sentences.append(
        f"Afterwards {mails_after:.1f} e-mails a week in place of {mails:.1f} ({mails_after - mails:+.1f}), from "
        f"{changes_after:.1f} changes of severity in place of {changes:.1f}. That is the most: plays that end early "
        "write less."
    )
    return sentences


def messages_as_markdown(messages: pd.DataFrame, site_url: str) -> str:
    """Captured messages (columns channel, playbook, step, account_id, path) as a list with links to how each looks.

    Neither addresses nor subjects, which may hold names: events of Dagster outlive an erasure.
    """
    lines = [
        f"- [{_plain(row['playbook'])}, {_plain(row['step'])}]({site_url.rstrip('/')}/messages/{row['path']}) "
        f"({_plain(row['channel'])}) about {_plain(row['account_id'])}"
        for row in messages.to_dict("records")
    ]
    return "\n".join(lines) or "_No message yet._"


def _what_comes(shown: PreviewedStep) -> str:
    if shown.stopped_by:
        return f"not sent: {shown.stopped_by}"
    if shown.problem:
        return "cannot be written"
    return "waits for approval" if shown.step.waits_for_approval else "goes out"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _plain(text: str) -> str:
    """Text of a message without what Markdown would read as its own."""
    return "".join(f"\\{letter}" if letter in "\\[]()<>*_`#|" else letter for letter in text.replace("\n", " "))
