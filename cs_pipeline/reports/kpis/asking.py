"""Ask the marts of KPIs, and say how they come about where they are not there."""

from collections.abc import Mapping

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.plays.facts.query import ask_marts

BUILT_BY = "`cs-pipeline kpi build` or the job kpis"


def ask_kpis(session: Session, sql: str, parameters: Mapping[str, object]) -> pd.DataFrame:
    """The rows of `sql`, columns of Python values. Raises UserError while KPIs are not built."""
    return ask_marts(session, sql, parameters, who_needs="KPIs need", built_by=BUILT_BY)
