"""What every shipped rule says of itself: where it belongs, whom it tells, and which requirements it keeps."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from cs_pipeline.alerts.rulebook import FOLDER, Rule, load_rules
from cs_pipeline.cli import app
from cs_pipeline.reports.alerts.catalogue import catalogue

DOCS = Path(__file__).parents[2] / "docs"
RULES = {name: rule for name, rule in load_rules(None).items() if rule.folder != "custom"}
LONGEST_NAME = 63
"""dbt makes a relation of the name of a unit test, which PostgreSQL would cut."""

NAMED = {
    "acquisition": ["S1-05", "S1-06"],
    "onboarding": ["S1-07", "S1-08", *(f"S1-{n}" for n in (12, 13, 14)), *(f"S2-{n:02}" for n in range(4, 12))],
    "support": [*(f"S1-{n}" for n in range(19, 25)), "S5-36", "S5-37", "S5-38", "S3-92"],
    "renewal": [*(f"S2-{n}" for n in range(13, 19)), "S3-28"],
    "risk": [
        *("S1-17", "S1-18", "S3-24", "S3-25", "S3-26", *(f"S3-{n}" for n in range(40, 45))),
        *(f"S2-{n}" for n in range(27, 47)),
        *(f"S4-{n}" for n in range(77, 92)),
        *("S3-92", "S3-94", "S3-95"),
    ],
    "upsell": [
        *("S1-15", "S1-16", *(f"S2-{n}" for n in range(20, 27)), "S3-27", "S3-29"),
        *("S3-58", "S3-59", "S3-60", "S3-61", "S3-62"),
        *(f"S4-{n}" for n in range(100, 113)),
        *("S4-114", "S4-115", "S4-116", "S4-118", "S4-119", "S4-120"),
        *(f"S4-{n}" for n in range(122, 127)),
    ],
}
"""Requirements that rules keep, by type of rule."""


def unit_tests(rule: Rule) -> Iterator[dict[str, Any]]:
    """Unit tests of a rule, as its properties file has them."""
    found = yaml.safe_load(rule.path.read_text(encoding="utf-8"))["unit_tests"]
    yield from (test for test in found if test["model"] == rule.name)


@pytest.mark.parametrize("kind", NAMED)
def test_every_requirement_is_named_by_a_rule_of_its_type(kind: str) -> None:
    named = {each for rule in RULES.values() if rule.alert.type == kind for each in rule.requirements}
    assert sorted(set(NAMED[kind]) - named) == []


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_a_rule_stands_in_the_folder_of_its_type_and_says_what_it_is_good_for(rule: Rule) -> None:
    assert (rule.folder, rule.path) == (rule.alert.type, FOLDER / rule.alert.type / f"_{rule.name}.yml")
    assert rule.requirements, "which requirement is it there for?"
    assert rule.description.endswith(".")
    assert rule.alert.outcome is not None, "what is it held against? `event: none` says: nothing"
    assert set(rule.defaults) == set(rule.alert.parameters), "every parameter has its meaning"


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_a_rule_has_a_unit_test_that_names_a_requirement_of_it(rule: Rule) -> None:
    tests = list(unit_tests(rule))
    assert [test["name"] for test in tests if len(test["name"]) > LONGEST_NAME] == []
    named = {each for test in tests for each in test["config"]["meta"]["requirement"]}
    assert named & set(rule.requirements)
    assert named <= set(rule.requirements)


@pytest.mark.requirement("S1-02", "S1-04", "S1-06", "S1-16", "S1-20", "S1-22", "S1-24", "S2-48")
def test_rules_about_the_whole_go_at_once_to_the_team_that_can_do_something() -> None:
    whole = {name: rule.alert for name, rule in RULES.items() if rule.alert.mode == "once"}
    assert {name: (alert.notify.to, alert.notify.channel) for name, alert in whole.items()} == {
        "signups_low": ("operations", None),
        "response_time_high": ("support", None),
        "csat_low": ("support", None),
        "agents_too_few": ("support", "#support-agents"),
    }
    assert all(alert.notify.digest is None for alert in whole.values())


@pytest.mark.requirement("S1-04", "S2-01", "S2-02", "S2-19")
def test_rules_of_every_type_tell_of_what_is_favourable_and_of_what_is_not() -> None:
    told = {kind: {rule.alert.polarity for rule in RULES.values() if rule.alert.type == kind} for kind in NAMED}
    assert told == {
        "acquisition": {"negative"},
        "onboarding": {"negative", "positive"},
        "renewal": {"negative", "positive"},
        "upsell": {"positive"},
        "risk": {"negative"},
        "support": {"negative"},
    }


def test_the_catalogue_is_up_to_date(tmp_path: Path) -> None:
    wanted = tmp_path / "made" / "catalogue.md"
    CliRunner().invoke(app, ["alert", "catalogue", str(wanted)], catch_exceptions=False)
    written = (DOCS / "alerts" / "catalogue.md").read_text(encoding="utf-8")
    assert written == wanted.read_text(encoding="utf-8"), "run `cs-pipeline alert catalogue docs/alerts/catalogue.md`"


def test_the_catalogue_says_who_is_told_when_and_what_may_be_set() -> None:
    page = catalogue({name: RULES[name] for name in ("agents_too_few", "renewal_without_qbr", "renewal_and_poor")})
    assert [line for line in page.splitlines() if line.startswith("## ")] == ["## Support", "## Renewal"]
    assert "support in #support-agents, at once" in page
    assert "`days`: 90 days, 0 for starter" in page
    assert "owner, at once; manager after 2 days" in page
