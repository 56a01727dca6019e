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
    delivery,
    limits,
    operations,
    retries,
    serialization,
    signing,
    suppressions,
    transport,
    waivers,
)
from safecelery.policy.rules.waivers import WAIVER_EXPIRED

__all__ = ["BY_CODE", "CATALOGUE", "CODE_BY_NAME", "WAIVER_EXPIRED"]

CATALOGUE: Final[tuple[Rule[Any], ...]] = (
    *waivers.RULES,
    *abstention.RULES,
    *suppressions.RULES,
    *serialization.RULES,
    *transport.RULES,
    *signing.RULES,
    *limits.RULES,
    *delivery.RULES,
    *retries.RULES,
    *operations.RULES,
)

BY_CODE: Final[Mapping[str, Rule[Any]]] = MappingProxyType({rule.code: rule for rule in CATALOGUE})
CODE_BY_NAME: Final[Mapping[str, str]] = MappingProxyType({rule.name: rule.code for rule in CATALOGUE})
