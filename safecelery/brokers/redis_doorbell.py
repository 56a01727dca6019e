"""Waiting for a list of Redis to have something, without taking it.

Redis has no blocking command that leaves an item where it is, and what ``BRPOP`` brings is in no other place by then,
whatever its size. So a connection of its own asks ``EXISTS`` of all lists, and has the server say when one of them
changes (``CLIENT TRACKING``): that is all that ever comes by it. Taking is a script's (:mod:`redis_scripts`).

Tracking is in its default mode, in which the server names keys that this connection asked for. In the mode ``BCAST`` it
would name whatever somebody else calls his keys.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from time import monotonic
from typing import Any

from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as WaitedInVain

from safecelery.redis_replies import BoundedParser, Push

__all__ = ["AGAIN_S", "AGAIN_WITHOUT_S", "Doorbell"]

logger = logging.getLogger("safecelery")

#: Seconds after which the lists are asked for again, although nobody rang: it shows that the connection is alive, keeps
#: it so, and finds what rang in vain.
AGAIN_S = 1.0
#: The same where the server does not ring.
AGAIN_WITHOUT_S = 0.1
#: A timer that is this early is on time, as a part of those.
_EARLY = 0.1
_told = False


class Doorbell:
    """One for each channel. A new connection, or a new socket of the same one, is made ready by itself."""

    def __init__(self) -> None:
        self._sock: Any = None
        self._asked_at = 0.0
        self.rings = True
        """The server does; ``False``: it refuses to."""
        self.due = 0
        """Answers that were not given yet."""
        self.moved = False
        """Other lists are consumed now than were asked for."""

    @property
    def again_s(self) -> float:
        """Seconds after which to ask again."""
        return AGAIN_S if self.rings else AGAIN_WITHOUT_S

    @property
    def is_stale(self) -> bool:
        """It is time to ask again, and every answer was given."""
        old = monotonic() - self._asked_at >= self.again_s * (1 - _EARLY)
        return not self.due and (old or self.moved)

    def ask(self, connection: Any, keys: Iterable[str]) -> None:
        """Whether there is any of these lists. From now on the server rings when one changes.

        Raises:
            redis.exceptions.ConnectionError: the connection is gone; who polls it has to make it anew.
        """
        if connection._sock is None:
            raise ConnectionLost("the connection that waits for messages is closed")
        if connection._sock is not self._sock:
            self._make_ready(connection)
        # No PING before it: its answer would be looked for among what the server says unasked.
        connection.send_command("EXISTS", *keys, check_health=False)
        self.due, self.moved, self._asked_at = self.due + 1, False, monotonic()

    def listen(self, connection: Any) -> bool | None:
        """Read all that has come; never waits. Whether there is something to take; ``None`` if nothing new was said.

        Raises:
            redis.exceptions.ConnectionError: the connection is gone.
            redis.exceptions.ResponseError: the server refuses to answer.
        """
        there: bool | None = None
        parser: BoundedParser = connection._parser
        while connection.can_read(timeout=0):
            try:
                said = parser.read(0)
            except WaitedInVain:  # the rest of it is still to come
                break
            if not isinstance(said, Push):
                self.due -= 1
                if isinstance(said, ResponseError):
                    raise said
                there = bool(said) if self.due == 0 else None
            elif said[:1] == [b"invalidate"] and self.due == 0:
                there = True
            # Who rings before an answer is older than the answer, which stands behind it in the stream.
        return there

    def _make_ready(self, connection: Any) -> None:
        global _told  # once in a process
        self._sock, self.due, self.rings = connection._sock, 0, True
        try:
            if str(connection.get_protocol()) != "3":
                _do(connection, "HELLO", "3")
            _do(connection, "CLIENT", "TRACKING", "ON")
        except ResponseError as error:
            self.rings = False
            if not _told:
                logger.warning(
                    "Redis does not tell when a message comes (%s): its queues are asked for every %g s instead. Let "
                    "the account run CLIENT TRACKING and HELLO (ACL: +client|tracking +hello); needs Redis 6",
                    error, AGAIN_WITHOUT_S,
                )  # fmt: skip
            _told = True


def _do(connection: Any, *command: str) -> None:
    connection.send_command(*command, check_health=False)
    connection.read_response()
