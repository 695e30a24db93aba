"""Score changes of weeks: each active score beside the account's score before it, with drivers and cause.

The score before is that of the week before; when the account had none then, the latest of the three weeks before
that. An account that had no score in all four has its first score. A row is written for every account whose band or
drivers say that something changed, and for the first scores; the others stand still and have no row.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pyarrow as pa
from adbc_driver_manager.dbapi import Connection
from numpy.typing import NDArray

from cs_pipeline.health.attribution import (
    CAUSES,
    FIRST_SCORE,
    MISSING_DATA,
    MODEL_VERSION,
    OVERRIDE,
    STEADINESS,
    UNCHANGED,
    Drivers,
    EarlierScores,
    attribute,
)
from cs_pipeline.health.scoring import Arithmetic, Floats, Integers
from cs_pipeline.health.selection import Selection
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.history.previous_scores import Versions, compared_scores, metrics_by_version
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.statistics import analyze
from cs_pipeline.history.weeks import WEEK, Origin, execute, is_live, lock_week, require_marts
from cs_pipeline.warehouse.bulk import append, read_batches
from cs_pipeline.warehouse.connection import Warehouse

Booleans = NDArray[np.bool]


@dataclass
class ChangeSummary:
    """What the changes of a week came to."""

    week: date
    causes: Counter[str] = field(default_factory=Counter)
    """Changes per cause."""
    compared: int = 0
    """Accounts with a score now and before."""
    changed_band: int = 0
    """Those among them whose band is another."""
    worse: int = 0
    """Those whose severity rose."""
    better: int = 0
    """Those whose severity fell."""

    @property
    def changes(self) -> int:
        """Rows written."""
        return self.causes.total()

    def add(self, chunk: "_Changes") -> None:
        """Count the changes of one chunk."""
        for cause, count in zip(CAUSES, np.bincount(chunk.causes, minlength=len(CAUSES)), strict=True):
            self.causes[cause] += int(count)
        before, after = (_numbers(chunk.scores[column]) for column in ("from_severity", "severity"))
        self.worse += int((after > before).sum())
        self.better += int((after < before).sum())
        bands = _texts(chunk.scores["from_band"]) != _texts(chunk.scores["band"])
        self.changed_band += int(bands[~np.isnan(before) & ~np.isnan(after)].sum())


def record_changes(
    warehouse: Warehouse,
    selection: Selection,
    weeks: Iterable[date],
    scope: Scope,
    origin: Origin,
    *,
    on_week: Callable[[ChangeSummary], None] | None = None,
) -> list[ChangeSummary]:
    """Replace the score changes of `weeks` (ascending) for the accounts in `scope`, a transaction each.

    Changes are live in a live run of the newest week; a week that is older is recorded as backfill. Only what is live
    may become a trigger (`plays.triggers`). The week after the last one is compared again too where it has scores of
    the same version, since what it is compared with may have changed. Slices are summed up by `count_changes`.
    Raises UserError when the marts are not built.
    """
    require_marts(warehouse, "fct_account_weeks")
    done: list[ChangeSummary] = []
    with warehouse.arrow() as reading, warehouse.arrow() as writing:
        versions = metrics_by_version(reading)
        models = [_Attribution(Arithmetic(model), versions) for model in selection.active_models]
        for week in weeks:
            done.append(_record(reading, writing, models, week, scope, origin))
            if on_week:
                on_week(done[-1])
        if done:
            after = done[-1].week + WEEK
            of_these = ", ".join(f"'{model.version}'" for model in selection.active_models)
            _record(reading, writing, models, after, scope, "backfill", replacing=f"model_version in ({of_these})")
            if scope.part is None:
                analyze(writing, "cs.score_changes")
    return done


@dataclass(frozen=True)
class _Attribution:
    """A model, and the metrics of every version that earlier scores may have."""

    arithmetic: Arithmetic
    versions: Versions

    @property
    def model(self) -> ScoreModel:
        return self.arithmetic.model


@dataclass(frozen=True)
class _Changes:
    """Accounts whose score changed: rows of `compared_scores`, the cause of each (in CAUSES), and the drivers."""

    scores: pa.RecordBatch
    causes: Integers
    drivers: Drivers


def _record(
    reading: Connection,
    writing: Connection,
    models: Sequence[_Attribution],
    week: date,
    scope: Scope,
    origin: Origin,
    *,
    replacing: str = "true",
) -> ChangeSummary:
    changed = ChangeSummary(week)
    lock_week(writing, "score_changes", week, scope.part)
    written_as: Origin = "live" if is_live(writing, week, origin) else "backfill"
    in_scope = scope.condition("score_changes", "score_changes.week")
    execute(writing, f"delete from cs.score_changes where week = date '{week}' and {replacing} and {in_scope}")
    for attribution in models:
        for batch in read_batches(reading, compared_scores(attribution.model, week, scope)):
            is_scored, was_scored = (~np.isnan(_numbers(batch[column])) for column in ("score", "from_score"))
            changed.compared += int((is_scored & was_scored).sum())
            for chunk in _changes(attribution, batch, is_scored, was_scored):
                append(writing, "cs", "score_changes", _rows(attribution.model, week, chunk, written_as))
                changed.add(chunk)
    writing.commit()
    return changed


def _changes(
    attribution: _Attribution, batch: pa.RecordBatch, is_scored: Booleans, was_scored: Booleans
) -> Iterator[_Changes]:
    """What changed in one chunk: first scores, scores that are lost, and scores that moved."""
    for chosen, cause in ((~was_scored, FIRST_SCORE), (was_scored & ~is_scored, MISSING_DATA)):
        accounts = int(chosen.sum())
        nothing = Drivers((), np.empty((accounts, 0)), np.empty((accounts, 0), np.int64))
        yield _Changes(_taken(batch, chosen), np.full(accounts, cause), nothing)
    versions = _texts(batch["from_model_version"])
    for version, metrics in attribution.versions.items():
        chosen = is_scored & was_scored & (versions == version)
        if chosen.any():
            yield _moved(attribution, _taken(batch, chosen), version, metrics)


def _moved(attribution: _Attribution, scores: pa.RecordBatch, version: str, metrics: tuple[str, ...]) -> _Changes:
    """The accounts of `scores` that changed; the earlier scores are all of one version."""
    earlier = EarlierScores(
        metrics,
        _matrix(scores["from_metric_values"], len(metrics)),
        _matrix(scores["from_contributions"], len(metrics)),
    )
    later = _matrix(scores["metric_values"], len(attribution.model.metrics))
    is_same = version == attribution.model.version
    drivers = attribute(attribution.arithmetic, earlier, later, same_version=is_same)
    override, before = _texts(scores["override_id"]), _texts(scores["from_override_id"])
    has_override = (override != None) | (before != None)  # noqa: E711 - element by element
    if has_override.any():
        by_model = _texts(scores["is_scored_by_model"]) & _texts(scores["was_scored_by_model"])
        difference = _numbers(scores["score"]) - _numbers(scores["from_score"])
        drivers = drivers.of_models_only(by_model.astype(bool)).with_override(
            np.where(has_override, difference, np.nan)
        )
    causes = drivers.main_cause()
    # Nothing drove the score, and yet it means something else now.
    means_other = _texts(scores["band"]) != _texts(scores["from_band"])
    means_other |= _numbers(scores["severity"]) != _numbers(scores["from_severity"])
    silent = np.where(override != before, OVERRIDE, STEADINESS if is_same else MODEL_VERSION)
    causes = np.where((causes == UNCHANGED) & means_other, silent, causes)
    is_changed = causes != UNCHANGED
    kept = Drivers(drivers.metrics, drivers.deltas[is_changed], drivers.causes[is_changed])
    return _Changes(_taken(scores, is_changed), causes[is_changed], kept)


def _rows(model: ScoreModel, week: date, chunk: _Changes, origin: Origin) -> pa.Table:
    """Rows of cs.score_changes."""
    scores, count = chunk.scores, len(chunk.causes)
    difference = _numbers(scores["score"]) - _numbers(scores["from_score"])
    return pa.table(
        {
            "week": pa.repeat(pa.scalar(week), count),
            "account_id": scores["account_id"],
            "model": pa.repeat(model.model, count),
            "model_version": pa.repeat(model.version, count),
            "previous_week": scores["from_week"],
            "from_score": scores["from_score"],
            "to_score": scores["score"],
            "delta": pa.array(difference, from_pandas=True),
            "from_band": scores["from_band"],
            "to_band": scores["band"],
            "from_severity": scores["from_severity"],
            "to_severity": scores["severity"],
            "cause": pa.array(CAUSES).take(pa.array(chunk.causes)),
            **_driver_lists(chunk.drivers),
            "origin": pa.repeat(origin, count),
        }
    )


def _driver_lists(drivers: Drivers) -> dict[str, pa.ListArray]:
    positions, counts = drivers.largest_first()
    ends = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    metrics = pa.array(drivers.metrics, pa.string()).take(pa.array(positions % max(1, len(drivers.metrics))))
    causes = pa.array(CAUSES).take(pa.array(drivers.causes.ravel()[positions]))
    return {
        "driver_metrics": pa.ListArray.from_arrays(ends, metrics),
        "driver_deltas": pa.ListArray.from_arrays(ends, pa.array(drivers.deltas.ravel()[positions])),
        "driver_causes": pa.ListArray.from_arrays(ends, causes),
    }


def _taken(batch: pa.RecordBatch, chosen: Booleans) -> pa.RecordBatch:
    return batch.filter(pa.array(chosen))


def _numbers(column: pa.Array) -> Floats:
    return column.cast(pa.float64()).to_numpy(zero_copy_only=False)


def _texts(column: pa.Array) -> NDArray[np.object_]:
    return column.to_numpy(zero_copy_only=False)


def _matrix(column: pa.ListArray, width: int) -> Floats:
    """Arrow lists of `width` numbers as rows (n, width); null becomes NaN."""
    return np.asfortranarray(_numbers(column.flatten()).reshape(len(column), width))
