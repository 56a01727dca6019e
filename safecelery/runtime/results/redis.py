"""Sealed results in Redis: stored, published to whoever waits, and gathered for chords."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from time import monotonic
from typing import Any, Final

from celery.backends.redis import RedisBackend, ResultConsumer, SentinelBackend
from celery.exceptions import TimeoutError as WaitedInVain
from redis.exceptions import RedisError

from safecelery.errors import ResultRefused
from safecelery.message.result_form import largest_stored
from safecelery.redis_replies import parser
from safecelery.runtime.results.redis_chord import SealedChords

__all__ = ["SealedRedisBackend", "SealedResultConsumer", "SealedSentinelBackend"]


#: Seconds after which a result that somebody waits for is looked for again; each further pause is twice as long.
FIRST_LOOK_S: Final = 1.0
LONGEST_PAUSE_S: Final = 30.0


class SealedResultConsumer(ResultConsumer):
    """Waits for published results; one that is not believed is dropped, and waiting goes on.

    The channel that a result was published to does not matter: the signed id says whose it is.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._decode_result = self.backend.published_meta

    def on_state_change(self, meta: dict[str, Any] | None, message: Any) -> None:
        """As Celery's, for what is believed."""
        if meta is not None:
            super().on_state_change(meta, message)

    def _wait_for_pending(self, result: Any, *args: Any, **kwargs: Any) -> Iterator[None]:
        """As Celery's (celery/backends/asynchronous.py), but it looks again now and then: nobody waits for Redis to
        say that it knows of the subscription, and what is published before that comes to nobody. Who waited in vain
        is told of a result that is not believed.

        Raises:
            ResultRefused: one is stored, and refused.
        """
        pause = FIRST_LOOK_S
        look_at = monotonic() + pause
        try:
            for event in super()._wait_for_pending(result, *args, **kwargs):
                yield event
                if monotonic() >= look_at:
                    with suppress(ResultRefused, RedisError):  # the true one, or Redis, may still come
                        self.on_wait_for_pending(result, interval=0)
                    pause = min(2 * pause, LONGEST_PAUSE_S)
                    look_at = monotonic() + pause
        except WaitedInVain:
            for each in getattr(result, "results", None) or [result]:
                self.backend.get_task_meta(each.id, cache=False)
            raise


class SealedRedis(SealedChords):
    """What both backends on Redis add."""

    connparams: dict[str, Any]

    ResultConsumer = SealedResultConsumer

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A value that nobody would believe, as it is too large, is not read into memory.
        self.connparams["parser_class"] = parser(largest_stored(self.seal.settings.max_bytes))


class SealedRedisBackend(SealedRedis, RedisBackend):
    """``redis://`` and ``rediss://``."""


class SealedSentinelBackend(SealedRedis, SentinelBackend):
    """``sentinel://``."""
