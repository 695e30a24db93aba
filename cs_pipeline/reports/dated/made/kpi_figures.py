"""Read KPIs for reports: a month's figures beside earlier ones, and how they are written.

What a KPI means is in `kpis.yaml`, how it is computed in `dbt_project`; here nothing is computed but differences.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cs_pipeline.errors import UserError
from cs_pipeline.plays.messages.environment import is_missing
from cs_pipeline.reports.dated.asking import Asking, Row
from cs_pipeline.reports.dated.report import Column, Table
from cs_pipeline.reports.dated.words import Money, number, share, signed
from cs_pipeline.sql_files import read_sql

RECKONED_ANEW = (
    "KPIs of a past month are reckoned anew with each build: contracts, answers and closed tickets that arrived late "
    "count in their month, and targets are those in force now."
)
BOUND_WORDS = {"above": "above", "at_least": "at least", "below": "below", "at_most": "at most"}
MONTHS_IN_WORDS = {1: "month", 3: "3 months", 12: "12 months"}
_SQL = read_sql(__file__)


@dataclass(frozen=True)
class KpiFigure:
    """A KPI of a month, in the window that headlines show, of the whole or of one part of the business."""

    row: Row
    money: Money

    @property
    def title(self) -> str:
        """As kpis.yaml calls it."""
        return str(self.row["title"])

    @property
    def words(self) -> str:
        """Its value with its unit; 'unknown' where nothing could be divided."""
        return self.say(self.row["value"])

    @property
    def is_known(self) -> bool:
        """False where there is no value."""
        return not is_missing(self.row["value"])

    @property
    def is_missed(self) -> bool:
        """True where a target is in force and the value does not meet it."""
        return self.row["meets_target"] is False

    def say(self, value: object, missing: str = "unknown") -> str:
        """A value in the unit of this KPI."""
        if is_missing(value):
            return missing
        figure = float(str(value))
        match self.row["unit"]:
            case "money":
                return self.money(figure)
            case "share":
                return share(figure)
            case "change":
                return f"{signed(100 * figure)} %"
            case "hours":
                return f"{number(figure)} h" if abs(figure) < 72 else f"{number(figure / 24)} d"
            case "ratio":
                return f"{figure:,.2f}"
            case _:
                return number(figure)

    @property
    def target_words(self) -> str:
        """'above 110 %'; empty without a target."""
        if is_missing(self.row["target"]):
            return ""
        return f"{BOUND_WORDS[str(self.row['target_kind'])]} {self.say(self.row['target'])}"

    @property
    def standing(self) -> str:
        """Whether the target is met, or else whether it got better or worse within the month."""
        if self.row["meets_target"] is not None and not is_missing(self.row["meets_target"]):
            return "met" if self.row["meets_target"] else "missed"
        return self.direction

    @property
    def direction(self) -> str:
        """'better' or 'worse' than the month before, by its good direction; empty where that cannot be said."""
        value, before = self.row["value"], self.row["value_before"]
        if is_missing(value) or is_missing(before) or self.row["good"] == "neither":
            return ""
        if self.say(value) == self.say(before):
            return "as before"
        return "better" if (value > before) == (self.row["good"] == "up") else "worse"

    @property
    def made_of(self) -> str:
        """What it is made of, and how sure it is: '92 of 110, 95 % interval 75 % to 90 %'."""
        told = []
        if not is_missing(self.row["denominator"]) and self.row["unit"] == "share":
            say = self.money if self.row["basis"] == "revenue" else number
            told.append(f"{say(self.row['numerator'])} of {say(self.row['denominator'])}")
        elif self.row["unit"] not in ("money", "count") and self.row["n"]:
            told.append(f"n {self.row['n']:,}")
        if not is_missing(self.row["low"]):
            told.append(f"95 % interval {self.say(self.row['low'])} to {self.say(self.row['high'])}")
        window = self.row["window_months"]
        return ", ".join([*told, *([f"over {MONTHS_IN_WORDS[window]}"] if window > 1 else [])])


def kpi_figures(asking: Asking, kpis: Sequence[str]) -> dict[str, KpiFigure]:
    """KPIs of the whole, of the last month of the period, by name; those that were not computed are left out.

    Raises UserError while no KPI of that month is built.
    """
    month = asking.period.last_month
    found = asking.ask(_SQL, {"month": month, "kpis": list(kpis), "segment_kind": "all"}).to_dict("records")
    if not found:
        raise UserError(f"No KPI of {month:%B %Y} is built: run the job kpis in Dagster, or ask for a later month")
    return {str(row["kpi"]): KpiFigure(row, asking.money) for row in found}


def kpi_parts(asking: Asking, kpis: Sequence[str], kind: str) -> dict[str, dict[str, KpiFigure]]:
    """The same by part of the business: by segment, then by name. `kind` as in fct_kpis.segment_kind."""
    found: dict[str, dict[str, KpiFigure]] = {}
    parameters = {"month": asking.period.last_month, "kpis": list(kpis), "segment_kind": kind}
    for row in asking.ask(_SQL, parameters).to_dict("records"):
        found.setdefault(str(row["segment"]), {})[str(row["kpi"])] = KpiFigure(row, asking.money)
    return found


def kpi_table(title: str, figures: Sequence[KpiFigure], note: str = "") -> Table:
    """KPIs one below the other, with what they were and what they are to be."""
    return Table(
        title=title,
        columns=(
            Column("KPI"),
            Column("Now", is_number=True),
            Column("Month before", is_number=True),
            Column("Year before", is_number=True),
            Column("Target", is_number=True),
            Column("Standing"),
            Column("Made of"),
        ),
        rows=tuple(
            (
                figure.title,
                figure.words,
                figure.say(figure.row["value_before"], ""),
                figure.say(figure.row["value_year_before"], ""),
                figure.target_words,
                figure.standing,
                figure.made_of,
            )
            for figure in figures
        ),
        empty="None of these KPIs is computed.",
        note=note,
    )


def parts_table(
    title: str, parts: Mapping[str, Mapping[str, KpiFigure]], kpis: Mapping[str, str], first: str, most: int
) -> Table:
    """Parts of the business one below the other, most of the first KPI first. `kpis`: headings by name."""
    leading = next(iter(kpis))
    ordered = sorted(parts.items(), key=lambda part: -_value(part[1].get(leading)))
    return Table(
        title=title,
        columns=(Column(first), *(Column(heading, is_number=True) for heading in kpis.values())),
        rows=tuple(
            (
                "unknown" if name == "none" else name,
                *(figures[kpi].words if kpi in figures else "" for kpi in kpis),
            )
            for name, figures in ordered[:most]
        ),
        more=max(0, len(ordered) - most),
        empty="There is no part to compare.",
    )


def weakest(parts: Mapping[str, Mapping[str, KpiFigure]], kpi: str, least: int) -> tuple[str, KpiFigure] | None:
    """The part that stands worst in a KPI, of those made of at least `least` things; None where fewer than two are."""
    known = [
        (name, figures[kpi])
        for name, figures in parts.items()
        if name != "none" and kpi in figures and figures[kpi].is_known and (figures[kpi].row["n"] or 0) >= least
    ]
    if len(known) < 2:
        return None
    best = max if known[0][1].row["good"] == "down" else min
    return best(known, key=lambda part: float(part[1].row["value"]))


def incomplete(figures: Mapping[str, KpiFigure]) -> list[str]:
    """A note where figures lack what had not arrived when they were built."""
    titles = [figure.title for figure in figures.values() if figure.row["is_complete"] is False]
    if not titles:
        return []
    return [f"Not complete, because their sources have not been loaded since the month ended: {', '.join(titles)}."]


def _value(figure: KpiFigure | None) -> float:
    return float(figure.row["value"]) if figure is not None and figure.is_known else 0.0
