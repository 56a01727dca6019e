"""What this process has received from Redis and not acknowledged: held beside the list it came from."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property
from itertools import chain
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal

from kombu.transport import redis as kombu_redis
from redis.exceptions import RedisError, ResponseError

from safecelery.brokers import redis_scripts as scripts
from safecelery.brokers.redis_legacy import LegacyUnacked

if TYPE_CHECKING:
    from redis.commands.core import Script

    from safecelery.brokers.redis_channel import RedisChannel

__all__ = ["HeldQoS"]

logger = logging.getLogger("safecelery")

#: Items that one sweep gives back, and that one look at the parked ones moves, of each list.
BATCH = 500
#: Seconds between two looks at the parked messages, and how long before its time one is moved: the worker that gets it
#: waits for the exact moment, and fetching it takes a while.
UNPARK_EVERY_S, UNPARK_AHEAD_S = 1.0, 5.0
#: A timer that is this early is on time.
_JITTER_S = 0.2


class HeldQoS(kombu_redis.QoS):
    """kombu's bookkeeping with one round trip each, and none of it believed (see :mod:`redis_scripts`)."""

    channel: RedisChannel
    _delivered: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._held: dict[str, str] = {}
        self._acked: list[tuple[str, str]] = []
        self._own_line: Any = None
        self._legacy = LegacyUnacked()
        self._done_at: dict[str, float] = {}

    # Scripts ------------------------------------------------------------------------------------------------------

    @cached_property
    def _scripts(self) -> dict[str, Script]:
        client = self.channel._create_client()
        names = ("TAKE", "FORGET", "REQUEUE", "SWEEP", "RENEW", "PARK", "UNPARK", "CLEAR")
        return {name: client.register_script(getattr(scripts, name)) for name in names}

    @property
    def _line(self) -> Any:
        """A connection that is not given back to the pool after each script, which takes a third of its time."""
        pool = self.channel._create_client().connection_pool  # raises where the channel's connection is closed
        if self._own_line is None or self._own_line.connection_pool is not pool:
            self._own_line = self.channel._get_client()(connection_pool=pool, single_connection_client=True)
        return self._own_line

    def run(self, name: str, lists: Iterable[str], *args: Any) -> Any:
        """Run a script on these lists (names without the global prefix).

        Raises:
            redis.exceptions.ResponseError: a key of the wrong type, no memory, a replica. Nothing was removed.
        """
        prefix = self.channel.global_keyprefix
        first, *rest = lists  # kombu's prefixing client adds the prefix to the first key only
        return self._scripts[name](
            keys=[first, *(prefix + key for key in rest)], args=[prefix, *args], client=self._line
        )

    # Receiving, acknowledging, giving back --------------------------------------------------------------------------

    def holds(self, tag: str, key: str) -> None:
        """The item with this tag is held beside the list ``key``."""
        self._held[tag] = key

    def append(self, message: Any, delivery_tag: str) -> None:
        """Stored already, before it was delivered; a fanout message is not stored at all: nobody could get it again."""
        kombu_redis.virtual.QoS.append(self, message, delivery_tag)

    def take(self, lists: list[str], tags: list[str], *, limit: int) -> Any:
        """Hold the next items of at most ``limit`` bytes under these tags. What was acknowledged is forgotten in the
        same round trip.

        Raises:
            redis.exceptions.ResponseError: as :meth:`run`.
        """
        acked = self._acked[:]
        taken = self.run("TAKE", lists, limit, scripts.OVERSIZED, len(tags), *tags, *chain(*acked))
        del self._acked[: len(acked)]
        return taken

    def ack(self, delivery_tag: str) -> None:
        """Forget it: where an event loop turns, with what is taken next or at the end of its turn."""
        key = self._held.pop(delivery_tag, None)
        if key is not None:
            self._acked.append((key, delivery_tag))
            if not self.channel.turns or len(self._acked) >= BATCH:
                self.forget_acked()
        kombu_redis.virtual.QoS.ack(self, delivery_tag)

    def forget_acked(self) -> None:
        """In one round trip. If it fails, they are tried once more when the channel is closed; after that they are
        delivered again, as whatever a broker did not hear of."""
        if self._acked:
            acked = self._acked[:]
            try:
                self.run("FORGET", [acked[0][0]], *chain(*acked))
            except ResponseError as error:
                logger.error("Redis refuses %d acknowledgements (%s): these messages are delivered again", len(acked),
                             type(error).__name__)  # fmt: skip
            del self._acked[: len(acked)]

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Give it back to the end of the line, or forget it."""
        if requeue:
            self.restore_by_tag(delivery_tag, leftmost=True)
        self.ack(delivery_tag)

    def restore_by_tag(self, tag: str, client: Any = None, leftmost: bool = False) -> None:
        """Give it back to the list it came from."""
        key = self._held.pop(tag, None)
        if key is not None:
            self._give_back(key, [tag], "LPUSH" if leftmost else "RPUSH")

    def restore_unacked_once(self, stderr: Any = None) -> None:
        """The channel is closed."""
        with suppress(RedisError, OSError):
            self.forget_acked()
        super().restore_unacked_once(stderr)

    def restore_unacked(self, client: Any = None) -> Any:
        """Give everything back; a list at a time. What cannot be given back now comes after the visibility timeout."""
        self._flush()
        try:
            for key, tags in self._by_list(reversed(self._delivered)).items():
                self._give_back(key, tags, "RPUSH")
        except (*self.channel.connection_errors, *self.channel.connection.channel_errors) as error:
            logger.warning("unacknowledged messages cannot be given back (%s): they come back in %s s",
                           type(error).__name__, self.visibility_timeout)  # fmt: skip
        self._delivered.clear()
        self._held.clear()
        return []

    def _give_back(self, key: str, tags: list[str], command: Literal["LPUSH", "RPUSH"]) -> None:
        for start in range(0, len(tags), BATCH):
            self.run("REQUEUE", [key], command, *tags[start : start + BATCH])

    def _by_list(self, tags: Iterable[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for tag in tags:
            key = self._held.get(tag)
            if key is not None:
                found[key].append(tag)
        return found

    def park(self, tag: str, due: float) -> bool:
        """Move a held item beside its queue until ``due`` (seconds since the epoch); it is not ours any more then.

        ``False``: this message was never held.
        """
        key = self._held.get(tag)
        if key is None:
            return False
        self.run("PARK", [key], tag, repr(due))
        self._held.pop(tag, None)
        kombu_redis.virtual.QoS.ack(self, tag)
        return True

    # Now and then -----------------------------------------------------------------------------------------------

    def tend(self) -> None:
        """Whatever is due of: renewing what this process holds, moving parked messages, giving back what was lost."""
        self.forget_acked()
        lists = self.channel.consumed_lists()
        if lists and self._due("unpark", UNPARK_EVERY_S):
            self.run("UNPARK", lists, UNPARK_AHEAD_S, BATCH)
        if self._held and self._due("renew", max(1.0, self.visibility_timeout / 4)):
            for key, tags in self._by_list(list(self._held)).items():
                for start in range(0, len(tags), BATCH):
                    self.run("RENEW", [key], *tags[start : start + BATCH])
        if lists and self._due("sweep", self.channel.unacked_restore_interval):
            self.run("SWEEP", lists, self.visibility_timeout, BATCH)
            self._legacy.sweep(self)

    def restore_visible(self, start: int = 0, num: int = 10, interval: int = 10) -> None:
        """kombu's name for it, called when a connection is made."""
        self.tend()

    def _due(self, what: str, every_s: float) -> bool:
        if monotonic() - self._done_at.get(what, float("-inf")) < every_s - _JITTER_S:
            return False
        self._done_at[what] = monotonic()
        return True
