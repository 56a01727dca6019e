"""Report mode: a message without any signature becomes a stage of its own, as tame as it can be made."""

from __future__ import annotations

import secrets
from typing import Any

from safecelery.errors import Reason, Rejected
from safecelery.message.claims import Audience, Claims
from safecelery.message.codec import decode_json, encode_json
from safecelery.message.seal import HEADER
from safecelery.message.stages import RawMessage, UnverifiedButReported, unverified_but_reported
from safecelery.message.unseal import CONTENT

__all__ = ["BROKER_HEADERS", "take_unsigned"]

#: Headers that a broker or an earlier delivery left behind, not the sender.
BROKER_HEADERS = frozenset(
    {
        "redelivered",
        "x-death",
        "x-delivery-count",
        "x-first-death-exchange",
        "x-first-death-queue",
        "x-first-death-reason",
        "x-last-death-exchange",
        "x-last-death-queue",
        "x-last-death-reason",
    }
)
#: Properties that a worker acts on; all others are left behind.
_PROPERTIES = ("correlation_id", "reply_to", "priority")


def take_unsigned(raw: RawMessage, *, now: float, max_bytes: int) -> UnverifiedButReported:
    """The message as it would be if somebody had signed it. Only for report mode, and only if nothing is signed.

    What signed claims have to keep to holds for these headers too: they are plain JSON, no deeper than claims may be,
    and no longer than a body. The body has to be JSON in UTF-8 by its own word; anything else, pickle above all, is
    refused in every mode.

    Args:
        now: seconds since the epoch.
        max_bytes: of the body, and of the headers.

    Raises:
        Rejected: and nothing else.
    """
    try:
        return _take(raw, now, max_bytes)
    except Rejected:
        raise
    except Exception as error:  # noqa: BLE001  # fail closed
        raise Rejected(Reason.INTERNAL, f"taking an unsigned message failed with {type(error).__name__}") from None


def _take(raw: RawMessage, now: float, max_bytes: int) -> UnverifiedButReported:
    if raw.headers.get(HEADER) is not None:
        raise Rejected(Reason.INTERNAL, "the message has an envelope, so it is not for report mode to judge")
    if len(raw.body) > max_bytes:
        raise Rejected(Reason.TOO_LARGE, f"unsigned; the body has {len(raw.body)} bytes, allowed are {max_bytes}")
    if (raw.content_type, raw.content_encoding) != CONTENT:
        raise Rejected(Reason.CONTENT_DISALLOWED, "unsigned; the body does not say that it is JSON in utf-8")
    compression = raw.headers.get("compression")
    if not isinstance(compression, str | None):
        raise Rejected(Reason.CONTENT_DISALLOWED, "unsigned; the compression is not text")
    apart = BROKER_HEADERS | {HEADER, "compression"}
    headers = _plain({name: value for name, value in raw.headers.items() if name not in apart}, max_bytes)
    given = {name: raw.properties.get(name) for name in _PROPERTIES}
    properties = _plain({name: value for name, value in given.items() if value is not None}, max_bytes)
    claims = Claims(
        typ="task", kid="", iat=int(now), exp=int(now) + 1, jti=secrets.token_hex(16), aud=Audience(queue=raw.queue),
        ct=CONTENT[0], ce=CONTENT[1], cmp=compression, hdr=headers, props=properties,
    )  # fmt: skip
    return unverified_but_reported(claims, raw.body, raw.queue)


def _plain(values: dict[str, Any], max_bytes: int) -> dict[str, Any]:
    """The same, proved to be what claims can hold: written and read as they are."""
    try:
        text = encode_json(values)
        if len(text) > max_bytes:
            raise Rejected(Reason.TOO_LARGE, f"unsigned; the headers have more than {max_bytes} bytes")
        plain: dict[str, Any] = decode_json(text)
    except (TypeError, ValueError, RecursionError):
        raise Rejected(
            Reason.CLAIMS_MALFORMED, "unsigned; the headers are not plain JSON, or nested too deeply"
        ) from None
    return plain
