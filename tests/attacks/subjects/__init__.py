"""What is attacked: safecelery, Celery's own ``auth`` and plain Celery, each as one entry of one table."""

from __future__ import annotations

from tests.attacks.subjects.auth import AUTH
from tests.attacks.subjects.hardened import SAFECELERY
from tests.attacks.subjects.interface import Subject
from tests.attacks.subjects.plain import PLAIN

__all__ = ["SUBJECTS", "Subject"]

SUBJECTS: dict[str, Subject] = {subject.name: subject for subject in (SAFECELERY, AUTH, PLAIN)}
