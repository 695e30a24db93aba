"""The part of Slack that takes files, as it is written down: an upload in three calls, taken apart some time later.

A post that shows a file which is not taken apart yet is refused as a whole (`invalid_blocks`), as Slack does.
"""

import json
from dataclasses import dataclass, field

from tests.fakes.provider import Answer, Request


@dataclass
class SlackFiles:
    """Decides on requests. `ready_after`: how often files.info is asked before a file is taken apart; None for never.

    `refused`: error codes by method.
    """

    ready_after: int | None = 2
    refused: dict[str, str] = field(default_factory=dict)
    url: str = ""
    uploads: dict[str, dict[str, object]] = field(default_factory=dict)
    posts: list[dict] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        if "/upload/" in request.path:
            self.uploads[request.path.rpartition("/")[2]]["content"] = request.body
            return Answer(body=b"OK - received")
        method = request.path.rpartition("/")[2].partition("?")[0]
        if method in self.refused:
            return Answer(body={"ok": False, "error": self.refused[method]})
        answer = getattr(self, method.replace(".", "_"))(request.fields)
        return Answer(body={"ok": True, **answer})

    def files_getUploadURLExternal(self, fields: dict) -> dict:
        file_id = f"F{len(self.uploads):09}"
        self.uploads[file_id] = {**fields, "asked": 0}
        return {"upload_url": f"{self.url}/upload/{file_id}", "file_id": file_id}

    def files_completeUploadExternal(self, fields: dict) -> dict:
        files = fields["files"] if isinstance(fields["files"], list) else json.loads(fields["files"])
        for file in files:
            self.uploads[file["id"]] |= {"title": file["title"], "channel": fields.get("channel_id")}
        return {"files": [{"id": file["id"], "title": file["title"], "mimetype": ""} for file in files]}

    def files_info(self, fields: dict) -> dict:
        upload = self.uploads[fields["file"]]
        upload["asked"] = int(str(upload["asked"])) + 1
        return {"file": {"id": fields["file"], "mimetype": "image/png" if self._is_ready(upload) else ""}}

    def chat_postMessage(self, fields: dict) -> dict:
        blocks = fields["blocks"] if isinstance(fields["blocks"], list) else json.loads(fields["blocks"])
        shown = [block["slack_file"]["id"] for block in blocks if block["type"] == "image"]
        if not all(self._is_ready(self.uploads[file_id]) for file_id in shown):
            return {"ok": False, "error": "invalid_blocks", "errors": ["invalid slack file"]}
        self.posts.append({**fields, "blocks": blocks})
        return {"channel": "C1", "ts": f"1700000000.{len(self.posts):06}"}

    def _is_ready(self, upload: dict[str, object]) -> bool:
        return self.ready_after is not None and int(str(upload["asked"])) >= self.ready_after
