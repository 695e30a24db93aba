"""Whatever a rule finds, misses, or cannot say, its alerts go on as one key at a time would."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_pipeline.alerts import decisions
from cs_pipeline.alerts.evaluate import evaluate
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.alerts.naive_alerts import NaiveRule
from tests.builders.alert_rules import DAY, START, VIEW, rule

KEYS = ("a", "b", "c")
OURS = ("alerts", "alert_changes", "alert_evaluations", "alert_silences", "triggers", "actions", "notices")
EMPTIED = ("found", *(f"cs.{table}" for table in OURS))


@dataclass(frozen=True)
class Evaluated:
    """After `days` the rule finds `found`, or cannot be asked."""

    days: int
    found: frozenset[str]
    is_error: bool = False
    is_changed: bool = False


decided = st.sampled_from(["release", "dismiss", "silence", "lift"])
evaluated = st.builds(
    Evaluated,
    st.integers(1, 3),
    st.frozensets(st.sampled_from(KEYS)),
    is_error=st.sampled_from([False, False, False, True]),
    is_changed=st.sampled_from([False, False, False, True]),
)
steps = st.lists(st.one_of(evaluated, evaluated, evaluated, decided), min_size=5, max_size=20)
rules = st.builds(
    NaiveRule,
    is_event=st.booleans(),
    hold_for=st.sampled_from([0, 0, 1, 3]),
    resolve_after=st.integers(1, 3),
    again_after=st.sampled_from([None, 2, 5, 30]),
    expires_after=st.sampled_from([None, 1, 4, 9]),
    most=st.sampled_from([1, 2, 50]),
).filter(lambda naive: not naive.is_event or naive.expires_after is not None)


def as_written(naive: NaiveRule) -> Rule:
    durations = {"again_after": naive.again_after, "expires_after": naive.expires_after, "for": naive.hold_for}
    return rule(
        nature="event" if naive.is_event else "state",
        resolve_after=f"{naive.resolve_after} evaluations",
        limits={"accounts": naive.most},
        **{name: f"{days} days" for name, days in durations.items() if days is not None},
    )


class Real:
    """The rule of the database, on one session."""

    def __init__(self, warehouse: Warehouse, home: Path) -> None:
        self.session = warehouse.connect()
        self.settings = Settings(home=home)

    def run(self, sql: str, *parameters: object) -> list[tuple]:
        with self.session.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            rows = cursor.fetchall() if cursor.description else []
        self.session.commit()
        return rows

    def alerts(self) -> list[tuple]:
        return self.run(
            """
            select
                entity, state, cause, since, fired_at, ended_at, reopened, is_baseline, is_held, told_at,
                case when state = 'recovering' then missing else 0 end
            from cs.alerts order by entity, alert_id
            """
        )

    def entities(self, ids: tuple[int, ...]) -> list[str]:
        return [
            row[0] for row in self.run("select entity from cs.alerts where alert_id = any(%s) order by 1", list(ids))
        ]


@contextmanager
def emptied(real: Real) -> Iterator[None]:
    try:
        yield
    finally:
        real.session.rollback()
        for table in EMPTIED:
            real.run(f"delete from {table}")


@pytest.fixture
def real(alerts_warehouse: Warehouse, tmp_path: Path) -> Iterator[Real]:
    real = Real(alerts_warehouse, tmp_path)
    with closing(real.session):
        real.run("create schema alerts")
        real.run("create table found (rule text, account_id text, entity text, measured double precision)")
        real.run(VIEW.format(name="idle"))
        yield real


def follow(real: Real, naive: NaiveRule, history: list) -> None:
    """Both go through the history; after every step they agree."""
    written, now, version, silence = as_written(naive), START, 0, None
    for step in history:
        if isinstance(step, Evaluated):
            now += step.days * DAY
            version += step.is_changed
            real.run("delete from found")
            for key in sorted(step.found):
                real.run("insert into found values ('idle', %s, %s, 2)", key, key)
            if step.is_error:
                real.run("insert into found values ('idle', 'a', null, 2)")
            asked = replace(written, parameters={"": {"version": float(version)}})
            evaluation = evaluate(real.session, asked, now, real.settings, now)
            assert evaluation is not None
            if step.is_error:
                naive.freeze(now)
                assert (evaluation.health, bool(evaluation.told)) == ("error", False)
            else:
                told = naive.evaluate(now, step.found, version)
                assert told == {
                    "new": real.entities(evaluation.told.new),
                    "resolved": real.entities(evaluation.told.resolved),
                    "reopened": real.entities(evaluation.told.reopened),
                }
                assert evaluation.health == ("held" if naive.is_holding else "ok")
        else:
            now += timedelta(hours=1)
            silence = decide(real, naive, step, written, silence, now)
        expected = sorted(naive.alerts, key=lambda alert: alert.key)
        assert real.alerts() == [alert.seen for alert in expected]


def decide(real: Real, naive: NaiveRule, step: str, written: Rule, silence: int | None, now) -> int | None:
    if step in ("release", "dismiss") and naive.is_holding:
        if step == "release":
            naive.release(now)
            decisions.release(real.session, written, "kim", real.settings, now)
        else:
            naive.dismiss(now)
            decisions.dismiss(real.session, "idle", "kim", now)
    elif step == "silence" and silence is None:
        naive.is_silent = True
        silence = decisions.silence(real.session, "idle", None, now + 900 * DAY, "on holiday", "kim", now)
    elif step == "lift" and silence is not None:
        naive.is_silent = False
        decisions.lift(real.session, silence, now)
        silence = None
    real.session.commit()
    return silence


@pytest.mark.slow(seconds=40)
def test_the_states_are_those_of_one_key_at_a_time(real: Real) -> None:
    @settings(max_examples=150)
    @given(naive=rules, history=steps)
    def run(naive: NaiveRule, history: list) -> None:
        with emptied(real):
            follow(real, naive, history)

    run()
