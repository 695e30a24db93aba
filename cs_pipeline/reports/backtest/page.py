"""The page of a backtest: one file that needs nothing else, for people who do not read tables of figures."""

import pandas as pd
from markupsafe import Markup

from cs_pipeline.backtest.comparison import Backtest, ModelResult
from cs_pipeline.backtest.measures import TooLittle
from cs_pipeline.html_pages import page_templates
from cs_pipeline.reports.backtest import charts, tables
from cs_pipeline.reports.backtest.text import summary, verdict
from cs_pipeline.reports.charts import Chart, as_svg

_pages = page_templates("cs_pipeline.reports")


def backtest_page(found: Backtest) -> str:
    """The page as HTML. The same backtest gives the same page."""
    return _pages.get_template("backtest.html.j2").render(
        summary=summary(found),
        test_from=found.split.test_from.date(),
        models=[(result.model, verdict(result)) for result in found.models],
        compared=_table(tables.compared(found)),
        baselines=_table(tables.beside_baselines(found)),
        alarms=_table(tables.alarms(found.models)),
        separation=_drawn(charts.separation_of_models(found)),
        beside=_drawn(charts.separation_beside_baselines(found)),
        single_metrics=_drawn(charts.best_single_metrics(found)),
        too_little=found.single_metrics if isinstance(found.single_metrics, TooLittle) else None,
        details=[_detail(result) for result in found.models],
    )


def _detail(result: ModelResult) -> dict[str, object]:
    return {
        "model": result.model,
        "verdict": verdict(result),
        "bands": _drawn(charts.departures_by_band(result)),
        "tenths": _drawn(charts.departures_by_tenth(result)),
        "reliability": _drawn(charts.reliability(result.reliability)),
        "reliability_table": _table(tables.reliability(result.reliability)),
        "band_table": _table(tables.bands(result)),
        "parts": _table(tables.parts(result)),
    }


def _drawn(chart: Chart | None) -> Markup:
    return Markup(as_svg(chart)) if chart is not None else Markup("")


def _table(rows: pd.DataFrame | TooLittle) -> Markup:
    if isinstance(rows, TooLittle) or rows.empty:
        return Markup("")
    return Markup(rows.to_html(index=False, border=0, escape=True))
