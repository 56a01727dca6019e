"""The ordered runner: the first check that objects decides, and an exception is an objection.

In report mode a check of permission that objects is written down, and the next one is asked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from safecelery.errors import Reason, Rejected
from safecelery.firewall.checks import CHECKS, FORGIVEN, FORM
from safecelery.firewall.interface import Body, Check, Context, FormCheck, Received
from safecelery.message.inflate import inflate
from safecelery.message.stages import AdmittedMessage, UnverifiedButReported, VerifiedMessage, admitted

__all__ = ["UNSIGNED", "admit"]

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
        plain = inflate(message.body, message.claims.cmp, context.limits.max_message_bytes)
        body = _body(plain)
        if isinstance(message, VerifiedMessage):
            objections = _ask(message, body, context, checks)
        else:
            objections = _ask_form(message, body, context, form)
    except Rejected:
        raise
    except Exception as error:  # noqa: BLE001  # fail closed
        # The text of the exception could quote the message, so only its type is told.
        raise Rejected(Reason.INTERNAL, f"a firewall check failed with {type(error).__name__}") from None
    return admitted(message, plain, objections)


def _ask(message: VerifiedMessage, body: Body, context: Context, checks: Sequence[Check]) -> tuple[Rejected, ...]:
    """Every objection that report mode overrules; the first one that it does not is raised."""
    objections: tuple[Rejected, ...] = ()
    for check in checks:
        try:
            check(message, body, context)
        except Rejected as objection:
            reports = context.mode == "report" or message.key.mode == "report"
            if not reports or objection.reason not in FORGIVEN.get(check, ()):
                raise
            objections += (objection,)
    return objections


def _ask_form(
    message: UnverifiedButReported, body: Body, context: Context, form: Sequence[FormCheck]
) -> tuple[Rejected, ...]:
    if context.mode != "report":
        raise Rejected(Reason.ENVELOPE_MISSING, UNSIGNED)
    for check in form:
        check(message, body, context)
    return (Rejected(Reason.ENVELOPE_MISSING, UNSIGNED),)


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
