"""Pages about playbooks, written from their YAML: one each with a chart of its timeline, and an index of all.

`cs-pipeline play pages FOLDER` writes them; those of the shipped playbooks are in docs/playbooks.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import altair as alt
import pandas as pd

from cs_pipeline.channels.registry import KINDS
from cs_pipeline.plays.playbooks.schema import Playbook, Step
from cs_pipeline.reports.charts import as_svg

FONT = "Helvetica, Arial, sans-serif"
INDEX = "index.md"
DECLARED = """Some sources say how many tasks a playbook has and do not list them. What they list is implemented, the
rest is not made up (C-19). A step counts as a task, one with a checklist as many as it has points. Automated is what no
person has to do: mails and posts that wait for nobody."""
AUTOMATED_CHANNELS = tuple(name for name, kind in KINDS.items() if kind.form != "record")


def write_pages(playbooks: Mapping[str, Playbook], folder: Path) -> int:
    """Write every page and picture into `folder`; returns how many playbooks there are."""
    folder.mkdir(parents=True, exist_ok=True)
    for playbook in playbooks.values():
        (folder / f"{playbook.playbook}.md").write_text(page(playbook), encoding="utf-8")
        (folder / f"{playbook.playbook}.svg").write_text(timeline(timeline_rows(playbook)), encoding="utf-8")
    (folder / INDEX).write_text(index(playbooks), encoding="utf-8")
    return len(playbooks)


def page(playbook: Playbook) -> str:
    """The page of one playbook, in Markdown."""
    parts = [
        f"<!-- Written from {playbook.playbook}.yaml by `cs-pipeline play pages`. -->",
        f"# {playbook.title}",
        playbook.description,
        f"![Timeline of {playbook.title}]({playbook.playbook}.svg)",
        _table(["", ""], _terms(playbook)),
        "## Steps",
        _table(["day", "step", "channel", "to", "intent", "only when"], [_row(step) for step in playbook.steps]),
        *_checklists(playbook.steps),
    ]
    if playbook.milestones:
        rows = [
            [str(each.day), each.milestone, ", ".join(each.criteria), each.responsible] for each in playbook.milestones
        ]
        parts += ["## Milestones", _table(["day", "milestone", "criteria", "responsible"], rows)]
    if playbook.requirements:
        parts.append(f"Requirements: {', '.join(playbook.requirements)}.")
    return "\n\n".join(parts) + "\n"


def index(playbooks: Mapping[str, Playbook]) -> str:
    """All playbooks by family, and what their sources declare beside what is implemented."""
    ordered = sorted(playbooks.values(), key=lambda each: (each.family, -each.priority, each.playbook))
    rows = [
        [
            f"[{each.title}]({each.playbook}.md)",
            each.family,
            str(each.priority),
            _started_by(each),
            f"{len(each.steps)}, day {min(step.day for step in each.steps)} to {max(step.day for step in each.steps)}",
        ]
        for each in ordered
    ]
    held = declared_and_implemented(playbooks).astype("object")
    told = [[_shown(value) for value in row] for row in held.itertuples(index=False)]
    return (
        "\n\n".join(
            [
                "<!-- Written from the playbooks' YAML by `cs-pipeline play pages`. -->",
                "# The playbooks",
                _table(["playbook", "family", "priority", "started by", "steps"], rows),
                "## Declared and implemented",
                DECLARED,
                _table([name.replace("_", " ") for name in held.columns], told),
            ]
        )
        + "\n"
    )


def declared_and_implemented(playbooks: Mapping[str, Playbook]) -> pd.DataFrame:
    """For each playbook with `declared` counts: those, and what it and its whole family implement (C-19).

    Columns playbook, owner, then days, milestones, tasks and automation_percent as `declared_…` and `implemented_…`,
    and tasks_of_family.
    """
    return pd.DataFrame(
        [
            {
                "playbook": playbook.playbook,
                "owner": declared.owner,
                "declared_days": declared.duration_days,
                "implemented_days": _length(playbook),
                "declared_milestones": declared.milestones,
                "implemented_milestones": len(playbook.milestones),
                "declared_tasks": declared.tasks,
                "implemented_tasks": _tasks(playbook.steps),
                "tasks_of_family": sum(
                    _tasks(other.steps) for other in playbooks.values() if other.family == playbook.family
                ),
                "declared_automation_percent": declared.automation_percent,
                "implemented_automation_percent": _automation_percent(playbook.steps),
            }
            for playbook in playbooks.values()
            if (declared := playbook.declared) is not None
        ]
    )


def timeline_rows(playbook: Playbook) -> pd.DataFrame:
    """The steps as `timeline` draws them."""
    titles: list[str] = []
    for step in playbook.steps:
        title = _title(step)
        titles.append(title if title not in titles else f"{title} ({step.to})")
    return pd.DataFrame(
        {
            "position": range(len(titles)),
            "title": titles,
            "day": [step.day for step in playbook.steps],
            "channel": [step.channel for step in playbook.steps],
            "waits": [step.waits_for_approval for step in playbook.steps],
        }
    )


def timeline(steps: pd.DataFrame) -> str:
    """Steps as they come: columns position, title, day, channel, waits (for approval; such a mark is hollow).

    The last line says from which steps it was drawn, so that whether it is up to date can be told on a machine with
    other fonts.
    """
    used = set(steps["channel"])
    shown = [name for name, kind in KINDS.items() if not kind.is_rare or name in used]
    row = alt.Y("title:N", sort=alt.EncodingSortField("position", op="min"), title=None, axis=alt.Axis(labelLimit=320))
    base = alt.Chart(steps).encode(x=alt.X("day:Q", title="day", axis=alt.Axis(tickMinStep=1)), y=row)
    colour = alt.Color(
        "channel:N",
        scale=alt.Scale(domain=shown, range=[KINDS[name].colour for name in shown]),
        legend=alt.Legend(title=None, orient="top"),
    )
    sent = base.transform_filter("!datum.waits").mark_point(size=110, filled=True, opacity=1).encode(color=colour)
    waits = base.transform_filter("datum.waits").mark_point(size=100, strokeWidth=2.2).encode(color=colour)
    chart = (
        (sent + waits).properties(width=430, height=alt.Step(22)).configure(font=FONT).configure_view(strokeOpacity=0)
    )
    return f"{as_svg(chart)}\n{drawn_from(steps)}\n"


def drawn_from(steps: pd.DataFrame) -> str:
    """The last line of the timeline of `steps`."""
    return f"<!-- drawn from {hashlib.sha256(steps.to_csv(index=False).encode()).hexdigest()[:16]} -->"


def _length(playbook: Playbook) -> int:
    """Days from the first to the last, the anchor among them."""
    days = [0, *(step.day for step in playbook.steps)]
    return max(days) - min(days)


def _tasks(steps: Sequence[Step]) -> int:
    return sum(max(1, len(step.checklist)) for step in steps)


def _automation_percent(steps: Sequence[Step]) -> int:
    automated = [step for step in steps if step.channel in AUTOMATED_CHANNELS and not step.waits_for_approval]
    return round(100 * _tasks(automated) / _tasks(steps))


def _title(step: Step) -> str:
    return step.title or step.step.replace("_", " ").capitalize()


def _started_by(playbook: Playbook) -> str:
    kind = playbook.trigger.kind.replace("_", " ")
    started = kind if playbook.trigger.when is None else f"{kind}: {_code(playbook.trigger.when)}"
    return started if playbook.switched_on else f"{started}; switched off"


def _terms(playbook: Playbook) -> list[list[str]]:
    ends = [f"{_code(ending.when)} ({ending.reason})" for ending in playbook.exit]
    ends.append("the customer returns" if playbook.for_former_customers else "the customer leaves")
    return [
        ["name", f"`{playbook.playbook}`"],
        ["started by", _started_by(playbook)],
        ["for", "everybody" if playbook.audience is None else _code(playbook.audience)],
        ["ends early when", "<br>".join(ends)],
        ["family, priority", f"{playbook.family}, {playbook.priority}"],
        ["again after", f"{playbook.reentry_after_days} days" if playbook.reentry_after_days else "at once"],
    ]


def _row(step: Step) -> list[str]:
    conditions = ([_code(step.when)] if step.when else []) + (["a person approves"] if step.waits_for_approval else [])
    return [str(step.day), _title(step), step.channel, step.to.replace("_", " "), step.intent, "; ".join(conditions)]


def _checklists(steps: Sequence[Step]) -> Iterator[str]:
    for step in steps:
        if step.checklist:
            yield f"**{_title(step)}**"
            yield "\n".join(f"- {point}" for point in step.checklist)


def _code(condition: str) -> str:
    return f"`{' '.join(condition.split())}`"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [list(header), ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _shown(value: object) -> str:
    if value is None or value != value:
        return "not said"
    return str(int(value)) if isinstance(value, float) else str(value)
