"""On the generated company: a rule on a planted cause shows its planted lead, noise is louder than useful, and no
shipped rule is loud."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pandas as pd
import pytest

from cs_pipeline.alerts.outcomes import Book, read_book
from cs_pipeline.alerts.replay import Replay, replay
from cs_pipeline.alerts.replay_report import report
from cs_pipeline.alerts.rulebook import Rule, load_rules
from cs_pipeline.alerts.scorecard import Scorecard, scorecards
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.bulk import query
from tests.builders.alert_rules import rule
from tests.builders.sample_history import History

pytestmark = [pytest.mark.xdist_group("sample_company"), pytest.mark.slow(seconds=15)]

CHURN = {"event": "churn", "within_days": 90}
RULES = {
    each.name: each
    for each in (
        rule("bills_unpaid", schedule="weekly", outcome=CHURN, again_after="30 days"),
        rule("tickets_pile_up", schedule="weekly", outcome=CHURN, again_after="30 days"),
        rule("noise", schedule="weekly", outcome=CHURN),
    )
}
VIEWS = """
create schema if not exists alerts;

create view alerts.bills_unpaid as
select asked.moment::timestamptz as as_of, invoices.account_id, invoices.account_id as entity,
    count(*)::double precision as measured, 1::double precision as held_against, '{}'::jsonb as facts
from unnest(string_to_array(current_setting('cs_pipeline.moments', true), ',')) as asked (moment)
inner join staging.stg_invoices as invoices
    on invoices.due_on + 7 <= (asked.moment::timestamptz at time zone 'UTC')::date
    and coalesce(invoices.paid_at > asked.moment::timestamptz, true)
group by 1, 2;

create view alerts.tickets_pile_up as
select asked.moment::timestamptz as as_of, weeks.account_id, weeks.account_id as entity,
    weeks.open_tickets::double precision as measured, 1::double precision as held_against, '{}'::jsonb as facts
from unnest(string_to_array(current_setting('cs_pipeline.moments', true), ',')) as asked (moment)
inner join marts.fct_account_weeks as weeks on weeks.week + 7 = (asked.moment::timestamptz at time zone 'UTC')::date
where weeks.open_critical_tickets >= 1 or weeks.open_tickets >= 2;

create view alerts.noise as
select asked.moment::timestamptz as as_of, weeks.account_id, weeks.account_id as entity,
    1::double precision as measured, 1::double precision as held_against, '{}'::jsonb as facts
from unnest(string_to_array(current_setting('cs_pipeline.moments', true), ',')) as asked (moment)
inner join marts.fct_account_weeks as weeks on weeks.week + 7 = (asked.moment::timestamptz at time zone 'UTC')::date
where abs(hashtext(weeks.account_id || weeks.week)) % 60 = 0
"""
LATER, EARLIER = 28, 7
"""Days by which a rule may be later than the planted onset, as what goes wrong takes a while to show, and earlier."""
WEEKS = 8
LOUD = 0.08
"""Share of the book for which a shipped rule may fire in a week, on average over the weeks."""
LOUD_AT_ONCE = 0.1
"""Share of the book for which it may fire at one moment: from there on a larger company's would be held."""


def replayed(history: History, rules: Mapping[str, Rule], weeks: int = 0) -> Replay:
    """All weeks but the first and the last, or the last so many."""
    company = history.company
    last = company.ends_at - timedelta(weeks=1)
    first = datetime.combine(company.first_week + timedelta(weeks=1), time(), UTC)
    first = last - timedelta(weeks=weeks) if weeks else first
    return replay(history.warehouse, Settings(home=Path("nowhere")), rules, first, last)


def once_a_day(rule: Rule) -> Rule:
    """The rule, asked once a day where it would be asked more often: thousands of moments say no more of its volume."""
    many = rule.alert.schedule not in ("daily", "weekly")
    return replace(rule, alert=rule.alert.model_copy(update={"schedule": "daily"})) if many else rule


@pytest.fixture(scope="module")
def book(larger_history: History) -> Book:
    return read_book(larger_history.warehouse)


@pytest.fixture(scope="module")
def found(larger_history: History) -> Replay:
    with larger_history.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(VIEWS)
    return replayed(larger_history, RULES)


@pytest.fixture(scope="module")
def truth(larger_history: History) -> pd.DataFrame:
    return query(larger_history.warehouse, "select account_id, cause, lead_weeks from demo_truth.accounts_truth")


@pytest.mark.parametrize(("name", "cause"), [("bills_unpaid", "price"), ("tickets_pile_up", "support_pain")])
def test_a_rule_on_a_planted_cause_is_kept_with_its_planted_lead(
    found: Replay, book: Book, truth: pd.DataFrame, name: str, cause: str
) -> None:
    planted = truth[truth["cause"] == cause].set_index("account_id")["lead_weeks"]
    of_cause = book.happenings["account_id"].isin(planted.index) & (book.happenings["event"] == "churn")
    card = _card(found, name, replace(book, happenings=book.happenings[of_cause]))
    assert card.recall is not None
    assert card.recall.value > 0.6
    assert card.lift is not None
    assert card.lift.low > 2
    assert card.median_lead_days is not None
    assert -EARLIER <= 7 * planted.median() - card.median_lead_days <= LATER
    assert _card(found, name, book).verdict == "keep"


def test_noise_is_louder_than_useful(found: Replay, book: Book) -> None:
    card = _card(found, "noise", book)
    assert card.counted > 100
    assert card.verdict == "louder than useful"


@pytest.fixture(scope="module")
def shipped(scored_history: History) -> Replay:
    """Two months of all shipped rules, on the company that has all its events."""
    rules = {name: once_a_day(rule) for name, rule in load_rules(None).items()}
    return replayed(scored_history, rules, weeks=WEEKS)


def test_every_shipped_rule_can_be_asked_of_the_sample_company(shipped: Replay) -> None:
    assert set(shipped.evaluations["rule"]) == set(load_rules(None))
    assert sorted(set(shipped.evaluations["rule"][shipped.evaluations["health"] == "error"])) == []
    assert len(shipped.fired) > 0


def test_no_shipped_rule_fires_for_much_of_the_book_week_by_week(shipped: Replay, scored_history: History) -> None:
    reports = report(shipped, read_book(scored_history.warehouse))
    loud = {each.rule: round(each.share_per_week, 3) for each in reports if each.share_per_week > LOUD}
    assert {name: share for name, share in loud.items() if shipped.rules[name].alert.loud is None} == {}


def test_no_shipped_rule_fires_for_a_tenth_of_the_book_at_once(shipped: Replay, scored_history: History) -> None:
    book = len(read_book(scored_history.warehouse).accounts)
    fresh = shipped.fired[~shipped.fired["is_baseline"].to_numpy(bool)]
    at_once = fresh.groupby(["rule", "fired_at"])["account_id"].nunique().groupby("rule").max() / book
    loud = {name: share for name, share in at_once.items() if share > LOUD_AT_ONCE}
    assert {name: share for name, share in loud.items() if shipped.rules[str(name)].alert.loud is None} == {}


def _card(found: Replay, name: str, book: Book) -> Scorecard:
    (watched,) = [each for each in found.watched() if each.rule == name]
    (card,) = scorecards(found.fired, [watched], book)
    return card
