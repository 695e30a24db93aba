"""What Slack reads about one account stays in one thread of each conversation."""

from collections import Counter
from datetime import timedelta

from cs_pipeline.channels.message import Message, Outcome
from cs_pipeline.clock import Clock
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company, save_play
from tests.builders.delivering import ToldChannel, all_by, deliver


def two_alerts(playbook: str, to: str = "owner", **changes: object) -> Playbook:
    steps = [
        {"step": f"alert{day}", "day": day, "channel": "slack", "to": to, "template": "t", "intent": "inform"}
        for day in (0, 1)
    ]
    return save_play(playbook=playbook, family=playbook, steps=steps, **changes)


class Remembering(ToldChannel):
    """Slack, which names each post, and remembers into which thread it came."""

    def __init__(self) -> None:
        super().__init__(self.post)
        self.posts: list[tuple[str, object, object]] = []

    def post(self, message: Message) -> Outcome:
        self.posts.append((message.step, message.payload.get("thread"), message.payload.get("is_broadcast")))
        thread = message.payload.get("thread")
        root = f":{str(thread).rpartition(':')[2]}" if thread else ""
        return Outcome("sent", provider_id=f"C1:{len(self.posts)}{root}")


def posts_of_three_days(company: Company, settings: Settings, clock: Clock, *plays: Playbook) -> list[tuple]:
    company.account("acme", severity=1)
    trigger = company.fall("acme")
    channel = Remembering()
    for day in (0, 1, 2):
        clock.set(MONDAY + timedelta(days=day))
        for play in plays[day : day + 1]:
            enrol(company.warehouse, play, [trigger], settings, clock.now())
        deliver(company.warehouse, settings, clock, all_by(channel))
    return channel.posts


def test_messages_about_an_account_follow_its_first_one(company: Company, settings: Settings, clock: Clock) -> None:
    posts = posts_of_three_days(company, settings, clock, two_alerts("first"))
    assert posts == [("alert0", None, None), ("alert1", "C1:1", False)]


def test_a_new_play_is_shown_in_the_conversation_as_well(company: Company, settings: Settings, clock: Clock) -> None:
    posts = posts_of_three_days(company, settings, clock, two_alerts("first"), two_alerts("second"))
    assert Counter(posts[1:]) == {("alert0", "C1:1", True): 1, ("alert1", "C1:1", False): 2}


def test_a_thread_goes_on_when_its_first_message_is_forgotten(
    company: Company, settings: Settings, clock: Clock
) -> None:
    company.account("acme", severity=1)
    play = two_alerts("first")
    steps = [step.model_dump(exclude_unset=True) for step in play.steps] + [
        {"step": "alert2", "day": 2, "channel": "slack", "to": "owner", "template": "t", "intent": "inform"}
    ]
    enrol(company.warehouse, save_play(steps=steps), [company.fall("acme")], settings, clock.now())
    channel = Remembering()
    for day in (0, 1, 2):
        clock.set(MONDAY + timedelta(days=day))
        deliver(company.warehouse, settings, clock, all_by(channel))
    company.run("update cs.actions set status = 'cancelled' where step = 'alert0'")
    clock.set(MONDAY + timedelta(days=2))
    deliver(company.warehouse, settings, clock, all_by(channel))
    assert str(channel.posts[-1][1]).rpartition(":")[2] == "1", "the answer names the thread, not itself"


def test_each_conversation_has_its_own_thread(company: Company, settings: Settings, clock: Clock) -> None:
    posts = posts_of_three_days(company, settings, clock, two_alerts("first"), two_alerts("second", to="manager"))
    assert ("alert0", None, None) in posts[1:]


def test_captured_messages_open_no_thread(company: Company, settings: Settings, clock: Clock) -> None:
    company.account("acme", severity=1)
    enrol(company.warehouse, two_alerts("first"), [company.fall("acme")], settings, clock.now())
    deliver(company.warehouse, settings, clock)
    channel = Remembering()
    clock.set(MONDAY + timedelta(days=1))
    deliver(company.warehouse, settings, clock, all_by(channel))
    assert channel.posts == [("alert1", None, None)]
