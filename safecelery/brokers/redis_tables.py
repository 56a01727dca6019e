"""Binding tables in Redis, where anybody may write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redis.exceptions import ResponseError

from safecelery.brokers.garbage import found
from safecelery.redis_replies import Oversized

if TYPE_CHECKING:
    from typing import Any as _Base
else:
    _Base = object

__all__ = ["CheckedTables", "read_binding"]

#: Bindings of one exchange that are looked at; a name or routing key of AMQP has at most 255 bytes.
MOST_BINDINGS, LONGEST = 10_000, 255

Binding = tuple[str, str, str]


def read_binding(member: bytes, sep: str) -> Binding | None:
    """Routing key, pattern and queue of a member of a binding table; ``None`` if it is no such thing. Never raises."""
    if len(member) > 4 * LONGEST:
        return None
    try:
        parts = member.decode("utf-8").split(sep)
    except UnicodeDecodeError:
        return None
    if len(parts) != 3 or not parts[2] or max(len(parts[0]), len(parts[2])) > LONGEST:
        return None
    return parts[0], parts[1], parts[2]


class CheckedTables(_Base):
    """The part of a channel that reads and writes binding tables."""

    def get_table(self, exchange: str) -> list[Binding]:
        """The bindings that this process declared, and those in Redis that are well-formed.

        A pattern is derived from its routing key again, as what stands in Redis is compiled as a regular expression.
        """
        declared = self.state.exchanges.get(exchange, {}).get("table", ())
        table = {(key or "", pattern or "", queue or "") for key, pattern, queue in declared}
        name = self.keyprefix_queue % exchange
        try:
            members = self._create_client().execute_command("SRANDMEMBER", self.global_keyprefix + name, MOST_BINDINGS)
        except ResponseError:
            found("key of the wrong type", "a binding table", what_now="only the bindings of this process count")
            members = []
        derive = getattr(self.typeof(exchange), "key_to_pattern", None)
        bad = 0
        for member in members:
            read = None if isinstance(member, Oversized) else read_binding(member, self.sep)
            if read is None or (read[1] and (derive is None or derive(read[0]) != read[1])):
                bad += 1
            else:
                table.add(read)
        if bad:
            found("binding that is none", "a binding table", bad, what_now="not followed")
        return list(table)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str | None, queue: str) -> Any:
        """As kombu's; a key of the wrong type gives way."""
        try:
            return super()._queue_bind(exchange, routing_key, pattern, queue)
        except ResponseError as error:
            if "WRONGTYPE" not in str(error):
                raise
        client, prefix = self._create_client(), self.global_keyprefix
        for name in (self.keyprefix_queue % exchange, self.keyprefix_binding_permanent % exchange):
            if client.execute_command("TYPE", prefix + name) not in (b"set", b"none"):
                client.execute_command("RENAME", prefix + name, f"{prefix}safecelery:misplaced:{name}")
                found("key of the wrong type", "a binding table", what_now="renamed to safecelery:misplaced:*")
        return super()._queue_bind(exchange, routing_key, pattern, queue)
