"""Create tasks and opportunities in Salesforce: their fields, the order of requests, what comes of them for us.

The requests themselves are in `salesforce_requests`; what has to be created in Salesforce is in docs/crm.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import SecretStr

from cs_pipeline.channels.crm import CrmRecord
from cs_pipeline.channels.crm_api import (
    GARBAGE,
    ConnectedCrm,
    CrmRefusalError,
    RecordReading,
    record_name,
)
from cs_pipeline.channels.http import TIMEOUT_SECONDS
from cs_pipeline.channels.message import Outcome
from cs_pipeline.channels.salesforce_requests import MOST_AT_ONCE, NOT_UNDERSTOOD, SalesforceRequests

NAME = "salesforce"
KEY = "cs_pipeline_action_key__c"
PRIORITIES = {"low": "Low", "normal": "Normal", "high": "High", "urgent": "High"}
LONGEST = {"Subject": 255, "Name": 120, "Description": 32_000}


@dataclass(frozen=True)
class _Kind:
    """What Salesforce calls a kind of record, and the fields of which its status is read."""

    kind: str
    object_type: str
    status_fields: str


TASK = _Kind("task", "Task", "IsClosed, ActivityDate, CompletedDateTime, Owner.Email")
OPPORTUNITY = _Kind("opportunity", "Opportunity", "IsClosed, CloseDate, LastStageChangeDate, Owner.Email")
KINDS = {kind.kind: kind for kind in (TASK, OPPORTUNITY)}
NOT_DELETED = "IsDeleted = false AND "


class SalesforceChannel(ConnectedCrm):
    """Creates tasks and opportunities for the accounts whose `account_field` holds our account id.

    `domain` is the part of My Domain before `.salesforce.com`, such as `acme.my`. `stage` is that of new opportunities.
    Accounts are read once a call, owners once a channel.
    """

    name = NAME
    title = "Salesforce"
    kinds = tuple(KINDS)
    batch_size = MOST_AT_ONCE

    def __init__(
        self,
        domain: str,
        client_id: str,
        client_secret: SecretStr,
        *,
        account_field: str,
        stage: str,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._requests = SalesforceRequests(domain, client_id, client_secret, timeout_seconds=timeout_seconds)
        self._account_field = account_field
        self._stage = stage
        self._owners: dict[str, str | None] = {}

    def _existing(self, name: str, key: str) -> str | None:
        return self._there(KINDS[name], [key]).get(key)

    def _readings(self, name: str, ids: Sequence[str]) -> Mapping[str, RecordReading]:
        kind = KINDS[name]
        soql = f"SELECT Id, {kind.status_fields} FROM {kind.object_type} WHERE {NOT_DELETED}Id IN {{values}}"
        return {str(found["Id"]): _reading(found) for found in self._requests.query(soql, ids, with_archived=True)}

    def _create(self, name: str, records: Mapping[str, CrmRecord]) -> dict[str, Outcome]:
        kind = KINDS[name]
        try:
            accounts = self._accounts({each.account_id for each in records.values()})
            self._learn_owners({record.assignee for record in records.values()})
            there = self._there(kind, list(records))
            new = {key: each for key, each in records.items() if key not in there and each.account_id in accounts}
            fields = [self._fields(record, accounts[record.account_id]) for record in new.values()]
            written = self._requests.upsert(kind.object_type, KEY, fields) if new else []
        except CrmRefusalError as error:
            return dict.fromkeys(records, error.outcome())
        results = there | dict(zip(new, written, strict=True))
        return {key: self._outcome(kind, record, results.get(key)) for key, record in records.items()}

    def _outcome(self, kind: _Kind, record: CrmRecord, result: str | CrmRefusalError | None) -> Outcome:
        if result is None:
            words = f"Salesforce has no account, or several, whose {self._account_field} is {record.account_id}"
            return Outcome("failed", detail=words)
        if isinstance(result, CrmRefusalError):
            return result.outcome()
        is_owned = self._owners.get(record.assignee.strip().lower()) is not None
        nobody = None if is_owned else "nobody in Salesforce has the assignee's address, or several have"
        return Outcome("sent", provider_id=record_name(NAME, kind.kind, result), detail=nobody)

    def _there(self, kind: _Kind, keys: Sequence[str]) -> dict[str, str]:
        """Ids of the records that are there already, by action key."""
        found = self._ids(kind.object_type, KEY, keys, NOT_DELETED, with_archived=True)
        return {key: ids[0] for key, ids in found.items()}

    def _accounts(self, account_ids: set[str]) -> dict[str, str]:
        """Ids of accounts by our account id, of those that are the only ones with it."""
        found = self._ids("Account", self._account_field, sorted(account_ids))
        return {account_id: ids[0] for account_id, ids in found.items() if len(ids) == 1}

    def _learn_owners(self, assignees: set[str]) -> None:
        """Ids of users by address in lower case; None for those whom Salesforce does not know, or several share."""
        asked = sorted({assignee.strip().lower() for assignee in assignees} - self._owners.keys())
        found = self._ids("User", "Email", asked, "IsActive = true AND UserType = 'Standard' AND ")
        known = {address: ids[0] for address, ids in found.items() if len(ids) == 1}
        self._owners |= {address: known.get(address) for address in asked}

    def _ids(
        self, object_type: str, field: str, values: Sequence[str], only: str = "", *, with_archived: bool = False
    ) -> dict[str, list[str]]:
        """Ids of records by the value of `field` (addresses in lower case), of those that have one of `values` there.

        `only`: further conditions, each with its AND.
        """
        soql = f"SELECT Id, {field} FROM {object_type} WHERE {only}{field} IN {{values}}"
        ids: dict[str, list[str]] = {}
        try:
            for found in self._requests.query(soql, values, with_archived=with_archived):
                value = str(found[field])
                ids.setdefault(value.lower() if field == "Email" else value, []).append(str(found["Id"]))
        except GARBAGE:
            raise CrmRefusalError(NOT_UNDERSTOOD) from None
        return ids

    def _fields(self, record: CrmRecord, account_id: str) -> dict[str, str]:
        owner_id = self._owners.get(record.assignee.strip().lower())
        owner = {} if owner_id is None else {"OwnerId": owner_id}
        if record.kind == OPPORTUNITY.kind:
            return owner | {
                KEY: record.external_id,
                "Name": _cut(record.title, "Name"),
                "Description": _cut(record.body, "Description"),
                "CloseDate": record.due_on.isoformat(),
                "StageName": self._stage,
                "AccountId": account_id,
            }
        return owner | {
            KEY: record.external_id,
            "Subject": _cut(record.title, "Subject"),
            "Description": _cut(record.body, "Description"),
            "ActivityDate": record.due_on.isoformat(),
            "Priority": PRIORITIES.get(record.priority, "Normal"),
            "Status": "Not Started",
            "WhatId": account_id,
        }


def _reading(found: Mapping[str, Any]) -> RecordReading:
    is_done = found["IsClosed"] is True
    completed = found.get("CompletedDateTime") or found.get("LastStageChangeDate")
    due_on = found.get("ActivityDate") or found.get("CloseDate")
    return RecordReading(
        status="completed" if is_done else "open",
        assignee=(found.get("Owner") or {}).get("Email"),
        due_on=date.fromisoformat(due_on) if due_on else None,
        completed_at=datetime.fromisoformat(completed) if is_done and completed else None,
    )


def _cut(text: str, field: str) -> str:
    longest = LONGEST[field]
    return text if len(text) <= longest else text[: longest - 1] + "…"
