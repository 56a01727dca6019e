"""The worker's numbers over HTTP, as ``prometheus_client`` writes them. It is imported only where a port is set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from safecelery.errors import SettingsError
from safecelery.telemetry.metrics import COUNTERS, HISTOGRAMS, Gauge

__all__ = ["library", "serve"]


def serve(port: int, address: str, gauges: Sequence[Gauge] = ()) -> Callable[[], None]:
    """Answer at ``http://address:port/metrics`` from a thread of this process; returns what ends that.

    Called in the worker's main process after it has started its pool: pool processes neither count nor answer.

    Raises:
        SettingsError: as :func:`library`, or nobody can listen there.
    """
    prometheus_client = library()
    registry = prometheus_client.CollectorRegistry()
    registry.register(_Collector(gauges))
    try:
        server, thread = prometheus_client.start_http_server(port, address, registry)
    except OSError as error:
        raise SettingsError(
            f"metrics.port: cannot listen at {address}:{port} ({error.strerror}); fix: another port for each worker of "
            "a host"
        ) from None

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop


def library() -> Any:
    """The module ``prometheus_client``.

    Raises:
        SettingsError: it is not installed.
    """
    try:
        import prometheus_client
    except ImportError:
        raise SettingsError(
            "metrics.port is set, but prometheus_client is not installed; fix: pip install 'safecelery[metrics]'"
        ) from None
    return prometheus_client


class _Collector:
    """Our numbers as the families of ``prometheus_client``."""

    def __init__(self, gauges: Sequence[Gauge]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        for gauge in self._gauges:
            family = GaugeMetricFamily(gauge.name, gauge.about, labels=gauge.labels)
            for labels, value in gauge.read().items():
                family.add_metric(labels, value)
            yield family
        for counter in COUNTERS:
            family = CounterMetricFamily(counter.name, counter.about, labels=counter.labels)
            for labels, value in counter.values().items():
                family.add_metric(labels, value)
            yield family
        for histogram in HISTOGRAMS:
            counts, total = histogram.values()
            seen, buckets = 0, []
            for bound, count in zip((*map(str, histogram.bounds), "+Inf"), counts, strict=True):
                seen += count
                buckets.append((bound, seen))
            yield HistogramMetricFamily(histogram.name, histogram.about, buckets=buckets, sum_value=total)
