"""What connected CRMs have in common: how their records are named here, what a refusal means, what is read back.

Their records carry our action key in a field that is unique there, and what is there already is left as people made
it. So whatever may have arrived can be asked for again: a broken exchange is `retry`, never `uncertain`. How one CRM is
spoken to is in its own module.
"""

import re
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Literal

from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.crm import CrmRecord
from cs_pipeline.channels.http import redacted
from cs_pipeline.channels.message import Message, Outcome
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

Create = Callable[[Mapping[str, CrmRecord]], Mapping[str, Outcome]]
"""Creates records of one kind, by external id; outcomes by the same."""


class ConnectedCrm(BaseChannel):
    """A channel whose records can be read back."""

    @abstractmethod
    def read(self, records: Sequence[str]) -> Mapping[str, RecordReading]:
        """What became of records (names as of `record_name`): all of them. Raises UserError when it cannot be read."""


def create_by_kind(messages: Sequence[Message], create: Mapping[str, Create], crm: str) -> list[Outcome]:
    """Outcomes of `messages`, in their order: each kind of record is created by its own function of `create`."""
    records = [CrmRecord.of(message) for message in messages]
    outcomes: dict[str, Outcome] = {}
    for kind, create_all in create.items():
        mine = {record.external_id: record for record in records if record.kind == kind}
        if mine:
            outcomes |= create_all(mine)
    unknown = Outcome("failed", detail=f"{crm} takes tasks and opportunities only")
    return [outcomes.get(record.external_id, unknown) for record in records]


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


def cannot_be_read(words: str) -> UserError:
    """Why statuses are not known."""
    return UserError(f"Tasks cannot be read back: {words}")
