"""Counters and histograms, what they add up to, and how others read them."""

from __future__ import annotations

import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from safecelery.errors import SettingsError
from safecelery.telemetry.endpoint import library, serve
from safecelery.telemetry.metrics import (
    ADMITTED,
    COUNTERS,
    HISTOGRAMS,
    REFUSALS,
    TIME,
    Counter,
    Gauge,
    Histogram,
    summary,
)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """No numbers of other tests."""
    for metric in (*COUNTERS, *HISTOGRAMS):
        metric.clear()
    yield
    for metric in (*COUNTERS, *HISTOGRAMS):
        metric.clear()


def test_a_counter_counts_by_labels() -> None:
    counter = Counter("x_total", "", ("a", "b"))
    counter.add("1", "2")
    counter.add("1", "3", by=4)
    assert counter.values() == {("1", "2"): 1, ("1", "3"): 4}
    assert (counter.total(), counter.total(a="1"), counter.total(b="3"), counter.total(b="9")) == (5, 5, 4, 0)


@pytest.mark.parametrize("labels", [(), ("1",), ("1", "2", "3")])
def test_a_counter_wants_every_label(labels: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="x_total"):
        Counter("x_total", "", ("a", "b")).add(*labels)


def test_a_histogram_counts_in_buckets() -> None:
    histogram = Histogram("x", "", (1, 2))
    for value in (0, 1, 1.5, 2, 3, 1e9):
        histogram.observe(value)
    counts, total = histogram.values()
    assert list(counts) == [2, 2, 2]
    assert total == pytest.approx(1e9 + 7.5)


def test_bounds_ascend_and_names_are_prometheus_own() -> None:
    assert all(list(histogram.bounds) == sorted(set(histogram.bounds)) for histogram in HISTOGRAMS)
    assert all(counter.name.startswith("safecelery_") and counter.name.endswith("_total") for counter in COUNTERS)


def test_the_summary_tells_admitted_refused_and_reported() -> None:
    assert summary() == "firewall: 0 admitted; 0 refused; 0 would be refused"
    ADMITTED.add("q", "t", "web")
    REFUSALS.add("stale", "q", "t", "web", "enforce")
    REFUSALS.add("internal", "q", "", "", "enforce", by=3)
    REFUSALS.add("envelope-missing", "q", "t", "", "report")
    assert summary() == (
        "firewall: 1 admitted; 4 refused (internal 3, stale 1); 1 would be refused (envelope-missing 1)"
    )


def test_without_the_library_a_port_is_a_mistake_that_says_how_to_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(SettingsError, match=r"pip install 'safecelery\[metrics\]'"):
        library()
    with pytest.raises(SettingsError, match=r"metrics\.port"):
        serve(9, "127.0.0.1")


@pytest.fixture
def port() -> int:
    pytest.importorskip("prometheus_client")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_endpoint_shows_every_number_until_it_is_stopped(port: int) -> None:
    REFUSALS.add("stale", 'q"\n', "t", "web", "enforce")
    TIME.observe(0.0003)
    TIME.observe(99)
    stop = serve(port, "127.0.0.1", (Gauge("safecelery_x_days", "", ("key",), lambda: {("web-1",): -1.5}),))
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
            text = answer.read().decode()
    finally:
        stop()
    assert 'safecelery_refusals_total{mode="enforce",owner="web",queue="q\\"\\n",reason="stale",task="t"} 1.0' in text
    assert 'safecelery_firewall_seconds_bucket{le="0.0002"} 0.0' in text
    assert 'safecelery_firewall_seconds_bucket{le="0.0005"} 1.0' in text
    assert 'safecelery_firewall_seconds_bucket{le="+Inf"} 2.0' in text
    assert 'safecelery_x_days{key="web-1"} -1.5' in text
    assert "python_info" not in text, "only our own numbers"
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20)


def test_a_port_that_is_taken_is_a_mistake_that_says_so(port: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(SettingsError, match=f"cannot listen at 127.0.0.1:{port}"):
            serve(port, "127.0.0.1")
