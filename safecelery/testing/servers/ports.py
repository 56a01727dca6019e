"""Free TCP ports on loopback.

Ports come from below the kernel's ephemeral range (32768 and up on Linux), so that no outgoing connection can take one
between the moment it is found and the moment the server binds it. What one process was given, no other process that
asks here is given: a server may take half a minute to bind its port, and several test runs start theirs at once.
"""

from __future__ import annotations

import contextlib
import random
import socket
import sys

__all__ = ["free_ports"]

LOWEST, HIGHEST = 20_000, 29_999
ATTEMPTS = 200

_random = random.SystemRandom()


def free_ports(count: int, *, host: str = "127.0.0.1") -> tuple[int, ...]:
    """``count`` different ports that nothing on ``host`` listens on at this moment, and that nobody else was given.

    Raises:
        OSError: no such ports were found.
    """
    found: list[int] = []
    with contextlib.ExitStack() as held:  # held together, so that no port is given twice
        for _ in range(ATTEMPTS):
            if len(found) == count:
                return tuple(found)
            probe = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            port = _random.randint(LOWEST, HIGHEST)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            if _claimed(port):
                found.append(port)
    message = f"no {count} free ports between {LOWEST} and {HIGHEST} on {host} after {ATTEMPTS} attempts"
    raise OSError(message)


def _claimed(port: int) -> bool:
    """A name that one process of a machine can have at a time, and that is gone with it; elsewhere nobody can tell."""
    if sys.platform != "linux":
        return True
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0safecelery-port-{port}")
    except OSError:
        claim.close()
        return False
    claim.detach()  # it stays open until this process ends
    return True
