"""A report as a mail, in the team's brand: the same words as its page, the first rows of each table, charts inline.

Gmail cuts a mail at about 100 kB of HTML, so tables are shortened until the mail is below that; the page has all.
"""

from collections.abc import Callable
from pathlib import Path

from mjml import mjml2html

from cs_pipeline.plays.messages import loader
from cs_pipeline.plays.messages.brand import Brand
from cs_pipeline.plays.messages.environment import Template, html_environment
from cs_pipeline.plays.messages.plain_text import plain_text
from cs_pipeline.reports.dated.report import Report
from cs_pipeline.reports.dated.words import sentence, unbroken
from cs_pipeline.settings import Settings

TEMPLATES = Path(__file__).parent / "templates"
TEMPLATE = "report.mjml.j2"
MOST_BYTES = 95_000
ROWS_OF_A_TABLE = (15, 10, 5, 3, 1)
"""Rows of each table, as many as fit."""


class MailWriter:
    """Writes mails in the team's brand. Raises UserError when the brand file or the template is wrong."""

    def __init__(self, settings: Settings, account_url: Callable[[str], str]) -> None:
        self._settings = settings
        self._account_url = account_url
        folders = loader.folders(settings.config)
        self._brand = Brand.read(next(path for folder in folders if (path := folder / "brand.yaml").is_file()))
        places = [*(folder / "email" for folder in folders[:-1]), TEMPLATES / "email", folders[-1] / "email"]
        path = next(place / TEMPLATE for place in places if (place / TEMPLATE).is_file())
        self._template = Template(html_environment(places, self._brand.currency), loader.read(path), path)

    def write(self, report: Report, page_url: str = "") -> tuple[str, str]:
        """The mail as text and as HTML; `page_url` is where the whole report stands."""
        mjml = html = ""
        for rows in ROWS_OF_A_TABLE:
            mjml = self._mjml(report, rows, page_url)
            html = mjml2html(mjml)
            if len(html.encode()) <= MOST_BYTES:
                break
        return plain_text(mjml), html

    def _mjml(self, report: Report, rows: int, page_url: str) -> str:
        return self._template.render(
            {
                "subject": report.subject,
                "preview": report.changes[0] if report.changes else report.headline,
                "report": report,
                "period": sentence(report.period.words),
                "headline": sentence(report.headline) + ".",
                "tables": [table.first(rows) for table in report.tables],
                "unbroken": unbroken,
                "account_url": self._account_url,
                "page_url": page_url,
                "brand": self._brand.in_templates,
                "company_name": self._settings.company_name,
                "postal_address": self._settings.postal_address,
                "is_for_customer": False,
            }
        )
