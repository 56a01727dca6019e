"""Gossip, for those who ask for it: workers that listen to unsigned events. Deaf to garbage, and to elections."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from celery.worker.consumer.gossip import Gossip

from safecelery.errors import Reason, Rejected
from safecelery.runtime.events import check_event
from safecelery.telemetry.control import event_dropped

__all__ = ["SafeGossip"]

logger = logging.getLogger("safecelery")


class SafeGossip(Gossip):
    """Celery's, without elections: whoever wins one calls a task that came with an event, under the worker's own key
    (celery/worker/consumer/gossip.py, ``call_task``).
    """

    def __init__(self, c: Any, **kwargs: Any) -> None:
        super().__init__(c, **kwargs)
        self.event_handlers: dict[str, Any] = {}
        self.election_handlers: dict[str, Any] = {}
        if self.enabled:
            logger.warning(
                "gossip is on (control.unsigned_gossip): nobody signs events, whoever reaches the broker can forge them"
            )

    def on_message(self, prepare: Callable[[Any], Any], message: Any) -> None:
        """An event of another worker, or anything else."""
        try:
            check_event(message.payload)
            super().on_message(prepare, message)
        except Rejected as refusal:
            event_dropped(refusal, self.hostname)
        except Exception as error:  # noqa: BLE001  # whatever an event is, it must not end the worker
            event_dropped(Rejected(Reason.BODY_MALFORMED, f"no event ({type(error).__name__})"), self.hostname)
