"""Keep what is costly to read until what it is made of is another: one value a name, in the memory of the site."""

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from psycopg2.extensions import connection as Session

from cs_pipeline.warehouse.rows import read_rows

Value = TypeVar("Value")


class Kept:
    """Values by name, each with the state of the data that it was made of."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[Hashable, Any]] = {}
        self._lock = threading.Lock()

    def get(self, name: str, state: Hashable, make: Callable[[], Value]) -> Value:
        """The value of that name; made anew where it was made of another state."""
        with self._lock:
            found = self._values.get(name)
        if found is None or found[0] != state:
            found = (state, make())
            with self._lock:
                self._values[name] = found
        return found[1]


def state_of_data(session: Session) -> Hashable:
    """What changes with each load, each scored week, and each account that enters a play."""
    (row,) = read_rows(
        session,
        """
        select
            (select max(load_id) from cs.loads) as load,
            (select max(scored_at) from cs.scored_weeks) as scored,
            (select max(enrolment_id) from cs.enrolments) as enrolment
        """,
        {},
    )
    return tuple(row.values())
