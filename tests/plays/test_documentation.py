"""What docs/playbooks.md says is so."""

import re
from pathlib import Path

import pytest

from cs_pipeline.plays.delivery import joining, throttling
from cs_pipeline.plays.delivery.guards import GUARDS, OUTBOX_REASONS
from cs_pipeline.plays.enrolment.enrol import REFUSALS
from cs_pipeline.plays.facts.catalogue import ACCOUNT_FACTS, TRIGGER_FACTS
from cs_pipeline.plays.outbox import manual_actions, missed
from cs_pipeline.plays.playbooks.schema import Playbook, Step, read_playbook


@pytest.fixture(scope="module")
def text() -> str:
    return (Path(__file__).parents[2] / "docs" / "playbooks.md").read_text(encoding="utf-8")


def test_every_fact_is_listed_as_it_is(text: str) -> None:
    facts = [fact for catalogue in (ACCOUNT_FACTS, *TRIGGER_FACTS.values()) for fact in catalogue.values()]
    rows = [f"| `{fact.name}` | {fact.type} | {fact.meaning} | {fact.source} |" for fact in facts]
    assert [row for row in rows if row not in text] == []


def test_every_reason_is_listed_with_its_meaning(text: str) -> None:
    reasons = {**REFUSALS, **OUTBOX_REASONS, **throttling.REASONS, **joining.MEANINGS, **manual_actions.REASONS} | {
        guard.reason: guard.meaning for guard in GUARDS
    }
    reasons |= {missed.REASON: missed.MEANING}
    rows = [f"| `{reason}` | {meaning} |" for reason, meaning in reasons.items()]
    assert [row for row in rows if row not in text] == []


def test_every_field_is_described(text: str) -> None:
    assert [name for name in (*Playbook.model_fields, *Step.model_fields) if f"`{name}" not in text] == []


def test_the_playbook_that_it_shows_is_sound(text: str, tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    path = tmp_path / "quiet_champion.yaml"
    path.write_text(example)
    assert read_playbook(path).priority == 60
