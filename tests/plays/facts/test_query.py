"""The facts: that the catalogue, the query and the documentation agree, and that they are those of the day."""

from datetime import date, timedelta
from decimal import Decimal

import pandas as pd
import pytest

from cs_pipeline.plays.enrolment import recipients
from cs_pipeline.plays.facts import query as facts
from cs_pipeline.plays.facts.catalogue import ACCOUNT_FACTS
from cs_pipeline.plays.facts.query import KNOWN, AsOf
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company

DTYPES = {"number": "Float64", "text": "string", "boolean": "boolean", "date": "object"}


def read(company: Company, settings: Settings, *account_ids: str, now=MONDAY, **case: object) -> pd.DataFrame:
    cases = pd.DataFrame(
        {
            "case_id": range(len(account_ids)),
            "account_id": account_ids,
            "subject_id": case.get("subject_id"),
            "trigger_id": case.get("trigger_id"),
            "anchor_on": case.get("anchor_on", now.date()),
            "since": case.get("since", now),
        }
    )
    with company.warehouse.session() as session:
        as_of = AsOf(settings, now, sees_ahead=bool(case.get("sees_ahead", True)))
        return facts.read(session, cases, as_of).set_axis(list(account_ids))


def test_every_fact_of_the_catalogue_is_read_in_its_type(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)
    found = read(company, settings, "acme")
    assert set(found) == {*ACCOUNT_FACTS, KNOWN}
    assert {name: str(found[name].dtype) for name in ACCOUNT_FACTS} == {
        name: DTYPES[fact.type] for name, fact in ACCOUNT_FACTS.items()
    }


def test_what_is_not_known_is_missing(company: Company, settings: Settings) -> None:
    company.account("acme", arr=None)
    found = facts.as_mappings(read(company, settings, "acme", "nobody"))["acme"]  # pyright: ignore[reportArgumentType]
    assert (
        found["arr"]
        is found["is_high_value"]
        is found["score"]
        is found["nps_response"]
        is found["renewal_date"]
        is None
    )
    assert found["is_churned"] is False
    assert read(company, settings, "nobody")[KNOWN].tolist() == [False]


def test_what_is_not_known_is_missing_and_what_is_whole_is_whole_whatever_others_have(
    company: Company, settings: Settings
) -> None:
    for name, arr, seats in (("a", 1200.5, 10), ("b", None, None), ("c", 900, 3)):
        company.account(name, arr=arr, seats=seats)
    found = facts.as_mappings(read(company, settings, "a", "b", "c"))
    told = [(row["arr"], row["seats"]) for row in found.values()]
    assert told == [(1200.5, 10), (None, None), (900, 3)]
    assert [[type(value) for value in values] for values in told] == [[float, int], [type(None)] * 2, [int, int]]


def test_facts_of_a_week_are_of_the_newest_that_is_over(company: Company, settings: Settings) -> None:
    company.account("acme")
    for week, users in [(date(2025, 2, 24), 1), (date(2025, 3, 3), 2), (date(2025, 3, 10), 3)]:
        company.metrics("acme", week=week, active_users_30d=users)
        company.score("acme", users, week=week)
    found = read(company, settings, "acme").loc["acme"]
    assert (found["active_users_30d"], found["severity"]) == (2, 2)
    later = read(company, settings, "acme", now=MONDAY + timedelta(days=60)).loc["acme"]
    assert (later["active_users_30d"], later["severity"]) == (pd.NA, pd.NA)  # too old to say anything


def test_days_are_counted_to_the_day_of_asking(company: Company, settings: Settings) -> None:
    company.account("acme", created_at=MONDAY - timedelta(days=10))
    company.metrics("acme", renewal_date=date(2025, 4, 1), renewal_type="manual")
    for days in (0, 3):
        found = read(company, settings, "acme", now=MONDAY + timedelta(days=days)).loc["acme"]
        assert (found["tenure_days"], found["days_to_renewal"]) == (10 + days, 22 - days)


def test_a_play_about_a_subscription_sees_that_subscription(company: Company, settings: Settings) -> None:
    company.account("acme")
    company.metrics("acme", renewal_date=date(2025, 4, 1), renewal_type="manual")
    company.term("s2", "acme", date(2025, 9, 1), successor_started_on=date(2025, 3, 10))
    found = read(company, settings, "acme", subject_id="s2", anchor_on=date(2025, 9, 1))
    names = ["renewal_date", "renewal_type", "renewal_done", "renewal_moved"]
    assert found[names].to_numpy().tolist() == [[date(2025, 9, 1), "auto", True, False]]


RENEWS = date(2025, 7, 6)


def of_renewal(
    company: Company,
    settings: Settings,
    *,
    sees_ahead: bool = True,
    renews_on: date | None = RENEWS,
    **term: object,
) -> dict[str, object]:
    """What a play counting from RENEWS sees of a term that somebody must sign, asked on MONDAY (10 March)."""
    company.account("acme")
    values = {"renewal_type": "manual", "started_on": date(2024, 7, 6)} | term
    company.term("s1", "acme", renews_on, **values)
    found = read(company, settings, "acme", subject_id="s1", anchor_on=RENEWS, sees_ahead=sees_ahead).loc["acme"]
    return {name: found[name] for name in ("renewal_done", "ends_unrenewed", "renewal_moved")}


def outcome(**true: bool) -> dict[str, object]:
    return {name: true.get(name, False) for name in ("renewal_done", "ends_unrenewed", "renewal_moved")}


def test_what_is_signed_for_a_day_to_come_is_done_today_and_unknown_to_the_past(
    company: Company, settings: Settings
) -> None:
    assert of_renewal(company, settings, successor_started_on=RENEWS) == outcome(renewal_done=True)
    company.run("delete from marts.fct_subscription_terms")
    company.run("delete from marts.dim_accounts")
    company.run("delete from staging.stg_accounts")
    assert of_renewal(company, settings, successor_started_on=RENEWS, sees_ahead=False) == outcome()


def test_a_signature_that_had_arrived_is_known_to_the_past(company: Company, settings: Settings) -> None:
    arrived = date(2025, 3, 10)
    found = of_renewal(company, settings, sees_ahead=False, successor_started_on=RENEWS, successor_known_on=arrived)
    assert found == outcome(renewal_done=True)


@pytest.mark.parametrize(
    ("ended_on", "sees_ahead", "ends"),
    [
        (RENEWS, True, True),
        (date(2025, 7, 7), True, True),
        (date(2025, 7, 8), True, False),
        (date(2025, 5, 1), True, True),
        (RENEWS, False, False),
        (date(2025, 3, 10), False, True),
    ],
)
def test_an_end_that_is_known_ahead_is_no_renewal(
    company: Company, settings: Settings, ended_on: date, sees_ahead: bool, ends: bool
) -> None:
    assert of_renewal(company, settings, ended_on=ended_on, sees_ahead=sees_ahead) == outcome(ends_unrenewed=ends)


def test_a_known_end_with_a_successor_is_a_renewal(company: Company, settings: Settings) -> None:
    found = of_renewal(company, settings, ended_on=RENEWS, successor_started_on=RENEWS)
    assert found == outcome(renewal_done=True)


@pytest.mark.parametrize("renews_on", [None, date(2026, 7, 6)])
def test_a_renewal_date_that_moved_or_went_is_another(
    company: Company, settings: Settings, renews_on: date | None
) -> None:
    assert of_renewal(company, settings, renews_on=renews_on) == outcome(renewal_moved=True)


def test_a_subscription_that_is_gone_renews_no_more(company: Company, settings: Settings) -> None:
    company.account("acme")
    assert read(company, settings, "acme", subject_id="s1", anchor_on=RENEWS)["renewal_moved"].tolist() == [True]
    assert read(company, settings, "acme")["renewal_moved"].tolist() == [False]


@pytest.mark.parametrize(
    ("first", "second", "renews_on"),
    [
        ({}, None, date(2025, 4, 1)),
        ({"successor_started_on": date(2025, 4, 1)}, {"started_on": date(2025, 4, 1)}, date(2026, 4, 1)),
        ({"ended_on": date(2025, 4, 1)}, None, None),
        ({"ended_on": date(2025, 4, 1)}, {"started_on": date(2024, 4, 1)}, date(2026, 4, 1)),
        ({"is_addon": True}, {"started_on": date(2024, 4, 1)}, date(2026, 4, 1)),
    ],
)
def test_an_account_renews_when_what_is_not_signed_yet_does(
    company: Company,
    settings: Settings,
    first: dict[str, object],
    second: dict[str, object] | None,
    renews_on: date | None,
) -> None:
    company.account("acme")
    company.metrics("acme", renewal_date=date(2025, 4, 1), renewal_type="manual")
    company.term("s1", "acme", date(2025, 4, 1), renewal_type="manual", **first)
    if second is not None:
        company.term("s2", "acme", date(2026, 4, 1), renewal_type="manual", **second)
    assert read(company, settings, "acme")["renewal_date"].tolist() == [renews_on]
    assert read(company, settings, "acme", sees_ahead=False)["renewal_date"].tolist() == [date(2025, 4, 1)]


def test_what_renews_by_itself_is_counted_to_its_next_anniversary(company: Company, settings: Settings) -> None:
    company.account("acme")
    company.term("s1", "acme", date(2023, 7, 6), renewal_type="auto", renews_every_months=12, mrr=100.0, product="Core")
    found = read(company, settings, "acme", subject_id="s1", anchor_on=RENEWS)
    names = ["renewal_date", "renewal_done", "renewal_moved", "renewal_product", "renewal_arr"]
    assert found[names].to_numpy().tolist() == [[RENEWS, False, False, "Core", 1200]]
    after = read(company, settings, "acme", subject_id="s1", anchor_on=RENEWS, now=MONDAY + timedelta(days=119))
    assert after[["renewal_date", "renewal_done", "renewal_moved"]].to_numpy().tolist() == [
        [date(2026, 7, 6), True, False]
    ]


def test_a_reply_or_a_meeting_counts_from_the_enrolment_on(company: Company, settings: Settings) -> None:
    for account in ("before", "reply", "meeting", "missed", "open"):
        company.account(account)
    after = MONDAY - timedelta(hours=1)
    for account, event, moment in [
        ("before", "reply", MONDAY - timedelta(days=2)),
        ("reply", "reply", after),
        ("open", "open", after),
    ]:
        company.insert("staging.stg_email_events", account_id=account, event=event, occurred_at=moment)
    for account, is_missed in [("meeting", False), ("missed", True)]:
        company.insert("staging.stg_touchpoints", account_id=account, held_at=after, is_missed=is_missed)
    found = read(company, settings, "before", "reply", "meeting", "missed", "open", since=MONDAY - timedelta(days=1))
    assert found.index[found["responded_since_enrolment"].astype(bool)].tolist() == ["reply", "meeting"]


def test_an_account_may_be_asked_about_twice_at_once(company: Company, settings: Settings) -> None:
    company.account("acme")
    assert len(read(company, settings, "acme", "acme")) == 2


@pytest.mark.requirement("S3-25", "S1-18")
def test_an_alert_is_over_when_the_newest_of_its_kind_is_and_unknown_in_other_plays(
    company: Company, settings: Settings
) -> None:
    def is_over(**alert: object) -> object:
        trigger = company.trigger("alert", "acme", key=str(alert), subject_id="acme-ada", rule="idle")
        columns = {"severity": "low", "version": "v", "since": MONDAY, "since_clock": 0, "seen_at": MONDAY}
        company.insert("cs.alerts", **{"rule": "idle", "account_id": "acme", "entity": "acme-ada", **columns, **alert})
        answer = read(company, settings, "acme", trigger_id=trigger)["alert_is_over"].tolist()[0]
        return None if pd.isna(answer) else answer

    company.account("acme")
    told = company.trigger("lifecycle", "acme")
    assert read(company, settings, "acme", trigger_id=told)["alert_is_over"].isna().all()
    assert is_over(state="firing", rule="another") is None
    assert is_over(state="resolved", ended_at=MONDAY, cause="condition") is True
    assert is_over(state="firing") is False
    assert is_over(state="closed", ended_at=MONDAY, cause="expired", entity="acme-ben") is False


# Recipients ---------------------------------------------------------------------------------------------------------


def who(company: Company, settings: Settings, role: str, channel: str = "email") -> str | None:
    wanted = pd.DataFrame({"account_id": ["acme"], "role": [role], "channel": [channel], "user_id": [None]})
    with company.warehouse.session() as session:
        return recipients.resolve(session, wanted, AsOf(settings, MONDAY))["recipient"].tolist()[0]


@pytest.mark.requirement("C-39")
def test_a_role_of_the_customer_falls_back_to_who_knows_the_account(company: Company, settings: Settings) -> None:
    company.account("acme")  # with a point of contact
    company.contact("acme", "pia", role="primary")
    assert who(company, settings, "executive_sponsor") == "ada@acme.example"
    company.contact("acme", "carl", role="champion")
    assert who(company, settings, "executive_sponsor") == "carl@acme.example"
    company.contact("acme", "eva", role="executive_sponsor")
    assert who(company, settings, "executive_sponsor") == "eva@acme.example"
    company.run("delete from marts.dim_contacts where role <> 'primary'")
    assert who(company, settings, "executive_sponsor") == "pia@acme.example"
    company.run("delete from marts.dim_contacts")
    assert who(company, settings, "executive_sponsor") is None


@pytest.mark.requirement("C-39")
def test_only_who_has_the_role_today_is_written_to(company: Company, settings: Settings) -> None:
    company.account("acme")
    today, before = date(2025, 3, 10), date(2025, 3, 1)
    company.contact("acme", "past", role="champion", started_on=before, ended_on=today)
    company.contact("acme", "left", role="champion", deleted_at=MONDAY - timedelta(days=1))
    company.contact("acme", "soon", role="champion", started_on=date(2025, 3, 11))
    company.contact("acme", "mute", role="champion", email=None)
    assert who(company, settings, "champion") == "ada@acme.example"
    company.contact("acme", "first", role="champion")
    company.contact("acme", "newer", role="champion", started_on=before)
    assert who(company, settings, "champion") == "newer@acme.example"


@pytest.mark.requirement("C-37")
@pytest.mark.parametrize(
    ("role", "channel", "account", "expected"),
    [
        ("owner", "email", {}, "olga@ours.example"),
        ("owner", "email", {"owner_email": None}, "max@ours.example"),
        ("owner", "email", {"owner_email": None, "manager_email": ""}, None),
        ("owner", "slack", {"owner_email": None, "manager_email": None}, "#customer-success"),
        ("owner", "slack", {"owner_email": None, "manager_email": None, "slack_channel": "#acme"}, "#acme"),
        ("owner", "crm", {"owner_email": None, "manager_email": None}, "#customer-success"),
        ("manager", "slack", {}, "max@ours.example"),
        ("manager", "slack", {"manager_email": None, "executive_email": "vp@ours.example"}, "vp@ours.example"),
        ("executive", "crm", {"executive_email": "vp@ours.example"}, "vp@ours.example"),
        ("executive", "crm", {}, "max@ours.example"),
        ("legal", "crm", {}, "legal@example.com"),
        ("team", "slack", {}, "#customer-success"),
    ],
)
def test_a_role_of_ours_falls_back_to_the_next_in_line(
    company: Company, settings: Settings, role: str, channel: str, account: dict[str, object], expected: str | None
) -> None:
    company.account("acme", **account)  # pyright: ignore[reportArgumentType]
    assert who(company, settings, role, channel) == expected


GIVEN = {
    "number": [3, Decimal("2.5"), float("nan"), None],
    "boolean": [True, False, None, True],
    "text": ["", "Zażółć", None, "3"],
    "date": [date(2025, 1, 6), None, None, None],
}
TYPED = {
    "number": [3.0, 2.5, None, None],
    "boolean": [True, False, None, True],
    "text": ["", "Zażółć", None, "3"],
    "date": [date(2025, 1, 6), None, None, None],
}


@pytest.mark.parametrize("rows", [0, 1, 4])
def test_every_fact_has_the_type_of_the_catalogue_on_the_index_of_its_row_or_is_missing(rows: int) -> None:
    index = [7, 3, 9, 1][:rows]
    given = {name: GIVEN[fact.type][:rows] for name, fact in list(ACCOUNT_FACTS.items())[5:]}
    found = facts.typed(pd.DataFrame(given, index=index, dtype="object"), ACCOUNT_FACTS)
    assert found.columns.tolist() == list(ACCOUNT_FACTS)
    assert found.index.tolist() == index
    for place, (name, fact) in enumerate(ACCOUNT_FACTS.items()):
        assert found[name].dtype == DTYPES[fact.type], name
        expected = TYPED[fact.type][:rows] if place >= 5 else [None] * rows
        assert [None if pd.isna(value) else value for value in found[name]] == expected, name


@pytest.mark.parametrize("value", ["false", "yes", 2])
def test_what_is_neither_true_nor_false_is_refused_and_not_taken_for_true(value: object) -> None:
    name = next(name for name, fact in ACCOUNT_FACTS.items() if fact.type == "boolean")
    with pytest.raises(TypeError, match="bool-like"):
        facts.typed(pd.DataFrame({name: [value]}, dtype="object"), ACCOUNT_FACTS)
