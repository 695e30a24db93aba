"""Tell people of alerts, in the transaction that changed them."""

from datetime import datetime

from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.evaluation import Evaluation
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.settings import Settings


def tell(session: Session, rule: Rule, evaluation: Evaluation, settings: Settings, now: datetime) -> None:
    """Plan what people are told of `evaluation.told`."""
