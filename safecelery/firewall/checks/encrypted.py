"""Tasks that must be encrypted are, and so is whatever embeds one of them."""

from __future__ import annotations

from safecelery.errors import Reason, Rejected
from safecelery.firewall.checks.canvas import embedded
from safecelery.firewall.interface import Body, Context, Received
from safecelery.message.encrypted import is_encrypted

__all__ = ["encrypted"]


def encrypted(message: Received, body: Body, context: Context) -> None:
    """Refuse plain text where this worker knows that there should be none (N5.5)."""
    must = context.must_encrypt
    if must is None or is_encrypted(message.claims):
        return
    task = message.claims.hdr["task"]
    if must(task):
        raise Rejected(Reason.NOT_ENCRYPTED, f"task {task!r} must be encrypted")
    for signature in embedded(task, body.args, body.kwargs, body.embed):
        inner = signature["task"]
        if isinstance(inner, str) and must(inner):
            raise Rejected(Reason.NOT_ENCRYPTED, f"embedded task {inner!r} must be encrypted")
