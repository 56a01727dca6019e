"""Who completes a chord on Redis: one worker's right to it, and the keys that a chord has there."""

from __future__ import annotations

import logging
from typing import Any, Final
from uuid import uuid4

from safecelery.redis_replies import Oversized

__all__ = ["GROWTH", "SIZE", "ChordClaim"]

logger = logging.getLogger("safecelery")

#: Ends of the keys that hold the sealed size of a chord, and its sealed growth; beside Celery's ``.s`` and ``.t``.
SIZE: Final = ".safecelery-s"
GROWTH: Final = ".safecelery-t"

#: Remove the parts of ARGV[2] bytes, which are not known here. KEYS: the parts. ARGV: 1 if they are a sorted set, size.
_THROW_OUT = """
local ordered = ARGV[1] == '1'
for _, part in ipairs(redis.call(ordered and 'ZRANGE' or 'LRANGE', KEYS[1], 0, -1)) do
    if #part == tonumber(ARGV[2]) then
        if ordered then redis.call('ZREM', KEYS[1], part) else redis.call('LREM', KEYS[1], 0, part) end
    end
end
"""


class ChordClaim:
    """The right to complete one chord, as Celery's scripts keep it, and the chord's keys."""

    def __init__(self, backend: Any, group: str, chord: Any, digest: str) -> None:
        self.group, self.chord, self.digest = group, chord, digest
        self._backend, self._client = backend, backend.client
        key = backend.get_key_for_group
        self.parts = key(group, ".j")
        #: Parts, growth, size, members, claim: the order of Celery's scripts.
        self.keys = [self.parts, *(key(group, end) for end in (".t", ".s", ".d", ".c"))]
        self._size, self._growth, self._saved = key(group, SIZE), key(group, GROWTH), key(group)
        self.token = uuid4().hex
        timeout = backend.app.conf.result_chord_join_timeout or 5.0
        self.seconds = max(5, int(timeout * 2))

    def take(self) -> bool:
        """Where Celery's count did not give it: forged parts make it too high."""
        return self.extend(self.seconds)

    def extend(self, seconds: int) -> bool:
        """Keep it for so long."""
        script = self._backend._chord_claim_extend_script
        return bool(script(keys=[self.keys[4], self.keys[2]], args=[self.token, seconds], client=self._client))

    def give_back(self) -> None:
        """Somebody else may complete the chord, with a part that is still to come."""
        self._client.delete(self.keys[4])

    def count(self) -> int:
        """How many parts there are, believed or not."""
        size = self._client.zcard if self._backend._chord_zset else self._client.llen
        return int(size(self.parts))

    def counted(self) -> int:
        """What Celery believes to be the size."""
        size, growth = self._client.mget(self.keys[2], self.keys[1])
        return int(size or 0) + int(growth or 0)

    def read(self) -> tuple[list[Any], Any, list[Any], Any]:
        """Parts, sealed size, sealed growth and saved header, in one round trip."""
        with self._client.pipeline() as pipe:
            (pipe.zrange if self._backend._chord_zset else pipe.lrange)(self.parts, 0, -1)
            pipe.get(self._size).lrange(self._growth, 0, -1).get(self._saved)
            parts, size, growth, saved = pipe.execute()
        return parts, size, growth, saved

    def throw_out(self, forged: list[Any]) -> None:
        """Remove what is not believed, so that it is not looked at again."""
        with self._client.pipeline() as pipe:
            for size in {raw.size for raw in forged if isinstance(raw, Oversized)}:
                pipe.eval(_THROW_OUT, 1, self.parts, int(self._backend._chord_zset), size)
            for raw in (raw for raw in forged if not isinstance(raw, Oversized)):
                if self._backend._chord_zset:
                    pipe.zrem(self.parts, raw)
                else:
                    pipe.lrem(self.parts, 1, raw)
            pipe.execute()

    def done(self) -> None:
        """Forget the chord, but for a marker that keeps late copies away."""
        cleaned = self._backend._chord_cleanup_script(
            keys=[self.keys[4], *self.keys[:4]], args=[self.token, max(self.seconds * 2, 300)], client=self._client
        )
        if cleaned:
            self._client.delete(self._size, self._growth)
        else:
            logger.warning("chord %r: the right to complete it was lost, its data is left to expire", self.group)
