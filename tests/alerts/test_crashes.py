"""Whoever is killed, wherever, and however many look at once: every alert is told once."""

import multiprocessing
import os
import signal
import threading
import time
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psycopg2.extensions
import pytest

from cs_pipeline.alerts import notifications
from cs_pipeline.alerts.evaluate import evaluate_rules
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.alerts.conftest import Watch
from tests.builders.alert_rules import Watched, rule


class Killed(BaseException):
    """The process is gone: nothing of ours runs after it."""


class Doomed:
    """Lets a session do so many statements; at the next one the connection is gone, and the process with it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.left = 0
        doomed, connect = self, Warehouse.connect

        class Counting(psycopg2.extensions.cursor):
            def execute(self, query: Any, vars: Any = None) -> None:
                doomed.left -= 1
                if doomed.left < 0:
                    self.connection.close()
                    raise Killed
                return super().execute(query, vars)

        def counted(warehouse: Warehouse) -> psycopg2.extensions.connection:
            session = connect(warehouse)
            session.cursor_factory = Counting
            return session

        patch.setattr(Warehouse, "connect", counted)


def told(watched: Watched) -> dict[str, tuple]:
    """Of each entity how many alerts, triggers and notifications there are, and whether its alert is told."""
    rows = watched.run(
        """
        select entity, count(*), bool_and(told_at is not null), (
            select count(*) from cs.triggers where triggers.subject_id = entity
        ), (
            select count(*) from cs.alert_notifications as told
            where told.kind = 'new' and told.alert_id = any(array_agg(alerts.alert_id))
        )
        from cs.alerts group by entity
        """
    )
    return {entity: tuple(rest) for entity, *rest in rows}


def wait_for_the_server_to_notice(watched: Watched) -> None:
    """Wait until no session is left that holds a rule: until then nobody else may evaluate it."""
    held = """
        select count(*) from pg_locks
        where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())
    """
    while watched.run(held) != [(0,)]:
        time.sleep(0.01)


@pytest.mark.slow(seconds=20)
def test_who_is_killed_at_any_statement_of_an_evaluation_loses_nothing_and_tells_nothing_twice(watch: Watch) -> None:
    watched = watch(rule(limits={"accounts": 500}))
    watched.begin()
    kills = 0
    while True:
        entity = f"e{kills}"
        watched.add(entity)
        with pytest.MonkeyPatch.context() as patch:
            doomed = Doomed(patch)
            doomed.left = kills
            try:
                watched.evaluate()
            except Killed:
                pass
            else:
                break
        wait_for_the_server_to_notice(watched)
        evaluations = evaluate_rules(watched.warehouse, watched.rules, watched.settings, watched.now)
        assert told(watched)[entity] == (1, True, 1, 1), f"killed at statement {kills}"
        assert len(evaluations) <= 1
        kills += 1
    assert kills > 15
    assert set(told(watched).values()) == {(1, True, 1, 1)}
    assert watched.run("select count(*) from cs.alert_changes") == [(kills + 1,)]


def evaluate_and_stall(url: str, home: Path, rules: dict[str, Rule], now: datetime, said: Connection) -> None:
    def stall(*_: object) -> None:
        said.send("about to tell")
        time.sleep(600)

    notifications.tell = stall
    evaluate_rules(Warehouse(url), rules, Settings(home=home), now)


def test_a_process_killed_between_the_transition_and_the_telling_has_done_neither(watch: Watch) -> None:
    watched = watch(rule())
    watched.begin()
    watched.find("acme")
    watched.now = watched.now.replace(day=watched.now.day + 1)
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    arguments = (watched.warehouse.url, watched.settings.home, watched.rules, watched.now, theirs)
    process = context.Process(target=evaluate_and_stall, args=arguments)
    process.start()
    assert ours.recv() == "about to tell"
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    assert told(watched) == {}
    evaluations = []
    while not evaluations:  # until the server has noticed, the rule is taken
        evaluations = evaluate_rules(watched.warehouse, watched.rules, watched.settings, watched.now)
    assert told(watched) == {"acme": (1, True, 1, 1)}


def test_a_second_evaluator_leaves_alone_what_the_first_is_at(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = watch(rule(), rule("other"))
    watched.begin()
    watched.find("acme")
    tell, reached, go_on = notifications.tell, threading.Event(), threading.Event()

    def slow(session: Any, of: Rule, *rest: Any) -> None:
        if of.name == "idle":
            reached.set()
            assert go_on.wait(60)
        tell(session, of, *rest)

    monkeypatch.setattr(notifications, "tell", slow)
    first: list = []
    thread = threading.Thread(target=lambda: first.extend(watched.evaluate()))
    thread.start()
    assert reached.wait(60)
    second = evaluate_rules(watched.warehouse, watched.rules, watched.settings, watched.now)
    go_on.set()
    thread.join()
    assert [each.rule for each in second] == ["other"]
    assert [each.rule for each in first] == ["idle"]
    assert told(watched) == {"acme": (1, True, 1, 1)}


def test_many_evaluators_of_one_moment_tell_once(watch: Watch) -> None:
    watched = watch(rule(), rule("other"))
    watched.begin()
    watched.find("acme", "brill")
    watched.find("cobalt", rule="other")
    start = threading.Barrier(5)
    watched.now = watched.now.replace(day=watched.now.day + 1)
    evaluations: list = []

    def evaluate() -> None:
        start.wait()
        evaluations.extend(evaluate_rules(watched.warehouse, watched.rules, watched.settings, watched.now))

    threads = [threading.Thread(target=evaluate) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.rule for each in evaluations) == ["idle", "other"]
    assert set(told(watched).values()) == {(1, True, 1, 1)}
