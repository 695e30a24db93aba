"""A playbook that is switched off is offered nothing; switching it on changes nothing of what it is."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from cs_pipeline.plays.facts.catalogue import ACCOUNT_FACTS
from cs_pipeline.plays.facts.query import typed
from cs_pipeline.plays.playbooks.reading import SHIPPED
from cs_pipeline.plays.triggers.cadences import watch
from cs_pipeline.plays.triggers.causes import Moment, read_causes
from cs_pipeline.plays.triggers.dispatch import offer
from tests.builders.company import MONDAY, Company, save_play


def test_no_trigger_is_offered_to_a_playbook_that_is_switched_off(company: Company) -> None:
    trigger = company.fall("acme")
    for is_on, expected in ((True, [[trigger]]), (False, [])):
        play = save_play(switched_on=is_on)
        with company.warehouse.session() as session:
            found = offer(session, {play.playbook: play}, {"score_change"}, None, MONDAY)
        assert [list(batch.trigger_ids) for batch in found.batches] == expected


def test_switching_it_on_makes_no_new_version() -> None:
    assert save_play(switched_on=False).version == save_play().version


@pytest.mark.requirement("S1-10")
def test_the_weekly_summary_is_due_every_week_since_signup_once_a_team_switches_it_on(
    company: Company, tmp_path: Path
) -> None:
    accounts = {"new": (6, 3), "week": (7, 3), "old": (20, 3), "idle": (20, 0)}
    facts = pd.DataFrame.from_dict(accounts, orient="index", columns=["tenure_days", "active_users_7d"])

    def due(config: Path | None) -> list[str]:
        cadences = watch(config)
        cadences.look(typed(facts, ACCOUNT_FACTS))
        with company.warehouse.session() as session:
            causes = read_causes(session, cadences.causes(Moment(date(2025, 3, 3), MONDAY, is_live=True)))
        return [str(account) for key, _, account, *_ in causes if "usage_summary" in str(key)]

    assert due(None) == []
    (tmp_path / "playbooks").mkdir()
    shipped = (SHIPPED / "usage_summary.yaml").read_text()
    (tmp_path / "playbooks" / "usage_summary.yaml").write_text(
        shipped.replace("switched_on: false", "switched_on: true")
    )
    assert sorted(due(tmp_path)) == ["old", "week"]
