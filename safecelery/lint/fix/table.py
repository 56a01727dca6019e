"""Which code can be fixed, and by what: one visible table.

The functions are named, not imported: every run asks what could be fixed, and only a few fix it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from safecelery.lint.fix.rules.fixer import Fixer

__all__ = ["FIXERS", "SAFE", "SOMETIMES_SAFE", "fixer_of", "is_fixable", "option_for"]

FIXERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "SFC101": "serializers:setting",
        "SFC102": "serializers:setting",
        "SFC103": "serializers:setting",
        "SFC104": "serializers:accepted",
        "SFC105": "serializers:accepted",
        "SFC106": "serializers:of_task",
        "SFC107": "serializers:of_call",
        "SFC108": "serializers:accepted",
        "SFC202": "connections:certificate",
        "SFC208": "connections:certificate",
        "SFC209": "connections:certificate",
        "SFC401": "limits:hard_missing",
        "SFC402": "limits:soft_missing",
        "SFC404": "limits:out_of_order",
        "SFC405": "limits:hard_too_high",
        "SFC406": "limits:soft_too_high",
        "SFC408": "limits:call_lifts",
        "SFC415": "names:task_options",
        "SFC501": "delivery:acks_late",
        "SFC502": "delivery:reject_on_worker_lost",
        "SFC503": "delivery:retry_on_worker_lost",
        "SFC601": "retries:bounded",
        "SFC603": "retries:bounded",
        "SFC604": "retries:backoff",
        "SFC605": "retries:jitter",
        "SFC606": "retries:backoff_max",
        "SFC607": "retries:backoff_max",
        "SFC609": "retries:call_retries",
        "SFC615": "retries:misplaced",
        "SFC616": "retries:countdown",
        "SFC730": "code:http_timeout",
        "SFC770": "code:ssh_policy",
        "SFC771": "code:verify_off",
        "SFC901": "names:task_options",
        "SFC902": "names:call_options",
        "SFC980": "requirements:raise_pin",
    }
)
"""Code -> module of safecelery.lint.fix.rules, and its function."""

SAFE: Final = frozenset({"SFC605", "SFC615", "SFC616"})
"""Codes whose fixes are all safe."""
SOMETIMES_SAFE: Final = frozenset({"SFC404", "SFC415", "SFC901", "SFC902"})
"""Codes with fixes of both kinds; those of all other codes are unsafe."""


@cache
def fixer_of(code: str) -> Fixer:
    """The function that repairs what a rule finds. Raises KeyError for a rule without one."""
    from importlib import import_module

    module, _, name = FIXERS[code].partition(":")
    loaded: Any = import_module(f"safecelery.lint.fix.rules.{module}")
    return cast("Fixer", getattr(loaded, name))


def is_fixable(code: str) -> bool:
    """Whether a rule has a fixer. At a given place it may still find nothing that it can safely change."""
    return code in FIXERS


def option_for(code: str) -> str:
    """The option of the command line that makes the fix of a fixable code."""
    if code in SAFE:
        return "--fix"
    return "--fix or --unsafe-fixes" if code in SOMETIMES_SAFE else "--unsafe-fixes"
