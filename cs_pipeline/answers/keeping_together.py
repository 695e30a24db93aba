"""Keep the events of requests that come at the same time in one transaction: else a thousand a second, one a request,
are a thousand connections and commits.

Whoever comes while a transaction is written waits for the next, which the first of them writes for all. What is kept,
and how, is in `mail_events`.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cs_pipeline.answers.mail_events import keep
from cs_pipeline.channels.sendgrid_events import MailEvent
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.refusals import DatabaseUnreachable

MOST_TOGETHER = 5_000  # events of a transaction, beyond those of one request


@dataclass
class _Waiting:
    """Events of one request, and what came of them once `is_done`: how many are new, or an error."""

    events: Sequence[MailEvent]
    is_done: bool = False
    new: int = 0
    error: Exception | None = None


class KeepingTogether:
    """Keeps events for the threads of one process."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._waiting: list[_Waiting] = []
        self._queue = threading.Lock()
        self._writing = threading.Lock()

    def keep(self, events: Sequence[MailEvent], now: datetime) -> int:
        """How many of the events were not known before. They are safe when it returns.

        Raises what PostgreSQL has against them, UserError while it is away, and whatever else came between.
        """
        mine = _Waiting(events)
        with self._queue:
            self._waiting.append(mine)
        while not mine.is_done:
            with self._writing:
                if not mine.is_done:
                    self._keep(self._next(), now)
        if mine.error is not None:
            raise mine.error
        return mine.new

    def _next(self) -> list[_Waiting]:
        """Those that came first, as many as go together."""
        with self._queue:
            count = events = 0
            while count < len(self._waiting) and (count == 0 or events < MOST_TOGETHER):
                events += len(self._waiting[count].events)
                count += 1
            together, self._waiting = self._waiting[:count], self._waiting[count:]
        return together

    def _keep(self, together: list[_Waiting], now: datetime) -> None:
        try:
            with self._warehouse.session() as session:
                new = keep(session, [event for each in together for event in each.events], now)
        except Exception as error:  # each of them hears it, whatever it is: else they would wait for ever
            if len(together) > 1 and not isinstance(error, DatabaseUnreachable):
                for each in together:  # what one of them says must not be the loss of the others
                    self._keep([each], now)
                return
            for each in together:
                each.is_done, each.error = True, error
            return
        for each in together:
            each.is_done, each.new = True, len({event.event_key for event in each.events} & new)
