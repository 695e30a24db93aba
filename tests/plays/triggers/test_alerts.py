"""An alert of which people are told starts a play, once. The rules here are the tests' own."""

from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.sensors.playbooks import playbooks_sensor
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.playbooks.reading import load_playbooks, read_playbook
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.triggers.alerts import open_alerts
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, WEEK, Company

HOUR = timedelta(hours=1)

RE_ENGAGE = """
playbook: re_engage
title: Re-engagement
description: Nobody was there for a week.
family: inactivity
priority: 40
trigger: {kind: alert, when: rule == 'inactive_7_days'}
exit: [{when: days_since_last_login < 7, reason: returned_by_itself}]
steps:
  - {step: hello, day: 0, channel: email, to: point_of_contact, template: yellow_quick_guide, intent: educate}
"""
REACTIVATE = """
playbook: reactivate
title: Reactivation
description: Nobody was there for a month.
family: inactivity
priority: 50
trigger: {kind: alert, when: rule == 'inactive_30_days' and measured >= held_against}
steps:
  - {step: offer, day: 0, channel: email, to: point_of_contact, template: winback_special_offer, intent: offer}
"""


def tell(company: Company, rule: str, found: pd.DataFrame, now: datetime) -> int:
    """What an evaluation does with those that fire for the first time."""
    with company.warehouse.session() as session, session.cursor() as cursor:
        told: list[int] = []
        for row in found.astype(object).to_dict("records"):
            cursor.execute(
                """
                insert into cs.alerts (
                    rule, account_id, entity, state, version, severity, since, since_clock, seen_at, fired_at,
                    measured, held_against
                )
                values (
                    %(rule)s, %(account_id)s, %(entity)s, 'firing', 'v', 'high', %(now)s, 0, %(now)s, %(now)s,
                    %(measured)s, %(held_against)s
                )
                on conflict do nothing
                returning alert_id
                """,
                {"entity": row["account_id"], "measured": None, "held_against": None, "rule": rule, "now": now}
                | {str(name): value for name, value in row.items()},
            )
            told += [alert_id for (alert_id,) in cursor.fetchall()]
        return open_alerts(session, told, now)


def of(*accounts: str, **columns: object) -> pd.DataFrame:
    return pd.DataFrame({"account_id": list(accounts)}).assign(**columns)  # pyright: ignore[reportArgumentType]


def told(company: Company) -> list[tuple]:
    return company.run(
        "select account_id, subject_id, facts ->> 'rule', occurred_at from cs.triggers order by trigger_id"
    )


def test_an_alert_opens_one_trigger_however_often_it_is_asked_for(company: Company) -> None:
    assert tell(company, "idle", of("acme", "brill"), MONDAY) == 2
    with company.warehouse.session() as session:
        assert open_alerts(session, company.column("select alert_id from cs.alerts"), MONDAY + HOUR) == 0  # pyright: ignore[reportArgumentType]
    assert told(company) == [("acme", "acme", "idle", MONDAY), ("brill", "brill", "idle", MONDAY)]


def test_an_alert_about_no_account_opens_none(company: Company) -> None:
    assert tell(company, "signups_low", of("", entity="signups"), MONDAY) == 0


# The way from a rule to a play --------------------------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folder = tmp_path / "config" / "playbooks"
    folder.mkdir(parents=True)
    (folder / "re_engage.yaml").write_text(RE_ENGAGE)
    (folder / "reactivate.yaml").write_text(REACTIVATE)
    return Settings(home=tmp_path / "home", config=tmp_path / "config")


class Sensor:
    """The sensor of playbooks, its cursor kept from tick to tick; what it asks for is done."""

    def __init__(self, company: Company, settings: Settings) -> None:
        self._warehouse = company.warehouse
        self._settings = settings
        self._library = load_playbooks(settings.config)
        self._cursor: str | None = None

    def tick(self, now: datetime) -> dict[str, int]:
        """How many accounts entered which play."""
        resources = {"warehouse": self._warehouse, "settings": self._settings, "clock": Clock(now)}
        with dg.build_sensor_context(cursor=self._cursor, resources=resources) as context:
            result = playbooks_sensor(context)
        assert isinstance(result, dg.SensorResult)
        self._cursor = result.cursor
        entered: dict[str, int] = {}
        for request in result.run_requests or []:
            for batch in request.run_config["ops"]["enrol_accounts"]["config"]["batches"]:
                play = self._library[batch["playbook"]]
                entered[play.playbook] = enrol(
                    self._warehouse, play, batch["trigger_ids"], self._settings, now
                ).enrolled
        return entered


def inactive(company: Company, days: int) -> pd.DataFrame:
    """C-30: accounts that nobody has logged in to for `days` days."""
    rows = company.run(
        "select account_id, days_since_last_login from marts.fct_account_weeks where week = %s "
        "and days_since_last_login >= %s",
        WEEK,
        days,
    )
    return pd.DataFrame(rows, columns=["account_id", "measured"]).assign(held_against=days)


@pytest.mark.requirement("C-30")
def test_three_rules_of_inactivity_start_what_belongs_to_them(company: Company, settings: Settings) -> None:
    for account, days in (("here", 2), ("week", 7), ("month", 30), ("fortnight", 15)):
        company.account(account, severity=1)
        company.metrics(account, days_since_last_login=days)
    sensor = Sensor(company, settings)
    for rule, days in (("inactive_7_days", 7), ("inactive_30_days", 30), ("inactive_x_days", 14)):
        tell(company, rule, inactive(company, days), MONDAY)
    # The rule with a parameter of its own has no play here: its alerts start none, and do no harm.
    assert sensor.tick(MONDAY + HOUR) == {"reactivate": 1, "re_engage": 2}
    plays = company.run("select account_id, playbook, status, reason from cs.enrolments order by 1, 2")
    assert plays == [
        ("fortnight", "re_engage", "active", None),
        ("month", "re_engage", "refused", "family"),  # a month is also a week, and the offer goes first
        ("month", "reactivate", "active", None),
        ("week", "re_engage", "active", None),
    ]
    assert company.run("select playbook, status from cs.actions group by 1, 2 order by 1") == [
        ("re_engage", "planned"),
        ("reactivate", "awaiting_approval"),  # an offer goes nowhere until somebody says so
    ]
    facts = company.run(
        "select facts ->> 'measured', facts ->> 'held_against' from cs.triggers "
        "where account_id = 'fortnight' and facts ->> 'rule' = 'inactive_x_days'"
    )
    assert facts == [("15", "14")]


@pytest.mark.requirement("S1-13")
def test_the_same_alert_hour_after_hour_is_one_play(company: Company, settings: Settings) -> None:
    company.account("week", severity=1)
    company.metrics("week", days_since_last_login=9)
    sensor = Sensor(company, settings)
    entered = []
    for hour in range(4):
        now = MONDAY + hour * HOUR
        tell(company, "inactive_7_days", inactive(company, 7), now)
        entered.append(sensor.tick(now))
    assert entered == [{"re_engage": 1}, {}, {}, {}]
    assert company.column("select count(*) from cs.enrolments") == [1]


def dropped(use: pd.DataFrame, by: float, *, or_equal: bool, baseline: float) -> pd.DataFrame:
    """C-31: accounts whose last 30 days fell against the previous 30 by more than the share `by` (or by just it).

    `use` has account_id, last and previous; below `baseline` in the previous 30 days a fall says nothing.
    """
    most = use["previous"] * (1 - by)
    is_so = ((use["last"] <= most) if or_equal else (use["last"] < most)) & (use["previous"] >= baseline)
    return use[is_so].assign(measured=use["last"], held_against=most)[["account_id", "measured", "held_against"]]


@pytest.mark.requirement("C-31")
def test_one_rule_of_falling_use_keeps_apart_fifty_or_more_and_more_than_fifty(company: Company) -> None:
    names = ["half", "more", "third", "just-thirty", "tiny", "none-before"]
    for account in names:
        company.account(account, severity=1)
        last, before = {
            "half": (50, 100), "more": (49, 100), "third": (65, 100), "just-thirty": (70, 100),
            "tiny": (1, 9), "none-before": (5, 0),
        }[account]  # fmt: skip
        company.run("alter table marts.fct_account_weeks add column if not exists events_previous_30d double precision")
        company.metrics(account, events_30d=last, events_previous_30d=before)
    use = pd.DataFrame(
        company.run("select account_id, events_30d, events_previous_30d from marts.fct_account_weeks"),
        columns=["account_id", "last", "previous"],
    )
    for rule, by, or_equal in (
        ("usage_50_plus", 0.5, True),
        ("logins_over_50", 0.5, False),
        ("campaigns_over_30", 0.3, False),
    ):
        tell(company, rule, dropped(use, by, or_equal=or_equal, baseline=10), MONDAY)
    found: dict[str, set[str]] = {}
    for account, _, rule, _ in told(company):
        found.setdefault(rule, set()).add(account)
    assert found == {
        "usage_50_plus": {"half", "more"},
        "logins_over_50": {"more"},
        "campaigns_over_30": {"half", "more", "third"},
    }


def test_the_facts_of_an_alert_are_for_conditions_and_templates(company: Company, tmp_path: Path) -> None:
    path = tmp_path / "reactivate.yaml"
    path.write_text(REACTIVATE)
    play: Playbook = read_playbook(path)
    company.account("acme", severity=1)
    company.account("brill", severity=1)
    tell(company, "inactive_30_days", of("acme", "brill", measured=[31, 12], held_against=[30, 30]), MONDAY)
    ids = company.column("select trigger_id from cs.triggers")
    summary = enrol(company.warehouse, play, ids, Settings(home=tmp_path), MONDAY)  # pyright: ignore[reportArgumentType]
    assert (summary.enrolled, dict(summary.refused)) == (1, {"trigger": 1})
