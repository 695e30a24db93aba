"""The reports by name: what each is called, how often it is made, and who makes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError
from cs_pipeline.plays.messages import loader
from cs_pipeline.plays.messages.brand import Brand
from cs_pipeline.reports.dated.asking import Asking
from cs_pipeline.reports.dated.made import (
    at_risk_review,
    executive_dashboard,
    expansion_pipeline,
    health_trends,
    onboarding_review,
    product_feedback,
    retention_analysis,
    support_review,
)
from cs_pipeline.reports.dated.periods import Rhythm, last_ended
from cs_pipeline.reports.dated.readiness import Needs
from cs_pipeline.reports.dated.report import Report
from cs_pipeline.reports.dated.words import Money
from cs_pipeline.settings import Settings


@dataclass(frozen=True)
class Kind:
    """A report that can be made, from what it `needs`. `by_owner`: it can also be made of the accounts of one owner."""

    name: str
    title: str
    rhythm: Rhythm
    says: str
    make: Callable[[Asking], Report]
    needs: Needs
    by_owner: bool = False


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            at_risk_review.NAME,
            at_risk_review.TITLE,
            "weekly",
            "who fell into risk, who is worse or better, who is left alone, what renews within 90 days",
            at_risk_review.at_risk_review,
            "scores",
            by_owner=True,
        ),
        Kind(
            product_feedback.NAME,
            product_feedback.TITLE,
            "weekly",
            "open requests by feature, with the customers, the ARR and the renewals behind each",
            product_feedback.product_feedback,
            "feedback",
        ),
        Kind(
            support_review.NAME,
            support_review.TITLE,
            "weekly",
            "how soon tickets were answered, who still waits, how content customers were with what was resolved",
            support_review.support_review,
            "tickets",
        ),
        Kind(
            executive_dashboard.NAME,
            executive_dashboard.TITLE,
            "monthly",
            "every KPI beside its target, what to do where it is missed, which accounts made the difference",
            executive_dashboard.executive_dashboard,
            "kpis",
        ),
        Kind(
            health_trends.NAME,
            health_trends.TITLE,
            "monthly",
            "where accounts moved, what moved their scores, who fell and rose, by tier and owner",
            health_trends.health_trends,
            "scores",
            by_owner=True,
        ),
        Kind(
            onboarding_review.NAME,
            onboarding_review.TITLE,
            "monthly",
            "how many complete onboarding and see first value, where they stop, who is stuck",
            onboarding_review.onboarding_review,
            "kpis",
        ),
        Kind(
            retention_analysis.NAME,
            retention_analysis.TITLE,
            "quarterly",
            "what was kept and lost, why, whether the score had said so, by part and by cohort",
            retention_analysis.retention_analysis,
            "kpis",
        ),
        Kind(
            expansion_pipeline.NAME,
            expansion_pipeline.TITLE,
            "quarterly",
            "who shows signals of expansion and is well, who waits, what grew and by what",
            expansion_pipeline.expansion_pipeline,
            "kpis",
        ),
    )
}


def kind_named(name: str) -> Kind:
    """The report of that name. Raises UserError that suggests the one that was meant."""
    if name in KINDS:
        return KINDS[name]
    close = get_close_matches(name, KINDS, n=1)
    meant = f"; did you mean {close[0]}?" if close else f"; there are: {', '.join(KINDS)}"
    raise UserError(f"There is no report '{name}'{meant}")


def make_report(session: Session, kind: Kind, settings: Settings, moment: datetime, owner: str = "") -> Report:
    """The report about the last period that had ended at `moment`, with what was known at the period's end.

    Raises UserError while the marts are not built, or where it cannot be made of one owner's accounts.
    """
    if owner and not kind.by_owner:
        raise UserError(f"{kind.name} is about all accounts; it cannot be made of those of one owner")
    return kind.make(Asking(session, settings, last_ended(kind.rhythm, moment), money_of(settings), owner))


def money_of(settings: Settings) -> Money:
    """How the team writes amounts. Raises InvalidFile where its brand file is wrong."""
    folders = loader.folders(settings.config)
    brand = Brand.read(next(path for folder in folders if (path := folder / "brand.yaml").is_file()))
    return Money(brand.currency)
