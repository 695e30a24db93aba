"""Form of `kpis.yaml`: what is said of a KPI, of its targets, and of the parameters that KPIs are reckoned by.

Here belongs the form and nothing else: reading and laying the team's file over ours is in `library`.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Preset = Literal["targets", "trial", "dashboard_samples"]
"""`targets`: figures to reach, with an action (S5). `trial`: the same where trials bring the customers, who must see
value within a day (C-41). `dashboard_samples`: those of a sample dashboard (S4, C-42)."""
Unit = Literal["share", "change", "money", "count", "ratio", "hours", "score", "points"]
Good = Literal["up", "down", "neither"]
Basis = Literal["revenue", "logo", "people", "accounts", "events"]
TargetKind = Literal["above", "at_least", "below", "at_most"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Target(_Part):
    """One bound. `above` and `below` leave the bound itself out."""

    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _is_one_bound(self) -> Self:
        if len(self.model_fields_set) != 1 or self.bound is None:
            raise ValueError("expected one of above, at_least, below, at_most, with a number")
        return self

    @property
    def kind(self) -> TargetKind:
        """Which of the four it is."""
        return next(name for name in ("above", "at_least", "below", "at_most") if getattr(self, name) is not None)

    @property
    def bound(self) -> float | None:
        """The number."""
        return next(
            (value for value in (self.above, self.at_least, self.below, self.at_most) if value is not None), None
        )


class Definition(_Part):
    """One KPI. Values are stored in its unit: a share of 0.92 is shown as 92 %."""

    title: str = Field(min_length=1)
    unit: Unit
    good: Good
    basis: Basis
    window: Literal[1, 3, 12] = Field(description="months of the window that headlines show and targets are for")
    formula: str = Field(min_length=1, description="in words")
    facts: tuple[str, ...] = Field(default=(), description="ids of docs/requirements.md")
    sources: tuple[str, ...] = Field(default=(), description="canonical tables that must have been loaded since")
    targets: dict[Preset, Target] = {}
    if_missed: str | None = None


class Section(_Part):
    """A part of the executive dashboard."""

    section: str = Field(min_length=1)
    kpis: Annotated[tuple[str, ...], Field(min_length=1)]


class Parameters(_Part):
    """What KPIs are reckoned by; docs/kpis.md says why the defaults are what they are."""

    segment: Literal["industry", "country", "plan"] = "industry"
    churn_date: Literal["end_of_service", "cancellation_request"] = "end_of_service"
    reactivation_within_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    gross_margin: Annotated[float, Field(gt=0, le=1)] = 0.8


class KpiBook(_Part):
    """The whole: parameters, the targets in force, the dashboard, and every KPI by name."""

    parameters: Parameters
    preset: Preset
    dashboard: tuple[Section, ...]
    kpis: dict[str, Definition]

    def target(self, kpi: str) -> Target | None:
        """The target in force; None where there is none."""
        targets = self.kpis[kpi].targets
        return targets.get(self.preset) or (targets.get("targets") if self.preset == "trial" else None)


class TeamKpi(_Part):
    """What a team may say of a KPI; what it leaves out stays."""

    title: str | None = None
    target: Target | None = None
    if_missed: str | None = None


class TeamFile(_Part):
    """`<config>/kpis.yaml`."""

    parameters: dict[str, str | float | int | None] = {}
    preset: Preset | None = None
    dashboard: tuple[Section, ...] | None = None
    kpis: dict[str, TeamKpi] = {}
