"""Find the renewal windows that open in a week, as SQL over the subscription terms.

A window of n days opens n days before the renewal date. It belongs to the week after whose end it opens, so that the
plays of that week can act on the very day. Here is what opens when; who is told, and how, is a matter of plays. What a
term and a renewal are is told in docs/contracts.md.

What a week sees is what was so when it ended: a term that had started, that had not ended, that nothing had replaced
and whose renewal had not arrived. Dates after that are not looked at, though the warehouse may know them by now, except
for the present week: what it opens is acted on today, so it sees whatever is signed or ends ahead.
"""

from collections.abc import Collection, Iterable
from datetime import date

from cs_pipeline.sql_files import read_sql

DAYS_BEFORE = (180, 90, 60, 30, 14, 7)
"""Windows before a renewal (C-32), in days; after it there is one more, `overdue`."""


def windows_of(weeks: Iterable[date], present: Collection[date] = ()) -> str:
    """A select of every window that opens in one of `weeks` (Mondays), for any number of them at once.

    Columns: subscription_id, renewal_date, renewal_window, account_id, week, opens_on, renewal_type, arr (those of
    cs.renewal_windows, in this order). `present`: those of the weeks that see what lies ahead.

    Add-ons and trials do not renew. A window that would open before its term started is left out, as are those of an
    account that has left. `overdue` opens when a week ends with the renewal date passed in it, no successor, and nobody
    had renewed: not for a term that renews by itself, nor for one that was cancelled before its renewal date.
    """
    return read_sql(
        __file__,
        weeks=", ".join(f"(date '{week}', {week in present})" for week in weeks),
        days=", ".join(map(str, DAYS_BEFORE)),
        furthest=str(max(DAYS_BEFORE)),
    )
