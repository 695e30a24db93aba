"""The executive dashboard of a month (S4-161 to S4-177): each KPI beside its target, and what to do where it is missed.

Which KPIs stand in it, and in which sections, is said by `dashboard` of kpis.yaml.
"""

from collections.abc import Mapping

import pandas as pd

from cs_pipeline.kpis.definition import Section
from cs_pipeline.kpis.library import load_kpis
from cs_pipeline.reports.dated.asking import NOT_DATED, Asking
from cs_pipeline.reports.dated.made import kpi_charts
from cs_pipeline.reports.dated.made.kpi_figures import (
    RECKONED_ANEW,
    KpiFigure,
    incomplete,
    kpi_figures,
    kpi_parts,
    kpi_table,
    parts_table,
    weakest,
)
from cs_pipeline.reports.dated.made.mrr_movers import movers, movers_table
from cs_pipeline.reports.dated.report import Report
from cs_pipeline.reports.dated.words import account_words, count, listed, moved
from cs_pipeline.sql_files import read_sql

NAME = "executive_dashboard"
TITLE = "Executive dashboard"
MONTHS_SHOWN = 13
MOST_PARTS = 10
FEWEST_ACCOUNTS = 10
"""A part of the business with fewer accounts is not called the weakest."""
BY_PART = {
    "mrr": "MRR",
    "nrr": "NRR, 12 months",
    "grr": "GRR, 12 months",
    "logo_retention": "Logos kept",
    "churn_risk_mrr": "MRR at risk",
    "renewal_risk_mrr": "Renewal risk",
}
TOLD_BESIDE = ("mrr", "nrr", "grr", "churn_risk_mrr", "at_risk_accounts", "renewal_risk_mrr", "upcoming_renewals")
PARTS = {"tier": ("By tier", "Tier"), "segment": ("By segment", "Segment"), "owner": ("By owner", "Owner")}


def executive_dashboard(asking: Asking) -> Report:
    """The dashboard of a month. Raises UserError while its KPIs are not built."""
    book = load_kpis(asking.settings.config)
    asked = dict.fromkeys([*(kpi for section in book.dashboard for kpi in section.kpis), *TOLD_BESIDE])
    figures = kpi_figures(asking, [*asked])
    missed = [figures[kpi] for kpi in asked if kpi in figures and figures[kpi].is_missed]
    parts = {kind: kpi_parts(asking, [*BY_PART, *(str(each.row["kpi"]) for each in missed)], kind) for kind in PARTS}
    changed = movers(asking, asking.period.before.last_month)
    window = {"month": asking.period.last_month, "months": MONTHS_SHOWN}
    bridge = asking.ask(read_sql(__file__, "bridge"), window)
    retention = kpi_charts.retention_by_month(asking, MONTHS_SHOWN)
    return Report(
        name=NAME,
        title=TITLE,
        period=asking.period,
        headline=_headline(figures),
        changes=tuple(_changes(figures, bridge, changed, asking)),
        decisions=tuple(_decisions(missed, parts, figures)),
        tables=(
            *(kpi_table(section.section, _of_section(section, figures)) for section in book.dashboard),
            movers_table(changed, asking),
            *(
                parts_table(title, parts[kind], BY_PART, first, MOST_PARTS)
                for kind, (title, first) in PARTS.items()
                if len(parts[kind]) > 1
            ),
        ),
        figures=(
            *kpi_charts.mrr_bridge(bridge, asking),
            *kpi_charts.retention(retention, book),
        ),
        notes=(*incomplete(figures), RECKONED_ANEW, NOT_DATED),
    )


def _of_section(section: Section, figures: Mapping[str, KpiFigure]) -> list[KpiFigure]:
    return [figures[kpi] for kpi in section.kpis if kpi in figures]


def _headline(figures: Mapping[str, KpiFigure]) -> str:
    judged = [figure for figure in figures.values() if figure.target_words and figure.is_known]
    told = [f"{words} {figures[kpi].words}" for kpi, words in (("nrr", "NRR"), ("grr", "GRR")) if kpi in figures]
    missed = sum(figure.is_missed for figure in judged)
    if judged:
        told.append(f"{missed:,} of {count(len(judged), 'target')} missed" if missed else "all targets met")
    return ", ".join(told)


def _changes(
    figures: Mapping[str, KpiFigure], bridge: pd.DataFrame, changed: pd.DataFrame, asking: Asking
) -> list[str]:
    money = asking.money
    told = []
    if len(bridge) and bridge["month"].iloc[-1] == asking.period.last_month:
        last = bridge.to_dict("records")[-1]
        parts = [
            f"{words} {money.signed(last[kind])}"
            for kind, words in kpi_charts.MOVEMENTS.items()
            if round(float(last[kind]))
        ]
        told.append(
            moved("MRR", last["opening_mrr"], last["closing_mrr"], money) + (f": {listed(parts)}." if parts else ".")
        )
    for kpi in ("nrr", "grr", "churn_risk_mrr"):
        if kpi in figures and figures[kpi].is_known:
            figure = figures[kpi]
            told.append(moved(figure.title, figure.row["value_before"], figure.row["value"], figure.say) + ".")
    if len(changed):
        told.append(_most_changed(changed, asking))
    for words, was, now in (("Newly missed", True, False), ("Newly met", False, True)):
        turned = [
            figure.title
            for figure in figures.values()
            if figure.row["met_target_before"] is was and figure.row["meets_target"] is now
        ]
        if turned:
            told.append(f"{words}: {listed(turned)}.")
    return told or ["Nothing is known of the month before."]


def _most_changed(changed: pd.DataFrame, asking: Asking) -> str:
    first = changed.to_dict("records")[0]
    return (
        f"The account that changed MRR most is {account_words(first['account_name'], first['account_id'])} "
        f"({asking.money.signed(first['mrr_change'])})."
    )


def _decisions(
    missed: list[KpiFigure],
    parts: Mapping[str, Mapping[str, Mapping[str, KpiFigure]]],
    figures: Mapping[str, KpiFigure],
) -> list[str]:
    told = []
    for figure in missed:
        action = str(figure.row["if_missed"] or "who finds out why?").rstrip(".")
        worst = weakest(parts["tier"], str(figure.row["kpi"]), FEWEST_ACCOUNTS)
        where = "" if worst is None else f" Weakest in tier {worst[0]}, {worst[1].words} (n {worst[1].row['n']:,})."
        told.append(f"{figure.title} is {figure.words}, not {figure.target_words}: {action}.{where}")
    risk, ahead = figures.get("renewal_risk_mrr"), figures.get("upcoming_renewals")
    if risk is not None and ahead is not None and risk.row["value"]:
        told.append(
            f"Who stands behind the renewals at risk within 90 days, {risk.words} MRR of "
            f"{count(int(ahead.row['value']), 'renewal')}?"
        )
    return told or ["Nothing this month: every target is met."]
