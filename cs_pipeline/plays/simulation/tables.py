"""Count what a simulation came to: per playbook, per week, per person, and every reason."""

from dataclasses import dataclass

import pandas as pd

from cs_pipeline.plays.playbooks.schema import CUSTOMER_ROLES
from cs_pipeline.plays.reasons import meaning
from cs_pipeline.plays.simulation.engine import Simulation
from cs_pipeline.plays.simulation.memory_store import TAKEN


@dataclass(frozen=True)
class SimulationTables:
    """What a simulation came to, as readers want it. All columns are counts unless said otherwise.

    `mails` go to customers, `messages` (e-mail and Slack) and `tasks` to our own people. What waits for approval is
    counted with what is taken, and again by itself.
    """

    simulation: Simulation
    outcomes: pd.DataFrame

    @property
    def plays(self) -> pd.DataFrame:
        """playbook; enrolled, refused, ended_early, mails, messages, tasks, for_approval, not_sent, to_come;
        recovered and left, each of how many for which it is known, and left_untouched."""
        enrolments, names = self.simulation.enrolments, list(self.simulation.playbooks)
        refused = pd.Series([name for _, name, _ in self.simulation.refused.elements()], dtype="object")
        of_play = enrolments["playbook"]
        found = pd.DataFrame(
            {
                "playbook": names,
                "enrolled": _counts(of_play, names),
                "refused": _counts(refused, names),
                "ended_early": _counts(of_play[enrolments["status"] == "exited"], names),
                **{what: _counts(rows["playbook"], names) for what, rows in self._kinds().items()},
            }
        )
        for what, known in (("recovered", "has_recovered"), ("left", "has_left"), ("left_untouched", "left_untouched")):
            is_so = self.outcomes[known]
            found[what] = _counts(of_play[is_so.fillna(False)], names)
            if what != "left_untouched":
                found[f"{what}_of"] = _counts(of_play[is_so.notna()], names)
        return found

    @property
    def weeks(self) -> pd.DataFrame:
        """week (the Monday it starts); enrolled, refused, mails, messages, tasks, for_approval, not_sent."""
        last = self.simulation.last
        weeks = [day.date() for day in pd.date_range(self.simulation.first, last, freq="7D")]
        refused = pd.Series([week for week, _, _ in self.simulation.refused.elements()], dtype="object")
        kinds = {what: rows for what, rows in self._kinds().items() if what != "to_come"}
        return pd.DataFrame(
            {
                "week": weeks,
                "enrolled": _counts(self.simulation.enrolments["week"], weeks),
                "refused": _counts(refused, weeks),
                **{what: _counts(rows["week"], weeks) for what, rows in kinds.items()},
            }
        )

    @property
    def load(self) -> pd.DataFrame:
        """person, week; mails that go out to their customers, messages and tasks that they get."""
        taken = self._taken()
        is_for_customer = taken["role"].isin(CUSTOMER_ROLES)
        rows = taken.assign(
            person=taken["owner"].where(is_for_customer, taken["recipient"]).fillna("nobody"),
            mails=is_for_customer.astype(int),
            messages=(~is_for_customer & (taken["channel"] != "crm")).astype(int),
            tasks=(taken["channel"] == "crm").astype(int),
        )
        return rows.groupby(["person", "week"], as_index=False)[["mails", "messages", "tasks"]].sum()

    @property
    def people(self) -> pd.DataFrame:
        """person, a week on average: mails, messages, tasks; the most tasks of a week, and which week that was."""
        load, weeks = self.load, len(self.weeks)
        if load.empty:
            return pd.DataFrame(columns=["person", "mails", "messages", "tasks", "most_tasks", "in_week"])
        totals = load.groupby("person")[["mails", "messages", "tasks"]].sum() / weeks
        fullest = load.loc[load.groupby("person")["tasks"].idxmax()].set_index("person")
        found = totals.assign(most_tasks=fullest["tasks"], in_week=fullest["week"]).reset_index()
        return found.sort_values(["tasks", "mails", "person"], ascending=[False, False, True]).reset_index(drop=True)

    @property
    def reasons(self) -> pd.DataFrame:
        """playbook; what (refused, ended, not_sent), reason, meaning, count: most frequent first."""
        enrolments, actions = self.simulation.enrolments, self.simulation.actions
        ended = enrolments[enrolments["status"] == "exited"]
        dropped = actions[actions["status"].isin(["suppressed", "failed"])]
        ended, dropped = (rows[["playbook", "reason"]].itertuples(index=False) for rows in (ended, dropped))
        rows = [
            *((name, "refused", reason) for _, name, reason in self.simulation.refused.elements()),
            *((name, "ended", reason) for name, reason in ended),
            *((name, "not_sent", reason) for name, reason in dropped),
        ]
        found = pd.DataFrame(rows, columns=["playbook", "what", "reason"]).value_counts().reset_index()
        words = [
            meaning(reason, self.simulation.playbooks[name].exit_conditions)
            for name, reason in zip(found["playbook"], found["reason"], strict=True)
        ]
        found = found.assign(meaning=words).sort_values(
            ["playbook", "what", "count", "reason"], ascending=[True, True, False, True]
        )
        return found[["playbook", "what", "reason", "count", "meaning"]].reset_index(drop=True)

    @property
    def document(self) -> dict[str, object]:
        """All of it as JSON holds it."""
        tables = {name: getattr(self, name) for name in ("plays", "weeks", "load", "reasons")}
        return {
            "from": self.simulation.first.isoformat(),
            "to": self.simulation.last.isoformat(),
            "versions": {name: playbook.version for name, playbook in self.simulation.playbooks.items()},
            **{name: _records(rows) for name, rows in tables.items()},
        }

    def _taken(self) -> pd.DataFrame:
        actions = self.simulation.actions
        return actions[actions["status"].isin(TAKEN)]

    def _kinds(self) -> dict[str, pd.DataFrame]:
        actions, taken = self.simulation.actions, self._taken()
        is_for_customer = taken["role"].isin(CUSTOMER_ROLES)
        is_task = taken["channel"] == "crm"
        return {
            "mails": taken[is_for_customer],
            "messages": taken[~is_for_customer & ~is_task],
            "tasks": taken[is_task],
            "for_approval": taken[taken["status"] == "for_approval"],
            "not_sent": actions[actions["status"].isin(["suppressed", "failed"])],
            "to_come": actions[actions["status"] == "planned"],
        }


def _counts(values: pd.Series, among: list) -> list[int]:
    counts = values.value_counts()
    return [int(counts.get(each, 0)) for each in among]


def _records(rows: pd.DataFrame) -> list[dict[str, object]]:
    plain = rows.assign(week=rows["week"].astype(str)) if "week" in rows else rows
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]
