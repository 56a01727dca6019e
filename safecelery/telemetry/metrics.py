"""Numbers of this process: counters and histograms with few, bounded labels. The endpoint only reads them.

The firewall runs in the worker's main process, and so do these; pool processes have copies that nobody counts in.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

__all__ = [
    "ADMITTED",
    "AGE",
    "COUNTERS",
    "HISTOGRAMS",
    "KEY_FAILURES",
    "REFUSALS",
    "RESULTS_REFUSED",
    "SUPPRESSED",
    "TIME",
    "Counter",
    "Gauge",
    "Histogram",
    "summary",
]

#: Series of one counter. Every label is from a list this worker has anyhow (reasons, queues it reads, tasks it knows,
#: owners it trusts), so a worker that reaches this has very many of them; what comes later is counted together.
MAX_SERIES = 2_000
#: Every label of the series that counts what is beyond.
OTHER = "(other)"


class Counter:
    """How often something happened, by labels. Written to by one thread, read by any."""

    def __init__(self, name: str, about: str, labels: Sequence[str]) -> None:
        """``name`` ends in ``_total``, as Prometheus wants it."""
        self.name, self.about, self.labels = name, about, tuple(labels)
        self._values: dict[tuple[str, ...], int] = {}

    def add(self, *labels: str, by: int = 1) -> None:
        """Count one more, or several.

        Raises:
            ValueError: not a value for each label.
        """
        if len(labels) != len(self.labels):
            raise ValueError(f"{self.name} has labels {self.labels}")
        if labels not in self._values and len(self._values) >= MAX_SERIES:
            labels = (OTHER,) * len(self.labels)
        self._values[labels] = self._values.get(labels, 0) + by

    def values(self) -> Mapping[tuple[str, ...], int]:
        """A copy of every series."""
        return dict(self._values)

    def total(self, **labels: str) -> int:
        """The sum of all series that have these labels."""
        wanted = {self.labels.index(name): value for name, value in labels.items()}
        return sum(n for key, n in self.values().items() if all(key[at] == value for at, value in wanted.items()))

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()


class Histogram:
    """How large something was, counted in buckets. Written to by one thread, read by any."""

    def __init__(self, name: str, about: str, bounds: Sequence[float]) -> None:
        """``bounds`` are the upper ends of the buckets, ascending; a last one without end is added."""
        self.name, self.about, self.bounds = name, about, tuple(bounds)
        self._counts = [0] * (len(self.bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count one more of this size."""
        self._counts[bisect_left(self.bounds, value)] += 1
        self._sum += value

    def values(self) -> tuple[Sequence[int], float]:
        """How many are in each bucket, and the sum of all."""
        return tuple(self._counts), self._sum

    def clear(self) -> None:
        """Forget everything."""
        self._counts, self._sum = [0] * len(self._counts), 0.0


@dataclass(frozen=True, slots=True)
class Gauge:
    """What is so at the moment, worked out whenever somebody asks."""

    name: str
    about: str
    labels: tuple[str, ...]
    read: Callable[[], Mapping[tuple[str, ...], float]]
    """Its series. Called from the thread of the endpoint."""


ADMITTED = Counter(
    "safecelery_messages_admitted_total", "Messages that the firewall let through.", ("queue", "task", "owner")
)
REFUSALS = Counter(
    "safecelery_refusals_total",
    "Messages that were refused (mode enforce), or admitted although they would be (mode report).",
    ("reason", "queue", "task", "owner", "mode"),
)
RESULTS_REFUSED = Counter(
    "safecelery_results_refused_total",
    "Stored results, chord parts and groups that were not believed (mode enforce), or would not be (mode report).",
    ("reason", "kind", "mode"),
)
SUPPRESSED = Counter(
    "safecelery_log_lines_suppressed_total", "Log lines about refused messages that were not written.", ("reason",)
)
KEY_FAILURES = Counter(
    "safecelery_trust_reload_failures_total",
    "Attempts to read a changed trust file (file trust) or private key (file key) that failed; the last good stays.",
    ("file",),
)
TIME = Histogram(
    "safecelery_firewall_seconds",
    "Time that verifying and judging one message took.",
    (0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5),
)
AGE = Histogram(
    "safecelery_message_age_seconds",
    "Time from when a message was signed, by its signer's clock, until this worker took it.",
    (0.5, 1, 5, 15, 60, 300, 1_800, 7_200, 43_200, 86_400, 604_800),
)
#: Everything that the endpoint shows.
COUNTERS: tuple[Counter, ...] = (ADMITTED, REFUSALS, RESULTS_REFUSED, SUPPRESSED, KEY_FAILURES)
HISTOGRAMS: tuple[Histogram, ...] = (TIME, AGE)


def summary() -> str:
    """What the firewall did since the process began, in one line, for the end of a worker's log."""
    parts = [f"{ADMITTED.total()} admitted"]
    for mode, words in (("enforce", "refused"), ("report", "would be refused")):
        by_reason: dict[str, int] = {}
        for key, count in REFUSALS.values().items():
            if key[4] == mode:
                by_reason[key[0]] = by_reason.get(key[0], 0) + count
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(by_reason.items(), key=lambda i: -i[1]))
        parts.append(f"{sum(by_reason.values())} {words}" + (f" ({reasons})" if reasons else ""))
    return "firewall: " + "; ".join(parts)
