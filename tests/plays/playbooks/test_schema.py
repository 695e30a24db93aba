"""Playbook files: how they are read, and what is said of wrong ones."""

from pathlib import Path

import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.plays.playbooks.reading import load_playbooks, read_playbook
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.yaml_with_lines import InvalidFile

GOOD = """\
playbook: yellow
title: Yellow
description: For tests.
family: save
priority: 50
trigger:
  kind: score_change
  when: to_severity == 1 and cause != 'calendar'
audience: tenure_days >= 30
exit:
  - {when: severity == 0, reason: recovered}
steps:
  - step: guide
    day: 1
    channel: email
    to: champion
    template: guide
    intent: educate
  - step: check
    day: 3
    channel: crm
    to: owner
    template: check
    intent: inform
    priority: high
"""


def complaints(folder: Path, *changes: tuple[str, str], name: str = "yellow") -> list[str]:
    """What reading GOOD with `changes` says, without the path."""
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / f"{name}.yaml"
    path.write_text(text)
    with pytest.raises(InvalidFile) as error:
        read_playbook(path)
    return [line.removeprefix(f"{path}:") for line in str(error.value).splitlines()]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "to_severity",
            "to_severty",
            "8: trigger.when: column 1: 'to_severty' is not a fact here; did you mean to_severity?",
        ),
        ("tenure_days >= 30", "tenure_days", "9: audience: column 1: expected a boolean, got a number"),
        ("severity == 0", "severity == 'x'", "11: exit[1].when: column 13: expected a number, got a text"),
        (
            "intent: educate",
            "intent: teach",
            "18: steps[1].intent: expected 'inform', 'educate', 'ask' or 'offer', got 'teach'",
        ),
        (
            "day: 3",
            "day: 3\n    when: plan > 'a'",
            "21: steps[2].when: column 8: a text can only be compared with == and !=",
        ),
        ("to: owner", "to: champion", "22: steps[2].to: expected a role of ours: crm does not reach customers"),
        (
            "to: champion",
            "to: team",
            "16: steps[1].to: expected a person: the team is reached in Slack or Microsoft Teams",
        ),
        ("step: check", "step: guide", "19: steps[2].step: is the name of step 1 already"),
        ("day: 1", "day: -1", "14: steps[1].day: expected 0 or more: only a renewal date is known ahead"),
        ("day: 1", "day: 1\n    priority: high", "15: steps[1].priority: is for channel crm only, and this is email"),
        ("family: save", "famly: save", "4: famly: is not a field here; did you mean family?"),
        ("playbook: yellow", "playbook: red", "1: playbook: expected the name of the file, yellow, got red"),
    ],
)
def test_a_wrong_file_is_told_its_line_field_and_what_was_expected(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    assert expected in complaints(tmp_path, (old, new))


def test_all_problems_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    told = complaints(
        tmp_path, ("to_severity", "to_severty"), ("severity == 0", "severty == 0"), ("to: owner", "to: champion")
    )
    assert [line.split(":")[0] for line in told] == ["8", "11", "22"]


def test_a_template_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    assert "steps[1].template" in complaints(tmp_path, ("template: guide", "template: ../../etc/passwd"))[0]


def test_a_folder_of_ones_own_overrides_by_name_and_adds(tmp_path: Path) -> None:
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "yellow.yaml").write_text(GOOD)
    shipped, loaded = load_playbooks(None), load_playbooks(tmp_path)
    assert set(loaded) == {*shipped, "yellow"}
    assert loaded["yellow"].title == "Yellow"


def test_a_file_that_was_changed_is_read_anew(tmp_path: Path) -> None:
    (tmp_path / "playbooks").mkdir()
    file = tmp_path / "playbooks" / "yellow.yaml"
    file.write_text(GOOD)
    assert load_playbooks(tmp_path)["yellow"] is load_playbooks(tmp_path)["yellow"]
    file.write_text(GOOD.replace("priority: 50", "priority: 60"))
    assert load_playbooks(tmp_path)["yellow"].priority == 60
    file.unlink()
    assert "yellow" not in load_playbooks(tmp_path)


def test_a_configuration_that_is_no_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a folder"):
        load_playbooks(tmp_path / "nowhere")


def test_the_version_changes_with_the_meaning_only(tmp_path: Path) -> None:
    versions = []
    for text in (
        GOOD,
        "# a comment\n" + GOOD.replace("priority: 50", "priority:   50"),
        GOOD.replace("day: 1", "day: 2"),
    ):
        path = tmp_path / "yellow.yaml"
        path.write_text(text)
        versions.append(read_playbook(path).version)
    assert versions[0] == versions[1] != versions[2]


def test_a_playbook_comes_back_from_its_definition(tmp_path: Path) -> None:
    (tmp_path / "yellow.yaml").write_text(GOOD)
    playbook = read_playbook(tmp_path / "yellow.yaml")
    again = Playbook.model_validate_json(playbook.definition)
    assert (again, again.version) == (playbook, playbook.version)
