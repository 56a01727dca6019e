"""What the firewall is told besides the message, by a worker, or by an operator who sends letters again."""

from __future__ import annotations

from collections.abc import Container
from functools import partial
from typing import Any

from safecelery.firewall import Context
from safecelery.message.stages import VerifiedMessage
from safecelery.runtime.bindings import bindings_of
from safecelery.runtime.guard import Guard

__all__ = ["context_of"]


def context_of(app: Any, guard: Guard, now: float, registered: Container[str], *, reports: bool) -> Context:
    """The context of one message.

    Args:
        now: seconds since the epoch.
        registered: names of the tasks that can be run.
        reports: report mode counts, where the settings say so.
    """
    settings = guard.settings
    return Context(
        guard.policy.limits,
        now,
        registered,
        partial(bindings_of, app),
        settings.firewall.mode if reports else "enforce",
        opened=partial(_opened, guard),
        must_encrypt=guard.cipher.must_encrypt if guard.cipher.is_used else None,
        encryption_mode=settings.encryption.mode,
    )


def _opened(guard: Guard, message: VerifiedMessage) -> bytes:
    """The body as it was before it was encrypted. Raises ``Rejected``."""
    hdr = message.claims.hdr
    return guard.cipher.decrypt(message.body, typ="task", task=hdr["task"], task_id=hdr["id"])
