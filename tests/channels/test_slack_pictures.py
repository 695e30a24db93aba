"""Pictures in Slack: uploaded where nobody sees them, shown by the one post that can be looked up, never in its way."""

from dataclasses import replace

import pytest
from pydantic import SecretStr

from cs_pipeline.channels.message import Message, Outcome, Picture
from cs_pipeline.channels.slack import SlackChannel
from tests.builders.messages import SLACK, delivered
from tests.fakes.provider import provider
from tests.fakes.slack_files import SlackFiles

PNG = b"\x89PNG\r\n\x1a\nrisk"
RISK = Picture("risk", "ARR at risk rose to $1,200", PNG)
TREND = Picture("trend", "Scores fell", b"\x89PNG\r\n\x1a\ntrend")
TEXT = SLACK.payload["blocks"]


def report(*pictures: Picture) -> Message:
    shown = [{"type": "image", "picture": each.name, "alt_text": each.alt_text} for each in pictures]
    return replace(SLACK, payload={"blocks": [*TEXT, *shown]}, pictures=pictures)  # pyright: ignore[reportGeneralTypeIssues]


def post(slack: SlackFiles, message: Message, seconds: float = 30) -> Outcome:
    with provider(slack) as server:
        slack.url = server.url
        channel = SlackChannel(
            SecretStr("xoxb-secret"), base_url=f"{server.url}/api/", seconds_between=0, seconds_for_pictures=seconds
        )
        return delivered(channel, message)


def test_pictures_are_uploaded_unseen_and_shown_by_one_post_with_our_key():
    slack = SlackFiles()
    assert post(slack, report(RISK, TREND)) == Outcome("sent", provider_id="C1:1700000000.000001")
    first, second = slack.uploads.values()
    assert (first["content"], first["alt_txt"], first["channel"]) == (PNG, RISK.alt_text, None)
    assert second["content"] == TREND.png
    (posted,) = slack.posts
    assert posted["blocks"][len(TEXT) :] == [  # pyright: ignore[reportArgumentType]
        {"type": "image", "alt_text": RISK.alt_text, "slack_file": {"id": "F000000000"}},
        {"type": "image", "alt_text": TREND.alt_text, "slack_file": {"id": "F000000001"}},
    ]
    assert SLACK.action_key in str(posted["metadata"])


def test_a_picture_that_is_not_ready_in_time_is_left_out_and_the_post_is_made_once():
    slack = SlackFiles(ready_after=None)
    outcome = post(slack, report(RISK), seconds=0)
    assert (outcome.status, outcome.detail) == ("sent", "without its pictures: not ready after 0 seconds")
    (posted,) = slack.posts
    assert posted["blocks"] == TEXT


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal", "files.info"])
def test_whatever_slack_refuses_about_a_picture_the_report_is_posted(method: str):
    slack = SlackFiles(refused={method: "missing_scope"})
    outcome = post(slack, report(RISK))
    assert (outcome.status, outcome.detail) == ("sent", "without its pictures: Slack says missing_scope")
    (posted,) = slack.posts
    assert posted["blocks"] == TEXT


def test_a_post_that_slack_refuses_is_not_repeated_over_its_picture():
    slack = SlackFiles(refused={"chat.postMessage": "invalid_blocks"})
    assert post(slack, report(RISK)).status == "failed"
    assert slack.posts == []


def test_a_message_without_pictures_uploads_nothing():
    slack = SlackFiles()
    assert post(slack, SLACK).status == "sent"
    assert slack.uploads == {}
