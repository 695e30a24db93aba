"""Compare settings of steadiness: triggers they would have saved, and departures warned of later.

A model is scored again over past weeks, literally and under settings of `steadiness`, in memory. A trigger here is a
rise of severity against the score before it; first scores start the same plays whatever the setting. An account was
warned of when it was at risk in the last week that ended before it departed, and since when it had been so without a
break: as the backtest counts it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cs_pipeline.backtest.observations import read_departures
from cs_pipeline.health.scoring import Arithmetic
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.health.steadiness import NO_BAND, Steadiness
from cs_pipeline.history.in_memory_scoring import (
    EffectiveScores,
    InMemoryScorer,
    LastScores,
    LoadedWeek,
    load_weeks,
    resized,
)
from cs_pipeline.history.weeks import WEEK
from cs_pipeline.warehouse.connection import Warehouse

LITERAL = "literal"
OWN = "the model's own"

STAYS = date.max.toordinal()


@dataclass(frozen=True)
class Outcome:
    """What a setting comes to, beside the literal bands."""

    setting: str
    triggers: int
    """Rises of severity."""
    saved: int
    """Triggers that the literal bands would have opened more."""
    recoveries: int
    """Falls of severity."""
    warned: int
    """Accounts that were at risk to the end before they departed."""
    delayed: int
    """Those among them that the literal bands warned of earlier."""
    median_delay_weeks: float
    """Of those that are delayed; 0 without any."""
    earlier: int
    """Those that the literal bands warned of later, or not at all."""
    lost: int
    """Accounts that only the literal bands warned of."""


@dataclass(frozen=True)
class SteadinessReport:
    """Settings side by side, the literal one first."""

    model: ScoreModel
    first: date
    last: date
    departures: int
    """Accounts that departed after a week of the range, and before the next one ended."""
    outcomes: tuple[Outcome, ...]


def settings_for(model: ScoreModel) -> dict[str, Steadiness | None]:
    """The settings that are tried, by name: one at a time, some together, and the model's own."""
    settings: dict[str, Steadiness | None] = {LITERAL: None}
    settings |= {f"steadiness {points}": Steadiness(steadiness=points) for points in (2, 3, 5)}
    settings |= {f"dwell {weeks} weeks": Steadiness(dwell_weeks=weeks) for weeks in (2, 4)}
    settings |= {f"confirm {weeks} weeks": Steadiness(confirm_weeks=weeks) for weeks in (2, 3)}
    if any(metric.calendar != "never" for metric in model.metrics):
        settings["calendar left out"] = Steadiness(calendar="left_out")
    settings["steadiness 3, dwell 2 weeks"] = Steadiness(steadiness=3, dwell_weeks=2)
    settings["steadiness 3, confirm 2 weeks"] = Steadiness(steadiness=3, confirm_weeks=2)
    if model.steadiness is not None:
        settings[OWN] = model.steadiness
    return settings


def steadiness_report(
    warehouse: Warehouse,
    model: ScoreModel,
    first: date,
    last: date,
    on_week: Callable[[date], None] = lambda _: None,
) -> SteadinessReport:
    """Try `settings_for(model)` on the weeks `first` to `last` (Mondays). Memory does not grow with the weeks.

    Raises UserError when the marts are not built.
    """
    arithmetic = Arithmetic(model)
    signless = {"risks": (), "opportunities": (), "variants": ()}  # bands do not look at them, and they take time
    tried = {
        name: _Setting(model.changed(steadiness=steadiness, **signless))
        for name, steadiness in settings_for(model).items()
    }
    last_weeks_of = _last_weeks(read_departures(warehouse))
    last_weeks = np.empty(0, dtype=np.int64)
    for loaded in load_weeks(warehouse, [model], first, last):
        last_weeks = resized(last_weeks, loaded.accounts, STAYS)
        accounts = pd.Index(loaded.frame["account_id"], dtype="str")
        last_weeks[loaded.positions] = last_weeks_of.reindex(accounts, fill_value=STAYS)
        scores = arithmetic.score(loaded.frame)
        may_warn = np.zeros(loaded.accounts, dtype=bool)
        may_warn[loaded.positions] = loaded.week.toordinal() <= last_weeks[loaded.positions]
        for setting in tried.values():
            setting.follow(loaded, setting.scorer.advance(loaded, scores), may_warn)
        on_week(loaded.week)
    departed = (last_weeks >= first.toordinal()) & (last_weeks <= last.toordinal())
    literal = tried[LITERAL]
    outcomes = tuple(_outcome(name, setting, literal, departed) for name, setting in tried.items())
    return SteadinessReport(model, first, last, int(departed.sum()), outcomes)


class _Setting:
    """A setting that is followed, and what is counted on the way."""

    def __init__(self, model: ScoreModel) -> None:
        self.scorer = InMemoryScorer(model)
        self.triggers = 0
        self.recoveries = 0
        self.warned_weeks = np.empty(0, dtype=np.int64)
        """Weeks in a row at risk, up to the last one that ended before the account departed."""
        self._last = LastScores()

    def follow(self, loaded: LoadedWeek, now: EffectiveScores, may_warn: NDArray[np.bool]) -> None:
        """Count what changed in a week."""
        before = self._last.before(loaded.week, loaded.accounts).severity
        is_compared = (before != NO_BAND) & (now.severity != NO_BAND)
        self.triggers += int((is_compared & (now.severity > before)).sum())
        self.recoveries += int((is_compared & (now.severity < before)).sum())
        self._last.remember(loaded.week, now)
        weeks = resized(self.warned_weeks, loaded.accounts, 0)
        is_at_risk = now.severity >= self.scorer.model.at_risk_from
        self.warned_weeks = np.where(may_warn, np.where(is_at_risk, weeks + 1, 0), weeks)


def _outcome(name: str, setting: _Setting, literal: _Setting, departed: NDArray[np.bool]) -> Outcome:
    weeks, usual = setting.warned_weeks[departed], literal.warned_weeks[departed]
    delays = (usual - weeks)[(weeks > 0) & (weeks < usual)]
    return Outcome(
        setting=name,
        triggers=setting.triggers,
        saved=literal.triggers - setting.triggers,
        recoveries=setting.recoveries,
        warned=int((weeks > 0).sum()),
        delayed=len(delays),
        median_delay_weeks=float(np.median(delays)) if len(delays) else 0.0,
        earlier=int((weeks > usual).sum()),
        lost=int(((weeks == 0) & (usual > 0)).sum()),
    )


def _last_weeks(departures: pd.Series) -> pd.Series:
    """The last week (as an ordinal day) that ended before each account departed, by account_id."""
    days = pd.to_datetime(departures)
    mondays = days - pd.to_timedelta(days.dt.dayofweek + WEEK.days, unit="D")
    return (mondays - pd.Timestamp(1970, 1, 1)).dt.days + date(1970, 1, 1).toordinal()
