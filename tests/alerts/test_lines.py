"""What a digest shows and counts."""

from collections import Counter
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from cs_pipeline.alerts.lines import MOST_LINES, SECTIONS, arrange, headline
from cs_pipeline.alerts.messages import table_of
from cs_pipeline.alerts.rule import SEVERITIES
from cs_pipeline.alerts.waiting import PER_RULE
from tests.builders.alert_rules import rule

RULES = {"bad": rule("bad"), "worse": rule("worse"), "good": rule("good", polarity="positive")}
SINCE = datetime(2025, 3, 10, tzinfo=UTC)

ALERTS = st.lists(
    st.tuples(
        st.sampled_from(sorted({kind for kind, _ in SECTIONS})),
        st.sampled_from(["bad", "worse", "good", "removed"]),
        st.sampled_from(SEVERITIES),
        st.one_of(st.none(), st.integers(0, 10**6)),
    ),
    max_size=80,
)


def taken(alerts: list[tuple]) -> list[dict]:
    """As the database gives them: sorted, up to PER_RULE of a kind and rule, with how many there are."""
    of_rule = Counter((kind, name) for kind, name, _, _ in alerts)
    places: Counter[tuple[str, str]] = Counter()
    rows: list[dict] = []
    ordered = sorted(enumerate(alerts), key=lambda each: (SEVERITIES.index(each[1][2]), -(each[1][3] or -1)))
    for number, (kind, name, severity, arr) in ordered:
        places[kind, name] += 1
        if places[kind, name] <= PER_RULE:
            rows.append(
                {
                    "kind": kind, "rule": name, "severity": severity, "arr": arr, "alert_id": number,
                    "account_id": f"a{number}", "account_name": None, "entity": f"a{number}", "measured": 2.0,
                    "held_against": 1.0, "facts": {}, "since": SINCE, "ended_at": SINCE, "reopened": 0,
                    "of_rule": of_rule[kind, name],
                }
            )  # fmt: skip
    return rows


@given(ALERTS, st.integers(1, MOST_LINES))
def test_every_alert_is_shown_or_counted_once_the_worst_of_the_largest_first(alerts: list[tuple], most: int) -> None:
    sections = arrange(taken(alerts), RULES, UTC, lambda account: account, most)
    assert sum(section.count for section in sections) == len(alerts)
    assert sum(len(section.lines) for section in sections) <= most
    shown = [line.alert_id for section in sections for line in section.lines]
    assert len(shown) == len(set(shown))
    for section in sections:
        order = [(SEVERITIES.index(alerts[line.alert_id][2]), -(line.arr or -1)) for line in section.lines]
        assert order == sorted(order)
        assert all(count > 0 for _, count in section.more)
    assert len({section.title for section in sections}) == len(sections)
    counted = Counter("resolved" if kind == "resolved" else "open" for kind, *_ in alerts)
    over = sum(section.count for section in sections if section.title in ("Got better", "No longer so"))
    assert over == counted["resolved"]


def test_a_long_section_says_how_many_more_of_which_rule_there_are() -> None:
    rows = taken([("new", "bad", "high", 10)] * 9 + [("new", "worse", "low", 10)] * 2 + [("resolved", "bad", "low", 1)])
    sections = arrange(rows, RULES, UTC, lambda account: account)
    assert [(section.title, len(section.lines), section.more) for section in sections] == [
        ("New", 7, (("bad", 4),)),
        ("Got better", 1, ()),
    ]
    assert headline(sections) == "11 new, 1 got better"


def test_what_happened_is_told_with_its_day_and_without_a_figure_that_only_says_that_it_happened() -> None:
    rules = {"bad": rule("bad", nature="event", expires_after="30 days"), "worse": rule("worse")}
    happened, holds = taken([("new", "bad", "high", 10), ("new", "worse", "low", 10)])
    (section,) = arrange([{**happened, "measured": 1.0}, holds], rules, UTC, lambda account: account)
    assert [(line.since, line.figures) for line in section.lines] == [
        ("seen on 10 March 2025", ""),
        ("since 10 March 2025", "measured 2, held against 1"),
    ]


def test_a_table_names_the_account_first_and_says_how_many_more_there_are() -> None:
    found = table_of({"rows": [{"csat": 1, "ticket": "T1", "account": "Acme"}, {"csat": None}, {"csat": 3.25}]}, 2)
    assert found is not None
    assert found.columns == ("Account", "Ticket", "Csat")
    assert found.rows == (("Acme", "T1", "1"), ("", "", ""))
    assert found.more == 1
    assert table_of({"rows": "none"}, 2) is None
    assert table_of({}, 2) is None
