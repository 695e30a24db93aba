"""Write the progress of a play in a few lines of text. What the progress is stands in `progress`."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

Play = Mapping[Hashable, Any]
"""A row of `progress`."""


def play_title(play: Play) -> str:
    """Account, play, and the state it is in: its day and health, or how and why it ended."""
    name = play["account_name"] or play["account_id"]
    state = play["status"] if play["status"] != "active" else f"day {play['day']}, {play['health']}"
    ended = f", {play['reason'].replace('_', ' ')}" if play["reason"] else ""
    return f"{name} ({play['account_id']}), {play['title']}: {state}{ended}"


def play_lines(play: Play, most: int | None = None) -> Iterator[str]:
    """A line for each list that has anything: steps, milestones, risks, next; at most `most` texts of each."""
    for title, texts in (
        ("Steps", [f"{play['done']} of {play['steps']} done"]),
        ("Milestones reached", play["completed_milestones"]),
        ("Milestone now", [play["current_milestone"]] if play["current_milestone"] else []),
        ("Milestones to come", play["upcoming_milestones"]),
        ("Risks", play["risks"]),
        ("Next", play["next_actions"]),
    ):
        if texts:
            more = f"; {len(texts) - most} more" if most and len(texts) > most else ""
            yield f"{title}: {'; '.join(texts[:most])}{more}"
