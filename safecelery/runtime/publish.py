"""Publishing: the one place where a task message's final bytes and headers meet, and are sealed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from kombu.entity import Exchange, Queue
from kombu.messaging import Producer
from kombu.pools import ProducerPool
from kombu.transport.native_delayed_delivery import _delay_prefix_re

from safecelery.errors import SealError
from safecelery.firewall.checks.audience import DELAYED_DELIVERY
from safecelery.firewall.checks.shape import COPIES, REQUEST_MEMBERS
from safecelery.firewall.checks.sizes import amiss
from safecelery.message.claims import Audience
from safecelery.message.encrypted import ENCRYPTED
from safecelery.message.inflate import COMPRESSIONS
from safecelery.message.result import SALT
from safecelery.message.seal import HEADER, Draft, seal
from safecelery.message.unsigned import BROKER_HEADERS
from safecelery.runtime.encrypting import encrypted_body, must_encrypt

if TYPE_CHECKING:
    from safecelery.runtime.guard import Guard

__all__ = ["SafeProducer", "SafeProducerPool"]

#: Arguments of ``kombu.Producer.publish`` that travel with the message and that a worker acts on.
_SIGNED_PROPERTIES = ("correlation_id", "reply_to", "priority")
#: Headers that a broker or an earlier delivery left behind; a retry carries them along.
_STALE = BROKER_HEADERS | {HEADER}
#: Headers that show arguments (celery/app/amqp.py, ``as_task_v2``).
_TELLING = frozenset({"argsrepr", "kwargsrepr"})


class SafeProducer(Producer):
    """``kombu.Producer`` that seals every task message: calls, retries, canvas, errbacks, beat."""

    guard: ClassVar[Guard]

    def publish(
        self,
        body: Any,
        routing_key: str | None = None,
        *args: Any,
        headers: dict[str, Any] | None = None,
        serializer: str | None = None,
        compression: str | None = None,
        content_type: str | None = None,
        content_encoding: str | None = None,
        exchange: Exchange | str | None = None,
        declare: list[Any] | None = None,
        **options: Any,
    ) -> Any:
        """As ``kombu.Producer.publish``; what is no task (remote control, replies, events) passes as it is.

        Raises:
            SealError: no key to sign with, or something that cannot be signed as asked. Nothing was sent.
        """
        if not (headers and "task" in headers):
            return super().publish(
                body, routing_key, *args, headers=headers, serializer=serializer, compression=compression,
                content_type=content_type, content_encoding=content_encoding, exchange=exchange, declare=declare,
                **options,
            )  # fmt: skip
        if args:
            raise SealError("publish() of a task message takes keyword arguments only; nothing was sent")
        headers = {name: value for name, value in headers.items() if name not in _STALE}
        options.pop(SALT, None)
        if reserved := sorted(REQUEST_MEMBERS & headers.keys()):
            raise SealError(
                f"header {reserved[0]!r} would stand in for a member of the task's request, so a worker refuses it; "
                "choose another name. Nothing was sent"
            )
        if copies := sorted(COPIES & headers.keys()):
            raise SealError(
                f"header {copies[0]!r} would have the broker send copies to queues that are not signed, so a worker "
                "refuses it; send a message to each queue. Nothing was sent"
            )
        if (compression or self.compression) and (compression or self.compression) not in COMPRESSIONS:
            raise SealError(f"compression {compression!r} cannot be undone with a limit; use one of gzip, bzip2, lzma")
        encoded, ct, ce = self._prepare(
            body, serializer, content_type, content_encoding, compression or self.compression, headers
        )
        data = encoded.encode() if isinstance(encoded, str) else encoded
        aud = _audience(exchange, routing_key, declare)
        if self._must_encrypt(body, headers):
            headers = {name: value for name, value in headers.items() if name not in _TELLING}
            data = encrypted_body(self.guard, data, headers, aud)
            ct, ce = ENCRYPTED
        headers[HEADER] = self._seal(data, headers, str(ct), str(ce), aud, options)
        self.guard.sent.add_message(headers, body)
        return super().publish(
            data, routing_key, headers=headers, content_type=ct, content_encoding=ce,
            exchange=exchange, declare=declare, **options,
        )  # fmt: skip

    def _must_encrypt(self, body: Any, headers: Mapping[str, Any]) -> bool:
        cipher, task = self.guard.cipher, headers["task"]
        match body:
            case (args, kwargs, dict() as embed):
                return must_encrypt(cipher, task, headers.get("id"), args, kwargs, embed)
        if cipher.is_used:
            raise SealError(
                f"task {task!r}: the message is not of task protocol 2, so it is not known whether it "
                "must be encrypted; nothing was sent"
            )
        return False

    def _seal(
        self, data: bytes, headers: Mapping[str, Any], ct: str, ce: str, aud: Audience, options: Mapping[str, Any]
    ) -> str:
        guard = self.guard
        guard.enforce_unchanged()
        limits = guard.policy.limits
        if len(data) > limits.max_message_bytes:
            raise SealError(
                f"task {headers['task']!r}: the message is {len(data)} bytes, the policy allows "
                f"{limits.max_message_bytes}; pass a reference to the data instead of the data"
            )
        if (what := amiss(headers)) is not None:
            raise SealError(f"task {headers['task']!r}: {what}; nothing was sent")
        guard.enforce_own_grants(headers["task"], aud.queue)
        now = time.time()
        signed = {name: options[name] for name in _SIGNED_PROPERTIES if options.get(name) is not None}
        draft = Draft(
            typ="task",
            aud=aud,
            ct=ct,
            ce=ce,
            cmp=headers.get("compression"),
            hdr={name: value for name, value in headers.items() if name != "compression"},
            props=signed,
            body=data,
            lifetime_s=guard.lifetime(headers, now),
        )
        envelope = seal(draft, guard.ring, now=now)
        if len(envelope) > limits.max_message_bytes:
            raise SealError(
                f"task {headers['task']!r}: the headers are {len(envelope)} bytes when signed, the policy allows "
                f"{limits.max_message_bytes}; nothing was sent"
            )
        return envelope


def _audience(exchange: Exchange | str | None, routing_key: str | None, declare: list[Any] | None) -> Audience:
    """The place as published: the queue where one is known, else exchange and routing key."""
    name = exchange.name if isinstance(exchange, Exchange) else exchange or ""
    if name == DELAYED_DELIVERY:
        return Audience(exchange=name, routing_key=_delay_prefix_re.sub("", routing_key or "", count=1))
    queues = [entity for entity in declare or () if isinstance(entity, Queue)]
    if len(queues) == 1:
        return Audience(queue=queues[0].name)
    if not name and not routing_key:
        raise SealError("neither queue nor exchange nor routing key says where to; nothing was sent")
    if not name:
        return Audience(queue=routing_key)
    return Audience(exchange=name, routing_key=routing_key or "")


class SafeProducerPool(ProducerPool):
    """A pool of this app's own producers; kombu's global one would hand out plain ones (celery/app/amqp.py)."""
