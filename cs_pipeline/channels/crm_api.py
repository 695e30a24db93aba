"""Share what all connected CRMs do: create records once, find them by their key, read back what became of them.

Their records carry our action key in a field that is unique there, and what is there already is left as people made
it. So whatever may have arrived can be asked for again: a broken exchange is `retry`, never `uncertain`. How one CRM is
spoken to is in its own module.
"""

import re
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Literal

from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.crm import CrmRecord
from cs_pipeline.channels.http import redacted
from cs_pipeline.channels.message import LookupResult, Message, Outcome
from cs_pipeline.channels.refusals import Meaning, meaning_of_status, outcome_of
from cs_pipeline.errors import UserError

RecordStatus = Literal["open", "completed", "removed"]

GARBAGE = (ValueError, AttributeError, TypeError, LookupError)
"""What comes of reading an answer that has not the documented form."""

ADDRESS = re.compile(r"[^\s@\"<>(),;:=]+(?:@|%40)[^\s@'\"<>(),;:=]+", re.IGNORECASE)


ALLOWANCE_BACK = timedelta(hours=3)
"""How long to wait when the day's allowance of requests is used up: the outbox tries for a day, then."""


class CrmRefusalError(Exception):
    """A CRM did not do as asked. `status` is that of its answer; None when there was none that could be understood.

    `words` hold neither secret nor address. `meaning` is what the CRM's own code says, where it gave one; else the
    status decides, and without one the same may be asked again.
    """

    def __init__(
        self,
        words: str,
        *,
        status: int | None = None,
        retry_after: timedelta | None = None,
        meaning: Meaning | None = None,
    ) -> None:
        super().__init__(words)
        self.words = words
        self.status = status
        self.retry_after = retry_after
        by_status: Meaning = "later" if status is None else meaning_of_status(status)
        found = meaning or by_status
        self.meaning: Meaning = "later" if found == "perhaps" else found  # asking again creates nothing twice

    @property
    def is_passing(self) -> bool:
        """Whether the same may be asked again."""
        return self.meaning == "later"

    def outcome(self, words: str = "", provider_id: str | None = None) -> Outcome:
        """What it means for a record that was to be created; `words` come first. `provider_id`: it is there already."""
        return replace(outcome_of(self.meaning, f"{words}{self.words}", self.retry_after), provider_id=provider_id)


@dataclass(frozen=True)
class RecordReading:
    """What a CRM says of a task or an opportunity today; `assignee` is an address, None where it knows none."""

    status: RecordStatus
    assignee: str | None = field(default=None, repr=False)
    due_on: date | None = None
    completed_at: datetime | None = None


REMOVED = RecordReading("removed")


class ConnectedCrm(BaseChannel):
    """A CRM in which records are created once, found by their action key, and read back.

    `title` is how people call it. What differs from CRM to CRM is asked of its own module, by the name of a kind of
    record ('task' or 'opportunity'), of which it knows those in `kinds`.
    """

    title: str
    kinds: Sequence[str]

    @abstractmethod
    def _create(self, name: str, records: Mapping[str, CrmRecord]) -> Mapping[str, Outcome]:
        """Create records of a kind, by external id, unless they are there; outcomes by the same."""

    @abstractmethod
    def _existing(self, name: str, key: str) -> str | None:
        """The id of the record with an action key; None when there is none. Raises CrmRefusalError."""

    @abstractmethod
    def _readings(self, name: str, ids: Sequence[str]) -> Mapping[str, RecordReading]:
        """What became of records, by id, of those that are there.

        Raises CrmRefusalError, or whatever reading an answer of no documented form raises (GARBAGE).
        """

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        """Create what is not there yet; `provider_id` is as of `record_name`, also of what was there."""
        records = [CrmRecord.of(message) for message in messages]
        outcomes: dict[str, Outcome] = {}
        for kind in self.kinds:
            mine = {record.external_id: record for record in records if record.kind == kind}
            if mine:
                outcomes |= self._create(kind, mine)
        unknown = Outcome("failed", detail=f"{self.title} takes tasks and opportunities only")
        return [outcomes.get(record.external_id, unknown) for record in records]

    def find(self, message: Message) -> LookupResult:
        """Look the action key up."""
        kind = CrmRecord.of(message).kind
        kind = kind if kind in self.kinds else "task"
        try:
            record_id = self._existing(kind, message.action_key)
        except CrmRefusalError as error:
            return LookupResult("cannot_look", detail=error.words)
        if record_id is None:
            return LookupResult("not_found")
        return LookupResult("found", provider_id=record_name(self.name, kind, record_id))

    def read(self, records: Sequence[str]) -> Mapping[str, RecordReading]:
        """What became of records (names as of `record_name`): all of them. Raises UserError when it cannot be read."""
        readings = dict.fromkeys(records, REMOVED)
        try:
            for kind, ids in ids_by_kind(records).items():
                for record_id, reading in self._readings(kind, ids).items():
                    readings[record_name(self.name, kind, record_id)] = reading
        except CrmRefusalError as error:
            raise UserError(f"Tasks cannot be read back: {error.words}") from None
        except GARBAGE:
            raise UserError(f"Tasks cannot be read back: {self.title}'s answer has not its documented form") from None
        return readings


def record_name(crm: str, kind: str, record_id: str) -> str:
    """How a record is called in the outbox, as its provider_id: `hubspot/task/123`."""
    return f"{crm}/{kind}/{record_id}"


def ids_by_kind(records: Sequence[str]) -> dict[str, list[str]]:
    """The ids that the CRM knows, by kind ('task' or 'opportunity'), of names as of `record_name`."""
    found: dict[str, list[str]] = {}
    for name in records:
        _, kind, record_id = name.split("/", 2)
        found.setdefault(kind, []).append(record_id)
    return found


def in_words(words: object, *, without: Iterable[str]) -> str:
    """A CRM's words in one short line, without the secrets, and without any address: refusals repeat what we sent."""
    return redacted(ADDRESS.sub("***", str(words)), without=without)
