"""How often a conversation is due, by tier, stage and band, and when it falls due."""

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from cs_pipeline.plays.facts.catalogue import ACCOUNT_FACTS
from cs_pipeline.plays.facts.query import AsOf, typed
from cs_pipeline.plays.triggers.cadences import load_cadences, watch
from cs_pipeline.plays.triggers.kinds import open_watched
from cs_pipeline.settings import Settings
from cs_pipeline.yaml_with_lines import InvalidFile
from tests.builders.company import MONDAY, Company

CADENCES = load_cadences(None)
ADOPTION = {"lifecycle_stage": "adoption", "lifecycle_stage_five": "adoption"}
LATER = {"lifecycle_stage": "retention", "lifecycle_stage_five": "growth"}
TRIAL = {"lifecycle_stage": "onboarding", "lifecycle_stage_five": "trial"}


def every(cadence: str, **facts: object) -> float:
    frame = typed(pd.DataFrame([facts], dtype="object"), ACCOUNT_FACTS)
    return float(CADENCES[cadence].every_days(frame).iloc[0])


def due_after(days: int, **facts: object) -> int | None:
    """How many days before the week's end a check-in fell due, the last conversation being `days` ago."""
    frame = typed(pd.DataFrame([{"days_since_last_touchpoint": days, **facts}], dtype="object"), ACCOUNT_FACTS)
    found = CADENCES["check_in"].fell_due(frame)
    return None if found.empty else int(found["days_ago"].iloc[0])


@pytest.mark.requirement("C-22", "S3-21", "S3-30", "S3-31", "S3-37", "S4-08", "S4-14")
@pytest.mark.parametrize(
    ("facts", "days"),
    [
        ({"tier": "enterprise", "severity": 0, **LATER}, 14),
        ({"tier": "pro", "severity": 0, **LATER}, 30),
        ({"tier": "starter", "severity": 0, **LATER}, 90),
        ({"tier": "starter", "severity": 1, **LATER}, 30),
        ({"tier": "enterprise", "severity": 1, **LATER}, 14),
        ({"tier": "pro", "severity": 2, **LATER}, 7),
        ({"tier": "pro", "severity": 3, **LATER}, 1),
        ({"tier": "starter", "severity": 0, "lifecycle_stage": "adoption"}, 30),
        ({"tier": "enterprise", "severity": 0, **ADOPTION}, 7),
        ({"tier": "pro", "severity": 0, **TRIAL}, 1),
    ],
)
def test_of_all_rules_for_a_check_in_the_most_frequent_wins(facts: dict[str, object], days: int) -> None:
    assert every("check_in", **facts) == days


@pytest.mark.requirement("S3-22", "S3-30", "S3-37", "S4-17", "C-33")
def test_business_reviews_are_quarterly_for_enterprise_and_for_pro_beyond_adoption() -> None:
    assert every("business_review", tier="enterprise", **ADOPTION) == 90
    assert every("business_review", tier="pro", **LATER) == 90
    assert every("business_review", tier="pro", lifecycle_stage="retention", lifecycle_stage_five="renewal") == 90
    assert pd.isna(every("business_review", tier="pro", **ADOPTION))
    assert pd.isna(every("business_review", tier="starter", **LATER))


@pytest.mark.requirement("C-22")
def test_any_conversation_satisfies_the_cadence_and_missed_ones_do_not_pile_up() -> None:
    pro = {"tier": "pro", "severity": 0}
    assert [due_after(days, **pro) for days in (5, 29, 30, 33, 36, 37)] == [None, None, 0, 3, 6, None]
    assert [due_after(days, **pro) for days in (59, 60, 66, 67)] == [None, 0, 6, None]


def test_without_any_conversation_days_are_counted_from_signup() -> None:
    frame = typed(pd.DataFrame([{"tier": "pro", "tenure_days": 31}], dtype="object"), ACCOUNT_FACTS)
    assert CADENCES["check_in"].fell_due(frame)["days_ago"].tolist() == [1]


def test_what_fell_due_opens_one_trigger_for_ever(company: Company) -> None:
    company.account("acme", severity=0, created_at=MONDAY - timedelta(days=400))
    company.account("calm", severity=0, created_at=MONDAY - timedelta(days=400))
    company.metrics("acme", days_since_last_touchpoint=32, days_since_last_qbr=10)
    company.metrics("calm", days_since_last_touchpoint=12, days_since_last_qbr=10)
    as_of = AsOf(Settings(home=Path("unused")), MONDAY)
    for expected in (1, 0):
        with company.warehouse.session() as session:
            assert open_watched(session, {"cadence": watch(None)}, as_of) == {"cadence": expected}
    assert company.run("select trigger_key, kind, account_id, anchor_on, facts from cs.triggers") == [
        (
            "cadence:check_in:acme:2025-03-08",
            "cadence",
            "acme",
            date(2025, 3, 10),
            {"cadence": "check_in", "every_days": 30, "due_on": "2025-03-08"},
        )
    ]


def test_a_wrong_rule_is_told_its_line_and_field(tmp_path: Path) -> None:
    text = "cadences:\n- cadence: a\n  since: days_since_last_qbr\n  rules:\n  - {when: teir == 'pro', every_days: 9}\n"
    (tmp_path / "cadences.yaml").write_text(text)
    with pytest.raises(InvalidFile, match=r"cadences.yaml:5: .*did you mean tier"):
        load_cadences(tmp_path)
