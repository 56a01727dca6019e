"""Replies of Redis, read with a limit: what is longer than it is never in this process' memory.

redis-py reads a whole reply before anybody may look at it, and Redis takes strings of 512 MB from whoever may write
there. This parser takes redis-py's place on a connection (its option ``parser_class``) and reads both dialects, RESP2
and RESP3. A string that is too long is read past in small pieces; in its place stands an :class:`Oversized`.

hiredis, if it is installed, is not used on such a connection: it has no limit of this kind.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Any, Final

from redis._parsers.resp3 import _RESP3Parser
from redis._parsers.socket import SocketBuffer
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import InvalidResponse

__all__ = ["BoundedParser", "Oversized", "Push", "parser"]

#: Bytes of a line: a number, a status or an error message. Redis' own have some hundred.
LONGEST_LINE: Final = 65_536
#: Values in one reply, and lists within lists: no command that this package or Celery sends has an answer like that.
MOST_VALUES: Final = 2_000_000
DEEPEST: Final = 16
#: Bytes that were read and are still in the buffer until it is made smaller; redis-py does so only where nothing else
#: is in it, which in a flood is never.
_LITTER: Final = 1_048_576
_PIECE: Final = 65_536
_UNSET: Final[Any] = object()


@dataclass(frozen=True, slots=True)
class Oversized:
    """Stands for a string that was not kept."""

    size: int
    """Its length in bytes."""


class Push(list[Any]):
    """Out of turn, no answer to a command."""


class _Buffer(SocketBuffer):
    """redis-py's, which can read past something."""

    _past = False
    """A part of the reply that is being read is gone: it cannot be read again from its beginning."""
    _unusable = False

    def line(self, *wait: Any) -> bytes:
        """Up to the next CR LF, without it."""
        if self._unusable:
            raise ConnectionLost("reading stopped in the middle of a long string")
        data: bytes = self._buffer.readline()
        while data[-2:] != b"\r\n":
            if len(data) > LONGEST_LINE:
                raise InvalidResponse(f"a line of more than {LONGEST_LINE} bytes")
            self._read_from_socket(None, *wait)
            data += self._buffer.readline()
        return data[:-2]

    def string(self, length: int, *wait: Any) -> bytes:
        """So many bytes, and CR LF after them."""
        data: bytes = self._buffer.read(length + 2)
        if missing := length + 2 - len(data):
            self._read_from_socket(missing, *wait)
            data += self._buffer.read(missing)
        return data[:-2]

    def past(self, length: int, *wait: Any) -> None:
        """Past so many bytes, and CR LF after them."""
        self._past = True
        missing = length + 2
        while missing := missing - len(self._buffer.read(min(missing, _PIECE))):
            self._compact()
            self._read_from_socket(None, *wait)

    def rewind(self, pos: int) -> None:
        """To the beginning of a reply that could not be read to its end."""
        self._unusable = self._past
        if not self._past:
            super().rewind(pos)

    def purge(self) -> None:
        """A reply was read to its end."""
        self._past = False
        if not self.unread_bytes():
            self._buffer.seek(0)
            self._buffer.truncate()
        elif self._buffer.tell() > _LITTER:
            self._compact()

    def _compact(self) -> None:
        rest = self._buffer.read()
        self._buffer = io.BytesIO()
        self._buffer.write(rest)
        self._buffer.seek(0)


class BoundedParser(_RESP3Parser):
    """redis-py's parser, with limits.

    Args:
        socket_read_size: bytes that are read at once.
        longest: bytes of a string that is kept.
        most: bytes of all strings of one reply that are kept; ``None``: any number.
    """

    _buffer: _Buffer | None

    def __init__(self, socket_read_size: int, *, longest: int, most: int | None = None) -> None:
        super().__init__(socket_read_size)  # type: ignore[no-untyped-call]  # redis-py's
        self.longest, self.most = longest, most
        self._left: list[float] = [0, 0]

    def on_connect(self, connection: Any) -> None:
        """As redis-py's, with another buffer."""
        super().on_connect(connection)  # type: ignore[no-untyped-call]  # redis-py's
        self._buffer = _Buffer(connection._sock, self.socket_read_size, connection.socket_timeout)

    def handle_pubsub_push_response(self, response: Any) -> Any:
        """As redis-py's, which makes a text of every message, for a log that nobody reads."""
        return response

    def read_response(self, disable_decoding: bool = False, push_request: bool = False, timeout: Any = _UNSET) -> Any:
        """As redis-py's: the next answer, or what came unasked if ``push_request``."""
        wait = () if type(timeout) is object else (timeout,)  # redis-py's own mark, and ours, for no timeout
        while isinstance(value := self.read(*wait, decode=not disable_decoding), Push):
            answer = self.handle_push_response(list(value))  # type: ignore[no-untyped-call]  # redis-py's
            if push_request:
                return answer
        return value

    def read(self, *wait: float | None, decode: bool = False) -> Any:
        """The next answer, or what came unasked as a :class:`Push`. An error is returned, not raised.

        Args:
            wait: seconds for each read of the socket, ``None`` for ever; without, as the connection is set.

        Raises:
            redis.exceptions.TimeoutError: it is not whole yet. The next call reads it from its beginning.
            redis.exceptions.ConnectionError, InvalidResponse: the connection is of no use any more.
        """
        buffer = self._buffer
        if buffer is None:
            raise ConnectionLost("the connection was closed")
        # Counted down by every value of a reply: values, bytes.
        self._left = [MOST_VALUES, inf if self.most is None else self.most]
        begin = buffer.get_pos()
        try:
            value = self._value(buffer, wait, decode, 0)
        except BaseException:
            buffer.rewind(begin)
            raise
        buffer.purge()
        return value

    def _value(self, buffer: _Buffer, wait: tuple[Any, ...], decode: bool, depth: int) -> Any:
        raw = buffer.line(*wait)
        kind, rest = raw[:1], raw[1:]
        if kind == b"$":
            return self._decoded(self._string(buffer, rest, wait), decode)
        if kind == b":":
            return int(rest)
        if kind in b"*~>%" and kind:
            return self._values(buffer, kind, rest, wait, decode, depth + 1)
        if kind == b"+":
            return self._decoded(rest, decode)
        if kind in (b"-", b"!"):
            return self._error(rest if kind == b"-" else self._string(buffer, rest, wait))
        if kind == b"_":
            return None
        if kind == b"=":
            text = self._string(buffer, rest, wait)
            return self._decoded(text[4:] if isinstance(text, bytes) else text, decode)
        if kind == b"#":
            return rest == b"t"
        if kind == b",":
            return float(rest)
        if kind == b"(":
            return int(rest)
        raise InvalidResponse(f"a reply that begins with {raw[:20]!r}")

    def _string(self, buffer: _Buffer, rest: bytes, wait: tuple[Any, ...]) -> bytes | Oversized | None:
        length = int(rest)
        if length < 0:
            return None
        if length > self.longest or length > self._left[1]:
            buffer.past(length, *wait)
            return Oversized(length)
        self._left[1] -= length
        return buffer.string(length, *wait)

    def _values(
        self, buffer: _Buffer, kind: bytes, rest: bytes, wait: tuple[Any, ...], decode: bool, depth: int
    ) -> Any:
        count = int(rest) * (2 if kind == b"%" else 1)
        if count < 0:
            return None
        self._left[0] -= count
        if self._left[0] < 0 or depth > DEEPEST:
            raise InvalidResponse("a reply with more values than anybody asks for")
        values = [self._value(buffer, wait, decode, depth) for _ in range(count)]
        if kind == b"%":
            return dict(zip(values[::2], values[1::2], strict=True))
        return Push(values) if kind == b">" else values

    def _error(self, text: bytes | Oversized | None) -> Exception:
        message = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
        error: Exception = self.parse_error(message)  # type: ignore[no-untyped-call]  # redis-py's
        if isinstance(error, ConnectionLost):
            raise error
        return error

    def _decoded(self, value: Any, decode: bool) -> Any:
        encoder: Any = self.encoder
        return encoder.decode(value) if decode and isinstance(value, bytes) else value


def parser(longest: int, most: int | None = None) -> Callable[..., BoundedParser]:
    """For redis-py's option ``parser_class``; as :class:`BoundedParser`."""
    return partial(BoundedParser, longest=longest, most=most)
