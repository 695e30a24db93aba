"""Create tasks and deals in HubSpot: their properties, the order of requests, what comes of them for the outbox.

The requests themselves are in `hubspot_requests`; what has to be created in HubSpot is in docs/crm.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from markupsafe import escape
from pydantic import SecretStr

from cs_pipeline.channels.crm import CrmRecord
from cs_pipeline.channels.crm_api import (
    ConnectedCrm,
    CrmRefusalError,
    RecordReading,
    record_name,
)
from cs_pipeline.channels.http import TIMEOUT_SECONDS
from cs_pipeline.channels.hubspot_requests import MOST_AT_ONCE, HubSpotRequests
from cs_pipeline.channels.message import Outcome
from cs_pipeline.channels.refusals import RETRY_SOON

NAME = "hubspot"
KEY = "cs_pipeline_action_key"
PRIORITIES = {"low": "LOW", "normal": "MEDIUM", "high": "HIGH", "urgent": "HIGH"}
SPOILT = (400, 409)  # refusals of a whole batch for the sake of one record
NOON = time(12, tzinfo=UTC)  # a day of which it is the same day from Honolulu to Sydney


@dataclass(frozen=True)
class Deals:
    """Where new deals stand: a pipeline of HubSpot's, and one of its stages."""

    pipeline: str
    stage: str


@dataclass(frozen=True)
class _Kind:
    """What HubSpot calls a kind of record, its association with companies, and what is read back of it."""

    kind: str
    object_type: str
    association: int
    status_properties: tuple[str, ...]


TASK = _Kind("task", "tasks", 192, ("hs_task_status", "hs_timestamp", "hs_task_completion_date", "hubspot_owner_id"))
DEAL = _Kind("opportunity", "deals", 341, ("hs_is_closed", "closedate", "hubspot_owner_id"))
KINDS = {kind.kind: kind for kind in (TASK, DEAL)}


class HubSpotChannel(ConnectedCrm):
    """Creates tasks and deals for the companies whose `company_property` holds our account id.

    Companies are read once a call, owners once a channel.
    """

    name = NAME
    title = "HubSpot"
    kinds = tuple(KINDS)
    batch_size = MOST_AT_ONCE

    def __init__(
        self,
        token: SecretStr,
        *,
        host: str,
        company_property: str,
        deals: Deals,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._requests = HubSpotRequests(token, host=host, timeout_seconds=timeout_seconds)
        self._company_property = company_property
        self._deals = deals
        self._owners: dict[str, str] | None = None

    def _existing(self, name: str, key: str) -> str | None:
        """A record that no company has is none: delivering it again completes it."""
        kind = KINDS[name]
        for record_id in self._there(kind, [key]).values():
            if self._requests.is_associated(kind.object_type, record_id):
                return record_id
        return None

    def _readings(self, name: str, ids: Sequence[str]) -> Mapping[str, RecordReading]:
        addresses = {owner_id: address for address, owner_id in self._owner_ids().items()}
        kind = KINDS[name]
        readings: dict[str, RecordReading] = {}
        for start in range(0, len(ids), MOST_AT_ONCE):
            some = ids[start : start + MOST_AT_ONCE]
            read = self._requests.read(kind.object_type, some, kind.status_properties)
            try:
                readings |= {record_id: _reading(said, addresses) for record_id, said in read.items()}
            except ValueError:
                raise CrmRefusalError("HubSpot's answer holds a day that is none") from None
        return readings

    def _create(self, name: str, records: Mapping[str, CrmRecord]) -> dict[str, Outcome]:
        kind = KINDS[name]
        try:
            companies = self._companies({record.account_id for record in records.values()})
            owners = self._owner_ids()
            there = self._there(kind, records)
        except CrmRefusalError as error:
            return dict.fromkeys(records, error.outcome())
        outcomes = {
            key: Outcome("failed", detail=f"HubSpot has no company whose {self._company_property} is {each.account_id}")
            for key, each in records.items()
            if each.account_id not in companies
        }
        wanted = {key: self._properties(each, owners) for key, each in records.items() if key not in outcomes}
        ids, refused = self._upsert(kind, {key: each for key, each in wanted.items() if key not in there})
        outcomes |= refused
        ids |= {key: there[key] for key in wanted if key in there}
        company_ids = {record_id: companies[records[key].account_id] for key, record_id in ids.items()}
        unlinked = self._link(kind, company_ids)
        for key, record_id in ids.items():
            nobody = None if "hubspot_owner_id" in wanted[key] else "nobody in HubSpot has the assignee's address"
            sent = Outcome("sent", provider_id=record_name(NAME, kind.kind, record_id), detail=nobody)
            outcomes[key] = unlinked.get(record_id, sent)
        return outcomes

    def _upsert(
        self, kind: _Kind, records: Mapping[str, Mapping[str, str]]
    ) -> tuple[dict[str, str], dict[str, Outcome]]:
        """Record ids and refusals by key. A batch that is refused as a whole is asked for one by one."""
        if not records:
            return {}, {}
        try:
            ids, refusals = self._requests.upsert(kind.object_type, KEY, records)
        except CrmRefusalError as error:
            if error.status not in SPOILT or len(records) == 1:
                return {}, dict.fromkeys(records, error.outcome())
            ids, refusals = {}, {}
        refused = {key: error.outcome() for key, error in refusals.items()}
        left = [key for key in records if key not in ids and key not in refused]
        if left and len(records) == 1:
            refused[left[0]] = Outcome("retry", detail="HubSpot does not say what it did", retry_after=RETRY_SOON)
            return ids, refused
        for place, key in enumerate(left):
            one_id, one_refusal = self._upsert(kind, {key: records[key]})
            ids |= one_id
            refused |= one_refusal
            if key in one_refusal and one_refusal[key].status == "retry":
                # HubSpot is not well: asking for each of the others would outlast the claim.
                return ids, refused | dict.fromkeys(left[place:], one_refusal[key])
        return ids, refused

    def _link(self, kind: _Kind, company_ids: Mapping[str, str]) -> dict[str, Outcome]:
        """Associate records with their companies; outcomes, by record id, of those with which it did not work."""
        if not company_ids:
            return {}
        told_first = "created, but not linked to its company: "
        try:
            linked, refusals = self._requests.associate(kind.object_type, company_ids, kind.association)
        except CrmRefusalError as error:
            linked, refusals = set(), [error]
        # Asking again for all is safe, and gives those that were refused for good a refusal of their own.
        passing = [each for each in refusals if each.is_passing]
        refusal = next(iter([*passing, *refusals]), CrmRefusalError("HubSpot does not say why"))
        return {
            record_id: refusal.outcome(told_first, record_name(NAME, kind.kind, record_id))
            for record_id in company_ids.keys() - linked
        }

    def _companies(self, account_ids: set[str]) -> dict[str, str]:
        """Ids of companies by our account id."""
        by = self._company_property
        found = self._requests.read("companies", sorted(account_ids), [by], by)
        return {str(properties.get(by)): company_id for company_id, properties in found.items()}

    def _there(self, kind: _Kind, keys: Sequence[str] | Mapping[str, object]) -> dict[str, str]:
        """Ids of the records that are there already, by action key."""
        found = self._requests.read(kind.object_type, list(keys), [KEY], KEY)
        return {str(properties.get(KEY)): record_id for record_id, properties in found.items()}

    def _owner_ids(self) -> dict[str, str]:
        """Ids of owners by address in lower case."""
        if self._owners is None:
            self._owners = {address.lower(): owner_id for owner_id, address in self._requests.owners() if address}
        return self._owners

    def _properties(self, record: CrmRecord, owners: Mapping[str, str]) -> dict[str, str]:
        moment = datetime.combine(record.due_on, NOON).isoformat()
        owner_id = owners.get(record.assignee.strip().lower())
        owner = {} if owner_id is None else {"hubspot_owner_id": owner_id}
        if record.kind == DEAL.kind:
            return owner | {
                "dealname": record.title,
                "description": record.body,
                "closedate": moment,
                "pipeline": self._deals.pipeline,
                "dealstage": self._deals.stage,
            }
        return owner | {
            "hs_task_subject": record.title,
            "hs_task_body": str(escape(record.body)).replace("\n", "<br>"),
            "hs_timestamp": moment,
            "hs_task_status": "NOT_STARTED",
            "hs_task_priority": PRIORITIES.get(record.priority, "MEDIUM"),
            "hs_task_type": "TODO",
        }


def _reading(said: Mapping[str, str | None], addresses: Mapping[str, str]) -> RecordReading:
    is_done = said.get("hs_task_status") == "COMPLETED" or said.get("hs_is_closed") == "true"
    completed = said.get("hs_task_completion_date") or said.get("closedate")
    return RecordReading(
        status="completed" if is_done else "open",
        assignee=addresses.get(said.get("hubspot_owner_id") or ""),
        due_on=_day(said.get("hs_timestamp") or said.get("closedate")),
        completed_at=datetime.fromisoformat(completed) if is_done and completed else None,
    )


def _day(moment: str | None) -> date | None:
    return datetime.fromisoformat(moment).astimezone(UTC).date() if moment else None
