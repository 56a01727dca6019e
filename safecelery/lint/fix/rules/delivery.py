"""Delivery (5xx): late acknowledgement and what belongs to it. Unsafe: a task must bear to run twice."""

from __future__ import annotations

from safecelery.lint.finding import Finding
from safecelery.lint.fix.declaration import declaration_at
from safecelery.lint.fix.edits import Fix
from safecelery.lint.fix.rules.fixer import one
from safecelery.lint.fix.source import Source
from safecelery.policy.limits import Limits

__all__ = ["acks_late", "reject_on_worker_lost", "retry_on_worker_lost"]


def _turn_on(source: Source, finding: Finding, name: str) -> tuple[Fix, ...]:
    declaration = declaration_at(source, finding.line)
    edits = () if declaration is None else declaration.set(name, "True")
    return one(f"state {name}=True", edits, safe=False)


def acks_late(source: Source, finding: Finding, _: Limits) -> tuple[Fix, ...]:
    """Acknowledge after the run: a crash then repeats the task."""
    return _turn_on(source, finding, "acks_late")


def reject_on_worker_lost(source: Source, finding: Finding, _: Limits) -> tuple[Fix, ...]:
    """Give the message back when the worker process dies: one that kills its worker then comes back."""
    return _turn_on(source, finding, "reject_on_worker_lost")


def retry_on_worker_lost(source: Source, finding: Finding, _: Limits) -> tuple[Fix, ...]:
    """Count such a return as a retry (Celery 5.7)."""
    return _turn_on(source, finding, "retry_on_worker_lost")
