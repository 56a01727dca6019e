"""What turns with the event loop: it asks every channel for messages, and looks after what each holds."""

from __future__ import annotations

import logging
from copy import copy
from typing import Any

from kombu.transport import redis as kombu_redis

from safecelery.brokers.redis_doorbell import AGAIN_S, AGAIN_WITHOUT_S

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
    _often_tref: Any = None

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

    def _update_brpop_polling(self) -> None:
        """kombu stops to listen where a worker has no room, as a message would come. Here none does, and who does not
        read is woken at once again, for ever."""

    def _register_BRPOP(self, channel: Any) -> None:  # noqa: N802  # kombu's name
        channel.ask_again()
        super()._register_BRPOP(channel)

    def on_readable(self, fileno: int) -> Any:
        """As kombu's; the doorbell is heard whether there is room or not."""
        channel, what = self._fd_to_chan.get(fileno, (None, None))
        if channel is not None and what == "BRPOP":
            return channel._brpop_read()
        return super().on_readable(fileno)

    def get(self, callback: Any, timeout: float | None = None) -> None:
        """As kombu's, for who has no event loop; no longer than until it is time to ask again."""
        longest = min((channel.doorbell.again_s for channel in self._channels), default=AGAIN_S)
        super().get(callback, timeout=longest if timeout is None else min(timeout, longest))

    def turn_often(self) -> None:
        """The server does not ring: the loop has to turn as often as it is to be asked."""
        if self.loop is not None and self._often_tref is None:
            self._often_tref = self.loop.call_repeatedly(AGAIN_WITHOUT_S, lambda: None)

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
