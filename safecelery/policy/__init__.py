"""The policy layer: rules over facts, and the gate that applies them. No Celery, no broker, no clock of its own.

Names are loaded on first use, so that whoever needs one module does not import seventy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
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

_HOMES: Final = {
    **dict.fromkeys(("ABSENT", "UNKNOWN", "AppFacts", "CallFacts", "Place", "TaskFacts", "TransportFacts"), "facts"),
    **dict.fromkeys(("CLEAN", "Report", "Violation", "enforce", "evaluate"), "gate"),
    **dict.fromkeys(("Level", "Policy", "load_policy"), "profile"),
    **dict.fromkeys(("Rule", "Severity"), "rule"),
    "CATALOGUE": "rules",
    "Limits": "limits",
    "Waiver": "waiver",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'safecelery.policy' has no attribute {name!r}")
    return getattr(import_module(f"safecelery.policy.{home}"), name)
