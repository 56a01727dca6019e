"""How the rules of family 7 are made: each asks for places in code of one kind, and is named for that kind."""

from __future__ import annotations

from safecelery.policy.facts import CodeFacts
from safecelery.policy.rule import Rule, Severity
from safecelery.policy.rules.code import no_place_of_kind

__all__ = ["place_rule"]


def place_rule(code: str, kind: str, severity: Severity, message: str, fix: str) -> Rule[CodeFacts]:
    """A rule that fails for every place of ``kind`` and is undecided where the detector was not certain."""
    return Rule(
        code=code,
        name=kind,
        subject=CodeFacts,
        severity=severity,
        check=no_place_of_kind(kind),
        message=message,
        fix=fix,
    )
