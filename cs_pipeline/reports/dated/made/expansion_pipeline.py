"""The expansion pipeline at the end of a quarter (S3-81): who shows signals, who is ready, who waits, what grew.

A signal is an open alert of the rules in `models/alerts/upsell`. What signals are worth is what came of earlier ones;
while too few are known, no value is put on them.
"""

from collections.abc import Iterator, Mapping

import altair as alt
import pandas as pd

from cs_pipeline.plays.messages.environment import is_missing
from cs_pipeline.reports.alerts.text import rules_to_read
from cs_pipeline.reports.dated.asking import NOT_DATED, Asking, Row, left_out
from cs_pipeline.reports.dated.made.kpi_charts import HEIGHT, WIDTH
from cs_pipeline.reports.dated.made.kpi_figures import (
    RECKONED_ANEW,
    KpiFigure,
    incomplete,
    kpi_figures,
    kpi_table,
)
from cs_pipeline.reports.dated.report import Column, Figure, Report, Table
from cs_pipeline.reports.dated.words import account_words, count, day, listed, moved, share
from cs_pipeline.sql_files import read_sql

NAME = "expansion_pipeline"
TITLE = "Expansion pipeline"
FOLDER = "upsell"
KPIS = (
    "expansion_revenue",
    "expansion_rate",
    "upsell_rate",
    "cross_sell_rate",
    "upsell_revenue_rate",
    "cross_sell_revenue_rate",
    "account_growth",
    "nrr",
)
QUARTERS = 5
MOST_ROWS = 20
FEWEST_SIGNALS = 20
"""Fewer earlier signals say nothing of what a signal is worth."""
SOLD = {"upsell": "#1f6f5c", "cross-sell": "#4b8fd6", "price": "#e0a13a"}

_SIGNALS = read_sql(__file__, "signals")


def expansion_pipeline(asking: Asking) -> Report:
    """The pipeline at the end of a quarter. Raises UserError while its KPIs are not built."""
    rules = {"rules": [name for name, rule in rules_to_read().items() if rule.folder == FOLDER]}
    most = {"most": MOST_ROWS}
    figures = kpi_figures(asking, KPIS)
    totals = asking.one(read_sql(__file__, "totals", signals=_SIGNALS), rules)
    ready, not_now = (
        asking.ask(read_sql(__file__, "accounts", signals=_SIGNALS, condition=condition), {**rules, **most})
        for condition in ("not is_at_risk", "is_at_risk")
    )
    worth = asking.one(read_sql(__file__, "worth"), rules)
    grown = asking.ask(read_sql(__file__, "grown"), most)
    quarters = asking.ask(read_sql(__file__, "quarters"), {"quarters": QUARTERS})
    return Report(
        name=NAME,
        title=TITLE,
        period=asking.period,
        headline=_headline(totals, worth, asking),
        changes=tuple(_changes(quarters, grown, asking)),
        decisions=tuple(_decisions(figures, totals, ready, asking)),
        tables=(
            _signals_table("Ready to grow", ready, asking, "No account that is well shows a signal."),
            _signals_table("Signals, but at risk: first mend, then sell", not_now, asking, "None."),
            _grown_table(grown, asking),
            kpi_table("Expansion", [figures[kpi] for kpi in KPIS if kpi in figures]),
            _quarters_table(quarters, asking),
        ),
        figures=tuple(_figures(quarters, asking)),
        notes=(*_known_since(worth, asking), _worth_words(worth), *incomplete(figures), RECKONED_ANEW, NOT_DATED),
    )


def _weighed(totals: Row, worth: Row) -> float | None:
    """ARR that signals of accounts that are well are worth, by what came of earlier ones."""
    if worth["signals"] < FEWEST_SIGNALS or is_missing(worth["median_growth"]):
        return None
    return float(totals["arr_ready"]) * worth["grew"] / worth["signals"] * float(worth["median_growth"])


def _headline(totals: Row, worth: Row, asking: Asking) -> str:
    if not totals["accounts"]:
        return "no account shows a signal of expansion"
    weighed = _weighed(totals, worth)
    value = "" if weighed is None else f", worth {asking.money(weighed)} ARR by what came of earlier signals"
    show_and_are = "shows signals and is" if totals["ready"] == 1 else "show signals and are"
    ready = f"{count(int(totals['ready']), 'account')} with {asking.money(totals['arr_ready'])} ARR"
    return f"{ready} {show_and_are} well{value}"


def _known_since(worth: Row, asking: Asking) -> list[str]:
    first = worth["evaluated_since"]
    if is_missing(first):
        return ["No alert rule was evaluated yet, so no signal is known."]
    if first < asking.period.as_of:
        return []
    return [f"Alert rules have been evaluated since {day(first.date())}: what signals there were before is not known."]


def _worth_words(worth: Row) -> str:
    if worth["signals"] < FEWEST_SIGNALS:
        return (
            f"{count(int(worth['signals']), 'signal')} of the year before the last three months: too few to say what "
            f"one is worth; it takes {FEWEST_SIGNALS}."
        )
    by = "" if is_missing(worth["median_growth"]) else f", half of them by more than {share(worth['median_growth'])}"
    return (
        f"Of {worth['signals']:,} accounts and months with a signal in the year before the last three months, "
        f"{share(worth['grew'] / worth['signals'])} grew within three months{by}."
    )


def _changes(quarters: pd.DataFrame, grown: pd.DataFrame, asking: Asking) -> list[str]:
    if quarters.empty or quarters["quarter"].iloc[-1] != asking.period.first:
        return ["Nothing is known of the quarter before."]
    now = quarters.to_dict("records")[-1]
    before = quarters["expansion"].iloc[-2] if len(quarters) > 1 else None
    parts = [
        f"{words} {asking.money(now[kind])}"
        for kind, words in (("upsell", "upsell"), ("cross_sell", "cross-sell"), ("price", "price"))
        if round(float(now[kind]))
    ]
    told = [moved("Expansion MRR", before, now["expansion"], asking.money) + (f": {listed(parts)}." if parts else ".")]
    if len(grown):
        first = grown.to_dict("records")[0]
        told.append(
            f"{count(int(first['of_all']), 'account')} grew, "
            f"{account_words(first['account_name'], first['account_id'])} most "
            f"({asking.money.signed(first['grown'])} MRR)."
        )
    return told


def _decisions(figures: Mapping[str, KpiFigure], totals: Row, ready: pd.DataFrame, asking: Asking) -> list[str]:
    told = []
    waiting = ready[~ready["is_worked_on"].astype(bool)] if len(ready) else ready
    if totals["untouched"]:
        names = [account_words(row["account_name"], row["account_id"]) for row in waiting.head(3).to_dict("records")]
        first = f" Begin with {listed(names)}." if names else ""
        told.append(
            f"Who opens the conversation with {count(int(totals['untouched']), 'account')} with signals and no "
            f"expansion play ({asking.money(totals['arr_untouched'])} ARR)?{first}"
        )
    if totals["at_risk"]:
        told.append(
            f"Who holds back offers to the {count(int(totals['at_risk']), 'account')} with signals that "
            f"{'is' if totals['at_risk'] == 1 else 'are'} at risk?"
        )
    nrr = figures.get("nrr")
    if nrr is not None and nrr.is_missed:
        action = str(nrr.row["if_missed"] or "who finds out why?").rstrip(".")
        told.append(f"{nrr.title} is {nrr.words}, not {nrr.target_words}: {action}.")
    return told or ["Nothing this quarter."]


def _signals_table(title: str, rows: pd.DataFrame, asking: Asking, empty: str) -> Table:
    records = rows.to_dict("records")
    return Table(
        title=title,
        columns=(
            Column("Account"),
            Column("ARR", is_number=True),
            Column("Score", is_number=True),
            Column("Signals", is_number=True),
            Column("Which"),
            Column("Renews"),
            Column("Play"),
            Column("Owner"),
        ),
        rows=tuple(
            (
                account_words(row["account_name"], row["account_id"]),
                asking.money(row["arr"]),
                "no score" if is_missing(row["score"]) else f"{row['score']:.0f} {row['band']}",
                f"{len(row['rules']):,}",
                ", ".join(rule.replace("_", " ") for rule in row["rules"][:4]),
                day(row["renewal_date"], ""),
                ", ".join(row["plays"]),
                "" if is_missing(row["owner_email"]) else str(row["owner_email"]),
            )
            for row in records
        ),
        accounts=tuple(str(row["account_id"]) for row in records),
        more=left_out(rows),
        empty=empty,
    )


def _grown_table(grown: pd.DataFrame, asking: Asking) -> Table:
    money = asking.money
    records = grown.to_dict("records")
    return Table(
        title="Grew this quarter",
        columns=(
            Column("Account"),
            Column("MRR won", is_number=True),
            Column("MRR before", is_number=True),
            Column("Upsell", is_number=True),
            Column("Cross-sell", is_number=True),
            Column("Price", is_number=True),
        ),
        rows=tuple(
            (
                account_words(row["account_name"], row["account_id"]),
                money.signed(row["grown"]),
                money(row["mrr_before"]),
                *(money(row[kind]) for kind in ("upsell", "cross_sell", "price")),
            )
            for row in records
        ),
        accounts=tuple(str(row["account_id"]) for row in records),
        more=left_out(grown),
        empty="No account grew this quarter.",
    )


def _quarters_table(quarters: pd.DataFrame, asking: Asking) -> Table:
    money = asking.money
    return Table(
        title="Expansion, quarter by quarter",
        columns=(
            Column("Quarter"),
            Column("Expansion MRR", is_number=True),
            Column("Upsell", is_number=True),
            Column("Cross-sell", is_number=True),
            Column("Price", is_number=True),
        ),
        rows=tuple(
            (
                f"Q{(row['quarter'].month + 2) // 3} {row['quarter'].year}",
                *(money(row[kind]) for kind in ("expansion", "upsell", "cross_sell", "price")),
            )
            for row in reversed(quarters.to_dict("records"))
        ),
        empty="Nothing was paid.",
    )


def _figures(quarters: pd.DataFrame, asking: Asking) -> Iterator[Figure]:
    if quarters.empty:
        return
    rows = pd.DataFrame(
        [
            {
                "quarter": f"{row['quarter'].year} Q{(row['quarter'].month + 2) // 3}",
                "sold": words,
                "mrr": float(row[words.replace("-", "_")]),
            }
            for row in quarters.to_dict("records")
            for words in SOLD
        ]
    )
    finding = moved(
        f"Expansion MRR a quarter over {count(len(quarters), 'quarter')}",
        quarters["expansion"].iloc[0] if len(quarters) > 1 else None,
        quarters["expansion"].iloc[-1],
        asking.money,
    )
    chart = (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            x=alt.X("quarter:O", title=None, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("sum(mrr):Q", title="MRR won", axis=alt.Axis(format="~s")),
            color=alt.Color("sold:N", title=None, scale=alt.Scale(domain=[*SOLD], range=[*SOLD.values()])),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )
    yield Figure("expansion_by_quarter", f"{finding}.", chart)
