"""A worker's side of remote control: bytes become a command that may be obeyed, or one counted line in the log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from celery.exceptions import WorkerShutdown, WorkerTerminate
from celery.worker.consumer.control import Control
from celery.worker.control import Panel
from kombu.entity import Exchange
from kombu.pidbox import Node
from kombu.utils.json import dumps

from safecelery.errors import Reason, Rejected
from safecelery.firewall.control import COMMANDS, Command, CommandContext, Memory, admit_command, check_arguments
from safecelery.message.control import reply_draft
from safecelery.message.seal import HEADER, seal
from safecelery.message.stages import VerifiedMessage
from safecelery.message.unseal import unseal
from safecelery.runtime.commands import HANDLERS, REFUSED
from safecelery.runtime.consume import QueueAwareConsumer, raw_message
from safecelery.runtime.guard import guard_of
from safecelery.runtime.secrets import Secrets
from safecelery.telemetry.control import command_refused

if TYPE_CHECKING:
    from safecelery.runtime.guard import Guard

__all__ = ["ControlStep", "PidboxConsumer", "SafeNode"]

logger = logging.getLogger("safecelery")


class PidboxConsumer(QueueAwareConsumer):
    """Consumer of commands or replies: nothing is decoded, and what is no message is dropped."""

    channel: Any
    on_message: Any

    def _receive_from(self, queue: str, message: Any) -> Any:
        try:
            received: Any = self.channel.message_to_python(message)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is no command and no reply
            logger.warning("what came on %s is no message: %s", queue, type(error).__name__)
            return None
        received.accept, received.consumed_queue = self.accept, queue
        return self.on_message(received)


class _Known:
    """The commands that a node has, now: Celery's, and those the project registered."""

    def __init__(self, handlers: Mapping[str, Any]) -> None:
        self._handlers = handlers

    def __contains__(self, name: object) -> bool:
        return name in self._handlers and name not in REFUSED


class SafeNode(Node):
    """``kombu.pidbox.Node`` that obeys sealed commands alone.

    Celery's own callback is not used: it would decode the message, and call anything that is registered with whatever
    arguments came (celery/worker/pidbox.py, kombu/pidbox.py).
    """

    # kombu says None, and sets them.
    hostname: str
    mailbox: Any
    state: Any
    handlers: dict[str, Callable[..., Any]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.guard: Guard = self.mailbox.guard
        self.context = CommandContext(
            exchange=self.mailbox.exchange.name,
            reply_exchange=self.mailbox.reply_exchange.name,
            hostname=self.hostname,
            known=_Known(self.handlers),
            started=time.time(),
            max_skew_s=self.guard.policy.limits.max_clock_skew_s,
            memory=Memory(),
        )

    def listen(self, channel: Any = None, callback: Callable[..., Any] | None = None) -> Any:
        """Consume commands. ``callback`` is Celery's own and is not called."""
        queue = self.mailbox.get_queue(self.hostname)
        consumer = PidboxConsumer(channel or self.channel, [queue], no_ack=True, on_message=self.receive)
        consumer.consume()
        return consumer

    def receive(self, message: Any) -> None:
        """One message from the broker. Nothing but the end of the worker, by a command that means it, leaves here."""
        command = self._admitted(message)
        if command is None:
            return
        self.state.app.clock.forward()
        self._log(command)
        try:
            answer = self._obeyed(command)
        except (WorkerShutdown, WorkerTerminate):
            raise
        except Rejected as refusal:
            command_refused(refusal, command.kid, self.hostname)
            answer = {"error": str(refusal)}
        except (Exception, SystemExit) as error:  # noqa: BLE001  # a handler's fault is its caller's to hear of
            logger.error("command %s failed with %s", command.method, type(error).__name__)
            answer = {"error": repr(error)}
        if command.reply_key is not None:
            self._answer(command, answer)

    def _admitted(self, message: Any) -> Command | None:
        verified: VerifiedMessage | None = None
        try:
            now, limits = time.time(), self.guard.policy.limits
            verified = unseal(
                raw_message(message), self.guard.ring, now=now, max_bytes=limits.max_message_bytes,
                max_skew_s=limits.max_clock_skew_s, expect="control",
            )  # fmt: skip
            return admit_command(verified, self.context, now)
        except Rejected as refusal:
            command_refused(refusal, verified.key.kid if verified else None, self.hostname)
        except Exception as error:  # noqa: BLE001  # fail closed
            failure = Rejected(Reason.INTERNAL, f"reading a command failed with {type(error).__name__}")
            command_refused(failure, verified.key.kid if verified else None, self.hostname)
        return None

    def _obeyed(self, command: Command) -> Any:
        if command.method in COMMANDS:
            check_arguments(command.method, command.arguments)
        handler = HANDLERS.get(command.method) or self.handlers[command.method]
        return handler(self.state, **command.arguments)

    def _log(self, command: Command) -> None:
        """Who changed something. Those who only look come by every few seconds."""
        meta = Panel.meta.get(command.method)
        level = logging.DEBUG if meta is not None and meta.type == "inspect" else logging.INFO
        logger.log(level, "command %s, given by key %s", command.method, command.kid)

    def _answer(self, command: Command, answer: Any) -> None:
        """Publish the reply. The command was obeyed, so whatever goes wrong here is logged and no more."""
        try:
            body = self._encoded(answer)
            exchange = Exchange(self.context.reply_exchange, type="direct", delivery_mode="transient", durable=False)
            draft = reply_draft(
                body, request=command.jti, worker=self.hostname, exchange=exchange.name,
                routing_key=command.reply_key or "",
            )  # fmt: skip
            envelope = seal(draft, self.guard.ring, now=time.time())
            headers = {HEADER: envelope, "ticket": command.ticket, "clock": self.mailbox.clock.forward()}
            with self.mailbox.producer_or_acquire(None, self.channel) as producer:
                producer.publish(
                    body, exchange=exchange, routing_key=command.reply_key, declare=[exchange], headers=headers,
                    content_type=draft.ct, content_encoding=draft.ce, retry=True, retry_policy={"max_retries": 3},
                )  # fmt: skip
        except Exception as error:  # noqa: BLE001
            logger.warning("the reply to command %s was not sent: %s", command.method, type(error).__name__)

    def _encoded(self, answer: Any) -> bytes:
        """``{worker: answer}`` as kombu's JSON, without the secrets this process knows."""
        secrets = Secrets.of(self.state.app.conf, self.guard.settings)
        try:
            body: bytes = dumps({self.hostname: secrets.masked(answer)}).encode()
        except Exception as error:  # noqa: BLE001  # a handler may return anything
            return self._instead(f"the answer is not JSON ({type(error).__name__})")
        most = 2 * self.guard.policy.limits.max_message_bytes
        return body if len(body) <= most else self._instead(f"the answer has {len(body)} bytes, {most} can be sent")

    def _instead(self, why: str) -> bytes:
        body: bytes = dumps({self.hostname: {"error": why}}).encode()
        return body


class ControlStep(Control):
    """The worker's step that listens for commands: only where somebody may give any."""

    def include_if(self, c: Any) -> bool:
        """As Celery's (celery/worker/consumer/control.py), and some key of the trust store has control grants."""
        if not super().include_if(c):
            logger.info("remote control is off: worker_enable_remote_control is off, or the broker has no fanout")
            return False
        commanders = guard_of(c.app).ring.trust.commanders()
        if not commanders:
            logger.info("remote control is off: no key of the trust store has control grants")
            return False
        granted = "; ".join(f"{key.kid} ({', '.join(key.control)})" for key in commanders)
        logger.info("remote control is on, for signed commands of: %s", granted)
        return True
