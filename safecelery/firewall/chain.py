"""The ordered runner: the first check that objects decides, and an exception is an objection.

In report mode a check of permission that objects is written down, and the next one is asked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from safecelery.errors import Reason, Rejected
from safecelery.firewall.checks import CHECKS, FORGIVEN, FORM, OF_BODY
from safecelery.firewall.interface import Body, Check, Context, FormCheck, Received
from safecelery.message.encrypted import is_encrypted
from safecelery.message.inflate import inflate
from safecelery.message.stages import AdmittedMessage, UnverifiedButReported, VerifiedMessage, admitted

__all__ = ["UNSIGNED", "admit", "admit_unread"]

#: Why an unsigned message would be refused.
UNSIGNED = "the message is not signed"


def admit(
    message: Received, context: Context, checks: Sequence[Check] = CHECKS, form: Sequence[FormCheck] = FORM
) -> AdmittedMessage:
    """Let the message through every check.

    Args:
        checks: what a signed message has to pass, in order.
        form: what an unsigned one has to pass, in report mode; in the other there is no way for it.

    Raises:
        Rejected: a check objected that report mode does not overrule, or failed (``Reason.INTERNAL``), or there is
            none to ask.
    """
    if not checks or not form:
        raise Rejected(Reason.INTERNAL, "the firewall has no checks; an empty chain admits nothing")
    try:
        if isinstance(message, VerifiedMessage):
            plain, objections = _signed(message, context, checks)
        else:
            plain, objections = _unsigned(message, context, form)
    except Rejected:
        raise
    except Exception as error:  # noqa: BLE001  # fail closed
        # The text of the exception could quote the message, so only its type is told.
        raise Rejected(Reason.INTERNAL, f"a firewall check failed with {type(error).__name__}") from None
    return admitted(message, plain, objections)


def admit_unread(message: VerifiedMessage, context: Context) -> None:
    """As far as :func:`admit` gets with an encrypted message without opening it: for who moves it on unread.

    Raises:
        Rejected: as there. Nothing is admitted by this; whoever runs the message asks again.
    """
    _ask(message, _UNREAD, context, [check for check in CHECKS if check not in OF_BODY])


#: The body of a message that is not opened yet; no check but those of ``OF_BODY`` looks at it.
_UNREAD = Body([], {}, {})


def _signed(message: VerifiedMessage, context: Context, checks: Sequence[Check]) -> tuple[bytes, tuple[Rejected, ...]]:
    """The plain body, and every objection that was overruled."""
    if not is_encrypted(message.claims):
        plain = inflate(message.body, message.claims.cmp, context.limits.max_message_bytes)
        return plain, _ask(message, _body(plain), context, checks)
    # Whoever may not send this at all is not decrypted for: what opens and what does not would tell them something.
    first = _ask(message, _UNREAD, context, [check for check in checks if check not in OF_BODY])
    if context.opened is None:
        raise Rejected(Reason.UNDECRYPTABLE, "this process reads no encrypted messages")
    plain = inflate(context.opened(message), message.claims.cmp, context.limits.max_message_bytes)
    return plain, first + _ask(message, _body(plain), context, [check for check in checks if check in OF_BODY])


def _unsigned(
    message: UnverifiedButReported, context: Context, form: Sequence[FormCheck]
) -> tuple[bytes, tuple[Rejected, ...]]:
    plain = inflate(message.body, message.claims.cmp, context.limits.max_message_bytes)
    body = _body(plain)
    if context.mode != "report":
        raise Rejected(Reason.ENVELOPE_MISSING, UNSIGNED)
    return plain, (Rejected(Reason.ENVELOPE_MISSING, UNSIGNED), *_ask(message, body, context, form))


def _ask(message: Any, body: Body, context: Context, checks: Sequence[Check | FormCheck]) -> tuple[Rejected, ...]:
    """Every objection that report mode overrules; the first one that it does not is raised."""
    objections: tuple[Rejected, ...] = ()
    for check in checks:
        try:
            check(message, body, context)
        except Rejected as objection:
            if not _overruled(check, objection, message, context):
                raise
            objections += (objection,)
    return objections


def _overruled(check: Check | FormCheck, objection: Rejected, message: Received, context: Context) -> bool:
    if objection.reason is Reason.NOT_ENCRYPTED:  # a mode of its own: who adopts encryption need not open anything else
        return context.encryption_mode == "report"
    if not isinstance(message, VerifiedMessage):
        return False
    reports = context.mode == "report" or message.key.mode == "report"
    return reports and objection.reason in FORGIVEN.get(check, ())


#: Deepest nesting of a body. Celery pickles the arguments to hand them to a pool process; where the pickler's stack
#: ends, at some five hundred, the worker has taken a slot of the pool that it never gives back.
_MAX_DEPTH = 100


def _deeper_than(most: int, value: Any) -> bool:
    level = [value]
    for _ in range(most):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _body(raw: bytes) -> Body:
    """Celery's protocol 2: ``[args, kwargs, embed]`` (celery/app/amqp.py, ``as_task_v2``)."""
    try:
        parsed = json.loads(raw)
    except (ValueError, RecursionError):
        raise Rejected(Reason.BODY_MALFORMED, "the body is not JSON") from None
    if isinstance(parsed, list) and _deeper_than(_MAX_DEPTH, parsed):
        raise Rejected(Reason.BODY_MALFORMED, f"the body is nested more than {_MAX_DEPTH} deep")
    match parsed:
        case [list(), {"__type__": _, "__value__": _, **others}, _] if not others:
            raise Rejected(Reason.BODY_MALFORMED, "the keyword arguments are a tagged value of kombu's JSON")
        case [list() as args, dict() as kwargs, dict() | None as embed]:
            return Body(args, kwargs, embed or {})
        case _:
            raise Rejected(Reason.BODY_MALFORMED, "the body is not [args, kwargs, embed] of task protocol 2")
