"""Whatever a rule finds or misses, the alerts of a replay go on as one key at a time would."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_pipeline.alerts.replay_arrays import ALWAYS, CAUSES, GONE, NEVER, STATES, Found
from cs_pipeline.alerts.replay_states import States
from cs_pipeline.alerts.transition import Tick
from tests.alerts.naive_alerts import NaiveRule
from tests.builders.alert_rules import DAY, START, rule

KEYS = "abcde"

naive_rules = st.builds(
    NaiveRule,
    is_event=st.booleans(),
    hold_for=st.sampled_from([0, 0, 1, 3]),
    resolve_after=st.integers(1, 3),
    again_after=st.sampled_from([None, 2, 5, 30]),
    expires_after=st.sampled_from([None, 1, 4, 9]),
    most=st.sampled_from([1, 2, 50]),
).filter(lambda naive: not naive.is_event or naive.expires_after is not None)
evaluated = st.tuples(
    st.integers(1, 3),
    st.frozensets(st.sampled_from(KEYS)),
    st.sampled_from(["asked", "asked", "asked", "changed", "not asked"]),
)


@settings(max_examples=300, deadline=None)
@given(naive=naive_rules, history=st.lists(evaluated, min_size=5, max_size=25))
def test_the_states_of_a_replay_are_those_of_one_key_at_a_time(naive: NaiveRule, history: list) -> None:
    days = {"again_after": naive.again_after, "expires_after": naive.expires_after, "for": naive.hold_for}
    written = rule(
        nature="event" if naive.is_event else "state",
        resolve_after=f"{naive.resolve_after} evaluations",
        limits={"accounts": naive.most},
        **{name: f"{number} days" for name, number in days.items() if number is not None},
    )
    states, now, version, clock, before, seen = States(written.alert), START, 0, 0.0, None, None
    for passed, found, what in history:
        now += passed * DAY
        version += what == "changed"
        if what == "not asked":
            naive.freeze(now)
        else:
            clock += 0.0 if before is None else (now - before).total_seconds()
            is_changed, is_baseline = seen not in (None, version), seen != version
            tick = Tick(written, now, now, str(version), clock, before, is_changed, is_baseline, book=0)
            keys = np.array(sorted(map(KEYS.index, found)), np.int64)
            values = np.full(len(keys), 2.0)
            outcome = states.advance(tick, version, Found(keys, keys, values, values, keys), np.full(9, ALWAYS))
            naive.evaluate(now, found, version)
            assert (outcome.held > 0) == naive.is_holding
            seen = version
        before = now
        assert _seen(states) == sorted((alert.seen for alert in naive.alerts), key=lambda row: row[0])


def _seen(states: States) -> list[tuple]:
    """As NaiveAlert.seen, by key."""
    alerts = states.alerts[states.alerts["state"] != GONE]
    rows = [
        (
            KEYS[row["key"]], STATES[row["state"]], (*CAUSES, None)[row["cause"]], _then(row["since"]),
            _then(row["fired_at"]), _then(row["ended_at"]), row["reopened"], row["is_baseline"], row["is_held"],
            _then(row["told_at"]), row["missing"] if STATES[row["state"]] == "recovering" else 0,
        )
        for row in alerts
    ]  # fmt: skip
    return sorted(rows, key=lambda row: row[0])


def _then(at: int) -> datetime | None:
    return None if at == NEVER else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(at))
