"""Plays simulated on the past: they come to what the real ones would have, and leave no trace."""

import json
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

import pytest
from typer.testing import CliRunner

from cs_pipeline.cli import app
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.health.metrics import METRICS
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.playbooks.reading import load_playbooks
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.simulation.simulate import simulate_past_weeks
from cs_pipeline.plays.simulation.tables import SimulationTables
from cs_pipeline.settings import Settings
from tests.builders.company import Company, save_play
from tests.builders.delivering import ToldChannel, all_by, deliver
from tests.builders.triggers import open_triggers

FIRST = date(2025, 1, 6)
SEVEN = timedelta(days=7)
LIBRARY = load_playbooks(None)


@pytest.fixture
def company(company: Company) -> Company:
    """With all metrics in the marts, and accounts that are older than the history."""
    columns = ", ".join(f"add column if not exists {name} double precision" for name in METRICS)
    company.run(f"alter table marts.fct_account_weeks {columns}")
    return company


def week(number: int) -> date:
    return FIRST + number * SEVEN


def monday_after(number: int) -> datetime:
    return datetime.combine(week(number + 1), time(6), UTC)


def live(company: Company, account: str, severities: str, **values: object) -> str:
    """An account and its scores from FIRST on, a digit a week, with the changes between them."""
    company.account(account, **{"created_at": datetime(2023, 1, 1, tzinfo=UTC)} | values)  # pyright: ignore[reportArgumentType]
    before: int | None = None
    for number, digit in enumerate(severities):
        severity = int(digit)
        company.score(account, severity, week(number))
        company.metrics(account, week(number))
        if severity != (before or 0):
            company.insert(
                "cs.score_changes",
                week=week(number),
                account_id=account,
                model="weekly_points",
                model_version="v1",
                previous_week=None if before is None else week(number - 1),
                from_severity=before,
                to_severity=severity,
                from_score=80.0,
                to_score=60.0,
                delta=-20.0,
                cause="behaviour",
                driver_metrics=[],
                driver_deltas=[],
                driver_causes=[],
                origin="live",
            )
        before = severity
    return account


def simulated(company: Company, settings: Settings, *plays: Playbook, weeks: int | None = None) -> SimulationTables:
    last = None if weeks is None else week(weeks - 1)
    return simulate_past_weeks(company.warehouse, {each.playbook: each for each in plays}, settings, FIRST, last)


def the_one(found: SimulationTables) -> dict[str, object]:
    (row,) = found.plays.to_dict("records")
    return {str(name): value for name, value in row.items()}


def play_for_real(company: Company, settings: Settings, plays: list[Playbook], weeks: int) -> None:
    """Every week's triggers decided on at its end, and a delivery at every noon."""
    in_order = sorted(plays, key=lambda play: (-play.priority, play.playbook))
    for number in range(weeks):
        open_triggers(company.warehouse, week(number))
        now = monday_after(number)
        for play in in_order:
            opened = company.column(
                "select trigger_id from cs.triggers where kind = %s and week = %s order by 1",
                play.trigger.kind,
                week(number),
            )
            enrol(company.warehouse, play, opened, settings, now)  # pyright: ignore[reportArgumentType]
        for day in range(7):
            noon = Clock(now + timedelta(days=day, hours=6))
            deliver(company.warehouse, settings, noon, all_by(ToldChannel()))


def test_a_simulation_comes_to_what_the_real_plays_did(company: Company, settings: Settings) -> None:
    for account, severities in (
        ("falls", "0111111"), ("recovers", "0100000"), ("worse", "0133333"), ("again", "0100110"),
        ("well", "0000000"), ("new-and-low", "3333333"), ("late", "0000001"),
    ):  # fmt: skip
        live(company, account, severities)
    live(company, "gone", "0111111", churned_at=monday_after(1) + timedelta(days=3))
    live(company, "small", "0111111", tier="starter")
    live(company, "unsubscribed", "0111111")
    company.run("update marts.dim_contacts set unsubscribed_at = %s where account_id = 'unsubscribed'", monday_after(1))
    company.run("delete from marts.dim_contacts where account_id = 'late'")
    renewing = live(company, "renewing", "0000000")
    company.term("s1", renewing, date(2025, 3, 3))
    company.insert(
        "cs.renewal_windows",
        subscription_id="s1", renewal_date=date(2025, 3, 3), renewal_window="30", account_id=renewing, week=week(3),
        opens_on=week(4), renewal_type="auto", arr=12_000.0, origin="live",
    )  # fmt: skip
    urgent = save_play(
        playbook="urgent",
        priority=80,
        trigger={"kind": "score_change", "when": "to_severity == 3"},
        exit=[],
        steps=[step.model_dump() | {"when": "tier == 'pro'"} for step in save_play().steps],
    )
    plays = [
        save_play(audience="tier != 'starter'", reentry_after_days=30),
        urgent,
        save_play(
            playbook="renewal",
            family="renewal",
            trigger={"kind": "renewal_window", "when": "renewal_window == '30'"},
            steps=[step.model_dump() | {"day": step.day - 30} for step in save_play().steps],
        ),
    ]
    before = company.written()
    found = simulated(company, settings, *plays)
    assert company.written() == before

    play_for_real(company, settings, plays, 7)
    enrolments, actions = found.simulation.enrolments, found.simulation.actions
    entered = enrolments[["playbook", "account_id", "status", "reason"]].itertuples(index=False, name=None)
    assert Counter(entered) == Counter(
        company.run("select playbook, account_id, status, reason from cs.enrolments where status <> 'refused'")
    )
    assert found.simulation.refused == Counter(
        company.run(
            "select triggers.week, playbook, reason from cs.enrolments inner join cs.triggers using (trigger_id) "
            "where status = 'refused'"
        )
    )
    told = actions.assign(status=actions["status"].replace("taken", "sent"))
    taken = told[["playbook", "step", "account_id", "status", "reason"]].itertuples(index=False, name=None)
    assert Counter(taken) == Counter(company.run("select playbook, step, account_id, status, reason from cs.actions"))
    assert {"sent", "suppressed", "cancelled", "failed"} <= set(told["status"])
    assert {"outranked", "recovered", "churned"} <= set(enrolments["reason"])


def days_of_mail(company: Company, found: SimulationTables) -> tuple[Counter, Counter]:
    """What became of every mail to a customer, and on which day it went out: simulated, and for real."""
    actions = found.simulation.actions
    simulated = [
        (row["playbook"], row["step"], row["subject_id"], row["status"].replace("taken", "sent"), _day(row["sent_at"]))
        for row in actions.assign(
            subject_id=found.simulation.enrolments.loc[actions["enrolment_id"], "subject_id"].tolist()
        ).to_dict("records")
        if row["channel"] == "email"
    ]
    real = company.run(
        "select actions.playbook, step, subscription_id, actions.status, sent_at "
        "from cs.actions inner join cs.enrolments using (enrolment_id) where channel = 'email'"
    )
    return Counter(simulated), Counter((*row[:-1], _day(row[-1])) for row in real)


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def test_a_step_keeps_its_distance_when_the_one_before_it_had_to_wait(company: Company, settings: Settings) -> None:
    live(company, "acme", "01111")
    mail = save_play().steps[0].model_dump()
    first, busy = mail | {"step": "first"}, [mail | {"step": f"mail_{number}"} for number in range(2)]
    plays = [
        save_play(playbook="busy", family="a", priority=90, exit=[], steps=busy),
        save_play(
            playbook="slow", family="b", exit=[], stale_after_days=10, steps=[first, mail | {"step": "next", "day": 8}]
        ),
    ]
    narrow = settings.model_copy(update={"mails_per_person": 2})
    found = simulated(company, narrow, *plays)
    assert found.weeks["mails"].tolist() == [0, 2, 1, 1, 0]  # without the distance both would go in the third week
    play_for_real(company, narrow, plays, 5)
    simulated_mail, real_mail = days_of_mail(company, found)
    assert simulated_mail == real_mail


@pytest.mark.parametrize("days_apart", [1, 45])
def test_contracts_that_renew_together_get_one_mail(company: Company, settings: Settings, days_apart: int) -> None:
    account = live(company, "acme", "0000000000")
    for subscription, renews_on in (("a", date(2025, 4, 14)), ("b", date(2025, 4, 14) + timedelta(days=days_apart))):
        company.term(subscription, account, renews_on, renewal_type="manual")
        opens_on = renews_on - timedelta(days=90)
        company.insert(
            "cs.renewal_windows",
            subscription_id=subscription, renewal_date=renews_on, renewal_window="90", account_id=account,
            week=opens_on - timedelta(days=opens_on.weekday() or 7), opens_on=opens_on, renewal_type="manual",
            arr=12_000.0, origin="live",
        )  # fmt: skip
    step = {"to": "point_of_contact", "template": "t", "intent": "inform", "step": "reminder", "day": -80}
    ladder = save_play(
        playbook="ladder",
        family="renewal",
        trigger={"kind": "renewal_window"},
        exit=[],
        steps=[{**step, "channel": "email"}],
    )
    found = simulated(company, settings, ladder)
    joined = found.reasons[found.reasons["reason"] == "joined"]["count"].sum()
    assert joined == (1 if days_apart == 1 else 0)
    play_for_real(company, settings, [ladder], 10)
    simulated_mail, real_mail = days_of_mail(company, found)
    assert simulated_mail == real_mail


def test_facts_are_those_of_the_week(company: Company, settings: Settings) -> None:
    live(company, "grew", "0100", tier="enterprise", owner_email="new@ours.example")
    company.run("update marts.fct_account_weeks set tier = 'starter', arr = 100, owner_email = 'old@ours.example'")
    play = save_play(audience="tier == 'starter' and arr == 100 and not is_high_value")
    found = simulated(company, settings, play)
    assert the_one(found)["enrolled"] == 1
    assert "old@ours.example" in set(found.load["person"])


def test_what_became_of_the_accounts(company: Company, settings: Settings) -> None:
    live(company, "well-soon", "011110" + "1" * 14)
    live(company, "well-late", "0" + "1" * 11 + "0" * 8)
    live(company, "left", "01" + "1" * 18, churned_at=monday_after(10))
    live(company, "left-after-a-talk", "01" + "1" * 18, churned_at=monday_after(10))
    company.insert("staging.stg_touchpoints", account_id="left-after-a-talk", held_at=monday_after(5), is_missed=False)
    live(company, "left-late", "01" + "1" * 18, churned_at=monday_after(1) + timedelta(days=91))
    live(company, "too-new", "0" * 18 + "11")
    row = the_one(simulated(company, settings, save_play(reentry_after_days=365)))
    assert row["enrolled"] == 6
    assert (row["recovered"], row["recovered_of"]) == (1, 5)
    assert (row["left"], row["left_of"], row["left_untouched"]) == (2, 5, 1)


def test_beyond_a_cap_mail_waits_and_is_dropped_when_it_is_stale(company: Company, settings: Settings) -> None:
    live(company, "acme", "0111")
    step = save_play().steps[0].model_dump()
    play = save_play(
        steps=[step | {"step": f"mail_{number}", "day": number} for number in range(5)], stale_after_days=3
    )
    narrow = settings.model_copy(update={"mails_per_person": 2})
    found = simulated(company, narrow, play)
    assert found.weeks["mails"].tolist() == [0, 2, 1, 0]
    assert found.reasons[["what", "reason", "count"]].values.tolist() == [["not_sent", "frequency_cap", 2]]


def test_signups_segments_and_cadences_start_plays_too(company: Company, settings: Settings) -> None:
    live(company, "fresh", "00000", created_at=monday_after(1) - timedelta(days=2))
    live(company, "filling-up", "00000", industry="Software")
    company.run("update marts.fct_account_weeks set seat_utilisation = 0.5")
    company.run("update marts.fct_account_weeks set seat_utilisation = 0.95 where week >= %s", week(2))
    lifecycle = save_play(playbook="hello", family="a", trigger={"kind": "lifecycle", "when": "anchor == 'signup'"})
    lifecycle = lifecycle.model_copy(update={"exit": ()})
    segment = save_play(
        playbook="seats", family="b", exit=[], trigger={"kind": "segment_entry", "when": "segment == 'seats_full'"}
    )
    cadence = save_play(
        playbook="talk", family="c", exit=[], trigger={"kind": "cadence", "when": "cadence == 'check_in'"}
    )
    found = simulated(company, settings, lifecycle, segment, cadence)
    entered = found.simulation.enrolments[["playbook", "account_id", "week"]].values.tolist()
    assert ["hello", "fresh", week(1)] in entered
    assert ["seats", "filling-up", week(2)] in entered
    assert ["seats", "fresh", week(2)] in entered
    assert "talk" in {playbook for playbook, _, _ in entered}
    assert set(found.simulation.actions["status"]) <= {"taken", "planned"}  # a signup of Saturday is not too late


def test_offers_wait_for_approval(company: Company, settings: Settings) -> None:
    live(company, "acme", "0111")
    steps = [step.model_dump() | {"needs_approval": step.step == "check"} for step in save_play().steps]
    row = the_one(simulated(company, settings, save_play(steps=steps)))
    assert (row["mails"], row["tasks"], row["for_approval"]) == (2, 1, 1)


def test_the_load_is_counted_for_each_person(company: Company, settings: Settings) -> None:
    live(company, "acme", "0111")
    live(company, "beta", "0011", owner_email="otto@ours.example")
    found = simulated(company, settings, save_play())
    load = {(row["person"], row["week"]): (row["mails"], row["tasks"]) for row in found.load.to_dict("records")}
    assert load == {
        ("olga@ours.example", week(1)): (1, 1),
        ("olga@ours.example", week(2)): (1, 0),  # five days after a Monday is a Saturday
        ("otto@ours.example", week(2)): (1, 1),
        ("otto@ours.example", week(3)): (1, 0),
    }
    assert found.people.set_index("person").loc["olga@ours.example", "most_tasks"] == 1


def test_the_whole_library_can_be_simulated(company: Company, settings: Settings) -> None:
    for number, severities in enumerate(("0111", "0333", "1110", "2222")):
        live(company, f"a{number}", severities)
    before = company.written()
    found = simulated(company, settings, *LIBRARY.values())
    assert json.loads(json.dumps(found.document, allow_nan=False))["plays"]
    assert len(found.simulation.enrolments)
    active = found.simulation.enrolments[found.simulation.enrolments["status"] == "active"]
    assert not active.duplicated(["account_id", "family"]).any()
    assert company.written() == before


def test_the_command_prints_tables_or_json(
    company: Company, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(company, "acme", "0111")
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", company.warehouse.url)
    monkeypatch.setenv("CS_PIPELINE_HOME", str(settings.home))

    def run(*arguments: str) -> str:
        return CliRunner().invoke(app, ["play", "simulate", *arguments], catch_exceptions=False).output

    assert "1 plays would have begun" in " ".join(run("yellow_adoption", "--from", str(FIRST)).split())
    document = json.loads(run("--all", "--from", str(FIRST), "--to", str(week(3)), "--json"))
    assert document["from"] == str(FIRST)
    for arguments, told in (
        ((), "Name a playbook, or say --all"),
        (("yellow_adoption", "--all"), "Name a playbook, or say --all"),
        (("no_such",), "There is no playbook 'no_such'"),
        (("yellow_adoption", "--from", "2025-01-07"), "is a Tuesday"),
        (("yellow_adoption", "--from", "2024-01-01"), "not within the scored weeks, 2025-01-06 to 2025-01-27"),
    ):
        with pytest.raises(UserError, match=told):
            run(*arguments)


def test_what_has_no_past_cannot_be_simulated(company: Company, settings: Settings) -> None:
    by_hand = save_play(trigger={"kind": "manual"})
    with pytest.raises(UserError, match="yellow cannot be simulated"):
        simulated(company, settings, by_hand)
    with pytest.raises(UserError, match="No week is scored yet"):
        simulated(company, settings, save_play())
