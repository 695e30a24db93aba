"""Tables of backtest, tuning, steadiness and retention; of plays: `effects`. No arithmetic beyond formatting."""

from collections.abc import Sequence

import pandas as pd

from cs_pipeline.backtest.comparison import Backtest, ModelResult
from cs_pipeline.backtest.likelihood import Reliability
from cs_pipeline.backtest.measures import DidNotLearn, Interval, NoAnswer, Separation, TooLittle, share_in_words
from cs_pipeline.backtest.steadiness import SteadinessReport
from cs_pipeline.backtest.survival import Retention
from cs_pipeline.backtest.tuning import Proposal
from cs_pipeline.reports.backtest.text import verdict, why_weight_moved

SHOWN_METRICS = 15
NOTHING_SAID = "too little data"


def compared(found: Backtest) -> pd.DataFrame:
    """A row a model: verdict, and figures over all weeks."""
    return pd.DataFrame(
        [
            {
                "model": result.model.model,
                "verdict": verdict(result).level,
                "AUC": _auc(result.whole),
                "average precision": _precision(result.whole),
                "lift of the lowest tenth": _lift(result.whole),
                "Brier score of likelihoods": _brier(result.reliability),
                "scored": f"{result.scored:.0%}",
                "departures": _departures(result.whole),
            }
            for result in found.models
        ]
    )


def as_objects(found: Backtest) -> list[dict[str, object]]:
    """What programs read, an object a model: its verdict, and figures as numbers."""
    return [
        {
            "model": result.model.model,
            "version": result.model.version,
            "verdict": verdict(result).level,
            "reasons": verdict(result).reasons,
            "scored": result.scored,
            "whole": result.whole,
            "later": result.later,
            "baselines": result.baselines,
            "alarms": result.alarms,
            "likelihoods": likelihoods_as_object(result.reliability),
        }
        for result in found.models
    ]


def likelihoods_as_object(found: Reliability | TooLittle) -> object:
    """How far likelihoods of leaving were from what happened, and the rows of the reliability diagram."""
    if isinstance(found, TooLittle):
        return found
    return {**vars(found), "skill": found.skill, "table": found.table.to_dict("records")}


def reliability(found: Reliability | TooLittle) -> pd.DataFrame | TooLittle:
    """A row for each tenth of what was stated: what was stated, and how many left."""
    if isinstance(found, TooLittle):
        return found
    rows = found.table
    stated = [f"{low:.1%} to {high:.1%}" for low, high in zip(rows["stated_from"], rows["stated_to"], strict=True)]
    return pd.DataFrame(
        {
            "stated": stated,
            "observations": rows["observations"],
            "left within 90 days": list(map(share_in_words, rows["share"], rows["low"], rows["high"])),
        }
    )


def beside_baselines(found: Backtest) -> pd.DataFrame:
    """A row a model: its AUC on the later part, and those of the baselines on the same metrics and rows."""
    return pd.DataFrame(
        [
            {
                "model": result.model.model,
                "AUC of the model": _auc(result.later),
                **{f"AUC of {name}": _auc(baseline.separation) for name, baseline in result.baselines.items()},
                "departures": _departures(result.later),
            }
            for result in found.models
        ]
    )


def bands(result: ModelResult) -> pd.DataFrame | TooLittle:
    """How often each band of a model was followed by a departure."""
    if isinstance(result.bands, TooLittle):
        return result.bands
    return _with_shares(result.bands, {"band": result.bands["group"].astype(str)})


def tenths(result: ModelResult) -> pd.DataFrame | TooLittle:
    """How often the observations of each tenth, by score, were followed by a departure."""
    if isinstance(result.tenths, TooLittle):
        return result.tenths
    rows = result.tenths
    scores = [f"{low:.0f} to {high:.0f}" for low, high in zip(rows["score_from"], rows["score_to"], strict=True)]
    return _with_shares(rows, {"score": scores})


def alarms(results: Sequence[ModelResult]) -> pd.DataFrame:
    """A row a model and alarm: how early it was raised, and how often for nothing. Models without one are left out."""
    return pd.DataFrame(
        [
            {
                "model": result.model.model,
                "alarm": alarm.name,
                "left": alarm.departed,
                "alarmed 4 weeks before": f"{alarm.in_time} ({alarm.in_time / alarm.departed:.0%})",
                "median weeks of warning": f"{alarm.median_weeks:g}",
                "stayers alarmed": f"{alarm.share_of_stayers:.0%}",
            }
            for result in results
            if not isinstance(result.alarms, TooLittle)
            for alarm in result.alarms
        ]
    )


def parts(result: ModelResult) -> pd.DataFrame:
    """A row a segment and cohort."""
    return pd.DataFrame(
        [
            {
                "part": f"{part.kind} {part.name}",
                "observations": part.observations,
                "departures": part.departures,
                "AUC": _auc(part.answer),
            }
            for part in result.parts
        ]
    )


def best_single_metrics(found: Backtest) -> pd.DataFrame | TooLittle:
    """The metrics that separate best by themselves, whatever model uses them."""
    if isinstance(found.single_metrics, TooLittle):
        return found.single_metrics
    rows = found.single_metrics.head(SHOWN_METRICS)
    return pd.DataFrame(
        {
            "metric": rows["metric"],
            "in words": rows["words"],
            "separates": [f"{value:.2f}" for value in rows["separates"]],
            "those who leave have": rows["leavers_have"],
            "known": [f"{value:.0%}" for value in rows["known"]],
        }
    )


def weights(proposal: Proposal) -> pd.DataFrame:
    """A row a metric: dimension, metric, before, after, why."""
    return pd.DataFrame(
        [
            {
                "dimension": weight.dimension,
                "metric": weight.metric,
                "before": weight.before,
                "after": weight.after,
                "why": why_weight_moved(weight),
            }
            for weight in proposal.weights
        ]
    )


def beside_present_weights(proposal: Proposal) -> pd.DataFrame:
    """A row for each of `proposal.later` that could be judged: auc with its ends, average_precision, lift."""
    return pd.DataFrame(
        [
            {
                "on the later part": name,
                "auc": answer.auc.value,
                "low": answer.auc.low,
                "high": answer.auc.high,
                "average_precision": answer.average_precision,
                "lift": answer.lift,
            }
            for name, answer in proposal.later.items()
            if isinstance(answer, Separation)
        ]
    )


def settings_side_by_side(report: SteadinessReport) -> pd.DataFrame:
    """A row for each setting of steadiness."""
    return pd.DataFrame([vars(outcome) for outcome in report.outcomes])


def kept(found: list[Retention]) -> pd.DataFrame:
    """A row a group: accounts, those that left since, and the share kept after each horizon."""
    return pd.DataFrame(
        [
            {
                "group": each.group,
                "accounts": each.accounts,
                "left_since": each.left,
                **{f"after_{days}_days": _share(share) for days, share in each.kept.items()},
            }
            for each in found
        ]
    )


def _share(share: Interval | TooLittle) -> str:
    if isinstance(share, TooLittle):
        return NOTHING_SAID
    return share_in_words(share.value, share.low, share.high)


def _with_shares(rows: pd.DataFrame, heading: dict[str, object]) -> pd.DataFrame:
    followed = list(map(share_in_words, rows["share"], rows["low"], rows["high"]))
    counts = {"observations": rows["observations"], "followed by a departure": followed}
    return pd.DataFrame({**heading, **counts})


def _auc(answer: Separation | NoAnswer) -> str:
    if isinstance(answer, DidNotLearn):
        return "did not learn"
    return str(answer.auc) if isinstance(answer, Separation) else NOTHING_SAID


def _precision(answer: Separation | TooLittle) -> str:
    if isinstance(answer, TooLittle):
        return NOTHING_SAID
    return f"{answer.average_precision:.3f} (guessing: {answer.base_rate:.3f})"


def _brier(found: Reliability | TooLittle) -> str:
    if isinstance(found, TooLittle):
        return NOTHING_SAID
    return f"{found.brier:.4f} (base rate: {found.brier_of_base_rate:.4f})"


def _lift(answer: Separation | TooLittle) -> str:
    return f"{answer.lift:.1f} ×" if isinstance(answer, Separation) else NOTHING_SAID


def _departures(answer: Separation | TooLittle) -> str:
    return str(answer.departures) if isinstance(answer, Separation) else "too few"
