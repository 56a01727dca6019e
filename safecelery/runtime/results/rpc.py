"""Sealed results as replies: each a message to its caller's own queue, with the envelope as a header."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from celery.backends.rpc import ResultConsumer, RPCBackend
from kombu.messaging import Consumer
from kombu.utils.encoding import bytes_to_str

from safecelery.errors import ResultTooLarge
from safecelery.message.seal import HEADER
from safecelery.runtime.results.sealed import SealedBackend

__all__ = ["SealedRPCBackend", "SealedReplyConsumer"]


class _Replies(Consumer):
    """``kombu.Consumer`` that hands on what is believed, and parses nothing before."""

    def __init__(self, *args: Any, callbacks: Any, opened: Any, **kwargs: Any) -> None:
        def on_message(message: Any) -> None:
            meta = opened(message)
            if not self.no_ack:
                message.ack()
            for callback in callbacks if meta is not None else ():
                callback(meta, message)

        def on_decode_error(message: Any, error: Exception) -> None:
            if not self.no_ack:
                message.ack()

        super().__init__(*args, on_message=on_message, on_decode_error=on_decode_error, **kwargs)


class SealedReplyConsumer(ResultConsumer):
    """Waits for replies; one that is not believed is dropped, and waiting goes on."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.Consumer = partial(_Replies, opened=self.backend.reply_meta)


class SealedRPCBackend(SealedBackend, RPCBackend):
    """``rpc://``. Whose a reply is, is what was signed, not what its properties say."""

    ResultConsumer = SealedReplyConsumer

    def store_result(
        self, task_id: str, result: Any, state: str, traceback: Any = None, request: Any = None, **kwargs: Any
    ) -> Any:
        """As Celery's, sealed."""
        routing_key, correlation_id = self.destination_for(task_id, request)
        if not routing_key:
            return None
        task_id = bytes_to_str(task_id)
        meta = self._to_result(task_id, state, result, traceback, request)
        bound = self.members_of(task_id, request)
        name = bound["task"]
        secret = self.is_secret(name, request)
        lifetime = self.lifetime(state, request)
        try:
            body, envelope = self.seal.bound(
                "result", self.body_of(meta), lifetime_s=lifetime, secret=secret, state=state, **bound
            )
        except ResultTooLarge as error:
            meta = self.fitted(error, meta, name, secret=secret)
            body, envelope = self.seal.bound(
                "result", self.body_of(meta), lifetime_s=lifetime, secret=secret, state=meta["status"], **bound
            )
        with self.app.amqp.producer_pool.acquire(block=True) as producer:
            producer.publish(
                body, exchange=self.exchange, routing_key=routing_key, correlation_id=correlation_id,
                headers={HEADER: envelope}, content_type="application/json", content_encoding="utf-8", retry=True,
                retry_policy=self.retry_policy, declare=self.on_reply_declare(task_id),
                delivery_mode=self.delivery_mode,
            )  # fmt: skip
        return result

    def reply_meta(self, message: Any) -> dict[str, Any] | None:
        """The verified result in a reply; ``None`` for one to be dropped."""
        headers = message.headers if isinstance(message.headers, dict) else {}
        body = message.body.encode() if isinstance(message.body, str) else bytes(message.body or b"")
        meta = self.published_meta((body, headers.get(HEADER)), where="replied")
        if meta is not None:
            message._decoded_cache = meta  # what ``message.payload`` is from now on
        return meta

    def _slurp_from_queue(self, task_id: str, accept: Any, limit: int = 1000, no_ack: bool = False) -> Iterator[Any]:
        for message in super()._slurp_from_queue(task_id, accept, limit, no_ack):
            if self.reply_meta(message) is not None:
                yield message
            elif not no_ack:
                message.ack()

    def _get_message_task_id(self, message: Any) -> str:
        return str(message.payload["task_id"])

    def meta_from_decoded(self, meta: dict[str, Any]) -> dict[str, Any]:
        """Everything that comes here was verified, and has its exception."""
        return meta
