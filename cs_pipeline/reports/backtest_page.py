"""The page of a backtest: one file that needs nothing else, for people who do not read tables of figures."""

import pandas as pd
from markupsafe import Markup

from cs_pipeline.backtest.comparison import Backtest, ModelResult
from cs_pipeline.backtest.measures import TooLittle
from cs_pipeline.backtest.words import summary, verdict
from cs_pipeline.html_pages import page_templates
from cs_pipeline.reports import backtest_charts, backtest_tables

_pages = page_templates("cs_pipeline.reports")


def backtest_page(found: Backtest) -> str:
    """The page as HTML. The same backtest gives the same page."""
    return _pages.get_template("backtest.html.j2").render(
        summary=summary(found),
        test_from=found.split.test_from.date(),
        models=[(result.model, verdict(result)) for result in found.models],
        compared=_table(backtest_tables.compared(found)),
        references=_table(backtest_tables.beside_references(found)),
        alarms=_table(backtest_tables.alarms(found)),
        separation=_drawn(backtest_charts.separation_of_models(found)),
        beside=_drawn(backtest_charts.separation_beside_references(found)),
        signals=_drawn(backtest_charts.best_signals(found)),
        too_little=found.signals if isinstance(found.signals, TooLittle) else None,
        details=[_detail(result) for result in found.models],
    )


def _detail(result: ModelResult) -> dict[str, object]:
    return {
        "model": result.model,
        "verdict": verdict(result),
        "bands": _drawn(backtest_charts.departures_by_band(result)),
        "tenths": _drawn(backtest_charts.departures_by_tenth(result)),
        "band_table": _table(backtest_tables.bands(result)),
        "parts": _table(backtest_tables.parts(result)),
    }


def _drawn(chart: backtest_charts.Drawing | None) -> Markup:
    return Markup(backtest_charts.as_svg(chart)) if chart is not None else Markup("")


def _table(rows: pd.DataFrame | TooLittle) -> Markup:
    if isinstance(rows, TooLittle) or rows.empty:
        return Markup("")
    return Markup(rows.to_html(index=False, border=0, escape=True))
