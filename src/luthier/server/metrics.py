"""What the engines do, in the text format that Prometheus reads: `GET /metrics`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

if TYPE_CHECKING:
    from luthier.generation.figures import Figures, Histogram
    from luthier.generation.service import Service

CONTENT_TYPE = CONTENT_TYPE_LATEST
GAUGES: Mapping[str, tuple[str, Callable[[Figures], float]]] = {
    "requests_waiting": ("requests that wait for their first pass", lambda figures: figures.waiting),
    "requests_running": ("requests that are being read or written", lambda figures: figures.running),
    "kv_used_bytes": ("memory taken for keys and values", lambda figures: figures.used_bytes),
    "kv_budget_bytes": ("memory there may be for keys and values", lambda figures: figures.budget_bytes),
    "kept_texts": ("ended texts kept for those that begin alike", lambda figures: figures.kept_texts),
}
COUNTERS: Mapping[str, tuple[str, Callable[[Figures], float]]] = {
    "prompt_tokens": ("tokens of prompts", lambda figures: figures.prompt_tokens),
    "reused_prompt_tokens": (
        "those of them that had been read for another text",
        lambda figures: figures.reused_tokens,
    ),
    "completion_tokens": ("tokens written", lambda figures: figures.completion_tokens),
    "passes": ("passes of the model", lambda figures: figures.passes),
    "preemptions": ("times a text had to make room and start again", lambda figures: figures.preemptions),
}
HISTOGRAMS: Mapping[str, tuple[str, Callable[[Figures], Histogram]]] = {
    "first_token_seconds": ("from the request to the first token of its reply", lambda figures: figures.first_token),
    "next_token_seconds": ("from one token of a reply to the next", lambda figures: figures.next_token),
}
PREFIX = "luthier_"


def exposition(services: Mapping[str, Service]) -> bytes:
    """Returns the figures of every model's engine."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Engines(services))
    return generate_latest(registry)


class _Engines:
    def __init__(self, services: Mapping[str, Service]) -> None:
        self._services = services

    def collect(self) -> Iterable[Metric]:
        """Yields every figure of every model."""
        up = GaugeMetricFamily(f"{PREFIX}engine_up", "1 where the model can answer", labels=["model"])
        ended = CounterMetricFamily(f"{PREFIX}requests", "requests by how they ended", labels=["model", "end"])
        for model, service in self._services.items():
            up.add_metric([model], float(service.down is None and service.is_alive))
            for how, count in sorted(service.figures.ended.items()):
                ended.add_metric([model, how], count)
        yield up
        yield ended
        yield from self._numbers(GaugeMetricFamily, GAUGES)
        yield from self._numbers(CounterMetricFamily, COUNTERS)
        for name, (said, read) in HISTOGRAMS.items():
            histogram = HistogramMetricFamily(PREFIX + name, said, labels=["model"])
            for model, service in self._services.items():
                found = read(service.figures)
                histogram.add_metric([model], list(_buckets(found)), found.total)
            yield histogram

    def _numbers(
        self,
        family: type[GaugeMetricFamily] | type[CounterMetricFamily],
        known: Mapping[str, tuple[str, Callable[[Figures], float]]],
    ) -> Iterator[Metric]:
        for name, (said, read) in known.items():
            metric = family(PREFIX + name, said, labels=["model"])
            for model, service in self._services.items():
                metric.add_metric([model], read(service.figures))
            yield metric


def _buckets(histogram: Histogram) -> Iterator[tuple[str, float]]:
    """Yields (bound, values at most so large), the last with no bound."""
    bounds = [*(f"{bound:g}" for bound in histogram.bounds), "+Inf"]
    yield from zip(bounds, accumulate(histogram.counts), strict=True)
