"""Whether the segments and cadences that playbooks wait for exist: one that does not would just never start a play."""

from collections.abc import Collection, Mapping
from pathlib import Path

from cs_pipeline.errors import UserError
from cs_pipeline.plays.facts.catalogue import NAMED_BY, TriggerKind
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.triggers.cadences import load_cadences
from cs_pipeline.plays.triggers.segments import load_segments


def check_causes(playbooks: Mapping[str, Playbook], config: Path | None) -> None:
    """Raises UserError with every playbook that waits for a segment or cadence that there is not.

    Raises InvalidFile when the file of segments or cadences is itself wrong.
    """
    known: Mapping[TriggerKind, Collection[str]] = {
        "segment_entry": load_segments(config),
        "cadence": load_cadences(config),
    }
    problems = [
        f"playbook {playbook.playbook}: trigger.when: there is no {NAMED_BY[playbook.trigger.kind]} '{name}'; "
        f"there are: {', '.join(known[playbook.trigger.kind])}"
        for playbook in playbooks.values()
        if playbook.trigger.kind in known and playbook.trigger.condition is not None
        for name in playbook.trigger.condition.required(NAMED_BY[playbook.trigger.kind]) or ()
        if name not in known[playbook.trigger.kind]
    ]
    if problems:
        raise UserError("\n".join(problems))
