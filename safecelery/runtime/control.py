"""``app.control`` of a hardened app: commands leave sealed, and only sealed replies to them are believed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, ClassVar

from celery import Celery
from celery.app.control import Control, Inspect
from kombu.pidbox import Mailbox
from kombu.utils.json import loads

from safecelery.errors import Reason, Rejected, SealError
from safecelery.firewall.control import Question, admit_reply
from safecelery.message.claims import Claims
from safecelery.message.codec import split
from safecelery.message.control import command_draft
from safecelery.message.seal import HEADER, seal
from safecelery.message.stages import VerifiedMessage
from safecelery.message.unseal import unseal
from safecelery.runtime.consume import raw_message
from safecelery.runtime.guard import Guard, guard_of
from safecelery.runtime.pidbox import PidboxConsumer, SafeNode
from safecelery.telemetry.control import reply_dropped

__all__ = ["SafeControl", "SafeInspect", "SafeMailbox"]

logger = logging.getLogger("safecelery")

#: Bytes of one reply: the configuration, or all tasks that a worker holds with their arguments.
MAX_REPLY_BYTES = 16 * 2**20


class SafeMailbox(Mailbox):
    """``kombu.pidbox.Mailbox`` that seals what it sends and unseals what it gets."""

    node_cls = SafeNode
    guard: ClassVar[Guard]
    # kombu says None, and sets them.
    connection: Any
    exchange: Any
    reply_exchange: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Commands that wait for replies, by ticket; shared with the copies that are bound to a connection.
        self._questions: dict[str, Question] = {}

    def _publish(
        self,
        type: str,  # noqa: A002  # kombu's name
        arguments: dict[str, Any],
        destination: Sequence[str] | None = None,
        reply_ticket: str | None = None,
        channel: Any = None,
        timeout: float | None = None,
        serializer: str | None = None,
        producer: Any = None,
        pattern: str | None = None,
        matcher: str | None = None,
    ) -> None:
        """As kombu's, with a sealed body; ``serializer`` has no say, it is JSON.

        Raises:
            SealError: no key to sign with, one that may not give this command, or nobody whose reply could be believed.
        """
        self.guard.enforce_unchanged()
        self.guard.enforce_own_command(type, replies=bool(reply_ticket))
        address = {"exchange": self.reply_exchange.name, "routing_key": self.oid}
        draft = command_draft(
            type, arguments, exchange=self.exchange.name, pattern=pattern, matcher=matcher,
            destination=None if destination is None else list(destination),
            ticket=reply_ticket, reply_to=address if reply_ticket else None,
        )  # fmt: skip
        envelope = seal(draft, self.guard.ring, now=time.time())
        channel = channel or self.connection.default_channel
        if reply_ticket:
            self.reply_queue(channel).declare()
        expires = time.time() + timeout if timeout else 0
        with self.producer_or_acquire(producer, channel) as sender:
            sender.publish(
                draft.body, exchange=self.exchange.name, declare=[self.exchange], retry=True,
                content_type=draft.ct, content_encoding=draft.ce,
                headers={HEADER: envelope, "clock": self.clock.forward(), "expires": expires},
            )  # fmt: skip
        if reply_ticket:
            jti = Claims.from_bytes(split(envelope)[0]).jti
            self._questions[reply_ticket] = Question(jti, **address, destination=tuple(destination or ()))

    def _publish_reply(self, *args: Any, **kwargs: Any) -> None:
        """Celery's own way to reply (celery/beat.py uses it) leaves the reply unsigned."""
        raise SealError("an unsigned reply to a remote command is not sent")

    def _collect(
        self,
        ticket: str,
        limit: int | None = None,
        timeout: float | None = 1,
        callback: Callable[[Any], Any] | None = None,
        channel: Any = None,
        accept: Any = None,
    ) -> list[dict[str, Any]]:
        """Replies that are believed. As in kombu, waits up to ``timeout`` seconds for each next one; whatever else
        comes in does not make it wait longer, and does not count.
        """
        question = self._questions.pop(ticket)
        channel = channel or self.connection.default_channel
        queue = self.reply_queue
        believed: list[dict[str, Any]] = []

        def on_message(message: Any) -> None:
            if (reply := self._believed(message, question)) is not None:
                believed.append(reply)
                if callback:
                    callback(reply)

        try:
            with PidboxConsumer(channel, [queue], no_ack=True, on_message=on_message):
                self._drain(believed, limit, timeout)
            return believed
        finally:
            channel.after_reply_message_received(queue.name)

    def _drain(self, believed: list[dict[str, Any]], limit: int | None, timeout: float | None) -> None:
        count, until = 0, None if timeout is None else time.monotonic() + timeout
        while not limit or len(believed) < limit:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                return
            try:
                self.connection.drain_events(timeout=left)
            except TimeoutError:
                return
            if timeout is not None and len(believed) > count:
                count, until = len(believed), time.monotonic() + timeout

    def _believed(self, message: Any, question: Question) -> dict[str, Any] | None:
        verified: VerifiedMessage | None = None
        try:
            raw = raw_message(message)
            limits = self.guard.policy.limits
            verified = unseal(
                raw, self.guard.ring, now=time.time(), max_bytes=MAX_REPLY_BYTES,
                max_skew_s=limits.max_clock_skew_s, expect="control",
            )  # fmt: skip
            worker = admit_reply(verified, question)
            return {worker: _answer(verified.body, worker)}
        except Rejected as refusal:
            reply_dropped(refusal, verified.key.kid if verified else None, question.routing_key)
        except Exception as error:  # noqa: BLE001  # whatever a reply is, it must not break the caller
            failure = Rejected(Reason.INTERNAL, f"reading a reply failed with {type(error).__name__}")
            reply_dropped(failure, verified.key.kid if verified else None, question.routing_key)
        return None


def _answer(body: bytes, worker: str) -> Any:
    """What the worker says, of ``{worker: answer}`` (kombu/pidbox.py, ``Node.dispatch``)."""
    try:
        parsed = loads(body)
    except Exception:  # noqa: BLE001  # kombu's decoders of tagged values raise anything
        raise Rejected(Reason.BODY_MALFORMED, "the reply cannot be read") from None
    if not isinstance(parsed, dict) or parsed.keys() != {worker}:
        raise Rejected(Reason.BODY_MALFORMED, "the reply is not that of the worker that signed it")
    return parsed[worker]


class SafeInspect(Inspect):
    """``app.control.inspect()``."""

    def hello(self, from_node: str, revoked: Any = None) -> Any:
        """As Celery's, which a starting worker calls (celery/worker/consumer/mingle.py): not being allowed to is no
        reason not to start.
        """
        try:
            return super().hello(from_node, revoked=revoked)
        except SealError as error:
            logger.warning("mingle: other workers were not asked: %s", error)
            return None


class SafeControl(Control):
    """``app.control``. Set as ``Celery.control_cls``."""

    def __init__(self, app: Celery) -> None:
        self.Mailbox = type("SafeMailbox", (SafeMailbox,), {"guard": guard_of(app)})
        super().__init__(app)

    @cached_property
    def inspect(self) -> Any:
        """A class: its instances ask the workers."""
        return self.app.subclass_with_self(SafeInspect, reverse="control.inspect")
