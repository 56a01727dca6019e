"""Every rule, in one visible table.

A new rule is a predicate and an entry in its family's ``RULES``, a page in ``policies/rules/`` (which is also its test)
and a level in ``policies/baseline.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from safecelery.policy.rule import Rule
from safecelery.policy.rules import (
    abstention,
    autoretry,
    command_lines,
    delivery,
    deployment,
    exposure,
    files,
    inert,
    limits,
    limits_settings,
    names,
    operations,
    packages,
    publishing,
    registration,
    results,
    retries,
    retry_calls,
    routing,
    schedules,
    serialization,
    serialization_code,
    serialization_settings,
    settings,
    signing,
    signing_stock,
    suppressions,
    task_code,
    task_process,
    task_sending,
    task_trust,
    transport,
    transport_broker,
    transport_secrets,
    transport_tls,
    trust,
    unsaid,
    visibility,
    waivers,
)
from safecelery.policy.rules.waivers import WAIVER_EXPIRED

__all__ = ["BY_CODE", "CATALOGUE", "CODE_BY_NAME", "WAIVER_EXPIRED"]

CATALOGUE: Final[tuple[Rule[Any], ...]] = (
    *waivers.RULES,
    *abstention.RULES,
    *suppressions.RULES,
    *serialization.RULES,
    *serialization_settings.RULES,
    *serialization_code.RULES,
    *transport.RULES,
    *transport_tls.RULES,
    *transport_secrets.RULES,
    *transport_broker.RULES,
    *signing.RULES,
    *signing_stock.RULES,
    *trust.RULES,
    *limits.RULES,
    *limits_settings.RULES,
    *delivery.RULES,
    *visibility.RULES,
    *routing.RULES,
    *publishing.RULES,
    *retries.RULES,
    *autoretry.RULES,
    *retry_calls.RULES,
    *task_sending.RULES,
    *task_code.RULES,
    *task_process.RULES,
    *task_trust.RULES,
    *results.RULES,
    *inert.RULES,
    *operations.RULES,
    *names.RULES,
    *settings.RULES,
    *schedules.RULES,
    *registration.RULES,
    *unsaid.RULES,
    *command_lines.RULES,
    *deployment.RULES,
    *exposure.RULES,
    *packages.RULES,
    *files.RULES,
)

BY_CODE: Final[Mapping[str, Rule[Any]]] = MappingProxyType({rule.code: rule for rule in CATALOGUE})
CODE_BY_NAME: Final[Mapping[str, str]] = MappingProxyType({rule.name: rule.code for rule in CATALOGUE})
