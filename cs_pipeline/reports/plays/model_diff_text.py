"""A change of a score model in words, for who is to merge it."""

from cs_pipeline.plays.simulation.model_diff import ModelChange


def headline(change: ModelChange) -> list[str]:
    """What the change comes to for accounts and revenue."""
    old, new = change.old, change.new
    if old.version == new.version:
        return [
            f"{new.model} is the same as the {old.model} that is there (version {old.version}): nothing would change."
        ]
    worse, worse_arr = change.moving(1)
    better, better_arr = change.moving(-1)
    return [
        f"{new.model} (version {new.version}) in place of {old.model} (version {old.version}), week {change.week}: "
        f"{_count(len(change.moved), 'account')} of {len(change.accounts):,} would be in another band.",
        f"{_count(worse, 'account')} with an ARR of {worse_arr:,.0f} would be worse off, "
        f"{_count(better, 'account')} with {better_arr:,.0f} better.",
    ]


def verdict_on_plays(change: ModelChange) -> list[str]:
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


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
