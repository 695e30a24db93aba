"""Make the templates' environment: everything shown is escaped, and a name that nobody gives is an error."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined

from cs_pipeline.errors import UserError
from cs_pipeline.plays.messages import loader
from cs_pipeline.plays.messages.brand import Brand
from cs_pipeline.settings import Settings
from cs_pipeline.site import words


def site_templates(settings: Settings) -> Environment:
    """The environment, with the filters of `words` in the team's time zone and currency."""
    environment = Environment(
        loader=PackageLoader("cs_pipeline.site", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
    )
    zone, currency = ZoneInfo(settings.timezone), currency_of(settings)
    filters: Mapping[str, Any] = {
        "number": words.number,
        "score": words.score,
        "signed": words.signed,
        "percent": words.percent,
        "money": partial(words.money, currency=currency),
        "short_money": partial(words.short_money, currency=currency),
        "day": words.day,
        "moment": partial(words.moment, zone=zone),
        "moment_day": partial(words.moment_day, zone=zone),
        "days_later": words.days_later,
        "ago": words.ago,
        "plain": words.plain,
        "cell": partial(words.cell, zone=zone),
        "counted": words.counted,
    }
    environment.filters.update(filters)
    environment.tests["missing"] = words.is_missing
    environment.globals.update(
        timezone=settings.timezone, company=settings.company_name, is_capture=settings.delivery == "capture"
    )
    return environment


def currency_of(settings: Settings) -> str:
    """The sign of the currency in the team's `brand.yaml`; none where that file is wrong, which `doctor` says."""
    try:
        folders = loader.folders(settings.config)
        return Brand.read(next(path for folder in folders if (path := folder / "brand.yaml").is_file())).currency
    except (UserError, StopIteration):
        return ""
