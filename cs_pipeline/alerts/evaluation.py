"""One evaluation of an alert rule: its health, what came of it, and of which alerts people are to be told."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Health = Literal["ok", "no_data", "error", "held"]


@dataclass(frozen=True)
class Told:
    """Ids of alerts (cs.alerts) by what is to be told of them. What none was told of is in none of them.

    `new`: they fire, and nobody knew. `woken`: known, snoozed until now, and they fire still. `reopened`: known, over,
    and back within `again_after`: for the digest only. `resolved`: known, and over for the first time.
    """

    new: tuple[int, ...] = ()
    woken: tuple[int, ...] = ()
    reopened: tuple[int, ...] = ()
    resolved: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return any((self.new, self.woken, self.reopened, self.resolved))


@dataclass(frozen=True)
class Evaluation:
    """A row of cs.alert_evaluations, and what is told with it.

    `clock`: seconds over which the rule was watched. `error`: what was wrong, in words.
    `is_absent`: no_data because nobody feeds the inputs. `is_baseline`: the first ok
    evaluation of the rule, or of a version of it; what was new then fired quietly. `health_before`: that of the
    evaluation before, or of a try before at the same moment; None where there was none.
    """

    rule: str
    as_of: datetime
    version: str
    health: Health
    clock: float
    found: int = 0
    fired: int = 0
    resolved: int = 0
    closed: int = 0
    inhibited: int = 0
    out_of_audience: int = 0
    held: int = 0
    seconds: float = 0.0
    error: str | None = None
    is_absent: bool = False
    is_baseline: bool = False
    health_before: Health | None = None
    told: Told = Told()
