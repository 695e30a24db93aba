"""What reached the warehouse after a week had ended does not reach its observations."""

from datetime import timedelta

import pandas as pd
import pytest

from cs_pipeline.backtest.design import Design, EveryWeeks
from cs_pipeline.backtest.observations import read_observations
from tests.builders.sample_history import SCORED_UNTIL, WEEK, History

pytestmark = pytest.mark.slow(seconds=8)

LOOKED_AT = SCORED_UNTIL - 8 * WEEK
DESIGN = Design(LOOKED_AT, LOOKED_AT, EveryWeeks(1, 56))


def plant_answers_of_those_who_left(history: History) -> None:
    """An answer of 0 from a user of each account that is to leave, given in the week, loaded after the departure."""
    ends_on = LOOKED_AT + timedelta(days=7)
    with history.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            """
            insert into raw.survey_responses
                (response_id, account_id, user_id, survey, score, scale_max, responded_at, _loaded_at, _load_id)
            select
                'late-' || account_id, account_id, 'nobody-' || account_id, 'nps', 0, 10,
                %(ends_on)s::timestamptz - interval '1 day', churned_at + interval '1 day',
                (select max(load_id) from cs.loads)
            from raw.accounts
            where churned_at > %(ends_on)s
            """,
            {"ends_on": ends_on},
        )
        assert cursor.rowcount > 0


def build_again(history: History, late_rows: str) -> pd.DataFrame:
    with history.runtime() as runtime:
        runtime.launcher.run_weeks(LOOKED_AT, LOOKED_AT, late_rows=late_rows)
    return read_observations(history.warehouse, DESIGN)


def test_rows_that_only_the_future_knew_leave_the_observations_as_they_were(history: History) -> None:
    before = read_observations(history.warehouse, DESIGN)
    assert before["departs"].any()
    plant_answers_of_those_who_left(history)
    pd.testing.assert_frame_equal(build_again(history, "exclude"), before)
    revealed = build_again(history, "include")
    leavers = before["departs"]
    assert (revealed.loc[leavers, "nps_responses_180d"] > before.loc[leavers, "nps_responses_180d"]).all()
