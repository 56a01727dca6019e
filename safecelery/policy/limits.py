"""The numbers of a policy."""

from __future__ import annotations

import math
from dataclasses import fields

from safecelery.deferred import dataclass
from safecelery.errors import PolicyFileError
from safecelery.policy.vocabulary import POOLS, TLS_VERSIONS

__all__ = ["LIMIT_NAMES", "Limits"]

_COUNTS = frozenset({"max_retries", "max_message_bytes", "max_deliveries", "max_canvas_signatures"})
# Zero is a meaning here (never retry, trust clocks, no canvas); elsewhere zero would switch a guard off or refuse all.
_MAY_BE_ZERO = frozenset({"max_retries", "max_clock_skew_s", "max_canvas_signatures"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Every number a rule or a firewall check compares with. ``_s`` is seconds.

    Raises :class:`~safecelery.errors.PolicyFileError` for a number that is no limit: a boolean, NaN, infinity,
    zero where zero would mean "off", or a negative.
    """

    max_time_limit_s: float
    """Longest hard time limit a task may state."""
    max_soft_time_limit_s: float
    """Longest soft time limit a task may state."""
    max_retries: int
    """Most retries a task may state, and a message may carry."""
    max_retry_backoff_s: float
    """Longest wait between two retries."""
    max_message_bytes: int
    """Largest body, as sent."""
    max_message_age_s: float
    """How long after it was sent a message may still be accepted."""
    max_eta_s: float
    """How far ahead a run may be scheduled."""
    max_clock_skew_s: float
    """How far the clocks of two hosts may differ."""
    allowed_pools: tuple[str, ...]
    """Worker pools that may run tasks."""
    tls_floor: str
    """Lowest TLS version of any connection: ``TLSv1.2`` or ``TLSv1.3``."""
    max_deliveries: int
    """How often one message may be delivered before it counts as poison."""
    max_canvas_signatures: int
    """How many signatures one message may carry in its chain, chord, callbacks and errbacks, nested ones included."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "allowed_pools":
                _check_pools(value)
            elif field.name == "tls_floor":
                _check_floor(value)
            else:
                _check_number(field.name, value)


LIMIT_NAMES = tuple(field.name for field in fields(Limits))


def _check_number(name: str, value: object) -> None:
    whole = name in _COUNTS
    kind = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kind):
        raise PolicyFileError(f"{name} must be {'a whole number' if whole else 'a number'}, not {value!r}")
    least = 0 if name in _MAY_BE_ZERO else 1 if whole else math.ulp(0.0)
    # An int is finite by nature, and may be too large for math.isfinite.
    if (isinstance(value, float) and not math.isfinite(value)) or value < least:
        bound = "zero or more" if least == 0 else "positive"
        raise PolicyFileError(f"{name} must be {bound} and finite, not {value!r}")


def _check_pools(value: object) -> None:
    if not isinstance(value, tuple) or not value:
        raise PolicyFileError(f"allowed_pools must name at least one pool, not {value!r}")
    for pool in value:
        if pool not in POOLS:
            raise PolicyFileError(
                f"allowed_pools: {pool!r} is no Celery pool; the pools are {', '.join(sorted(POOLS))}"
            )


def _check_floor(value: object) -> None:
    # Below 1.2 is broken (RFC 8996), so a policy cannot allow it.
    if value not in TLS_VERSIONS[TLS_VERSIONS.index("TLSv1.2") :]:
        raise PolicyFileError(f"tls_floor must be 'TLSv1.2' or 'TLSv1.3', not {value!r}")
