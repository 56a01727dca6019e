"""Remote control as messages: what a command and its replies are before they are sealed (section 11 of the spec)."""

from __future__ import annotations

from typing import Any, Final

from safecelery.errors import SealError
from safecelery.message.claims import Audience
from safecelery.message.codec import encode_json
from safecelery.message.seal import Draft

__all__ = ["COMMAND", "LIFETIME_S", "MATCHERS", "REPLY", "command_draft", "reply_draft"]

#: Seconds for which a command or a reply is valid (E11.1). Long enough for a slow network, short enough that every id
#: can be remembered until its command is no longer valid.
LIFETIME_S: Final = 60
#: The two kinds of control messages: the member ``kind`` of ``hdr``.
COMMAND: Final = "command"
REPLY: Final = "reply"
#: How a pattern may choose workers. A regular expression may take for ever.
MATCHERS: Final = ("glob",)


def command_draft(
    method: str,
    arguments: dict[str, Any],
    *,
    exchange: str,
    destination: list[str] | None = None,
    pattern: str | None = None,
    matcher: str | None = None,
    ticket: str | None = None,
    reply_to: dict[str, str] | None = None,
) -> Draft:
    """A command about to be sealed (E11.1, E11.2). Its body reads as kombu's does (kombu/pidbox.py, ``_publish``).

    Raises:
        SealError: an argument that is not plain JSON, or a matcher that no worker follows.
    """
    if matcher is not None and matcher not in MATCHERS:
        raise SealError(
            f"command {method!r}: matcher {matcher!r} is refused, only 'glob' is followed; nothing was sent"
        )
    body: dict[str, Any] = {
        "method": method,
        "arguments": arguments,
        "destination": destination,
        "pattern": pattern,
        "matcher": matcher,
    }
    if ticket is not None:
        body |= {"ticket": ticket, "reply_to": reply_to}
    try:
        encoded = encode_json(body)
    except (TypeError, ValueError, RecursionError):
        raise SealError(
            f"command {method!r}: an argument is not plain JSON (text, numbers, lists, objects); nothing was sent"
        ) from None
    return _draft({"kind": COMMAND}, encoded, Audience(exchange=exchange, routing_key=""))


def reply_draft(body: bytes, *, request: str, worker: str, exchange: str, routing_key: str) -> Draft:
    """A reply about to be sealed (E11.6): bound to the command by its ``jti``, and to the worker that speaks."""
    hdr = {"kind": REPLY, "request": request, "worker": worker}
    return _draft(hdr, body, Audience(exchange=exchange, routing_key=routing_key))


def _draft(hdr: dict[str, Any], body: bytes, aud: Audience) -> Draft:
    return Draft(
        typ="control", aud=aud, ct="application/json", ce="utf-8", cmp=None, hdr=hdr, props={}, body=body,
        lifetime_s=LIFETIME_S,
    )  # fmt: skip
