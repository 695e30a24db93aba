"""Compare a score model with the one it replaces, before it is merged: bands, revenue, plays, mail. Nothing is written.

Both models score the same past weeks (`in_memory_scoring`), and are compared in the last of them, for the
accounts for which the present model counts; where it counts for nobody, all accounts.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cs_pipeline.errors import UserError
from cs_pipeline.health.selection import Selection
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.history.in_memory_scoring import LoadedWeek, load_weeks
from cs_pipeline.history.weeks import WEEK, require_marts
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.simulation.forecast import Forecast, changes_between, decided_at
from cs_pipeline.plays.simulation.what_if import plays_that_start, plays_that_stop, started_by_scores
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.bulk import query
from cs_pipeline.warehouse.connection import Warehouse

WARM_UP = 13
"""Weeks before those that are counted, in which bands settle and the first scores are made."""
NOT_SCORED = "not scored"


@dataclass(frozen=True)
class ModelChange:
    """A present model and the one that is to take its place."""

    old: ScoreModel
    new: ScoreModel
    week: date
    weeks: int
    """Weeks over which changes and mail are counted, the last being `week`."""
    accounts: pd.DataFrame
    """The accounts that are compared: account_id, account_name, arr, from_score, to_score, from_band, to_band,
    from_severity, to_severity (NaN when not scored)."""
    plays: pd.DataFrame
    """playbook; starts (at once); held_back (would start, had behaviour been the cause); stops."""
    forecast: pd.DataFrame
    """playbook; starts, mails and tasks a week, with the old model and with the new one."""
    changes_per_week: tuple[float, float]
    """Changes of severity a week, with the old model and with the new one."""

    @property
    def moved(self) -> pd.DataFrame:
        """Accounts whose band would be another, the largest by ARR first."""
        moved = self.accounts[self.accounts["from_band"] != self.accounts["to_band"]]
        return moved.sort_values(["arr", "account_id"], ascending=[False, True], na_position="last")

    @property
    def bands(self) -> pd.DataFrame:
        """from_band, to_band, accounts, arr: healthiest first, those that stay among them."""
        grouped = self.accounts.fillna({"arr": 0.0}).groupby(["from_band", "to_band"], sort=False, observed=True)
        found = grouped.agg(accounts=("account_id", "size"), arr=("arr", "sum")).reset_index()
        order = (
            [*(band.band for band in self.old.bands), NOT_SCORED],
            [*(band.band for band in self.new.bands), NOT_SCORED],
        )
        positions = [found[name].map(names.index) for name, names in zip(("from_band", "to_band"), order, strict=True)]
        return found.iloc[np.lexsort([positions[1], positions[0]])].reset_index(drop=True)

    def moving(self, direction: int) -> tuple[int, float]:
        """Accounts, and their ARR, whose severity rises (1) or falls (-1)."""
        difference = np.sign(self.accounts["to_severity"] - self.accounts["from_severity"])
        return self._counted(difference == direction)

    @property
    def no_longer_scored(self) -> tuple[int, float]:
        """Accounts, and their ARR, that have a score with the old model only: neither worse off nor better."""
        return self._counted(self.accounts["from_score"].notna() & self.accounts["to_score"].isna())

    @property
    def newly_scored(self) -> tuple[int, float]:
        """Accounts, and their ARR, that have a score with the new model only."""
        return self._counted(self.accounts["from_score"].isna() & self.accounts["to_score"].notna())

    def _counted(self, is_meant: pd.Series) -> tuple[int, float]:
        rows = self.accounts[is_meant]
        return len(rows), float(rows["arr"].sum())

    @property
    def mails_per_week(self) -> tuple[float, float]:
        """E-mails a week that the plays would write, with the old model and with the new one."""
        return float(self.forecast["mails_before"].sum()), float(self.forecast["mails_after"].sum())

    @property
    def document(self) -> dict[str, object]:
        """All of it as JSON holds it."""
        worse, better = self.moving(1), self.moving(-1)
        return {
            "old": {"model": self.old.model, "version": self.old.version},
            "new": {"model": self.new.model, "version": self.new.version},
            "week": self.week.isoformat(),
            "weeks": self.weeks,
            "accounts": len(self.accounts),
            "worse": {"accounts": worse[0], "arr": worse[1]},
            "better": {"accounts": better[0], "arr": better[1]},
            "no_longer_scored": {"accounts": self.no_longer_scored[0], "arr": self.no_longer_scored[1]},
            "newly_scored": {"accounts": self.newly_scored[0], "arr": self.newly_scored[1]},
            "bands": self.bands.to_dict("records"),
            "moved": self.moved.astype("object").where(self.moved.notna(), None).to_dict("records"),
            "plays": self.plays.to_dict("records"),
            "forecast": self.forecast.to_dict("records"),
            "changes_per_week": {"before": self.changes_per_week[0], "after": self.changes_per_week[1]},
            "mails_per_week": {"before": self.mails_per_week[0], "after": self.mails_per_week[1]},
        }


def compare_models(
    warehouse: Warehouse,
    old: ScoreModel,
    new: ScoreModel,
    selection: Selection,
    playbooks: Mapping[str, Playbook],
    settings: Settings,
    *,
    week: date | None = None,
    weeks: int = 8,
    on_week: Callable[[date], None] = lambda _: None,
) -> ModelChange:
    """What would be if `new` took the place of `old` in `week` (a Monday; without: the newest of the mart).

    Raises UserError when the marts are not built or do not have the week.
    """
    week = _week(warehouse, week)
    offered = started_by_scores(playbooks)
    before, after = Forecast(old, offered), Forecast(new, offered)
    is_concerned = np.empty(0, dtype=bool)
    last: LoadedWeek | None = None
    for loaded in load_weeks(warehouse, [old, new], week - (weeks + WARM_UP - 1) * WEEK, week):
        is_concerned = _concerned(selection, old, loaded)
        followed = [(forecast, forecast.follow(loaded)) for forecast in (before, after)]
        if loaded.week > week - weeks * WEEK:
            with warehouse.session() as session:
                for forecast, changes in followed:
                    concerned = changes[is_concerned[changes["position"].to_numpy()]]
                    forecast.play(session, settings, loaded.week, concerned)
        last = loaded
        on_week(loaded.week)
    assert last is not None
    positions = last.positions[is_concerned[last.positions]]
    account_ids = last.frame["account_id"][is_concerned[last.positions]].reset_index(drop=True)
    causes = np.full(len(positions), "model_version", dtype=object)
    changes = changes_between(old, before.scorer.effective, new, after.scorer.effective, positions, causes)
    return ModelChange(
        old=old,
        new=new,
        week=week,
        weeks=weeks,
        accounts=_accounts(warehouse, week, changes.assign(account_id=account_ids)),
        plays=_plays(warehouse, before, after, changes.assign(account_id=account_ids), offered, settings, week),
        forecast=_forecast(before, after, weeks),
        changes_per_week=(before.changes / weeks, after.changes / weeks),
    )


def _week(warehouse: Warehouse, asked: date | None) -> date:
    require_marts(warehouse, "fct_account_weeks", "dim_accounts")
    newest = query(warehouse, "select max(week) as week from marts.fct_account_weeks")["week"].iloc[0]
    if newest is None or pd.isna(newest):
        raise UserError("The marts hold no week yet: build them first, with `cs-pipeline backfill`")
    if asked is None:
        return newest
    if asked.weekday() != 0:
        raise UserError(f"{asked} is a {asked:%A}; weeks are named by the Monday they start")
    if asked > newest:
        raise UserError(f"The newest week of the marts is {newest}; {asked} is not there yet")
    return asked


def _concerned(selection: Selection, old: ScoreModel, loaded: LoadedWeek) -> NDArray[np.bool]:
    """By position, for which accounts of the week the present model counts."""
    is_concerned = np.zeros(loaded.accounts, dtype=bool)
    names = [model.model for model in selection.models]
    if old.model in {model.model for model in selection.active_models}:
        is_concerned[loaded.positions] = selection.active(loaded.frame) == names.index(old.model)
    else:
        is_concerned[loaded.positions] = True
    return is_concerned


def _accounts(warehouse: Warehouse, week: date, changes: pd.DataFrame) -> pd.DataFrame:
    known = query(
        warehouse,
        f"""
        select account_weeks.account_id, accounts.account_name, account_weeks.arr::double precision as arr
        from marts.fct_account_weeks as account_weeks
        left join marts.dim_accounts as accounts on accounts.account_id = account_weeks.account_id
        where account_weeks.week = date '{week}'
        """,
    ).set_index("account_id")
    found = changes.join(known, on="account_id").drop(columns=["position", "delta", "cause"])
    bands = {name: found[name].fillna(NOT_SCORED) for name in ("from_band", "to_band")}
    columns = ["account_id", "account_name", "arr", "from_score", "to_score", "from_band", "to_band"]
    return found.assign(**bands)[[*columns, "from_severity", "to_severity"]]


def _plays(
    warehouse: Warehouse,
    before: Forecast,
    after: Forecast,
    changes: pd.DataFrame,
    playbooks: list[Playbook],
    settings: Settings,
    week: date,
) -> pd.DataFrame:
    """What the change itself would start and stop, on the day on which its first scores are decided on."""
    as_of = AsOf(settings, decided_at(week), sees_ahead=False)
    positions, accounts = changes["position"].to_numpy(), changes["account_id"]
    then, now = before.scores(positions, accounts), after.scores(positions, accounts)
    has_trigger = changes["to_severity"].notna() & (changes["to_severity"] != changes["from_severity"].fillna(0))
    triggering = changes[has_trigger].reset_index(drop=True)
    with warehouse.session() as session:
        starting = plays_that_start(session, playbooks, triggering, now, as_of)
        willing = plays_that_start(session, playbooks, triggering.assign(cause="behaviour"), now, as_of)
        stopping: Counter[str] = plays_that_stop(session, then, now, as_of)
    names = [*starting, *(name for name in sorted(stopping) if name not in starting)]
    none = np.zeros(0, dtype=bool)
    return pd.DataFrame(
        {
            "playbook": names,
            "starts": [int(starting.get(name, none).sum()) for name in names],
            "held_back": [int((willing.get(name, none) & ~starting.get(name, none)).sum()) for name in names],
            "stops": [stopping[name] for name in names],
        }
    )


def _forecast(before: Forecast, after: Forecast, weeks: int) -> pd.DataFrame:
    names = list(before.starts)
    return pd.DataFrame(
        {
            "playbook": names,
            **{
                f"{what}_{when}": [getattr(forecast, what)[name] / weeks for name in names]
                for what in ("starts", "mails", "tasks")
                for when, forecast in (("before", before), ("after", after))
            },
        }
    )
