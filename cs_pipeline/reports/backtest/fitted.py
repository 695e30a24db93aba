"""A fitted score model in words and tables, for whoever decides whether it is worth a review. Pure."""

import pandas as pd

from cs_pipeline.backtest.measures import DidNotLearn, NoAnswer, Separation, TooLittle, share_in_words
from cs_pipeline.fitting.fit import FittedModel, odds_in_words
from cs_pipeline.fitting.scorecard import PointsOfMetric
from cs_pipeline.health.metrics import METRICS
from cs_pipeline.health.reweighting import as_yaml
from cs_pipeline.reports.backtest.tables import alarms, likelihoods_as_object
from cs_pipeline.reports.backtest.tables import parts as parts_of
from cs_pipeline.reports.backtest.text import likelihoods

STEADY = 0.8
"""Share of the resamplings that a metric is in, below which it is named as doubtful."""


def said(found: FittedModel) -> list[str]:
    """What it was made from, how it does, and what is doubtful about it."""
    metrics = len(found.card.metrics)
    had = "expanded" if found.design.is_wished_for else "left"
    sentences = [
        f"{metrics} {'metric' if metrics == 1 else 'metrics'}, learned from {found.learned_from:,} accounts that "
        f"{had}, known by {found.split.test_from.date()}: {found.design.words}. {found.card.halves_after:.0f} points "
        f"more {odds_in_words(found.design)}.",
        found.known_departures.words,
        _against_the_best(found),
        *(f"{name}: {each.separation}." for name, each in found.judged.baselines.items() if _has_not_learned(each)),
        likelihoods(found.judged.reliability),
        _doubtful(found),
    ]
    return [sentence for sentence in sentences if sentence]


def points(found: FittedModel) -> pd.DataFrame:
    """A row a metric: its steps with their points, and how often resamplings chose it, with how many points."""
    rows = []
    for dimension in found.model.dimensions:
        for metric in dimension.metrics:
            (each,) = (each for each in found.card.metrics if each.metric == metric.metric)
            stable = found.stability.get(each.metric)
            rows.append(
                {
                    "dimension": dimension.dimension,
                    "metric": each.metric,
                    "points": each.most,
                    "steps": _steps(each),
                    "chosen": f"{stable.chosen:.0%}" if stable else "",
                    "points_when_chosen": f"{stable.low} to {stable.high}" if stable else "",
                }
            )
    return pd.DataFrame(rows)


def bands(found: FittedModel) -> pd.DataFrame:
    """A row a band: its scores, observations it was cut from, and how many left there and on weeks not learned from."""
    upper = [100.0, *(band.from_ for band in found.model.bands)]
    scores = {band.band: f"{band.from_:g} to {high:g}" for band, high in zip(found.model.bands, upper, strict=False)}
    names = found.bands["group"].astype(str)
    later = {} if isinstance(found.judged.bands, TooLittle) else _shares(found.judged.bands)
    return pd.DataFrame(
        {
            "band": names,
            "scores": names.map(scores),
            "observations": found.bands["observations"],
            "left": names.map(_shares(found.bands)),
            "left_in_later_weeks": [later.get(name, "too little data") for name in names],
        }
    )


def beside(found: FittedModel) -> pd.DataFrame:
    """A row for it, for each baseline and each other model: AUC, lift, share scored, on the same weeks."""
    rows = [_row(found.model.model, found.judged.whole, found.judged.scored)]
    rows += [_row(name, each.separation, None, each.learned) for name, each in found.judged.baselines.items()]
    rows += [_row(other.model.model, other.whole, other.scored) for other in found.others]
    return pd.DataFrame(rows)


def warning(found: FittedModel) -> pd.DataFrame:
    """A row for each alarm of it and of the other models: how early, and how many of those who stay look the same."""
    return alarms([found.judged, *found.others])


def parts(found: FittedModel) -> pd.DataFrame:
    """A row a segment and cohort: AUC there."""
    return parts_of(found.judged)


def left_out(found: FittedModel) -> pd.DataFrame:
    """A row for each reason why metrics are not in the model, with those it holds for; figures are in `as_object`."""
    grouped: dict[str, list[str]] = {}
    for metric, why in found.left_out.items():
        grouped.setdefault(why.partition(" (")[0], []).append(metric)
    return pd.DataFrame({"why": list(grouped), "metrics": [", ".join(metrics) for metrics in grouped.values()]})


def as_object(found: FittedModel) -> dict[str, object]:
    """What programs read."""
    return {
        "model": as_yaml(found.model),
        "learned_from": found.learned_from,
        "test_from": found.split.test_from.date().isoformat(),
        "halves_after": found.card.halves_after,
        "departures": found.known_departures.counts,
        "points": points(found).to_dict("records"),
        "bands": found.bands.astype({"group": str}).to_dict("records"),
        "later": found.judged.whole,
        "scored": found.judged.scored,
        "alarms": found.judged.alarms,
        "baselines": found.judged.baselines,
        "parts": found.judged.parts,
        "likelihoods": likelihoods_as_object(found.judged.reliability),
        "questions": found.questions,
        "others": {other.model.model: other.whole for other in found.others},
        "left_out": found.left_out,
    }


def _shares(rows: pd.DataFrame) -> dict[str, str]:
    """The share of each group that left, with its interval, in words."""
    words = map(share_in_words, rows["share"], rows["low"], rows["high"])
    return dict(zip(rows["group"].astype(str), words, strict=True))


def _against_the_best(found: FittedModel) -> str:
    own = found.judged.whole
    if isinstance(own, TooLittle):
        return f"It is not tested: {own}, in the later part of the time."
    learned = {
        name: each.separation
        for name, each in found.judged.baselines.items()
        if isinstance(each.separation, Separation)
    }
    here = f"On weeks that it has not seen it reaches an AUC of {own.auc}"
    if not learned:
        return f"{here}."
    name, best = max(learned.items(), key=lambda each: each[1].auc.value)
    return f"{here}, {own.auc.value / best.auc.value:.0%} of the {best.auc.value:.2f} of the best baseline, {name}."


def _doubtful(found: FittedModel) -> str:
    if not found.stability:
        return ""
    doubtful = [
        METRICS[each.metric].words
        for each in found.card.metrics
        if each.metric not in found.stability or found.stability[each.metric].chosen < STEADY
    ]
    if not doubtful:
        return ""
    return (
        f"Chosen in fewer than {STEADY:.0%} of the resamplings, and so a matter of which accounts there were: "
        f"{', '.join(doubtful)}."
    )


def _has_not_learned(each: object) -> bool:
    return isinstance(getattr(each, "separation", None), DidNotLearn)


def _steps(each: PointsOfMetric) -> str:
    edges = each.steps.edges
    if not len(edges):
        return f"any {each.points[0]}"
    parts = [f"below {edges[0]:g}: {each.points[0]}"]
    parts += [f"from {edge:g}: {points}" for edge, points in zip(edges, each.points[1:], strict=True)]
    return ", ".join(parts)


def _row(name: str, answer: Separation | NoAnswer, scored: float | None, learned: str = "") -> dict[str, object]:
    who = f"{name} ({learned})" if learned else name
    if not isinstance(answer, Separation):
        return {"model": who, "AUC": str(answer), "lift_of_the_lowest_tenth": "", "scored": ""}
    return {
        "model": who,
        "AUC": str(answer.auc),
        "lift_of_the_lowest_tenth": f"{answer.lift:.1f} ×",
        "scored": "" if scored is None else f"{scored:.0%}",
    }
