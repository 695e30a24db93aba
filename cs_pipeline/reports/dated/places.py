"""Say where reports and accounts stand on the customer-success site."""

from urllib.parse import quote

from cs_pipeline.reports.dated.report import Report
from cs_pipeline.settings import Settings


def account_url(settings: Settings, account_id: str) -> str:
    """The page of an account."""
    return f"{settings.site_url.rstrip('/')}/accounts/{quote(account_id, safe='')}"


def report_url(settings: Settings, report: Report) -> str:
    """The page of a report."""
    path = f"{report.name}/{report.period.first.isoformat()}"
    return f"{settings.site_url.rstrip('/')}/reports/{path}" + (f"?owner={quote(report.owner)}" if report.owner else "")
