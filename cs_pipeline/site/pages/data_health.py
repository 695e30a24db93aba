"""Show how far the figures of the other pages can be believed: sources, coverage, rejects, late data, rules, sends."""

from datetime import date

from starlette.responses import Response

from cs_pipeline.history.late_data import CHECKED, LateData, late_data
from cs_pipeline.reports.alerts.lists import unevaluated
from cs_pipeline.reports.alerts.rule_list import blind_rules
from cs_pipeline.reports.data_health.runs import last_runs, living_processes
from cs_pipeline.reports.data_health.scored import scored
from cs_pipeline.reports.data_health.sends import sends
from cs_pipeline.reports.data_health.sources import is_wrong, source_lines
from cs_pipeline.reports.scores.text import by_week_range
from cs_pipeline.site.kept import state_of_data
from cs_pipeline.site.page import Page, PageRequest
from cs_pipeline.warehouse.rejects import count_rejects, newest_rejects

SHOWN = 12
"""Rows of a list; how many there are besides is told."""


def show(asked: PageRequest) -> Response:
    """All of it, as of now."""
    with asked.session() as session:
        sources = source_lines(session, asked.rules, asked.now)
        state = (state_of_data(session), asked.now.date())
        found = asked.site.kept.get("scored", state, lambda: scored(session, asked.now))
        blind = blind_rules(session, asked.rules)
        unasked = unevaluated(session, asked.rules, asked.now) if asked.settings.now is None else []
        outgoing = sends(session, asked.now)
        runs = last_runs(session)
        processes = living_processes(session)
    counts = count_rejects(asked.warehouse)
    late = asked.site.kept.get("late data", state, lambda: _late(asked, found.week))
    return asked.render(
        "data_health",
        sources=sources,
        wrong_sources=[line for line in sources if is_wrong(line)],
        found=found,
        rejects=counts,
        rejected=sum(count.rows for count in counts),
        examples=newest_rejects(asked.warehouse, SHOWN),
        arrived=by_week_range(late.arrived).to_dict("records") if late and not late.arrived.empty else [],
        changed=by_week_range(late.changed).to_dict("records") if late and not late.changed.empty else [],
        score_again=late.weeks_to_score_again if late else [],
        checked_weeks=CHECKED.days // 7,
        blind=blind,
        failing=sum(row["health"] == "error" for row in blind),
        unasked=unasked,
        rules=len(asked.rules),
        outgoing=outgoing,
        runs=runs,
        processes=processes,
        shown=SHOWN,
    )


def _late(asked: PageRequest, week: date | None) -> LateData | None:
    """What came or changed about the weeks before, too; None where no week is scored."""
    return late_data(asked.warehouse, week - CHECKED, week, asked.settings.late_rows) if week else None


PAGE = Page("data_health", "/data", show, navigation="Data")
