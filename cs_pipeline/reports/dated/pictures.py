"""Draw the charts of a report as the pictures of its messages."""

from cs_pipeline.channels.message import Picture
from cs_pipeline.reports.charts import as_png
from cs_pipeline.reports.dated.report import Report


def pictures_of(report: Report) -> tuple[Picture, ...]:
    """Each chart at twice its size; what is to be seen in it is its text."""
    return tuple(Picture(figure.name, figure.finding, as_png(figure.chart)) for figure in report.figures)
