"""The policy layer: rules over facts, and the gate that applies them. No Celery, no broker, no clock of its own."""

from __future__ import annotations

from safecelery.policy.facts import (
    ABSENT,
    UNKNOWN,
    AppFacts,
    CallFacts,
    Place,
    TaskFacts,
    TransportFacts,
)
from safecelery.policy.gate import CLEAN, Report, Violation, enforce, evaluate
from safecelery.policy.limits import Limits
from safecelery.policy.profile import Level, Policy, load_policy
from safecelery.policy.rule import Rule, Severity
from safecelery.policy.rules import CATALOGUE
from safecelery.policy.waiver import Waiver

__all__ = [
    "ABSENT",
    "CATALOGUE",
    "CLEAN",
    "UNKNOWN",
    "AppFacts",
    "CallFacts",
    "Level",
    "Limits",
    "Place",
    "Policy",
    "Report",
    "Rule",
    "Severity",
    "TaskFacts",
    "TransportFacts",
    "Violation",
    "Waiver",
    "enforce",
    "evaluate",
    "load_policy",
]
