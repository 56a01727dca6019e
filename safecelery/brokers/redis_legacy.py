"""kombu's own unacknowledged messages, left by workers that do not run on safecelery.

They are in one hash for all queues, each as JSON with the place to give it back to, and anybody may have written them.
Only what belongs to a queue that this worker consumes goes there; what is no such entry goes there as well, where the
firewall makes a dead letter of it; what belongs elsewhere stays for those who consume there.
"""

from __future__ import annotations

import json
from time import time
from typing import TYPE_CHECKING, Any

from redis.exceptions import ResponseError

from safecelery.brokers.garbage import found
from safecelery.redis_replies import Oversized

if TYPE_CHECKING:
    from safecelery.brokers.redis_qos import HeldQoS

__all__ = ["ELSEWHERE", "LegacyUnacked", "read_entry"]

_BATCH = 100
#: What :func:`read_entry` says of an entry that is none of this worker's business.
ELSEWHERE = object()

#: Move one entry, unless somebody else has. KEYS[1] is the hash; ARGV: index, tag, list, item, hash for large ones,
#: most bytes, all with their prefixes. An item of no bytes stands for the entry itself.
_MOVE = """
local entry = redis.call('HGET', KEYS[1], ARGV[2])
if entry then
    if #entry > tonumber(ARGV[6]) then
        redis.call('HSET', ARGV[5], ARGV[2], entry)
    else
        redis.call('RPUSH', ARGV[3], ARGV[4] ~= '' and ARGV[4] or entry)
    end
    redis.call('HDEL', KEYS[1], ARGV[2])
end
redis.call('ZREM', ARGV[1], ARGV[2])
return entry and 1 or 0
"""


def read_entry(entry: bytes, queues: list[str]) -> tuple[str, bytes] | object | None:
    """Queue and item of an entry ``[message, exchange, routing key]``; ``ELSEWHERE``; ``None`` if it is no such entry.

    The item is cut out of the entry as it stands there. Never raises.
    """
    try:
        text = entry.decode("utf-8")
        value = json.loads(text)
        if not (isinstance(value, list) and len(value) == 3):
            return None
        message, exchange, key = value
        if not (isinstance(message, dict) and isinstance(exchange, str | None) and isinstance(key, str)):
            return None
        start = text.index("[") + 1
        start += len(text[start:]) - len(text[start:].lstrip())
        _, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    # An exchange's bindings are in Redis, for anybody to write: only a queue that is named counts.
    name = key if key in queues else exchange
    return (name, text[start:end].encode()) if name in queues else ELSEWHERE


class LegacyUnacked:
    """Walks through the index a batch at a time, past what it leaves there."""

    def __init__(self) -> None:
        self._offset = 0

    def sweep(self, qos: HeldQoS) -> None:
        """Give back what is overdue. A key of the wrong type is left alone: plain workers share it."""
        channel: Any = qos.channel
        queues = channel.active_queues
        client = channel._create_client()
        try:
            ceiling = time() - qos.visibility_timeout
            tags = client.zrange(
                channel.unacked_index_key, "-inf", ceiling, byscore=True, offset=self._offset, num=_BATCH
            )
            left = sum(isinstance(tag, Oversized) or not self._move(qos, client, tag, queues) for tag in tags)
        except ResponseError:
            found("unusable key", channel.unacked_index_key, what_now="left there")
            return
        self._offset = self._offset + left if len(tags) == _BATCH else 0

    def _move(self, qos: HeldQoS, client: Any, tag: bytes, queues: list[str]) -> bool:
        """Whether it is gone now."""
        channel: Any = qos.channel
        limit, hash_ = channel.bounds.item_bytes, channel.unacked_key
        large = client.execute_command("HSTRLEN", channel.global_keyprefix + hash_, tag) > limit
        entry = b"" if large else client.hget(hash_, tag)
        if isinstance(entry, Oversized):  # meanwhile
            entry = b""
        target: tuple[str, bytes] | object | None = None
        if entry:
            target = read_entry(entry, queues)
            if target is ELSEWHERE:
                return False
        queue, item = target if isinstance(target, tuple) else (queues[0], b"")
        if entry is not None and target is None:
            found("entry that is none", hash_, what_now="kept")
        move = client.register_script(_MOVE)
        prefix = channel.global_keyprefix
        move(
            keys=[hash_],
            args=[prefix + channel.unacked_index_key, tag, prefix + queue, item, prefix + channel.oversized_key, limit],
        )
        return True
