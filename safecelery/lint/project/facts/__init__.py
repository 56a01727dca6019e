"""From what the interpreter found to the facts that rules are asked about."""

from __future__ import annotations

from safecelery.lint.project.facts.everything import subjects_of
from safecelery.lint.project.facts.evidence import Subject

__all__ = ["Subject", "subjects_of"]
