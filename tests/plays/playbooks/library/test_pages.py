"""docs/playbooks is what the shipped playbooks say, and so are their declared and implemented counts."""

from pathlib import Path

import pytest

from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.reports.playbooks.page import (
    INDEX,
    declared_and_implemented,
    drawn_from,
    index,
    page,
    timeline,
    timeline_rows,
    write_pages,
)
from tests.plays.playbooks.library.reading import PLAYBOOKS, SHIPPED

DOCS = Path(__file__).parents[4] / "docs"
AGAIN = "run `cs-pipeline play pages docs/playbooks`"


@pytest.mark.parametrize("playbook", SHIPPED, ids=lambda playbook: playbook.playbook)
def test_the_page_and_the_picture_of_a_playbook_are_up_to_date(playbook: Playbook):
    folder = DOCS / "playbooks"
    assert (folder / f"{playbook.playbook}.md").read_text(encoding="utf-8") == page(playbook), AGAIN
    picture = (folder / f"{playbook.playbook}.svg").read_text(encoding="utf-8")
    assert picture.splitlines()[-1] == drawn_from(timeline_rows(playbook)), AGAIN


def test_the_index_is_up_to_date_and_there_is_no_page_of_a_playbook_that_is_gone():
    assert (DOCS / "playbooks" / INDEX).read_text(encoding="utf-8") == index(PLAYBOOKS), AGAIN
    assert {path.stem for path in (DOCS / "playbooks").glob("*.md")} == {*PLAYBOOKS, "index"}
    assert "playbooks/index.md" in (DOCS / "playbooks.md").read_text(encoding="utf-8")


def test_a_picture_has_a_row_for_every_step_and_hollow_marks_for_what_waits(tmp_path: Path):
    playbook = PLAYBOOKS["winback"]
    assert write_pages({"winback": playbook}, tmp_path) == 1
    picture = (tmp_path / "winback.svg").read_text(encoding="utf-8")
    assert [title for title in timeline_rows(playbook)["title"] if title not in picture] == []
    assert picture.count('stroke="#1f6f5c" stroke-width="2.2"') == 3, "three offers wait for approval"
    assert timeline(timeline_rows(playbook)).endswith(drawn_from(timeline_rows(playbook)) + "\n")


@pytest.mark.requirement("C-19", "S4-178", "S4-179", "S4-180", "S4-181", "S4-182", "S4-183")
def test_what_is_declared_stands_beside_what_is_implemented():
    held = declared_and_implemented(PLAYBOOKS).set_index("playbook")
    assert held["declared_tasks"].to_dict() == {
        "onboarding_enterprise": 47,
        "adoption_journey": 63,
        "renewal_ladder": 38,
        "expansion_seats": 25,
        "save_level_2": 52,
        "advocacy_bronze": 31,
    }
    onboarding = PLAYBOOKS["onboarding_enterprise"]
    points = sum(max(1, len(step.checklist)) for step in onboarding.steps)
    assert held.loc["onboarding_enterprise", "implemented_tasks"] == points
    assert held.loc["onboarding_enterprise", "implemented_milestones"] == 5
    assert held.loc["save_level_2", "implemented_days"] == 30
    expansion = [each for each in PLAYBOOKS.values() if each.family == "expansion"]
    assert held.loc["expansion_seats", "tasks_of_family"] == sum(len(each.steps) for each in expansion)
