"""What a sample company may be."""

from datetime import date

import numpy as np
import pytest

from cs_pipeline.demo.company import SampleCompany
from cs_pipeline.demo.vocabulary import vocabulary
from cs_pipeline.errors import UserError


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"accounts": 0}, "1 to 10,000,000 accounts, not 0"),
        ({"weeks": 3}, "20 to 520 weeks"),
        ({"seed": -1}, "0 or more, not -1"),
        ({"ends_on": date(2025, 6, 3)}, "is a Tuesday"),
        ({"events_scale": -0.5}, "between 0 and 20"),
    ],
)
def test_a_size_that_makes_no_sense_is_refused_in_one_sentence(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        SampleCompany(**wrong)  # pyright: ignore[reportArgumentType]


def test_the_first_week_is_a_monday_so_many_weeks_before_the_end() -> None:
    company = SampleCompany(weeks=80, ends_on=date(2025, 11, 3))
    assert company.first_week == date(2024, 4, 22)
    assert company.first_week.weekday() == 0


def test_local_hours_become_utc_with_summer_time() -> None:
    calendar = SampleCompany(ends_on=date(2025, 11, 3)).calendar
    berlin = np.array([vocabulary().timezones.index("Europe/Berlin")] * 2)
    winter_and_summer = np.array(["2025-01-15", "2025-07-16"], "M8[D]")
    moments = calendar.moment(winter_and_summer, np.array([9.0, 9.0]), berlin)
    assert moments.astype(str).tolist() == ["2025-01-15T08:00:00.000000", "2025-07-16T07:00:00.000000"]


def test_no_two_companies_of_a_country_share_a_name_or_a_domain() -> None:
    for country in vocabulary().countries:
        names, domains, _ = zip(*(country.company(ordinal) for ordinal in range(1_500)), strict=True)
        assert len(set(names)) == len(set(domains)) == 1_500
