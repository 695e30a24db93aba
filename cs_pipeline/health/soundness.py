"""What makes a score model sound as a whole: what no field of it can tell alone.

Sums that must come to 100, points tables without gap or overlap, units, bands. The form of each field is in
`specification`.
"""

from collections.abc import Iterator
from difflib import SequenceMatcher
from math import inf

from cs_pipeline.health.metrics import METRICS
from cs_pipeline.health.specification import Band, Dimension, ScoredMetric, ScoreModel
from cs_pipeline.yaml_with_lines import Problem

Place = tuple[str | int, ...]


def unsound(model: ScoreModel) -> Iterator[Problem]:
    """What is wrong with a model that has the right form: one problem each, where it stands in the file."""
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
        yield from _unsound_dimension(dimension, where)
        for place, metric in enumerate(dimension.metrics):
            if metric.metric in metrics:
                yield Problem((*where, "metrics", place, "metric"), f"{metric.metric!r} is scored already")
            metrics.add(metric.metric)
            yield from _unsound_metric(metric, (*where, "metrics", place))
    yield from _unsound_bands(model.bands)


def _unsound_dimension(dimension: Dimension, where: Place) -> Iterator[Problem]:
    total = dimension.points_of_metrics
    if total < dimension.points:
        yield Problem((*where, "points"), f"can never be reached: its metrics give {total:g} of {dimension.points:g}")
    if total > dimension.points and dimension.cap is None:
        message = f"its metrics add up to {total:g} points of {dimension.points:g}"
        yield Problem(where, f"{message}; expected a cap: clip, halve or rescale")


def _unsound_metric(metric: ScoredMetric, where: Place) -> Iterator[Problem]:
    known = METRICS.get(metric.metric)
    if known is None:
        close = _closest(metric.metric)
        yield Problem((*where, "metric"), f"there is no metric {metric.metric!r}; did you mean {close!r}?")
    elif known.unit != metric.unit:
        yield Problem((*where, "unit"), f"expected {known.unit}, the unit of {metric.metric}, got {metric.unit}")
    highest = max(row.points for row in metric.table)
    for place, row in enumerate(metric.table):
        if row.points > metric.points:
            message = f"expected at most {metric.points:g}, the points of {metric.metric}, got {row.points:g}"
            yield Problem((*where, "table", place, "points"), message)
    if highest < metric.points:
        message = f"expected a row that gives the full {metric.points:g} points, the most is {highest:g}"
        yield Problem((*where, "table"), message)
    yield from _unsound_table(metric, known.values if known else None, (*where, "table"))


def _closest(name: str) -> str:
    return max(METRICS, key=lambda known: SequenceMatcher(None, name, known).ratio())


def _unsound_table(metric: ScoredMetric, values: tuple[float, ...] | None, where: Place) -> Iterator[Problem]:
    """Overlaps, and values that no row is for."""
    rows = sorted(enumerate(metric.table), key=lambda numbered: numbered[1].start)
    reached = -inf
    for place, row in rows:
        if row.start < reached:
            yield Problem((*where, place), f"overlaps another row from {row.start:g}")
        if values is None and row.start > reached:
            yield Problem((*where, place), f"leaves a gap: no row is for {reached:g} up to {row.start:g}")
        reached = max(reached, row.end)
    if values is None and reached < inf:
        yield Problem(where, f"leaves a gap: no row is for {reached:g} and more")
    for value in values or ():
        if not any(row.start <= value < row.end for row in metric.table):
            yield Problem(where, f"has no row for {value:g}, which {metric.metric} can be")


def _unsound_bands(bands: tuple[Band, ...]) -> Iterator[Problem]:
    if bands[-1].from_ != 0:
        message = f"expected 0 for the last band, got {bands[-1].from_:g}"
        yield Problem(("bands", len(bands) - 1, "from"), message)
    for place in range(1, len(bands)):
        above, band = bands[place - 1], bands[place]
        if band.from_ >= above.from_:
            yield Problem(("bands", place, "from"), f"expected less than {above.from_:g}, the band above it")
        if band.severity < above.severity:
            message = f"expected at least {above.severity}, the severity of the healthier band above it"
            yield Problem(("bands", place, "severity"), message)
        if band.band in {other.band for other in bands[:place]}:
            yield Problem(("bands", place, "band"), f"{band.band!r} is there already")
