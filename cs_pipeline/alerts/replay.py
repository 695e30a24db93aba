"""Replay alert rules over a past: what would have fired, from what was known then. Writes nothing, contacts nobody.

A replay comes to what the evaluations of the same moments would have come to, had each been made on time with the
present rules and a person deciding nothing. How it is done is in `replay_session`, what is found in `replay_findings`,
what becomes of it in `replay_states`; what is said of it in `replay_report`, `overlap` and `scorecard`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from cs_pipeline.alerts.judged_firings import Watched
from cs_pipeline.alerts.parameters import Value, with_values
from cs_pipeline.alerts.replay_session import Progress, replay_rules
from cs_pipeline.alerts.replay_tables import changes_table, evaluations_table, fired_table
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.errors import UserError
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


@dataclass(frozen=True)
class Replay:
    """What the rules came to from `first` to `last`, both included.

    `fired`: an alert a row, columns of `fired.FIRED`. `changes`: rule, from_state, to_state, changes (how many).
    `evaluations`: a row a rule and moment, columns rule, as_of, version, health, found, fired, resolved, closed,
    inhibited, out_of_audience, held, error.
    """

    rules: Mapping[str, Rule]
    first: datetime
    last: datetime
    fired: pd.DataFrame
    changes: pd.DataFrame
    evaluations: pd.DataFrame

    @property
    def weeks(self) -> pd.DatetimeIndex:
        """The Mondays of all weeks of the replay, without a time zone."""
        return pd.date_range(_monday(self.first), _monday(self.last), freq="7D")

    def week_numbers(self, moments: pd.Series) -> np.ndarray:
        """The week, from 0, in which each moment lies."""
        since = moments.dt.tz_convert("UTC").dt.tz_localize(None) - _monday(self.first)
        return (since.dt.days // 7).to_numpy(int)

    def count_changes(self, rule: str, from_state: str, to_state: str) -> int:
        """How often an alert of the rule went from one state to the other."""
        rows = self.changes
        chosen = (rows["rule"] == rule) & (rows["from_state"] == from_state) & (rows["to_state"] == to_state)
        return int(rows["changes"][chosen.to_numpy(bool)].sum())

    def watched(self) -> list[Watched]:
        """What was watched of each rule: from its first moment with data to its last."""
        return [self._watched(name, rule) for name, rule in self.rules.items()]

    def _watched(self, name: str, rule: Rule) -> Watched:
        of_rule = (self.evaluations["rule"] == name) & self.evaluations["health"].isin(["ok", "held"])
        seen = self.evaluations[of_rule.to_numpy(bool)]
        first, last = (seen["as_of"].min(), seen["as_of"].max()) if len(seen) else (self.last, self.last)
        version = str(seen["version"].iloc[-1]) if len(seen) else ""
        return Watched(name, version, first.date(), last.date(), rule.alert.outcome)


def replay(
    warehouse: Warehouse,
    settings: Settings,
    rules: Mapping[str, Rule],
    first: datetime,
    last: datetime,
    parameters: Mapping[str, Mapping[str, Value]] | None = None,
    on_progress: Progress = lambda _done, _total: None,
) -> Replay:
    """Replay `rules` at the moments of their schedules from `first` to `last`, with `parameters` (by rule and name).

    A rule that is switched off is replayed too. Which rule stands before another is known of those in `rules` only.
    `on_progress` is told how many moments are done, and of how many. Raises UserError where no moment lies in between,
    a parameter is none of its rule, or a rule reads single events of a month that is archived.
    """
    chosen = {
        name: with_parameters(rule, (parameters or {}).get(name, {}), among=rules) for name, rule in rules.items()
    }
    if strange := sorted(set(parameters or {}) - set(rules)):
        raise UserError(f"{strange[0]} is not among the rules that are replayed: {', '.join(rules)}")
    replayed, book = replay_rules(warehouse, settings, chosen, first, last, on_progress)
    tables = fired_table(replayed, book), changes_table(replayed), evaluations_table(replayed)
    return Replay(chosen, first, last, *tables)


def with_parameters(rule: Rule, given: Mapping[str, Value], among: Mapping[str, Rule]) -> Rule:
    """The rule with other values of its parameters ('days', or 'days.pro' for a tier), and on.

    Of the rules that stand before it only those in `among` are left. Raises UserError where a value is not possible.
    """
    before = tuple(name for name in rule.alert.inhibited_by if name in among)
    try:
        parameters = with_values(rule.alert, rule.defaults, rule.parameters, given)
    except UserError as error:
        raise UserError(f"{rule.name}: {error}") from None
    alert = rule.alert.model_copy(update={"inhibited_by": before})
    return replace(rule, alert=alert, parameters=parameters if given else rule.parameters, is_on=True)


def _monday(moment: datetime) -> pd.Timestamp:
    day = pd.Timestamp(moment.astimezone(UTC).date())
    return day - timedelta(days=day.weekday())
