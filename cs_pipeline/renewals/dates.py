"""The days on which a term renews, as SQL: the same rule as the macro `next_renewal` of the dbt project."""


def next_renewal(renews_on: str, every_months: str, day: str) -> str:
    """SQL for the next day, from `day` on, on which a term renews; all three are SQL.

    What renews by itself moves on by `every_months`; where those are null, the date stays where it is.
    """
    months = (
        f"((extract(year from {day}) - extract(year from {renews_on})) * 12"
        f" + extract(month from {day}) - extract(month from {renews_on}))::integer / {every_months}"
    )
    return f"""
        case
            when {every_months} is null or {renews_on} >= {day} then {renews_on}
            when {renews_on} + make_interval(months => {months} * {every_months}) >= {day}
                then ({renews_on} + make_interval(months => {months} * {every_months}))::date
            else ({renews_on} + make_interval(months => ({months} + 1) * {every_months}))::date
        end
    """
