"""A Salesforce org on this machine that keeps the documented rules, so far as our requests could break them.

simple-salesforce always says https, so `over_http` lets requests for the org's domain go to the provider instead.
"""

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from tests.fakes.provider import Answer, Request

DOMAIN = "acme.my"
HOST = f"{DOMAIN}.salesforce.com"
CLIENT_ID, SECRET, SESSION = "3MVG9.client", "super-secret", "00Dxx!session-token"
KEY = "cs_pipeline_action_key__c"
ACCOUNT = "cs_pipeline_account_id__c"
FIELDS = {
    "Task": {KEY, "Subject", "Description", "ActivityDate", "Priority", "Status", "WhatId", "OwnerId"},
    "Opportunity": {KEY, "Name", "Description", "CloseDate", "StageName", "AccountId", "OwnerId"},
}
CONDITIONS = {
    "User": {"IsActive = true AND UserType = 'Standard' AND "},  # a user cannot be deleted
    "Account": {""},
    "Task": {"IsDeleted = false AND "},
    "Opportunity": {"IsDeleted = false AND "},
}
REQUIRED = {"Task": {"Status", "Priority"}, "Opportunity": {"Name", "CloseDate", "StageName"}}
LONGEST = {"Subject": 255, "Name": 120, "Description": 32_000, KEY: 255}
CHOICES = {
    "Priority": {"High", "Normal", "Low"},
    "Status": {"Not Started", "In Progress", "Completed"},
    "StageName": {"Prospecting", "Closed Won"},
}
MOST_AT_ONCE = 200
LONGEST_ADDRESS = 16_384


@dataclass
class Org:
    """`instead`: answers by a part of the path, or of the query. `sessions`: how often somebody logged in.

    `doubled`: accounts (by account id) and users (by address) of which there is another one. `archived`: ids of tasks
    that only queryAll shows.
    """

    accounts: dict[str, str] = field(default_factory=lambda: {"acme": "001A", "beta": "001B"})
    users: dict[str, str] = field(default_factory=lambda: {"olga@example.com": "005O", "o'hara@example.com": "005H"})
    instead: dict[str, Answer] = field(default_factory=dict)
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)
    records: dict[str, dict[str, dict]] = field(default_factory=lambda: {"Task": {}, "Opportunity": {}})
    doubled: set[str] = field(default_factory=set)
    archived: set[str] = field(default_factory=set)
    sessions: int = 0
    has_ended: bool = False

    def __call__(self, request: Request) -> Answer:
        url = urlsplit(request.path)
        query = parse_qs(url.query)
        for part, answer in self.instead.items():
            if part in f"{request.method} {url.path} {query}":
                return answer
        if url.path == "/services/oauth2/token":
            return self.login(request)
        if request.headers.get("Authorization") != f"Bearer {SESSION}" or self.has_ended:
            self.has_ended = False
            return refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
        if len(request.path) > LONGEST_ADDRESS:
            return Answer(414, b"URI Too Long")
        if found := re.fullmatch(r"/services/data/v\d+\.0/(query|queryAll)/", url.path):
            return self.query(query["q"][0], set() if found[1] == "queryAll" else self.archived)
        if found := re.fullmatch(rf"/services/data/v\d+\.0/composite/sobjects/(\w+)/{KEY}", url.path):
            return self.upsert(found[1], request) if request.method == "PATCH" else refusal(405, "METHOD", "PATCH it")
        return refusal(404, "NOT_FOUND", "The requested resource does not exist")

    def login(self, request: Request) -> Answer:
        expected = base64.b64encode(f"{CLIENT_ID}:{SECRET}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {expected}":
            return Answer(400, {"error": "invalid_client", "error_description": "invalid client credentials"})
        if request.form != {"grant_type": "client_credentials"}:
            return Answer(400, {"error": "unsupported_grant_type", "error_description": "grant type not supported"})
        self.sessions += 1
        return Answer(200, {"access_token": SESSION, "instance_url": f"https://{HOST}", "token_type": "Bearer"})

    def query(self, soql: str, hidden: set[str]) -> Answer:
        found = re.fullmatch(
            r"SELECT ([\w., ]+) FROM (\w+) WHERE (.* AND )?(\w+) IN \(((?:'(?:[^'\\]|\\.)*',?)+)\)", soql
        )
        if found is None or (found[3] or "") not in CONDITIONS[found[2]]:
            return refusal(400, "MALFORMED_QUERY", f"unexpected token: {soql}")
        wanted = {re.sub(r"\\(.)", r"\1", each) for each in re.findall(r"'((?:[^'\\]|\\.)*)'", found[5])}
        fold = str.lower if found[4] == "Email" else str  # Salesforce compares addresses so
        rows = [
            row for row in self.rows(found[2]) if fold(str(row.get(found[4]))) in wanted and row["Id"] not in hidden
        ]
        names = found[1].split(", ")
        records = [{name.partition(".")[0]: row.get(name.partition(".")[0]) for name in names} for row in rows]
        return Answer(200, {"totalSize": len(records), "done": True, "records": records})

    def rows(self, object_type: str) -> Iterator[dict]:
        if object_type == "User":
            yield from ({"Id": user_id, "Email": address} for address, user_id in self.users.items())
            yield from ({"Id": "005X", "Email": address.upper()} for address in self.doubled & self.users.keys())
            return
        if object_type == "Account":
            yield from ({"Id": record_id, ACCOUNT: account_id} for account_id, record_id in self.accounts.items())
            yield from ({"Id": "001X", ACCOUNT: account_id} for account_id in self.doubled & self.accounts.keys())
            return
        addresses = {user_id: address for address, user_id in self.users.items()}
        for record_id, record in self.records[object_type].items():
            is_closed = record.get("Status") == "Completed" or record.get("StageName") == "Closed Won"
            owner = {"attributes": {"type": "Name"}, "Email": addresses.get(record.get("OwnerId", ""))}
            yield {"Id": record_id, "IsClosed": is_closed, **record, "Owner": owner}

    def upsert(self, object_type: str, request: Request) -> Answer:
        asked = request.json
        if len(asked["records"]) > MOST_AT_ONCE:
            return refusal(400, "EXCEEDED_ID_LIMIT", "record limit reached. cannot submit more than 200 records")
        if asked["allOrNone"] is not False:
            return refusal(400, "TEST", "one bad record would hold up the others")
        keys = [record[KEY] for record in asked["records"]]
        return Answer(200, [self.written(object_type, record, keys) for record in asked["records"]])

    def written(self, object_type: str, record: dict, keys: list[str]) -> dict:
        if keys.count(record[KEY]) > 1:
            return failed("DUPLICATE_VALUE", "duplicate external id found in the request")
        if problem := self.refused.get(record[KEY]) or self.problem(object_type, record):
            return failed(*problem)
        stored = self.records[object_type]
        known = {each[KEY]: record_id for record_id, each in stored.items()}
        record_id = known.get(record[KEY]) or f"{'00T' if object_type == 'Task' else '006'}{len(stored)}"
        stored[record_id] = stored.get(record_id, {}) | record
        return {"id": record_id, "success": True, "errors": [], "created": record[KEY] not in known}

    def problem(self, object_type: str, record: dict) -> tuple[str, str] | None:
        if record.get("attributes") != {"type": object_type} or "Id" in record or "id" in record:
            return "INVALID_FIELD", "attributes of another type, or an id"
        given = record.keys() - {"attributes"}
        if unknown := given - FIELDS[object_type]:
            return "INVALID_FIELD", f"No such column {sorted(unknown)} on sobject of type {object_type}"
        if missing := REQUIRED[object_type] - given:
            return "REQUIRED_FIELD_MISSING", f"Required fields are missing: {sorted(missing)}"
        for name, longest in LONGEST.items():
            if len(record.get(name, "")) > longest:
                return "STRING_TOO_LONG", f"{name}: data value too large: {record[name]} (max length={longest})"
        for name, choices in CHOICES.items():
            if name in record and record[name] not in choices:
                return "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", f"{name}: bad value: {record[name]}"
        if record.get("OwnerId", "005O") not in self.users.values():
            return "INVALID_CROSS_REFERENCE_KEY", "Owner ID: owner cannot be blank"
        if record["WhatId" if object_type == "Task" else "AccountId"] not in self.accounts.values():
            return "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"
        return None


def failed(code: str, message: str) -> dict:
    return {"success": False, "errors": [{"statusCode": code, "message": message, "fields": []}]}


def refusal(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, [{"errorCode": code, "message": message}], headers or {})


@contextmanager
def over_http(url: str) -> Iterator[None]:
    """Requests for the org's domain go to `url`."""
    send = HTTPAdapter.send

    def sent_there(adapter: HTTPAdapter, request: PreparedRequest, *arguments: object, **options: object) -> Response:
        assert str(request.url).startswith(f"https://{HOST}/"), request.url
        assert options.get("timeout"), "a request without a timeout may hang for ever"
        request.url = str(request.url).replace(f"https://{HOST}", url, 1)
        return send(adapter, request, *arguments, **options)  # type: ignore[arg-type]

    with patch.object(HTTPAdapter, "send", sent_there):
        yield
