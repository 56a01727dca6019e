"""What a rule may look at: frozen facts about a task, a call, an app, a transport, a waiver.

The same facts are filled from source by the linter and live by the running application, so a rule cannot say one
thing in CI and another in production. A field whose value could not be determined is :data:`UNKNOWN`; an option that
was not given at all is :data:`ABSENT`, which is not the same as an explicit ``None`` (in Celery an explicit ``None``
lifts a limit: ``Celery.send_task`` in celery/app/base.py).

Values are kept **as written**. ``time_limit=True`` arrives here as ``True``, so that a rule can refuse it; hence the
type :data:`Stated`.
"""

from __future__ import annotations

from typing import TypeAlias

from safecelery.policy.facts.apps import AppFacts, SettingsFacts, TransportFacts
from safecelery.policy.facts.code import CodeFacts
from safecelery.policy.facts.deployment import DeployFacts, FileFacts, PackageFacts, TrustFacts
from safecelery.policy.facts.schedules import QueueFacts, RouteFacts, ScheduleFacts
from safecelery.policy.facts.tasks import CallFacts, TaskFacts
from safecelery.policy.facts.values import ABSENT, UNKNOWN, Absent, Place, Stated, Tri, Unknown
from safecelery.policy.facts.verdicts import SuppressionFacts, VerdictFacts, WaiverFacts

__all__ = [
    "ABSENT",
    "UNKNOWN",
    "Absent",
    "AppFacts",
    "CallFacts",
    "CodeFacts",
    "DeployFacts",
    "Facts",
    "FileFacts",
    "PackageFacts",
    "Place",
    "QueueFacts",
    "RouteFacts",
    "ScheduleFacts",
    "SettingsFacts",
    "Stated",
    "SuppressionFacts",
    "TaskFacts",
    "TransportFacts",
    "Tri",
    "TrustFacts",
    "Unknown",
    "VerdictFacts",
    "WaiverFacts",
]

Facts: TypeAlias = (
    TaskFacts
    | CallFacts
    | TransportFacts
    | AppFacts
    | WaiverFacts
    | SettingsFacts
    | ScheduleFacts
    | QueueFacts
    | RouteFacts
    | CodeFacts
    | DeployFacts
    | PackageFacts
    | FileFacts
    | TrustFacts
    | SuppressionFacts
    | VerdictFacts
)
