"""The active checks, in the order in which they are asked. A new one is a module beside this and a line here."""

from __future__ import annotations

from safecelery.firewall.checks.audience import audience
from safecelery.firewall.checks.canvas import canvas
from safecelery.firewall.checks.grants import grants
from safecelery.firewall.checks.lifetime import lifetime
from safecelery.firewall.checks.registered import registered
from safecelery.firewall.checks.retries import retries
from safecelery.firewall.checks.schedule import schedule
from safecelery.firewall.checks.shape import shape
from safecelery.firewall.interface import Check

__all__ = ["CHECKS"]

CHECKS: tuple[Check, ...] = (
    shape,
    audience,
    grants,
    canvas,
    retries,
    schedule,
    lifetime,
    registered,
)
