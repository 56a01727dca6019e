"""What safecelery needs to know of a broker: one object per kind, listed in ``BROKERS``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from ssl import TLSVersion
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit, urlunsplit

from safecelery.policy.facts import UNKNOWN, Tri, Unknown
from safecelery.policy.limits import Limits

__all__ = ["Broker", "Tls", "Wire", "floor_name", "mask"]


@dataclass(frozen=True, slots=True)
class Tls:
    """Files and floor of one TLS connection. The chain and the host name are always checked."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    floor: str = "TLSv1.2"

    def or_else(self, other: Tls) -> Tls:
        """This one, with what it leaves out taken from ``other`` (files of one connection belong together)."""
        merged = self if self.ca_file else replace(self, ca_file=other.ca_file)
        if merged.cert_file is None:
            merged = replace(merged, cert_file=other.cert_file, key_file=other.key_file)
        return merged


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """What really happens between this process and a server."""

    tls: Tri
    verified: Tri
    """The certificate chain is checked."""
    host_checked: Tri
    """The host name is checked against the certificate."""
    tls_floor: str | Unknown | None
    local: Tri
    """A unix socket or the process itself: nothing crosses a network."""
    password: Literal["none", "default", "set"]


class Broker(Protocol):
    """One kind of message broker."""

    name: str
    #: URL schemes as kombu spells them, mapped to the kombu transport class that serves them.
    transports: Mapping[str, type[Any]]

    def ssl_options(self, tls: Tls) -> dict[str, Any]:
        """The ``broker_use_ssl`` that verifies chain and host name and keeps the floor."""
        ...

    def settings(self, limits: Limits) -> dict[str, Any]:
        """Celery settings that this kind of broker wants as defaults."""
        ...

    def parked(self, connection: Any, queues: Sequence[str]) -> int:
        """How many messages wait on the broker until they are due, for these queues.

        Args:
            connection: a kombu connection of an app made by ``create_app``.

        Raises:
            the transport's connection errors.
        """
        ...

    def wire(self, url: str, ssl: object) -> Wire:
        """What this URL and these ``broker_use_ssl`` options really do (measured, not read off the scheme)."""
        ...


def floor_name(version: object, *, tls: Tri) -> str | Unknown | None:
    """``TLSv1.2`` for ``ssl.TLSVersion.TLSv1_2``; without TLS there is no floor, and TLS without one is unknown."""
    if isinstance(version, TLSVersion):
        return version.name.replace("_", ".")
    return UNKNOWN if tls is True else None


def mask(url: str) -> str:
    """The URL without its password and query, for messages and logs."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    user = f"{parts.username}:**@" if parts.password else f"{parts.username}@" if parts.username else ""
    return urlunsplit((parts.scheme, user + host, parts.path, "", ""))
