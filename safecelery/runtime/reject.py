"""Rejecting: a refused message is kept whole, with the reason, before the original is acknowledged."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from celery import Celery
from kombu.message import Message

from safecelery.errors import Reason, Rejected
from safecelery.message.dead_letter import DeadLetter, Original
from safecelery.message.letter_seal import seal_letter
from safecelery.message.seal import HEADER
from safecelery.message.signed_once import SignedOnce, signed_once
from safecelery.message.stages import RawMessage, VerifiedMessage
from safecelery.runtime.dead_letter_queue import dead_letter_queue, keep_in
from safecelery.runtime.deliveries import Delivery
from safecelery.runtime.guard import Guard
from safecelery.runtime.holding import Holding, Later
from safecelery.runtime.oversized import put_aside
from safecelery.telemetry.events import MessageRejected, emit, refusal_event

__all__ = ["DeadLetters", "Settle"]

#: Called with what acknowledges a message, which it calls in its own time.
Settle = Callable[[Callable[[], None]], None]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A letter on its way, and the original that waits for it."""

    data: bytes
    seal: str | None
    message: Message
    event: MessageRejected
    settle: Settle


def _at_once(acknowledge: Callable[[], None]) -> None:
    acknowledge()


class DeadLetters:
    """Where a worker's refused messages go.

    Args:
        worker: the worker's name; the app's id where there is none.
        later: calls a function after so many seconds, in the thread that consumes. With it, a letter that cannot be
            published is tried again and again while its original stays unacknowledged; without it, ``keep`` raises.
    """

    def __init__(self, app: Celery, guard: Guard, *, worker: str | None = None, later: Later | None = None) -> None:
        self.app = app
        self.guard = guard
        self.worker = worker or app.oid
        self.queue = dead_letter_queue(app, guard.settings.dead_letter_queue)
        self._holding = None if later is None else Holding(self._publish, self._settle, later)

    def keep(
        self,
        raw: RawMessage,
        message: Message,
        refusal: Rejected,
        verified: VerifiedMessage | None,
        delivery: Delivery | None = None,
    ) -> None:
        """Publish the dead letter, wait for the broker's word where it gives one, then acknowledge the original.

        If the process dies, or the broker is gone, before the acknowledgement, the broker still has the original.

        Args:
            delivery: the message's account in the ledger, where it was claimed: it is settled once the letter is kept.
        """
        signed = None if verified is None else SignedOnce(verified.claims, verified.key.kid)
        if refusal.reason is Reason.STALE and signed is None:
            signed = self._once(raw)
        letter = self._letter(raw, refusal, signed, delivery.number if delivery is not None else refusal.deliveries)
        data = letter.to_bytes()
        kept = _Kept(
            data,
            seal_letter(data, self.queue.name, self.guard.ring, now=time.time()),
            message,
            self._event(raw, refusal, verified, letter),
            delivery.settle if delivery is not None else _at_once,
        )
        if self._holding is not None:
            self._holding.take(kept)
        else:
            self._publish(kept)
            self._settle(kept)

    def forget(self) -> None:
        """The connection is gone, and with it the right to acknowledge: the broker hands out again what is held."""
        if self._holding is not None:
            self._holding.forget()

    def _once(self, raw: RawMessage) -> SignedOnce | None:
        """An expired message was signed all the same; who wonders what did not run wants to know whose it was."""
        try:
            return signed_once(raw, self.guard.ring)
        except Rejected:
            return None

    def _letter(
        self, raw: RawMessage, refusal: Rejected, signed: SignedOnce | None, deliveries: int | None
    ) -> DeadLetter:
        claims = None if signed is None else signed.claims
        task = None if claims is None else _text_or_none(claims.hdr.get("task"))
        return DeadLetter(
            id=secrets.token_hex(16),
            reason=refusal.reason.value,
            detail=refusal.detail,
            queue=raw.queue,
            worker=self.worker,
            at=datetime.now(UTC),
            key=None if signed is None else signed.kid,
            task=task,
            task_id=None if claims is None else _text_or_none(claims.hdr.get("id")),
            claimed_task=_text_or_none(raw.headers.get("task")) if claims is None else None,
            deliveries=deliveries,
            original=Original.of(raw),
        )

    def _publish(self, kept: _Kept) -> None:
        put_aside(self.app, self.queue.name, kept.message)
        headers: dict[str, Any] = {"safecelery-dead-letter": 1}
        if kept.seal is not None:
            headers[HEADER] = kept.seal
        keep_in(
            self.app,
            self.queue,
            kept.data,
            content_type="application/json",
            content_encoding="utf-8",
            headers=headers,
            retry=True,
            retry_policy={"max_retries": 3, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5},
        )

    def _event(
        self, raw: RawMessage, refusal: Rejected, verified: VerifiedMessage | None, letter: DeadLetter
    ) -> MessageRejected:
        event = refusal_event(refusal, raw.queue, verified, self.app.tasks)
        if verified is not None or letter.key is None:
            return event
        return replace(event, key=letter.key, task=letter.task, registered=letter.task in self.app.tasks)

    def _settle(self, kept: _Kept) -> None:
        kept.settle(kept.message.ack)
        emit(kept.event)


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None
