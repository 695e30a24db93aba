"""Validate a score model as a whole: what no single field can tell.

Sums that must come to 100, points tables without gap or overlap, units, bands. The form of each field is in
`specification`.
"""

from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import pairwise
from math import inf

from cs_pipeline.health.metrics import METRICS
from cs_pipeline.health.normalisation import PointsRow
from cs_pipeline.health.risk_signals import OF_THE_SCORE
from cs_pipeline.health.specification import Band, Dimension, ScoredMetric, ScoreModel, Signal
from cs_pipeline.yaml_with_lines import Loc, Problem


def model_problems(model: ScoreModel) -> Iterator[Problem]:
    """What is wrong with a model that has the right form: one problem each, where it stands in the file.

    Variants are looked at when the model itself is sound.
    """
    is_valid = True
    for problem in _problems_of_model(model):
        is_valid = False
        yield problem
    if is_valid:
        yield from _problems_of_variants(model)


def _problems_of_model(model: ScoreModel) -> Iterator[Problem]:
    total = sum(dimension.points for dimension in model.dimensions)
    if abs(total - 100) > 1e-9:
        yield Problem(("dimensions",), f"expected dimensions that add up to 100 points, got {total:g}")
    dimensions: set[str] = set()
    metrics: set[str] = set()
    for position, dimension in enumerate(model.dimensions):
        where = ("dimensions", position)
        if dimension.dimension in dimensions:
            yield Problem((*where, "dimension"), f"{dimension.dimension!r} is there already")
        dimensions.add(dimension.dimension)
        yield from _problems_of_dimension(dimension, where)
        for index, metric in enumerate(dimension.metrics):
            if metric.metric in metrics:
                yield Problem((*where, "metrics", index, "metric"), f"{metric.metric!r} is scored already")
            metrics.add(metric.metric)
            yield from _problems_of_metric(metric, (*where, "metrics", index))
    yield from _problems_of_bands(model.bands)
    yield from _problems_of_memory(model)
    for field, signals in (("risks", model.risks), ("opportunities", model.opportunities)):
        yield from _problems_of_signals(model, signals, field)


def _problems_of_dimension(dimension: Dimension, where: Loc) -> Iterator[Problem]:
    total = dimension.points_of_metrics
    if total < dimension.points:
        yield Problem((*where, "points"), f"can never be reached: its metrics give {total:g} of {dimension.points:g}")
    if total > dimension.points and dimension.cap is None:
        message = f"its metrics add up to {total:g} points of {dimension.points:g}"
        yield Problem(where, f"{message}; expected a cap: clip, halve or rescale")


def _problems_of_metric(metric: ScoredMetric, where: Loc) -> Iterator[Problem]:
    known = METRICS.get(metric.metric)
    if known is None:
        close = _closest(metric.metric)
        yield Problem((*where, "metric"), f"there is no metric {metric.metric!r}; did you mean {close!r}?")
    elif known.unit != metric.unit:
        yield Problem((*where, "unit"), f"expected {known.unit}, the unit of {metric.metric}, got {metric.unit}")
    if metric.table is not None:
        yield from _problems_of_table(metric, metric.table, known.values if known else None, (*where, "table"))
    if metric.days_since is not None and metric.unit != "days":
        yield Problem((*where, "days_since"), f"is for a metric in days; {metric.metric} has the unit {metric.unit}")


def _closest(name: str) -> str:
    return max(METRICS, key=lambda known: SequenceMatcher(None, name, known).ratio())


def _problems_of_table(
    metric: ScoredMetric, table: tuple[PointsRow, ...], values: tuple[float, ...] | None, where: Loc
) -> Iterator[Problem]:
    """Points that are out of reach, overlaps, and values that no row is for."""
    highest = max(row.points for row in table)
    for index, row in enumerate(table):
        if row.points > metric.points:
            message = f"expected at most {metric.points:g}, the points of {metric.metric}, got {row.points:g}"
            yield Problem((*where, index, "points"), message)
    if highest < metric.points:
        yield Problem(where, f"expected a row that gives the full {metric.points:g} points, the most is {highest:g}")
    rows = sorted(enumerate(table), key=lambda numbered: numbered[1].start)
    reached = -inf
    for index, row in rows:
        if row.start < reached:
            yield Problem((*where, index), f"overlaps another row from {row.start:g}")
        if values is None and row.start > reached:
            yield Problem((*where, index), f"leaves a gap: no row is for {reached:g} up to {row.start:g}")
        reached = max(reached, row.end)
    if values is None and reached < inf:
        yield Problem(where, f"leaves a gap: no row is for {reached:g} and more")
    for value in values or ():
        if not any(row.start <= value < row.end for row in table):
            yield Problem(where, f"has no row for {value:g}, which {metric.metric} can be")


def _problems_of_bands(bands: tuple[Band, ...]) -> Iterator[Problem]:
    if bands[-1].from_ != 0:
        message = f"expected 0 for the last band, got {bands[-1].from_:g}"
        yield Problem(("bands", len(bands) - 1, "from"), message)
    for index in range(1, len(bands)):
        above, band = bands[index - 1], bands[index]
        if band.from_ >= above.from_:
            yield Problem(("bands", index, "from"), f"expected less than {above.from_:g}, the band above it")
        if band.severity < above.severity:
            message = f"expected at least {above.severity}, the severity of the healthier band above it"
            yield Problem(("bands", index, "severity"), message)
        if band.band in {other.band for other in bands[:index]}:
            yield Problem(("bands", index, "band"), f"{band.band!r} is there already")


def _problems_of_memory(model: ScoreModel) -> Iterator[Problem]:
    """Steadiness that shuts a band, or leaves out what counts all the same; escalation that raises nothing."""
    if model.escalation and model.escalation.to_severity <= model.escalation.from_severity:
        message = f"expected more than {model.escalation.from_severity}, the severity it starts from"
        yield Problem(("escalation", "to_severity"), f"{message}, got {model.escalation.to_severity}")
    if not model.steadiness:
        return
    where, most = ("steadiness", "steadiness"), model.steadiness.steadiness
    for above, below in pairwise(model.bands):
        if above is model.bands[0] and above.from_ + most > 100:
            message = f"expected at most {100 - above.from_:g}, for no account could rise to {above.band}"
            yield Problem(where, f"{message}, from {above.from_:g}; got {most:g}")
        if below is model.bands[-1] and most >= above.from_:
            message = f"expected less than {above.from_:g}, for no account could fall to {below.band}"
            yield Problem(where, f"{message}, below {above.from_:g}; got {most:g}")
    if model.steadiness.calendar == "left_out":
        for position, dimension in enumerate(model.dimensions):
            for index, metric in enumerate(dimension.metrics):
                if metric.calendar != "never" and metric.missing in ("zero", "neutral"):
                    message = "expected exclude_reweight or carry_forward: bands leave out what the calendar moves"
                    yield Problem(
                        ("dimensions", position, "metrics", index, "missing"), f"{message}, and it would count"
                    )


def _problems_of_signals(model: ScoreModel, signals: tuple[Signal, ...], field: str) -> Iterator[Problem]:
    known = (OF_THE_SCORE, *model.dimension_names, *model.metric_names)
    for position, signal in enumerate(signals):
        if signal.name in {other.name for other in signals[:position]}:
            yield Problem((field, position, "name"), f"{signal.name!r} is there already")
        for index, test in enumerate(signal.when):
            where = (field, position, "when", index)
            if test.of not in known:
                message = f"expected score, or a dimension or metric of this model, got {test.of!r}"
                yield Problem((*where, "of"), message)
            elif test.masked and test.of not in model.dimension_names:
                yield Problem((*where, "masked"), f"is for a dimension; {test.of} is none")


def _problems_of_variants(model: ScoreModel) -> Iterator[Problem]:
    names = [model.model]
    for position, variant in enumerate(model.variants):
        where = ("variants", position)
        if variant.model in names:
            yield Problem((*where, "model"), f"{variant.model!r} is there already")
        names.append(variant.model)
        for field, given, known in (
            ("caps", variant.caps, model.dimension_names),
            ("forms", variant.forms, model.metric_names),
        ):
            for name in given:
                if name not in known:
                    yield Problem((*where, field, name), f"expected one of {', '.join(known)}")
                    return
        for problem in model_problems(model.variant(variant.model)):
            yield Problem(where, problem.message)
