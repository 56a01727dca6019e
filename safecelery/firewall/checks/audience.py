"""The message was meant for the queue it was read from."""

from __future__ import annotations

from safecelery.errors import Reason, Rejected
from safecelery.firewall.interface import Binding, Body, Context
from safecelery.message.claims import Audience
from safecelery.message.stages import VerifiedMessage

__all__ = ["DELAYED_DELIVERY", "audience", "reaches", "topic_matches"]

#: Where Celery publishes what is due later on quorum queues (celery/app/base.py, ``send_task``). The exchange
#: of the delivery is then no longer the one published to; the routing key below the delay prefix is.
DELAYED_DELIVERY = "celery_delayed_27"


def audience(message: VerifiedMessage, body: Body, context: Context) -> None:
    """Refuse a message replayed from another queue."""
    meant = message.claims.aud
    if meant.queue is not None:
        if meant.queue == message.queue:
            return
    elif any(reaches(binding, meant) for binding in context.bindings(message.queue)):
        return
    raise Rejected(Reason.AUDIENCE_MISMATCH, f"meant for {meant}, read from queue {message.queue!r}")


def reaches(binding: Binding, meant: Audience) -> bool:
    """What is published to that exchange with that key gets to a queue of this binding."""
    key = meant.routing_key or ""
    if meant.exchange == DELAYED_DELIVERY:
        return binding.kind != "fanout" and topic_matches(binding.pattern, key)
    if meant.exchange != binding.exchange:
        return False
    match binding.kind:
        case "fanout":
            return True
        case "topic":
            return topic_matches(binding.pattern, key)
        case "direct":
            return binding.pattern == key
        case _:
            return False


def topic_matches(pattern: str, key: str) -> bool:
    """AMQP 0-9-1, section 3.1.3.3: ``*`` is one word, ``#`` any number of words."""
    words = key.split(".")
    reachable = {0}
    for part in pattern.split("."):
        if part == "#":
            reachable = set(range(min(reachable, default=len(words) + 1), len(words) + 1))
        else:
            reachable = {at + 1 for at in reachable if at < len(words) and part in ("*", words[at])}
    return len(words) in reachable
