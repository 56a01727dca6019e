"""What turns with the event loop: it asks every channel for messages, and looks after what each holds."""

from __future__ import annotations

import logging
from copy import copy
from typing import Any

from kombu.transport import redis as kombu_redis

__all__ = ["TakingPoller"]

logger = logging.getLogger("safecelery")


class TakingPoller(kombu_redis.MultiChannelPoller):
    """kombu's poller; each channel looks after its own queues."""

    loop: Any = None
    """The event loop that turns it, so that every turn may take something; ``None``: nobody does."""
    taken = 0
    """Messages that channels have taken in this turn, without waiting for Redis to bring them."""
    _others_turn = False
    _tend_tref: Any = None

    def on_poll_start(self) -> None:
        """As kombu's, at each turn of the loop before it waits.

        What was taken here has gone to the pool, whose own part of the turn may be over (``hub.on_tick`` is a set): no
        child would get it before the loop wakes up again, up to a second later. So the other parts come once more.
        What was acknowledged, and did not go along with what was taken, is told to Redis.
        """
        if self._others_turn:
            return
        self.taken = 0
        super().on_poll_start()
        for channel in list(self._channels):
            channel.forget_acked()
        if not self.taken:
            return
        self._others_turn = True
        try:
            for part in copy(self.loop.on_tick):
                part()
        finally:
            self._others_turn = False

    def maybe_restore_messages(self) -> None:
        """kombu's name for it."""
        self.tend()

    def tend(self) -> None:
        """Renewing, moving, giving back: for every channel that consumes."""
        for channel in list(self._channels):
            if not channel.active_queues:
                continue
            try:
                channel.tend()
            except channel.connection_errors:
                logger.debug("a broken connection: the main loop reconnects", exc_info=True)
                return
