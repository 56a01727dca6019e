"""``app.events`` of a hardened app: who listens to events, which nobody signs, is not ended by what is none."""

from __future__ import annotations

import logging
from typing import Any, Final

from celery.app.events import Events
from celery.events.receiver import EventReceiver

from safecelery.errors import Reason, Rejected, SealError
from safecelery.telemetry.control import event_dropped

__all__ = ["SafeEvents", "SafeReceiver", "check_event"]

logger = logging.getLogger("safecelery")

#: What every JSON reader takes for a whole number: RFC 8259, section 6.
_MAX_CLOCK: Final = 2**53 - 1


def check_event(event: Any) -> None:
    """It is an object with a type, and its clock can be compared with others.

    Raises:
        Rejected: it is not.
    """
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise Rejected(Reason.BODY_MALFORMED, "not an event")
    clock = event.get("clock", 0)
    if type(clock) is not int or not 0 <= clock <= _MAX_CLOCK:
        raise Rejected(Reason.BODY_MALFORMED, "the clock of the event is no number")


class SafeReceiver(EventReceiver):
    """What ``celery events`` and Flower listen with."""

    def _receive(self, body: Any, message: Any, *args: Any, **kwargs: Any) -> None:
        """As Celery's (celery/events/receiver.py), one event at a time. What cannot be handled is dropped: a forged
        event can have members of any type, and those who keep the state of the cluster do not look.
        """
        for event in body if isinstance(body, list) else [body]:
            try:
                check_event(event)
                self.process(*self.event_from_message(event))
            except Rejected as refusal:
                event_dropped(refusal, "receiver")
            except Exception as error:  # noqa: BLE001
                failure = Rejected(Reason.INTERNAL, f"handling the event failed with {type(error).__name__}")
                event_dropped(failure, "receiver")

    def wakeup_workers(self, channel: Any = None) -> None:
        """Ask for heartbeats; whoever may not give that command waits for those that come by themselves."""
        try:
            super().wakeup_workers(channel=channel)
        except SealError as error:
            logger.warning("events: workers were not asked for a heartbeat: %s", error)


class SafeEvents(Events):
    """``app.events``. Set as ``Celery.events_cls``."""

    receiver_cls = "safecelery.runtime.events:SafeReceiver"
