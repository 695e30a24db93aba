"""Bring the pictures of a message to Slack, before the message that shows them is posted.

A picture is uploaded without a channel, so nobody sees it; it becomes visible by the one post that can be looked up.
Slack takes uploads apart later (it looks for malware first), and refuses a post that shows a picture before that. What
is not there in time is left out: a report without its picture is better than none, and a post is never repeated over a
picture. Needs the scopes files:write and, to ask whether a file is ready, files:read.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from slack_sdk import WebClient

from cs_pipeline.channels.http import BROKEN_EXCHANGE
from cs_pipeline.channels.message import Message, Picture
from cs_pipeline.channels.slack_client import GARBAGE, code_of, status_of

WAIT_SECONDS = 30.0
"""How long the pictures of a message may take together; well within the lease of its action."""
WITHOUT_PICTURES = "without its pictures"
LONGEST_TITLE = 100
LONGEST_ALT_TEXT = 1_000
_PAUSES = (0.2, 0.5, 1.0, 2.0)


class Uploads:
    """Uploads over `slack`. Each message waits for its pictures for `wait_seconds` at most."""

    def __init__(self, slack: WebClient, wait_seconds: float = WAIT_SECONDS) -> None:
        self._slack = slack
        self._wait_seconds = wait_seconds

    def shown(self, message: Message) -> tuple[Message, str | None]:
        """The message with the files that its image blocks show, and why pictures are missing, or None."""
        blocks = message.payload.get("blocks")
        if not isinstance(blocks, list) or not any("picture" in block for block in blocks):
            return message, None
        ready: dict[str, str] = {}
        missing = None
        try:
            self._wait_until_ready(self._upload(message.pictures), ready)
            if len(ready) < len(message.pictures):
                missing = f"not ready after {self._wait_seconds:g} seconds"
        except (*BROKEN_EXCHANGE, *GARBAGE) as error:
            missing = f"Slack says {code_of(error) or status_of(error) or 'nothing that can be read'}"
        return replace(message, payload={**message.payload, "blocks": _with_files(blocks, ready)}), missing

    def _upload(self, pictures: Sequence[Picture]) -> dict[str, str]:
        """Ids of the files, by the pictures' names."""
        answer = self._slack.files_upload_v2(
            file_uploads=[
                {
                    "filename": f"{picture.name}.png",
                    "title": picture.alt_text[:LONGEST_TITLE],
                    "alt_txt": picture.alt_text[:LONGEST_ALT_TEXT],
                    "content": picture.png,
                }
                for picture in pictures
            ]
        )
        return {picture.name: str(file["id"]) for picture, file in zip(pictures, answer["files"] or [], strict=True)}

    def _wait_until_ready(self, files: Mapping[str, str], ready: dict[str, str]) -> None:
        """Put into `ready` the files that Slack has taken apart: it then knows their type."""
        until = time.monotonic() + self._wait_seconds
        for pause in (*_PAUSES, *[_PAUSES[-1]] * round(self._wait_seconds)):
            for name in files.keys() - ready.keys():
                if (self._slack.files_info(file=files[name])["file"] or {}).get("mimetype"):
                    ready[name] = files[name]
            left = until - time.monotonic()
            if len(ready) == len(files) or left <= 0:
                return
            time.sleep(min(pause, left))


def _with_files(blocks: Sequence[Mapping[str, Any]], ready: Mapping[str, str]) -> list[dict[str, Any]]:
    """The blocks, in which a picture is the file that it became; those without one are left out."""
    shown: list[dict[str, Any]] = []
    for block in blocks:
        if "picture" not in block:
            shown.append(dict(block))
        elif file_id := ready.get(str(block["picture"])):
            rest = {name: value for name, value in block.items() if name != "picture"}
            shown.append({**rest, "slack_file": {"id": file_id}})
    return shown
