"""What the families of rules are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from safecelery.policy.rule import Family

__all__ = ["FAMILIES"]

FAMILIES: Final[Mapping[Family, str]] = {
    Family.POLICY: "The policy itself",
    Family.SERIALIZATION: "Serialization",
    Family.TRANSPORT: "Transport",
    Family.SIGNING: "Signing and authority",
    Family.TIME_LIMITS: "Time limits",
    Family.DELIVERY: "Delivery",
    Family.RETRIES: "Retries",
    Family.TASK_CODE: "Task code",
    Family.RESULTS: "Results",
    Family.OPERATIONS: "Operations",
}
"""Headings."""
