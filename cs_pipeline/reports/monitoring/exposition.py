"""Write figures in Prometheus' text format (version 0.0.4)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "cs_pipeline_"


@dataclass(frozen=True)
class Gauge:
    """A figure that goes up and down: its name without PREFIX, what it says, and the names of its labels."""

    name: str
    words: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """The value of a gauge for one set of labels, in their order."""

    gauge: Gauge
    labels: tuple[str, ...]
    value: float


def in_text_format(gauges: Sequence[Gauge], readings: Iterable[Reading]) -> str:
    """Every gauge with its readings; one without any is named, so that its name is known."""
    lines: dict[Gauge, list[str]] = {gauge: [] for gauge in gauges}
    for each in readings:
        lines[each.gauge].append(f"{PREFIX}{each.gauge.name}{_labels(each)} {each.value:.17g}")
    return "\n".join(line for gauge in gauges for line in (*_head(gauge), *lines[gauge])) + "\n"


def _head(gauge: Gauge) -> Iterator[str]:
    yield f"# HELP {PREFIX}{gauge.name} {_escaped(gauge.words)}"
    yield f"# TYPE {PREFIX}{gauge.name} gauge"


def _labels(reading: Reading) -> str:
    named = zip(reading.gauge.labels, reading.labels, strict=True)
    inside = ",".join('{}="{}"'.format(name, _escaped(value).replace('"', '\\"')) for name, value in named)
    return f"{{{inside}}}" if inside else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")
