"""What docs/playbooks.md says is so."""

import re
from pathlib import Path

import pytest
import yaml

from cs_pipeline.plays.delivery.guards import GUARDS
from cs_pipeline.plays.delivery.upsell_guards import NOT_READY
from cs_pipeline.plays.facts.catalogue import ACCOUNT_FACTS, TRIGGER_FACTS
from cs_pipeline.plays.messages.loader import SHIPPED
from cs_pipeline.plays.playbooks.reading import read_playbook
from cs_pipeline.plays.playbooks.schema import Playbook, Step
from cs_pipeline.plays.reasons import GUARDED, MEANINGS, NOT_ASKED_FOR_MORE
from tests.builders.company import save_play


@pytest.fixture(scope="module")
def text() -> str:
    return (Path(__file__).parents[2] / "docs" / "playbooks.md").read_text(encoding="utf-8")


def test_every_fact_is_listed_as_it_is(text: str) -> None:
    facts = [fact for catalogue in (ACCOUNT_FACTS, *TRIGGER_FACTS.values()) for fact in catalogue.values()]
    rows = [f"| `{fact.name}` | {fact.type} | {fact.meaning} | {fact.source} |" for fact in facts]
    assert [row for row in rows if row not in text] == []


def test_every_reason_is_listed_with_its_meaning(text: str) -> None:
    rows = [f"| `{reason}` | {meaning} |" for reason, meaning in MEANINGS.items()]
    assert [row for row in rows if row not in text] == []


def test_every_guard_gives_a_reason_that_has_a_meaning() -> None:
    assert {guard.reason for guard in GUARDS} == set(GUARDED)


def test_the_meaning_of_not_asking_for_more_states_the_condition() -> None:
    stated = {reason: meaning.split("`")[1] for reason, meaning in NOT_ASKED_FOR_MORE.items()}
    assert stated == {reason: condition.text for reason, condition in NOT_READY.items()}


def test_every_field_is_described(text: str) -> None:
    assert [name for name in (*Playbook.model_fields, *Step.model_fields) if f"`{name}" not in text] == []


def test_the_playbook_that_it_shows_is_sound(text: str, tmp_path: Path) -> None:
    example, *_ = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    path = tmp_path / "quiet_champion.yaml"
    path.write_text(example)
    assert read_playbook(path).priority == 60


def test_the_step_with_variants_that_it_shows_is_sound(text: str) -> None:
    _, example = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    (step,) = yaml.safe_load(example)
    play = save_play(steps=[step])
    assert play.steps[0].goal == "core_features_used >= 3 within 14 days"
    assert set(play.steps[0].templates) <= {path.name.split(".")[0] for path in (SHIPPED / "email").iterdir()}
