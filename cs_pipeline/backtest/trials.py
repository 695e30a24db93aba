"""Hold what steps were to reach against what was reached, and their variants against each other.

A goal is asked of enrolled and held-out accounts alike, over the same days from the decision about each, so that it is
one more measure of the hold-out. Variants are drawn by a hash among enrolled accounts (`plays.playbooks.trials`), by
which they differ and by nothing else; everybody counts with what they drew, whether or not the message went out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from cs_pipeline.backtest.uplift import Measure, Uplift, uplifts
from cs_pipeline.history.weeks import require_marts
from cs_pipeline.plays.playbooks.schema import Playbook, Step
from cs_pipeline.plays.playbooks.trials import BASE, Goal, variant_of
from cs_pipeline.plays.playbooks.versions import Version, recall
from cs_pipeline.warehouse.connection import Warehouse


@dataclass(frozen=True)
class Trial:
    """A variant of a step against the step as it is, by one measure: of `effect`, those enrolled have the variant, and
    those held out have the step's own template."""

    step: str
    variant: str
    effect: Uplift


def with_goals(
    warehouse: Warehouse, accounts: pd.DataFrame, library: Mapping[str, Playbook], now: datetime
) -> tuple[pd.DataFrame, dict[str, list[Measure]]]:
    """`accounts` (of `decided_accounts`) with a column for each goal of a step, and those measures by playbook.

    Whether a goal was reached is missing until its days are over. The goals are those of `library`, as they are today.
    """
    accounts, measures = accounts.copy(), dict[str, list[Measure]]()
    for name in accounts["playbook"].unique():
        for step in library[name].steps if name in library else ():
            if step.goal is not None:
                column = f"goal of {step.step}"
                is_of_it = accounts["playbook"] == name
                if column not in accounts:
                    accounts[column] = pd.Series(None, index=accounts.index, dtype="object")
                accounts.loc[is_of_it, column] = _reached(warehouse, accounts[is_of_it], step, now)
                words = f"{step.step}: {' '.join(step.goal.split())}"
                measures.setdefault(str(name), []).append(Measure(words, column, is_good=True, is_share=True))
    return accounts, measures


def trials(
    warehouse: Warehouse,
    accounts: pd.DataFrame,
    goals: Mapping[str, Sequence[Measure]],
    library: Mapping[str, Playbook],
) -> list[Trial]:
    """Every variant of every step of `library` against the step as it is, by every measure.

    `accounts` has the columns of `with_goals`. Accounts that entered while a step had other variants, or other weights,
    are left out: a new draw is a new trial.
    """
    enrolled = accounts[~accounts["is_held_out"].astype(bool)]
    tried = [playbook for playbook in library.values() if any(step.variants for step in playbook.steps)]
    enrolled = enrolled[enrolled["playbook"].isin([playbook.playbook for playbook in tried])]
    versions = set(enrolled[["playbook", "playbook_version"]].itertuples(index=False, name=None))
    with warehouse.session() as session:
        entered = recall(session, versions)
    return [
        trial
        for playbook in tried
        for step in playbook.steps
        if step.variants
        for trial in _of_step(enrolled[enrolled["playbook"] == playbook.playbook], playbook, step, entered, goals)
    ]


def _of_step(
    enrolled: pd.DataFrame,
    playbook: Playbook,
    step: Step,
    entered: Mapping[Version, Playbook],
    goals: Mapping[str, Sequence[Measure]],
) -> list[Trial]:
    drawn_alike = {version for version, known in entered.items() if _variants(known, step.step) == step.variants}
    keys = zip(enrolled["playbook"], enrolled["playbook_version"], strict=True)
    rows = enrolled[pd.Series([key in drawn_alike for key in keys], index=enrolled.index, dtype=bool)]
    drawn = [variant_of(playbook.playbook, step.step, step.variants, account) for account in rows["account_id"]]
    names = pd.Series([each.variant if each else BASE for each in drawn], index=rows.index, dtype="object")
    found: list[Trial] = []
    for variant in step.variants:
        both = rows[names.isin([variant.variant, BASE])]
        effects = uplifts(both.assign(is_held_out=names[both.index] == BASE), goals)
        found += [Trial(step.step, variant.variant, effect) for effect in effects]
    return found


def _variants(playbook: Playbook, name: str) -> tuple[object, ...]:
    return next((step.variants for step in playbook.steps if step.step == name), ())


def _reached(warehouse: Warehouse, accounts: pd.DataFrame, step: Step, now: datetime) -> pd.Series:
    """Whether a week ends within the goal's days from the step's, in which its condition holds; None until then."""
    goal = Goal.parse(step.goal or "")
    require_marts(warehouse, "fct_account_weeks")
    begins = pd.to_datetime(accounts["decided_at"], utc=True) + timedelta(days=step.day)
    ends = begins + timedelta(days=goal.days)
    columns = sorted(goal.condition.facts)
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            f"""
            select asked.place, {", ".join(f"weeks.{column}" for column in columns)}
            from unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::timestamptz[])
                as asked (place, account_id, begins, ends)
            inner join marts.fct_account_weeks as weeks
                on
                    asked.account_id = weeks.account_id
                    and (weeks.week + 7)::timestamp at time zone 'UTC' > asked.begins
                    and (weeks.week + 7)::timestamp at time zone 'UTC' <= asked.ends
            """,
            [
                list(range(len(accounts))),
                accounts["account_id"].tolist(),
                begins.dt.to_pydatetime().tolist(),
                ends.dt.to_pydatetime().tolist(),
            ],
        )
        weeks = pd.DataFrame(cursor.fetchall(), columns=["place", *columns])
    holds = set(weeks.loc[goal.condition.holds(weeks), "place"]) if len(weeks) else set[int]()
    over = (ends <= pd.Timestamp(now)).tolist()
    reached = [place in holds if is_over else None for place, is_over in enumerate(over)]
    return pd.Series(reached, index=accounts.index, dtype="object")
